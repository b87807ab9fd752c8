"""Does it hold at every site? AUROCs of sites, cohorts or subgroups, pooled and tested.

Levels of a grouping are sets of patients with none in common; where a patient is in
two of them, nothing here is said of that grouping, but why not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from covid_cxr.evaluation.arranged_scores import UNKNOWN, parts_of
from covid_cxr.evaluation.findings import per_finding
from covid_cxr.evaluation.inference_settings import Evaluation, Reporting
from covid_cxr.evaluation.scored_part import ScoredPart
from covid_cxr.statistics.auc import AucEstimates
from covid_cxr.statistics.multiplicity import holm
from covid_cxr.statistics.pooling import (
    FEWEST_POOLED,
    compare_unpaired,
    interaction_p_value,
    pool_aucs,
)

_POOLED = [
    *("variable", "classifier", "levels", "auroc", "lower", "upper"),
    *("prediction_lower", "prediction_upper", "between_sd", "p_heterogeneity"),
    *("left_out", "why_not"),
]
_BETWEEN = [
    *("variable", "classifier", "first", "second", "difference", "lower", "upper"),
    *("p_value", "p_holm"),
]
_INTERACTIONS = ["variable", "first", "second", "levels", "p_value", "p_holm"]


@dataclass(frozen=True, kw_only=True)
class _Levels:
    """The levels of a grouping that have an AUROC, and what is said of the others."""

    estimates: Mapping[str, AucEstimates]
    left_out: str
    flaw: str

    def of(self, classifier: str) -> dict[str, AucEstimates]:
        """Return those in which the classifier's AUROC has a variance."""
        return {
            level: found
            for level, found in self.estimates.items()
            if found.has_variance[found.names.index(classifier)]
        }


@per_finding
def pool_levels(
    scores: pd.DataFrame,
    levels: pd.DataFrame,
    *,
    reporting: Reporting,
    evaluation: Evaluation,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return pooled AUROCs, differences between levels, and interactions.

    The first has a row per grouping and classifier: the AUROC of the average level
    with its interval, the interval for a further level, the standard deviation of the
    logits between levels, and `left_out` and `why_not` in words. The second has every
    two levels for each classifier, adjusted by Holm over a grouping; the third, for
    every two classifiers, whether they differ by as much in every level, adjusted by
    Holm over all groupings and pairs.

    Args:
        scores: As arranged.
        levels: `image_id`, and a column of text per grouping.
        reporting: For the level of the intervals.
        evaluation: For the smallest subgroup.
    """
    test = parts_of(scores).test
    known = levels.set_index("image_id")
    if len(known.columns):  # looking up a million images for nothing takes a second
        known = known.loc[test.scores.index]
    groupings = {
        str(name): _levels(test, known[name], evaluation) for name in known.columns
    }
    names = [str(name) for name in test.scores.columns]
    pooled = [
        {"variable": variable, "classifier": name, **_pooled(found, name, reporting)}
        for variable, found in groupings.items()
        for name in names
    ]
    between = [
        _adjusted(pd.DataFrame(_between(variable, found, names, reporting)))
        for variable, found in groupings.items()
    ]
    interactions = [
        row
        for variable, found in groupings.items()
        for row in _interactions(variable, found, names)
    ]
    return (
        pd.DataFrame(pooled, columns=_POOLED),
        pd.concat([pd.DataFrame(columns=_BETWEEN), *(b for b in between if len(b))]),
        _adjusted(pd.DataFrame(interactions)).reindex(columns=_INTERACTIONS),
    )


def _levels(test: ScoredPart, level: pd.Series, evaluation: Evaluation) -> _Levels:
    pairs = pd.DataFrame({"patient": test.patients, "level": level.to_numpy()})
    n_shared = int((pairs.drop_duplicates().groupby("patient").size() > 1).sum())
    if n_shared:
        return _Levels(
            estimates={},
            left_out="",
            flaw=f"{n_shared:,} patients are in more than one of its levels",
        )
    estimates, left_out = {}, []
    for name in sorted(level.unique()):
        part = test.where(np.asarray(level == name))
        reason = _why_not(str(name), part, evaluation)
        if reason:
            left_out.append(f"{name} ({reason})")
        else:
            estimates[str(name)] = part.estimate(by_patient=True)
    return _Levels(estimates=estimates, left_out="; ".join(left_out), flaw="")


def _why_not(name: str, part: ScoredPart, evaluation: Evaluation) -> str | None:
    if name == UNKNOWN:
        return "no level"
    n_patients = part.sizes["patients"]
    if n_patients < evaluation.least_subgroup_patients:
        return f"{n_patients} patient{'s' if n_patients != 1 else ''}"
    return part.flaw


def _pooled(found: _Levels, classifier: str, reporting: Reporting) -> dict[str, object]:
    own = found.of(classifier)
    perfect = sorted(found.estimates.keys() - own.keys())
    unknown = [f"{name} (an AUROC without a known error)" for name in perfect]
    left_out = "; ".join(filter(None, [found.left_out, *unknown]))
    row = {"levels": len(own), "left_out": left_out, "why_not": found.flaw}
    if found.flaw:
        return row
    if len(own) < FEWEST_POOLED:
        few = f"{len(own)} of its levels can be judged, and pooling needs"
        return {**row, "why_not": f"{few} {FEWEST_POOLED}"}
    one = pool_aucs(list(own.values()), classifier, level=reporting.level)
    return {
        **row,
        "auroc": one.auc,
        **dict(zip(("lower", "upper"), one.bounds, strict=True)),
        **dict(
            zip(("prediction_lower", "prediction_upper"), one.prediction, strict=True)
        ),
        "between_sd": float(np.sqrt(one.between_variance)),
        "p_heterogeneity": one.heterogeneity_p_value,
    }


def _between(
    variable: str, found: _Levels, names: list[str], reporting: Reporting
) -> Iterator[dict[str, object]]:
    for name in names:
        for first, second in combinations(found.of(name).items(), 2):
            difference = compare_unpaired(first[1], second[1], name)
            lower, upper = difference.interval(reporting.level)
            yield {
                "variable": variable,
                "classifier": name,
                "first": first[0],
                "second": second[0],
                "difference": difference.estimate,
                "lower": lower,
                "upper": upper,
                "p_value": difference.p_value,
            }


def _interactions(
    variable: str, found: _Levels, names: list[str]
) -> Iterator[dict[str, object]]:
    for first, second in combinations(names, 2):
        judged = found.of(first).keys() & found.of(second).keys()
        paired = [
            one.compare(first, second)
            for level, one in found.estimates.items()
            if level in judged  # a perfect AUROC would make the difference too sure
        ]
        known = [one for one in paired if one.standard_error > 0]
        if len(known) > 1:
            yield {
                "variable": variable,
                "first": first,
                "second": second,
                "levels": len(known),
                "p_value": interaction_p_value(known),
            }


def _adjusted(table: pd.DataFrame) -> pd.DataFrame:
    if table.empty:
        return table
    return table.assign(p_holm=holm(table["p_value"].to_numpy()))
