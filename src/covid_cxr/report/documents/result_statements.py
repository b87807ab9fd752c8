"""Sentences about results, each with the numbers of the run's own tables.

A statement returns "" where the run does not have the table.
"""

from collections.abc import Callable, Hashable, Mapping
from functools import wraps
from typing import Any

import pandas as pd

from covid_cxr.evaluation.calibration_tables import AS_IT_IS
from covid_cxr.evaluation.masked_aurocs import INPUT_NAMES
from covid_cxr.evaluation.thresholds import SENSITIVITY, YOUDEN
from covid_cxr.report import wording
from covid_cxr.report.documents.evidence import TEST_SET, Evidence
from covid_cxr.study.current import current

RULES = {
    YOUDEN: "Youden's index",
    SENSITIVITY: "the target sensitivity",
}
_RECALIBRATIONS = {
    AS_IT_IS: "as it is",
    "temperature": "after temperature scaling",
    "platt": "after Platt's map",
}


def of_each_finding(tell: Callable[[Evidence], str]) -> Callable[[Evidence], str]:
    """Return the statement that tells of each finding where there are several.

    Args:
        tell: What is known of one.
    """

    @wraps(tell)
    def tell_all(evidence: Evidence) -> str:
        if not evidence.by_finding:
            return tell(evidence)
        said = {wording.label(n): tell(own) for n, own in evidence.by_finding.items()}
        return " ".join(
            f"{finding}: {words}" for finding, words in said.items() if words
        )

    return tell_all


def metrics(evidence: Evidence) -> str:
    """Return what performance was measured by."""
    told = ["area under the receiver operating characteristic curve (AUROC)"]
    if evidence.operating_results is not None:
        told.append(
            "sensitivity, specificity and predictive values at thresholds chosen on "
            "the validation part"
        )
    if evidence.calibration_results is not None:
        told.append("Brier score, calibration slope and intercept, decision curves")
    return f"On the test part: {'; '.join(told)}."


def uncertainty(evidence: Evidence) -> str:
    """Return how intervals and p values were made."""
    as_printed = " as in the paper" if current().published else ""
    told = (
        f"{evidence.level} intervals with the patient as the unit (Obuchowski's "
        f"covariance, logit scale), beside intervals by image (DeLong){as_printed}."
    )
    if evidence.table5 is None:
        return told
    together = "of all findings together " if current().has_findings else ""
    return (
        f"{told} Paths were compared in pairs; the {len(evidence.table5)} p values "
        f"{together}were adjusted by Bonferroni, Holm, the step-down maxT procedure "
        "and Benjamini-Hochberg, and called significant below "
        f"{evidence.reporting.significance:g}."
    )


def performance(evidence: Evidence) -> str:
    """Return the AUROC of the chosen path, and of the others beside it."""
    unknown = [
        f"{wording.label(finding)} has none on the test part: {reason}."
        for finding, reason in evidence.flaws.items()
    ]
    return " ".join([_performance(evidence), *unknown])


@of_each_finding
def _performance(evidence: Evidence) -> str:
    row = evidence.result
    told = (
        f"{evidence.chosen.title}: AUROC {evidence.estimate(row)} on "
        f"{wording.count(row['cases'] + row['controls'])} test radiographs "
        f"({wording.count(row['cases'])} with {evidence.told}) of "
        f"{wording.count(row['patients'])} patients."
    )
    others = [
        f"{path.title} {evidence.estimate(evidence.row_of(path.name))}"
        for path in evidence.paths
        if path is not evidence.chosen
    ]
    return f"{told} Others: {'; '.join(others)}." if others else told


def comparison(evidence: Evidence) -> str:
    """Return how many pairs of paths differ."""
    if evidence.table4 is None or evidence.table5 is None:
        return ""
    alpha = evidence.reporting.significance
    before = int((evidence.table4["p_clustered"] < alpha).sum())
    after = int((evidence.table5["p_clustered"] < alpha).sum())
    return (
        f"Of {len(evidence.table4)} pairs of paths {before} differ with p < {alpha:g} "
        f"by patient, and {after} after Bonferroni's adjustment."
    )


def detectable(evidence: Evidence) -> str:
    """Return the smallest differences that the test part could have shown."""
    row = evidence.result
    told = (
        f"The test part has {wording.count(row['patients'])} patients: what the cohort "
        "and the split gave."
    )
    if evidence.table4 is None or evidence.table4["detectable"].isna().all():
        return told
    found = evidence.table4["detectable"]
    return (
        f"{told} With a power of {evidence.evaluation.power:g} it would show "
        f"differences in AUROC from {wording.auroc(found.min())} to "
        f"{wording.auroc(found.max())}, depending on the pair of paths."
    )


@of_each_finding
def operating_points(evidence: Evidence) -> str:
    """Return sensitivity and specificity at the thresholds of validation."""
    rows = evidence.of_chosen(evidence.operating_results)
    if rows is None:
        return ""
    told = [_operating_point(evidence, row) for row in _once_per_rule(rows)]
    return f"Thresholds chosen on validation, judged on test. {' '.join(told)}"


@of_each_finding
def thresholds(evidence: Evidence) -> str:
    """Return how the thresholds were chosen."""
    rows = evidence.of_chosen(evidence.operating_results)
    if rows is None:
        return ""
    told = [
        f"{RULES[str(row['rule'])]}: {row['threshold']:.3f}"
        for row in _once_per_rule(rows)
    ]
    return f"Thresholds were chosen on the validation part, by {'; by '.join(told)}."


@of_each_finding
def calibration(evidence: Evidence) -> str:
    """Return slope, intercept and Brier score on the test part."""
    rows = evidence.of_chosen(evidence.calibration_results)
    if rows is None or "slope" not in rows:
        return ""
    told = [
        f"{_RECALIBRATIONS[row['recalibration']]}: slope "
        f"{evidence.estimate(row, 'slope')}, intercept "
        f"{evidence.estimate(row, 'intercept')}, Brier score "
        f"{wording.auroc(row['brier'])}{_certain(row)}"
        for row in rows.to_dict("records")
    ]
    return f"Calibration on the test part, {'; '.join(told)}."


def _certain(row: Mapping[Hashable, Any]) -> str:
    """Return what is to be said where outputs without log odds decide."""
    if not row.get("is_decided_by_certain"):
        return ""
    n = row["n_certain"] + row["n_certain_validation"]
    return (
        f" (slope and intercept are decided by {wording.count(n)} outputs of exactly 0 "
        f"or 1, which have no log odds)"
    )


def recalibration(evidence: Evidence) -> str:
    """Return that recalibration was fitted on validation."""
    if evidence.of_chosen(evidence.calibration_results) is None:
        return ""
    return (
        "The classifier itself was not updated. Temperature scaling and Platt's map "
        "were fitted on the validation part and are reported beside the scores as they "
        "are."
    )


@of_each_finding
def subgroups(evidence: Evidence) -> str:
    """Return the range of AUROCs over the subgroups of each kind."""
    rows = evidence.of_chosen(evidence.subgroup_results)
    if rows is None:
        return ""
    told = [
        range_of(str(variable), own)
        for variable, own in rows.groupby("variable", sort=False)
    ]
    least = evidence.evaluation.least_subgroup_patients
    return (
        f"AUROC by subgroup of the test part: {'; '.join(told)}. A subgroup with one "
        f"class only, or with fewer than {least} patients, has none."
    )


@of_each_finding
def site_subgroups(evidence: Evidence) -> str:
    """Return the AUROC at each site of the test part."""
    rows = evidence.of_chosen(evidence.subgroup_results)
    if rows is None:
        return ""
    own = rows[(rows["variable"] == "site") & rows["auroc"].notna()]
    if own.empty:
        return "No site of the test part has patients enough for an AUROC of its own."
    told = [f"{r['level']} {evidence.estimate(r)}" for r in own.to_dict("records")]
    return f"AUROC by site of the test part: {'; '.join(told)}."


@of_each_finding
def seeds(evidence: Evidence) -> str:
    """Return how much the AUROC moves with the seed of phase 3."""
    row = evidence.seed_variance[
        evidence.seed_variance["path"] == evidence.chosen.name
    ].iloc[0]
    if row["n_seeds"] < 2:
        return "Each training was run with one seed."
    lowest, highest = row["lowest_auroc"], row["highest_auroc"]
    return (
        f"Phase 3 was trained with {wording.count(row['n_seeds'])} seeds: AUROC "
        f"{wording.auroc(lowest)} to {wording.auroc(highest)}; "
        f"{wording.percent(row['seed_share'])} of its variance is that of the seed."
    )


@of_each_finding
def ensembles(evidence: Evidence) -> str:
    """Return the AUROCs of the ensembles of all paths."""
    if len(evidence.paths) == 1:
        return "No ensemble: the result is that of one classifier."
    if evidence.ensemble_results is None or evidence.ensemble_results.empty:
        return ""
    rows = evidence.ensemble_results.drop_duplicates("ensemble").to_dict("records")
    told = [
        f"{wording.label(row['ensemble']).lower()} {evidence.estimate(row)}"
        for row in rows
    ]
    return (
        "The result is that of one classifier. Ensembles of all paths are reported "
        f"beside it, AUROC: {'; '.join(told)}."
    )


def unseen_sites(evidence: Evidence) -> str:
    """Return the mean AUROC at sites that were left out of training."""
    table = evidence.sites.get(evidence.chosen.name)
    if table is None:
        return ""
    told = [
        f"{row['site']} {evidence.estimate(row)}"
        for row in table[table["auroc"].notna()].to_dict("records")
    ]
    if not told:
        return ""
    return (
        "Phase 3 was trained again without each site in turn and tested there, "
        f"AUROC{_of_stated()}: {'; '.join(told)}."
    )


def masked_lungs(evidence: Evidence) -> str:
    """Return the AUROCs of the chosen path where a part of the radiograph is hidden."""
    if evidence.shortcut_results is None:
        return ""
    table = evidence.shortcut_results
    is_told = (table["path"] == evidence.chosen.name) & table["auroc"].notna()
    told = [
        f"{INPUT_NAMES[row['input']].lower()} {evidence.estimate(row)}"
        for row in table[is_told].to_dict("records")
    ]
    if not told:
        return ""
    return f"AUROC{_of_stated()} on the test part, by what is shown: {'; '.join(told)}."


def leakage(evidence: Evidence) -> str:
    """Return what the audit found of the chosen path's last stage."""
    if evidence.audit is None:
        return ""
    title = f"{evidence.chosen.title}, phase 3"
    told = [s["words"] for s in evidence.audit.stages if s["title"] == title]
    return f"Leakage audit of {title}: {' '.join(told)}" if told else ""


def shortcuts(evidence: Evidence) -> str:
    """Return what metadata alone tell of the target on the test part."""
    if evidence.audit is None:
        return ""
    table = evidence.audit.metadata_auroc
    is_shown = (table["training_set"] == TEST_SET) & (table["part"] == "test")
    rows = table[is_shown & (table["n_levels"] > 1)].to_dict("records")
    if not rows:
        return ""
    told = [f"{row['predictors']} {evidence.estimate(row)}" for row in rows]
    return (
        f"AUROC of metadata alone for {current().stated_finding} on the test part, "
        f"which a classifier can reach without seeing disease: {'; '.join(told)}."
    )


def explanations(evidence: Evidence) -> str:
    """Return how cases for saliency maps were drawn."""
    drawn = evidence.parameters.get("phase3", {}).get("saliency")
    if drawn is None:
        return ""
    wanted = sum(int(drawn[f"{outcome}s"]) for outcome in _OUTCOMES)
    return (
        f"Saliency maps{_of_stated()} (Figures 4 to 7) of at most {wanted} test "
        f"radiographs, drawn by a seeded rule (seed {drawn['seed']}), never by hand: "
        "true and false positives and negatives at the threshold of validation."
    )


def map_checks(evidence: Evidence) -> str:
    """Return what is known of the chosen path's maps: what they are of, and where."""
    if evidence.saliency is None:
        return ""
    path = evidence.chosen.name
    (found,) = (s for s in evidence.saliency.summaries if s["path"] == path)
    told = [
        f"{wording.label(name).lower()} {evidence.estimate(row, 'energy')} on "
        f"{wording.auroc(row['area'])} of the image"
        for name, row in found["regions"].items()
    ]
    energy = f" Share of the maps' energy: {'; '.join(told)}." if told else ""
    method = evidence.saliency.method_of(path)
    return (
        f"Maps{_of_stated()} are by {method}.{energy}{_randomised(found['forgetful'])}"
    )


def errors(evidence: Evidence) -> str:
    """Return where false positives and false negatives are shown."""
    told = explanations(evidence)
    if not told:
        return ""
    return (
        "Figures 6 and 7 show a false positive and a false negative drawn by the same "
        "rule, with their maps, if the test part has any."
    )


def limitations(evidence: Evidence) -> str:
    """Return the limits that the run itself knows of."""
    told = []
    if evidence.synthetic:
        told.append("Cohorts were drawn by a program: nothing follows for patients.")
    if (evidence.cohort_counts["cohort"] == "nih").any():
        told.append("Labels of ChestX-ray14 are text-mined and partly wrong.")
    told += [seeds(evidence), leakage(evidence), _determined_labels(evidence)]
    told.append(_shares(evidence))
    return " ".join(words for words in told if words)


@of_each_finding
def _shares(evidence: Evidence) -> str:
    row = evidence.result
    return (
        f"The test part has {wording.count(row['patients'])} patients, "
        f"{wording.percent(row['cases'] / (row['cases'] + row['controls']))} of its "
        f"radiographs with {evidence.told}: predictive values elsewhere differ."
    )


_OUTCOMES = ("true_positive", "true_negative", "false_positive", "false_negative")


def _of_stated() -> str:
    """Return whose numbers stand there where a statement is of one of several."""
    study = current()
    return f" of {study.stated_finding}" if study.has_findings else ""


def _randomised(row: Mapping[str, Any] | None) -> str:
    """Return how alike maps stay when the classifier has forgotten everything."""
    if row is None:
        return ""
    return (
        f" With {wording.count(row['n_randomised'])} layers randomised, a map's "
        f"similarity to the original is {wording.auroc(row['similarity'])}, and "
        f"{wording.auroc(row['between_images'])} between images."
    )


def _determined_labels(evidence: Evidence) -> str:
    """Return a warning where a source of images has one class only."""
    if evidence.audit is None:
        return ""
    table = evidence.audit.source_labels
    sources = table.loc[table["training_set"] == TEST_SET, "source"]
    if sources.empty:
        return ""
    return (
        f"All radiographs of the source {', '.join(map(str, sources))} have one label: "
        "the source tells it."
    )


def _operating_point(evidence: Evidence, row: Mapping[Hashable, Any]) -> str:
    rule = RULES[row["rule"]]
    return (
        f"{rule[:1].upper()}{rule[1:]} (threshold {row['threshold']:.3f}): "
        f"sensitivity {evidence.estimate(row, 'sensitivity')}, specificity "
        f"{evidence.estimate(row, 'specificity')}."
    )


def _once_per_rule(rows: pd.DataFrame) -> list[dict[Hashable, Any]]:
    """Return the rows without their repetition for every prevalence."""
    return rows.drop_duplicates("rule").to_dict("records")


def range_of(variable: str, rows: pd.DataFrame) -> str:
    """Return the lowest and the highest AUROC of subgroups, in words."""
    known = rows["auroc"].dropna()
    name = wording.label(variable).lower()
    if known.empty:
        return f"{name}: none of {len(rows)} large enough"
    return (
        f"{name}: {wording.auroc(known.min())} to {wording.auroc(known.max())} in "
        f"{len(known)} of {len(rows)}"
    )
