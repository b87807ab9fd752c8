"""The study's answer in two sentences, drawn from its tables.

Which start helped, by how much, how sure that is, and on what data. The start is the
one that was chosen on the validation part, so that the test part has not chosen it; it
is compared with learning the target alone, or where no path does, with the path that
comes last on the validation part.
"""

import math

import pandas as pd

from covid_cxr.evaluation.inference_settings import Reporting
from covid_cxr.evaluation.paper_tables import chosen_path
from covid_cxr.report import wording
from covid_cxr.study.current import current
from covid_cxr.study.design import TrainingPath


def has_answer() -> bool:
    """Whether the study is one question: several paths, to one finding."""
    return len(current().paths) > 1 and not current().has_findings


def study_answer(
    table3: pd.DataFrame,
    table4: pd.DataFrame,
    table5: pd.DataFrame,
    *,
    cohort_counts: pd.DataFrame,
    reporting: Reporting,
) -> str:
    """Return both sentences.

    Args:
        table3: AUROCs of the target by path, of at least two paths.
        table4: Of all pairs: differences with intervals, by patient.
        table5: Of all pairs: p values, Bonferroni-adjusted.
        cohort_counts: Which cohorts a program drew.
        reporting: Level of the intervals, and significance.
    """
    chosen = chosen_path(table3)
    other = _compared_with(table3, chosen)
    auroc = table3.set_index("path")["auroc"].map(wording.auroc)
    verdict, sure = _difference(chosen, other, table4, table5, reporting)
    return (
        f"{wording.begun(_named(chosen))}, which did best on the validation part, "
        f"{verdict} {_named(other)}: on the test part its AUROC was "
        f"{auroc[chosen.name]} and the other's {auroc[other.name]}, {sure}. "
        f"{_data(table3, chosen, cohort_counts)}"
    )


def is_target_alone(path: TrainingPath) -> bool:
    """Whether the path learns nothing before the target."""
    return len(path.training_sets) == 1


def _compared_with(table3: pd.DataFrame, chosen: TrainingPath) -> TrainingPath:
    others = table3[table3["path"] != chosen.name]
    best_first = others.sort_values("validation_auroc", ascending=False, kind="stable")
    paths = [current().path(name) for name in best_first["path"]]
    if is_target_alone(chosen):
        return paths[0]
    return next((path for path in paths if is_target_alone(path)), paths[-1])


def _difference(
    chosen: TrainingPath,
    other: TrainingPath,
    table4: pd.DataFrame,
    table5: pd.DataFrame,
    reporting: Reporting,
) -> tuple[str, str]:
    """Return what the test part says of two paths, and how sure it is."""
    pair, n_pairs = _pair(table4, chosen, other), len(table4)
    sign = 1 if pair["first"] == chosen.name else -1
    value = sign * pair["difference"]
    lower, upper = sorted((sign * pair["lower"], sign * pair["upper"]))
    finding = current().target.name
    not_shown = f"was not shown to recognise {finding} better or worse than"
    if math.isnan(lower):
        return not_shown, "from too few patients to say how sure that is"
    level = f"{100 * reporting.level:g} %"
    size = (
        f"a difference of {wording.difference(value)} ({level} interval "
        f"{wording.interval(lower, upper)})"
    )
    p, adjusted = pair["p_clustered"], _pair(table5, chosen, other)["p_clustered"]
    if not p < reporting.significance:
        return not_shown, f"{size} that chance alone may explain (p {_equal(p)})"
    worth = "better" if value > 0 else "worse"
    holds = "holds" if adjusted < reporting.significance else "does not hold"
    sure = (
        f"more than chance alone would explain (p {_equal(p)})"
        if n_pairs == 1
        else f"which {holds} once all {n_pairs} comparisons of paths are allowed for "
        f"(p {_equal(p)}, adjusted {_equal(adjusted)})"
    )
    return f"recognised {finding} {worth} than", f"{size}, {sure}"


def _data(
    table3: pd.DataFrame, chosen: TrainingPath, cohort_counts: pd.DataFrame
) -> str:
    row = table3[table3["path"] == chosen.name].iloc[0]
    study = current()
    cohort = study.cohorts[study.target_cohort].title
    n_images, n_cases, n_patients = (
        wording.count(n)
        for n in (row["cases"] + row["controls"], row["cases"], row["patients"])
    )
    told = f"{study.target.name} by {study.target.reference}"
    sentence = (
        f"This rests on {n_images} test radiographs ({n_cases} with {told}) of "
        f"{n_patients} patients of the cohort {cohort}"
    )
    counted = cohort_counts.set_index("cohort")["is_synthetic"]
    is_synthetic = bool(counted[study.target_cohort])
    drawn = "; a program drew them, so it says nothing of patients"
    return f"{sentence}{drawn if is_synthetic else ''}."


def _pair(table: pd.DataFrame, one: TrainingPath, other: TrainingPath) -> pd.Series:
    names = {one.name, other.name}
    is_pair = table["first"].isin(names) & table["second"].isin(names)
    return table[is_pair].iloc[0]


def _named(path: TrainingPath) -> str:
    return f"{path.title.lower()} ({path.description})"


def _equal(p: float) -> str:
    said = wording.p_value(p)
    return said if said.startswith("<") else f"= {said}"
