"""Frozen classifiers on a cohort that their study never saw: the primary result.

Nothing is fitted here. Thresholds and probabilities are those of the bundles; what a
bundle refuses to predict is an outcome of its own, and every share stands beside the
one in which a refusal is no right answer.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.checks import check_whole
from covid_cxr.evaluation.arranged_scores import no_rows
from covid_cxr.evaluation.aurocs import tabulate_aurocs
from covid_cxr.evaluation.calibration_tables import (
    AS_IT_IS,
    THRESHOLDS,
    calibration_columns,
)
from covid_cxr.evaluation.inference_settings import Evaluation, Reporting
from covid_cxr.evaluation.scored_part import ScoredPart, auroc_rows, difference_row
from covid_cxr.evaluation.subgroups import find_levels, tabulate_subgroups
from covid_cxr.statistics.auc import AucEstimates, as_codes, normal_quantile
from covid_cxr.statistics.calibration import estimate_calibration, reliability_curve
from covid_cxr.statistics.decision_curve import trace_decision_curve
from covid_cxr.statistics.pooling import compare_unpaired
from covid_cxr.statistics.proportion import clustered_share

CLASSIFIER = "classifier"
NOT_ELIGIBLE, REFUSED, PREDICTED = "not eligible", "refused", "predicted"
NO_STUDY = "the internal test is not at hand: no such study is in data_root"
CLASSES = {"case": True, "control": False}
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_IDENTITY = ["image_id", "patient_id", "is_case"]
_DECISION = ("threshold", "net_benefit", "net_benefit_of_everybody")
_DISCRIMINATION = [
    *(CLASSIFIER, "auroc", "lower", "upper", "image_lower", "image_upper"),
    *("bootstrap_lower", "bootstrap_upper", "bootstrap_error", "bootstrap_replicates"),
    *("partial_auroc", "max_false_positive_rate", "is_at_boundary", "caution"),
    *("cases", "controls", "patients", "standard_error", "degrees_of_freedom"),
    *("refused", "auroc_refusals_wrong"),
    *("internal_auroc", "internal_lower", "internal_upper"),
    *("difference", "difference_lower", "difference_upper", "p_value"),
    "no_difference",
]
_FLOW = [CLASSIFIER, "outcome", "reason", "images", "patients", "cases"]


@dataclass(frozen=True, kw_only=True)
class ExternalValidation:
    """Settings of an external validation, as read from parameters_external.yml.

    Attributes:
        name: Of the cohort, in results.
        least_patients: With a radiograph in the cohort; fewer stop the run.
        least_cell: What counts are rounded to in what is exported.
        seed: Of the halves that something is fitted on and judged on.
    """

    name: str
    least_patients: int
    least_cell: int
    seed: int

    def __post_init__(self) -> None:
        """Refuse what is no name of a folder, or no count."""
        is_text = isinstance(self.name, str)
        if not is_text or not re.fullmatch(r"[\w-][\w.-]*", self.name):
            raise ValueError(
                f"external.name is text of letters, digits, '_', '-' and '.', such as "
                f"site_2021, got {self.name!r}; results have a folder of that name."
            )
        place = "parameters_external.yml"
        for name in ("least_patients", "least_cell"):
            value = getattr(self, name)
            check_whole(f"external.{name}", value, least=1, place=place)


def by_classifier(scores: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the rows of each classifier, in their order."""
    for name, rows in scores.groupby(CLASSIFIER, sort=False):
        yield str(name), rows


def predicted_part(rows: pd.DataFrame, name: str) -> ScoredPart:
    """Return what a classifier said of the radiographs that it predicted.

    Args:
        rows: Of the one classifier: `image_id, patient_id, is_case, score`.
        name: What its column is called.
    """
    known = rows[rows["score"].notna()].set_index("image_id").sort_index()
    return ScoredPart(
        is_case=known["is_case"].to_numpy(bool),
        scores=known[["score"]].rename(columns={"score": name}).astype(float),
        patients=known["patient_id"].to_numpy(object),
    )


def arranged(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the predicted radiographs as a table of scores has them, all of test."""
    known = rows.loc[rows["score"].notna(), [*_IDENTITY, "score"]]
    return known.assign(part="test").rename(columns={"score": name})


def tabulate_flow(scores: pd.DataFrame, rejected: pd.DataFrame) -> pd.DataFrame:
    """Return what became of every row of the manifest, by classifier.

    Columns: `classifier` ("all" before one is asked), `outcome`, `reason` (its kind,
    without what it says of a patient), `images`, `patients`, `cases`.

    Args:
        scores: From `predict_cohort`.
        rejected: Rows of the manifest that cannot be used, with `reason`.
    """
    left_out = kind_of(rejected["reason"]).value_counts()
    rows: list[dict[str, Any]] = [
        {CLASSIFIER: "all", "outcome": NOT_ELIGIBLE, "reason": reason, "images": number}
        for reason, number in left_out.items()
    ]
    told = scores.assign(
        outcome=np.where(scores["score"].isna(), REFUSED, PREDICTED),
        reason=kind_of(scores["reason"]).fillna(""),
    )
    groups = told.groupby([CLASSIFIER, "outcome", "reason"], sort=True)
    rows += [
        {
            **dict(zip(_FLOW, key, strict=False)),
            "images": len(group),
            "patients": group["patient_id"].nunique(),
            "cases": int(group["is_case"].sum()),
        }
        for key, group in groups
    ]
    return pd.DataFrame(rows, columns=_FLOW)


def kind_of(reasons: pd.Series) -> pd.Series:
    """Return reasons up to their colon, after which they speak of one file."""
    return reasons.astype("str").str.replace(r"(?s):.*", "", regex=True)


def tabulate_discrimination(
    scores: pd.DataFrame,
    internal: pd.DataFrame,
    *,
    reporting: Reporting,
    evaluation: Evaluation,
) -> pd.DataFrame:
    """Return the AUROC of each classifier, and its difference to the internal test.

    The columns of `tabulate_aurocs`; `standard_error`, `degrees_of_freedom`;
    `refused`, and `auroc_refusals_wrong`, as if each refused radiograph were on the
    wrong side of all others; `internal_auroc`, `…_lower`, `…_upper`; `difference`
    (external minus internal, unpaired) with its interval and `p_value`;
    `no_difference` says why there is none. NaN where a class is missing.

    Args:
        scores: From `predict_cohort`.
        internal: From `take_internal`: likewise, of the study's test part.
        reporting: For the level of the intervals.
        evaluation: For the bootstrap and the partial area.
    """
    rows = []
    for name, own in by_classifier(scores):
        part = predicted_part(own, name)
        within = internal[internal[CLASSIFIER] == name]
        found = part.estimate(by_patient=True)
        known: dict[Any, Any] = {CLASSIFIER: name, **part.sizes, "caution": part.flaw}
        if part.has_both_classes:
            table = arranged(own, name)
            (known,) = tabulate_aurocs(
                table, reporting=reporting, evaluation=evaluation
            ).to_dict("records")
        rows.append(
            {
                **known,
                "standard_error": float(found.standard_error[0]),
                "degrees_of_freedom": _freedom(found),
                "refused": int(own["score"].isna().sum()),
                "auroc_refusals_wrong": _worst_auroc(own, name),
                **_compare(part, within, name, reporting.level),
            }
        )
    return pd.DataFrame(rows).reindex(columns=_DISCRIMINATION)


def tabulate_operating(
    scores: pd.DataFrame, classifiers: Mapping[str, Any], *, reporting: Reporting
) -> pd.DataFrame:
    """Return what each classifier does at the thresholds that its bundle states.

    One row per classifier and rule. `sensitivity`, `specificity`, `ppv` and `npv` (at
    the cohort's own share of cases) are of the predicted radiographs;
    `sensitivity_of_all` and `specificity_of_all` are of all radiographs of the class,
    a refused one being called neither. Each with `…_lower` and `…_upper`, by patient
    (Wilson); NaN for what one class cannot tell, as where all controls are refused.

    Args:
        scores: From `predict_cohort`.
        classifiers: From `describe_bundles`.
        reporting: For the level of the intervals.
    """
    rows = []
    for name, own in by_classifier(scores):
        for point in classifiers[name]["operating_points"]:
            shares = _shares(own, point["threshold"], reporting.level)
            rows.append({CLASSIFIER: name, **point, **_counts(own, point), **shares})
    return pd.DataFrame(rows)


def tabulate_frozen_calibration(
    scores: pd.DataFrame, *, reporting: Reporting, evaluation: Evaluation
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return calibration, reliability and decision curves of bundles' probabilities.

    They are those at the prevalence of the bundle's validation part, as it predicts
    unless another is stated. `intercept` is calibration in the large (slope held at
    1), `observed_to_expected` the share of cases over the mean probability. No rows
    for a bundle without a calibration map, or a cohort of one class.

    Args:
        scores: From `predict_cohort`.
        reporting: For the level of the intervals.
        evaluation: For the number of bins.
    """
    tables: tuple[list[dict[str, Any]], ...] = ([], [], [])
    for name, own in by_classifier(scores):
        known = own[own["probability"].notna()]
        if known["is_case"].nunique() < 2:
            continue
        truth, values = known["is_case"].to_numpy(bool), known["probability"].to_numpy()
        codes = as_codes(known["patient_id"].to_numpy(object), len(known))
        named = {CLASSIFIER: name}
        tables[0].append(named | calibration_row(truth, values, codes, reporting))
        bins = reliability_curve(
            truth,
            values,
            cluster=codes,
            n_bins=evaluation.calibration_bins,
            level=reporting.level,
        )
        as_it_is = {**named, "recalibration": AS_IT_IS}
        tables[1].extend(as_it_is | vars(one) for one in bins)
        curve = trace_decision_curve(truth, values, thresholds=THRESHOLDS)
        steps = zip(THRESHOLDS, curve.model, curve.everybody, strict=True)
        tables[2].extend(
            named | dict(zip(_DECISION, map(float, step), strict=True))
            for step in steps
        )
    first, second, third = (
        pd.DataFrame(rows) if rows else no_rows() for rows in tables
    )
    return first, second, third


def calibration_row(
    truth: NDArray[np.bool_],
    values: NDArray[np.float64],
    codes: NDArray[np.int64],
    reporting: Reporting,
) -> dict[str, float]:
    """Return Brier score, slope, calibration in the large and observed to expected.

    Args:
        truth: Both classes, shape (n,).
        values: Probabilities, shape (n,).
        codes: Patient of each image, shape (n,).
        reporting: For the level of the intervals.
    """
    found = estimate_calibration(truth, values, cluster=codes)
    return {
        **calibration_columns(found, normal_quantile(reporting.level)),
        "observed": float(truth.mean()),
        "expected": float(values.mean()),
        "observed_to_expected": float(truth.mean() / values.mean()),
        "n_certain": found.n_certain,
    }


def tabulate_external_subgroups(
    scores: pd.DataFrame,
    radiographs: pd.DataFrame,
    *,
    reporting: Reporting,
    evaluation: Evaluation,
) -> pd.DataFrame:
    """Return the AUROC of each classifier by site, view, sex and age band.

    As from `tabulate_subgroups`, of the predicted radiographs.

    Args:
        scores: From `predict_cohort`.
        radiographs: Of the cohort.
        reporting: For the level of the intervals.
        evaluation: For the age bands and the smallest subgroup.
    """
    levels = find_levels(radiographs, evaluation)
    tables = [
        tabulate_subgroups(
            arranged(own, name), levels, reporting=reporting, evaluation=evaluation
        )
        for name, own in by_classifier(scores)
        if own["score"].notna().any()
    ]
    return pd.concat(tables, ignore_index=True) if tables else no_rows()


def tabulate_score_quantiles(
    scores: pd.DataFrame, internal: pd.DataFrame
) -> pd.DataFrame:
    """Return quantiles of scores by class, here and in the internal test.

    Columns: `classifier`, `cohort` ("external" or "internal"), `class`, `images`, and
    `q05` to `q95`. What a cohort of one class can be compared by.

    Args:
        scores: From `predict_cohort`.
        internal: From `take_internal`.
    """
    rows = []
    for cohort, table in (("external", scores), ("internal", internal)):
        for name, own in by_classifier(table):
            for word, is_case in CLASSES.items():
                values = own.loc[own["is_case"] == is_case, "score"].dropna()
                if not values.empty:
                    quantiles = np.quantile(values, _QUANTILES)
                    rows.append((name, cohort, word, len(values), *quantiles))
    quantile_names = [f"q{100 * q:02.0f}" for q in _QUANTILES]
    columns = [CLASSIFIER, "cohort", "class", "images", *quantile_names]
    return pd.DataFrame(rows, columns=columns)


def _freedom(found: AucEstimates) -> float:
    known = bool(found.has_variance[0])
    return found.degrees_of_freedom(0) if known else float("nan")


def _worst_auroc(own: pd.DataFrame, name: str) -> float:
    """Return the AUROC with every refused radiograph beyond all of the other class."""
    furthest = np.where(own["is_case"], -np.inf, np.inf)
    filled = own["score"].fillna(pd.Series(furthest, index=own.index))
    # Ranks are what an AUROC sees, and infinity is no score.
    part = predicted_part(own.assign(score=filled.rank(method="average")), name)
    return float(part.estimate(by_patient=True).auc[0])


def _compare(
    part: ScoredPart, within: pd.DataFrame, name: str, level: float
) -> dict[str, Any]:
    if within.empty:
        return {"no_difference": NO_STUDY}
    inside = predicted_part(within, name).estimate(by_patient=True)
    (row,) = auroc_rows(inside, level)
    known: dict[str, Any] = {f"internal_{k}": v for k, v in row.items()}
    if part.flaw:
        return {**known, "no_difference": f"{part.flaw} in the cohort"}
    found = part.estimate(by_patient=True)
    try:
        difference = compare_unpaired(found, inside, name)
    except ValueError as error:
        return {**known, "no_difference": str(error)}
    return {
        **known,
        **difference_row(difference, level),
        "p_value": difference.p_value,
        "no_difference": "",
    }


def _shares(own: pd.DataFrame, threshold: float, level: float) -> dict[str, float]:
    truth, codes = own["is_case"].to_numpy(bool), as_codes(own["patient_id"], len(own))
    has_score = own["score"].notna().to_numpy()
    is_called = own["score"].ge(threshold).to_numpy()
    is_passed = has_score & ~is_called
    asked = {
        "sensitivity": (is_called, truth & has_score),
        "specificity": (is_passed, ~truth & has_score),
        "ppv": (truth, is_called),
        "npv": (~truth, is_passed),
        "sensitivity_of_all": (is_called, truth),
        "specificity_of_all": (is_passed, ~truth),
    }
    has_both = (truth & has_score).any() and (~truth & has_score).any()
    found: dict[str, float] = {}
    for measure, (is_hit, is_counted) in asked.items():
        values: Sequence[float] = (np.nan, np.nan, np.nan)
        is_asked = has_both or measure not in {"ppv", "npv"}
        if is_asked and is_counted.any():
            share, _ = clustered_share(is_hit, is_counted, codes)
            values = (share.estimate, *share.interval(level))
        names = (measure, f"{measure}_lower", f"{measure}_upper")
        found |= dict(zip(names, values, strict=True))
    return found


def _counts(own: pd.DataFrame, point: Mapping[str, Any]) -> dict[str, int]:
    is_called = own["score"].ge(point["threshold"])
    outcomes = {
        "positive": is_called,
        "negative": own["score"].notna() & ~is_called,
        "refused": own["score"].isna(),
    }
    return {
        f"{word}s_{outcome}": int((inside & (own["is_case"] == is_case)).sum())
        for word, is_case in CLASSES.items()
        for outcome, inside in outcomes.items()
    }
