"""What leaves a site: aggregates only; and what many sites' aggregates say together."""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logit

import covid_cxr
from covid_cxr.evaluation.disclosure_control import (
    control_disclosure,
    withheld_below,
)
from covid_cxr.evaluation.external_scores import CLASSIFIER, ExternalValidation
from covid_cxr.evaluation.inference_settings import Reporting
from covid_cxr.statistics.pooling import FEWEST_POOLED, pool_logits

logger = logging.getLogger(__name__)

SCHEMA_VERSION = 1
_NUMBERS = (
    *("auroc", "lower", "upper", "standard_error"),
    *("cases", "controls", "patients", "refused"),
)
_COHORT = [
    *("cohort", CLASSIFIER, "sha256", "is_registered", *_NUMBERS),
    "manifest_sha256",
]
_POOLED = [
    *(CLASSIFIER, "sha256", "cohorts", "auroc", "lower", "upper"),
    *("prediction_lower", "prediction_upper", "between_variance"),
    "heterogeneity_p_value",
]


def state_primary(
    *,
    manifest: pd.DataFrame,
    classifiers: Mapping[str, Any],
    protocol: Mapping[str, Any],
    external: ExternalValidation,
    **tables: pd.DataFrame,
) -> dict[str, Any]:
    """Return the primary result, which is written before anything is fitted.

    Args:
        manifest: Its hash goes into the result.
        classifiers: From `describe_bundles`.
        protocol: From `read_protocol`.
        external: For the name of the cohort.
        tables: Of the primary result, by name.
    """
    text = manifest.to_csv(index=False, lineterminator="\n")
    return {
        "schema_version": SCHEMA_VERSION,
        "cohort": external.name,
        "software": covid_cxr.__version__,
        "manifest_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "classifiers": {
            key: {"sha256": one["sha256"], "label": one["label"]}
            for key, one in classifiers.items()
        },
        "protocol": dict(protocol),
        "tables": {key: _records(table) for key, table in tables.items()},
    }


def export_aggregates(
    primary: Mapping[str, Any], external: ExternalValidation, **tables: pd.DataFrame
) -> dict[str, Any]:
    """Return all that may leave a site which shares nothing of single patients.

    Counts are rounded and small ones withheld, as `disclosure_control` has it.

    Args:
        primary: From `state_primary`.
        external: For what counts are rounded to.
        tables: Further ones, by name.
    """
    known = {**primary["tables"], **{k: _records(t) for k, t in tables.items()}}
    digest = hashlib.sha256(json.dumps(primary, sort_keys=True).encode())
    return {
        **primary,
        "primary_sha256": digest.hexdigest(),
        "counts_rounded_to": external.least_cell,
        "counts_withheld_below": withheld_below(external.least_cell),
        "tables": control_disclosure(known, external.least_cell),
    }


def gather_cohorts(
    primary: Mapping[str, Any],
    aggregates: Mapping[str, Any],
    exports: Mapping[str, Callable[[], Mapping[str, Any]]] | None,
) -> pd.DataFrame:
    """Return the AUROC of each classifier in each cohort, from all exports there are.

    Columns: `cohort, classifier, sha256` (of the bundle), `is_registered`, `auroc,
    lower, upper, standard_error, cases, controls, patients, refused, manifest_sha256`.

    Numbers of this cohort are exact; of the others they are as exported.

    Args:
        primary: Of this run, from `state_primary`.
        aggregates: Of this run, by which its own export is known.
        exports: Those in the folder of results, of this and of other cohorts.

    Raises:
        ValueError: If an export is of a later version, or two are of one name.
    """
    rows = []
    found = _by_name(primary, aggregates, exports or {})
    for cohort, one in sorted(found.items()):
        if one["schema_version"] > SCHEMA_VERSION:
            raise ValueError(
                f"The export of {cohort} is of version {one['schema_version']}, and "
                f"this software knows {SCHEMA_VERSION}: install {one['software']}."
            )
        for row in one["tables"]["discrimination"]:
            bundle = one["classifiers"][row[CLASSIFIER]]["sha256"]
            is_registered = one["protocol"]["sha256"] is not None
            named = {"cohort": cohort, "sha256": bundle, "is_registered": is_registered}
            rows.append({**row, **named, "manifest_sha256": one["manifest_sha256"]})
    table = pd.DataFrame(rows).reindex(columns=_COHORT)
    return table.astype(dict.fromkeys(_NUMBERS, float))  # what is withheld is NaN


def pool_cohorts(cohorts: pd.DataFrame, reporting: Reporting) -> pd.DataFrame:
    """Return the AUROC of each classifier in the average cohort and in a further one.

    Random effects on the logit scale (`statistics.pooling`), of bundles tested in at
    least three cohorts in which the AUROC has an error. A cohort that was tested under
    two names, which its manifest tells, counts once.

    Args:
        cohorts: From `gather_cohorts`.
        reporting: For the level.
    """
    has_error = cohorts["standard_error"].gt(0) & cohorts["auroc"].between(
        0, 1, inclusive="neither"
    )
    known = cohorts[has_error]
    once = known.drop_duplicates([CLASSIFIER, "sha256", "manifest_sha256"])
    if len(once) < len(known):
        again = sorted(set(known["cohort"]) - set(once["cohort"]))
        logger.warning("not pooled, of another cohort's manifest: %s", ", ".join(again))
    rows = []
    for (name, sha256), own in once.groupby([CLASSIFIER, "sha256"]):
        if len(own) < FEWEST_POOLED:
            continue
        aucs = own["auroc"].to_numpy(float)
        errors = own["standard_error"].to_numpy(float) / (aucs * (1 - aucs))
        found = pool_logits(logit(aucs), errors**2, level=reporting.level)
        bounds = (found.auc, *found.bounds, *found.prediction)
        rows.append(
            (
                *(name, sha256, len(own), *bounds),
                *(found.between_variance, found.heterogeneity_p_value),
            )
        )
    return pd.DataFrame(rows, columns=_POOLED)


def _by_name(
    primary: Mapping[str, Any],
    aggregates: Mapping[str, Any],
    exports: Mapping[str, Callable[[], Any]],
) -> dict[str, Mapping[str, Any]]:
    """Return the exports by the names of their cohorts."""
    places = {primary["cohort"]: "this run"}
    found = {primary["cohort"]: primary}
    for place, load in sorted(exports.items()):
        one = load()
        if one == aggregates:  # its own file
            continue
        if one["cohort"] in found:
            raise ValueError(
                f"The exports of {places[one['cohort']]} and of the folder {place!r} "
                f"are both of a cohort called {one['cohort']}, and one would hide the "
                f"other: run one of them with another --params=external.name=…, or "
                f"take away the one that is old."
            )
        places[one["cohort"]], found[one["cohort"]] = f"the folder {place!r}", one
    return found


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as JSON takes them: nothing for what is not known."""
    known = table.astype(object).where(table.notna(), None)
    return [
        {str(k): _plain(v) for k, v in row.items()} for row in known.to_dict("records")
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    is_infinite = isinstance(value, float) and not np.isfinite(value)
    return None if is_infinite else value
