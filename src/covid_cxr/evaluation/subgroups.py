"""AUROC by site, view, sex and age band, or by any other grouping of radiographs."""

import itertools
import re

import numpy as np
import pandas as pd

from covid_cxr.evaluation.arranged_scores import UNKNOWN, parts_of
from covid_cxr.evaluation.findings import per_finding
from covid_cxr.evaluation.inference_settings import Evaluation, Reporting
from covid_cxr.evaluation.scored_part import ScoredPart, auroc_rows

_COLUMNS = [
    *("variable", "level", "images", "patients", "cases"),
    *("classifier", "auroc", "lower", "upper"),
]


def find_levels(radiographs: pd.DataFrame, evaluation: Evaluation) -> pd.DataFrame:
    """Return `image_id`, and as text the site, view, sex and age band of each image.

    Args:
        radiographs: `image_id`, `site`, `view`, `sex` and `age_years`.
        evaluation: For the age bands.
    """
    named = radiographs[["site", "view", "sex"]]
    levels = named.astype("str").where(named.notna(), UNKNOWN)
    return levels.assign(
        age_band=age_band(radiographs["age_years"], evaluation),
        image_id=radiographs["image_id"],
    )


@per_finding
def tabulate_subgroups(
    scores: pd.DataFrame,
    levels: pd.DataFrame,
    *,
    reporting: Reporting,
    evaluation: Evaluation,
) -> pd.DataFrame:
    """Return the AUROC of each classifier in each subgroup of the test part.

    Columns: `variable`, `level`, `classifier`, `images`, `patients`, `cases`, `auroc`,
    `lower`, `upper` (logit, by patient). A subgroup with one class only, or with fewer
    patients than asked for, keeps its row with NaN.

    Args:
        scores: As arranged.
        levels: `image_id`, and a column of text per grouping.
        reporting: For the level of the intervals.
        evaluation: For the smallest subgroup.
    """
    if set(levels) == {"image_id"}:
        return pd.DataFrame(columns=_COLUMNS)
    test = parts_of(scores).test
    known = levels.set_index("image_id").loc[test.scores.index]
    tables = [
        _subgroup(test, level, variable, np.asarray(known[variable] == level))
        for variable in known.columns
        for level in sorted(known[variable].unique(), key=_place)
    ]
    rows = [
        {**sizes, **estimate}
        for sizes, part in tables
        for estimate in _estimates(part, reporting, evaluation)
    ]
    return pd.DataFrame(rows, columns=_COLUMNS)


def age_band(age_years: pd.Series, evaluation: Evaluation) -> pd.Series:
    """Return bands such as "40-59", "80+" and "unknown".

    Args:
        age_years: NaN where unknown.
        evaluation: For the edges.
    """
    edges = [0.0, *evaluation.age_edges]
    labels = [f"{low:g}-{high - 1:g}" for low, high in itertools.pairwise(edges)]
    bands = pd.cut(
        age_years, [*edges, np.inf], right=False, labels=[*labels, f"{edges[-1]:g}+"]
    )
    return bands.astype("str").where(age_years.notna(), UNKNOWN)


def _place(level: str) -> tuple[bool, float, str]:
    """Numbers in their order, so that 5-17 stands before 18-39; unknown at the end."""
    number = re.match(r"\d+", level)
    return level == UNKNOWN, float(number[0]) if number else np.inf, level


def _subgroup(
    test: ScoredPart,
    level: str,
    variable: str,
    inside: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> tuple[dict[str, object], ScoredPart]:
    part = test.where(inside)
    sizes: dict[str, object] = {
        "variable": variable,
        "level": level,
        "images": len(part.is_case),
        "patients": len(set(part.patients)),
        "cases": int(part.is_case.sum()),
    }
    return sizes, part


def _estimates(
    part: ScoredPart, reporting: Reporting, evaluation: Evaluation
) -> list[dict[str, object]]:
    names = part.scores.columns
    if len(set(part.patients)) < evaluation.least_subgroup_patients:
        return [{"classifier": name} for name in names]
    rows = auroc_rows(part.estimate(by_patient=True), reporting.level)
    return [{"classifier": name, **row} for name, row in zip(names, rows, strict=True)]
