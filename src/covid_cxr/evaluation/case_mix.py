"""How an external cohort differs from the internal test, and what that explains.

Who is examined differs between hospitals, and an AUROC with them. Two questions: how
well can the cohorts be told apart by what is known of their patients (the membership
model of Debray et al., J Clin Epidemiol 2015;68:279), and which AUROC would the cohort
have, were its cases and its controls like those of the internal test? The latter by
direct standardisation: within each class a radiograph counts by the internal share of
its stratum (view, sex and age band) over the external one. Sites are in no stratum:
no site is in both.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.audit.grey_values import predict_from_features
from covid_cxr.audit.metadata_alone import (
    DescribedSet,
    describe_set,
    predict_from_metadata,
)
from covid_cxr.evaluation.external_scores import (
    CLASSES,
    CLASSIFIER,
    ExternalValidation,
    by_classifier,
    predicted_part,
)
from covid_cxr.evaluation.inference_settings import Evaluation, Reporting
from covid_cxr.evaluation.scored_part import difference_row
from covid_cxr.evaluation.subgroups import find_levels
from covid_cxr.statistics.patient_aucs import estimate_weighted_aucs
from covid_cxr.statistics.pooling import compare_unpaired

STRATA = ["view", "sex", "age_band"]
MEMBER = "is_external"
_STANDARDISED = [
    *(CLASSIFIER, "auroc", "internal_auroc", "standardised_auroc", "lower", "upper"),
    *("explained", "difference", "difference_lower", "difference_upper"),
    *("effective_images", "uncovered_cases", "uncovered_controls", "reason"),
]
_SEEN_BY = ("view", "sex", "age", "age, sex and view")  # source and site are the cohort


def split_halves(
    patients: NDArray[np.object_], is_case: NDArray[np.bool_], *, seed: int
) -> NDArray[np.bool_]:
    """Return True for the images of half of the patients, drawn within each class.

    A patient with an image of a case is a case.

    Args:
        patients: Shape (n,).
        is_case: Shape (n,).
        seed: Of the draw.
    """
    has_case = pd.Series(is_case).groupby(patients, sort=True).any()
    rng = np.random.default_rng(seed)
    drawn: list[Any] = []
    for kind in (True, False):
        names = has_case.index[has_case == kind].to_numpy()
        drawn += list(rng.permutation(names)[: (len(names) + 1) // 2])
    return np.asarray(pd.Series(patients).isin(drawn))


def tabulate_case_mix(
    radiographs: pd.DataFrame,
    described: pd.DataFrame,
    primary: Mapping[str, Any],
    *,
    evaluation: Evaluation,
) -> pd.DataFrame:
    """Return how many radiographs of each kind are in both cohorts.

    Columns: `cohort` ("external" or "internal"), `variable` (site, view, sex,
    age_band, and "all"), `level`, `images`, `patients`, `cases`, `prevalence`.

    Args:
        radiographs: Of the external cohort.
        described: Of the internal test, likewise; empty where it is not at hand.
        primary: The primary result, for the outcome.
        evaluation: For the age bands.
    """
    label, rows = _outcome(primary), []
    for cohort, table in (("external", radiographs), ("internal", described)):
        if table.empty:
            continue
        levels = find_levels(table, evaluation).drop(columns="image_id")
        for variable, values in levels.assign(all="all").items():
            groups = table.groupby(values.to_numpy(), sort=True)
            for level, own in groups:
                n_cases = int(own[label].sum())
                rows.append(
                    {
                        "cohort": cohort,
                        "variable": str(variable),
                        "level": str(level),
                        "images": len(own),
                        "patients": own["patient_id"].nunique(),
                        "cases": n_cases,
                        "prevalence": n_cases / len(own),
                    }
                )
    return pd.DataFrame(rows)


def tabulate_standardised(
    scores: pd.DataFrame,
    internal: pd.DataFrame,
    radiographs: pd.DataFrame,
    described: pd.DataFrame,
    *,
    reporting: Reporting,
    evaluation: Evaluation,
) -> pd.DataFrame:
    """Return the AUROC of each classifier, were the case mix that of the study.

    Columns: `classifier, auroc, internal_auroc, standardised_auroc, lower, upper`;
    `explained`, standardised minus external; `difference`, standardised minus
    internal, with its interval (weights taken as known); `effective_images` (Kish's
    number of cases plus that of controls, whose weights are of no one scale) and
    `uncovered_cases`, `uncovered_controls`, the internal shares in strata that the
    cohort lacks: with much of a class uncovered it is the case mix of the rest.
    `reason` says why there is none.

    Args:
        scores: From `predict_cohort`.
        internal: From `take_internal`.
        radiographs: Of the external cohort.
        described: Of the internal test.
        reporting: For the level of the intervals.
        evaluation: For the age bands.
    """
    strata = pd.concat(
        [
            find_levels(table, evaluation).assign(cohort=cohort)
            for cohort, table in (("external", radiographs), ("internal", described))
            if not table.empty
        ]
    )
    kinds = strata[[*STRATA]].agg(" ".join, axis=1)
    by_image = kinds.set_axis(
        pd.MultiIndex.from_frame(strata[["cohort", "image_id"]]), axis="index"
    )
    rows = []
    for name, own in by_classifier(scores):
        within = internal[internal[CLASSIFIER] == name]
        row = {CLASSIFIER: name, "reason": "the internal test is not at hand"}
        if not within.empty:
            row |= _standardise(own, within, name, by_image, reporting.level)
        rows.append(row)
    return pd.DataFrame(rows).reindex(columns=_STANDARDISED)


def tabulate_membership(
    radiographs: pd.DataFrame,
    described: pd.DataFrame,
    primary: Mapping[str, Any],
    *,
    reporting: Reporting,
    external: ExternalValidation,
) -> pd.DataFrame:
    """Return the AUROCs of telling the external cohort from the internal test.

    By logistic regression on half of the patients, judged on the other half; columns
    as from `predict_from_metadata`. Near 0.5 the cohort tells of reproducibility, near
    1 of transportability.

    Args:
        radiographs: Of the external cohort.
        described: Of the internal test.
        primary: The primary result, for the name of the cohort.
        reporting: For the level of the intervals.
        external: For the seed.
    """
    if described.empty:
        return pd.DataFrame(columns=["predictors", "auroc", "lower", "upper"])
    both = pd.concat(
        [radiographs.assign(**{MEMBER: True}), described.assign(**{MEMBER: False})],
        keys=["external", "internal"],
    ).reset_index(drop=True)
    both = both.assign(image_id=[str(i) for i in range(len(both))])
    found = predict_from_metadata(
        _halved(both, MEMBER, external.seed, name=primary["cohort"]),
        level=reporting.level,
    )
    return found[found["predictors"].isin(_SEEN_BY)].reset_index(drop=True)


def find_shortcuts(
    radiographs: pd.DataFrame,
    features: pd.DataFrame,
    primary: Mapping[str, Any],
    *,
    reporting: Reporting,
    external: ExternalValidation,
) -> pd.DataFrame:
    """Return what metadata and grey values alone tell of the outcome in the cohort.

    Columns: `predictors, auroc, lower, upper, n_patients`, judged on the half of the
    patients that nothing was fitted to.

    Args:
        radiographs: Of the external cohort.
        features: From `measure_features`, with `image_id`: of those with pixels.
        primary: The primary result, for the outcome.
        reporting: For the level of the intervals.
        external: For the seed.
    """
    columns = ["predictors", "auroc", "lower", "upper", "n_patients"]
    label = _outcome(primary)
    halved = _halved(radiographs, label, external.seed, name=primary["cohort"])
    told = predict_from_metadata(halved, level=reporting.level)
    is_measured = halved.images["image_id"].isin(features["image_id"])
    seen = halved.images[is_measured].reset_index(drop=True)
    own = features.set_index("image_id").loc[seen["image_id"]].reset_index(drop=True)
    grey = predict_from_features(own, seen, label, level=reporting.level)
    is_of_label = (grey["predicted"] == label) & (grey["part"] == "test")
    of_label = grey[is_of_label].assign(predictors="grey values")
    tables = [t.reindex(columns=columns) for t in (told, of_label) if len(t)]
    return pd.concat(tables, ignore_index=True)


def _outcome(primary: Mapping[str, Any]) -> str:
    """Return the column of the outcome."""
    return str(next(iter(primary["classifiers"].values()))["label"]["name"])


def _halved(
    radiographs: pd.DataFrame, label: str, seed: int, *, name: str
) -> DescribedSet:
    is_case = radiographs[label].to_numpy(bool)
    patients = radiographs["patient_id"].to_numpy(object)
    halves = np.where(split_halves(patients, is_case, seed=seed), "train", "test")
    split = radiographs[["image_id"]].assign(part=halves)
    return describe_set(name, curated=radiographs, split=split, label=label)


def _standardise(
    own: pd.DataFrame,
    within: pd.DataFrame,
    name: str,
    by_image: pd.Series,
    level: float,
) -> dict[str, Any]:
    parts = {
        "external": predicted_part(own, name),
        "internal": predicted_part(within, name),
    }
    outer, inner = parts["external"], parts["internal"]
    if not (outer.has_both_classes and inner.has_both_classes):
        return {"reason": outer.flaw or inner.flaw}
    strata = {
        cohort: by_image[cohort].loc[part.scores.index].to_numpy()
        for cohort, part in parts.items()
    }
    weights, uncovered = np.zeros(len(outer.is_case)), {}
    for word, is_case in CLASSES.items():
        here, there = outer.is_case == is_case, inner.is_case == is_case
        shares = pd.Series(strata["internal"][there]).value_counts(normalize=True)
        own_shares = pd.Series(strata["external"][here]).value_counts(normalize=True)
        ratio = shares.reindex(own_shares.index).fillna(0) / own_shares
        weights[here] = ratio.loc[strata["external"][here]].to_numpy()
        uncovered[f"uncovered_{word}s"] = float(
            shares[~shares.index.isin(own_shares.index)].sum()
        )
    counts = weights > 0
    kept, weighing = outer.where(counts), weights[counts]
    if not kept.has_both_classes:
        return {**uncovered, "reason": "no stratum of a class is in both cohorts"}
    found = estimate_weighted_aucs(
        kept.is_case, kept.scores, weights=weighing, cluster=kept.clusters
    )
    lower, upper = found.interval(level, "logit")[0]
    inside = inner.estimate(by_patient=True)
    whole = float(outer.estimate(by_patient=True).auc[0])
    row = {
        "auroc": whole,
        "internal_auroc": float(inside.auc[0]),
        "standardised_auroc": float(found.auc[0]),
        "lower": lower,
        "upper": upper,
        "explained": float(found.auc[0]) - whole,
        "effective_images": sum(
            _effective(weighing[kept.is_case == is_case])
            for is_case in CLASSES.values()
        ),
        **uncovered,
        "reason": "",
    }
    try:
        difference = compare_unpaired(found, inside, name)
    except ValueError as error:
        return {**row, "reason": str(error)}
    return {**row, **difference_row(difference, level)}


def _effective(weights: NDArray[np.float64]) -> float:
    return float(weights.sum() ** 2 / (weights**2).sum())
