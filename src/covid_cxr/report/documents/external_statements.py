"""Sentences about an external validation, each told from what it left.

A statement returns "" where the run does not tell; it never says what was not done.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from covid_cxr.evaluation.arranged_scores import UNKNOWN
from covid_cxr.evaluation.external_scores import (
    CLASSIFIER,
    NOT_ELIGIBLE,
    PREDICTED,
    REFUSED,
)
from covid_cxr.report import wording
from covid_cxr.report.documents.external_evidence import ExternalEvidence
from covid_cxr.report.documents.result_statements import range_of

_DESCRIBED = ("view", "sex", "age_band")


def study_type(evidence: ExternalEvidence) -> str:
    """Return what was done."""
    label = evidence.label
    return (
        f"External evaluation of frozen classifiers of {label['words']} in the cohort "
        f"{evidence.primary['cohort']}: {', '.join(evidence.primary['classifiers'])}. "
        f"None was developed or fitted on it."
    )


def protocol(evidence: ExternalEvidence) -> str:
    """Return which protocol was registered, and what it expected."""
    known = evidence.primary["protocol"]
    if known["sha256"] is None:
        return "No protocol was registered: the result is exploratory."
    met = evidence.hypotheses_results
    told = [
        f"{row[CLASSIFIER]}, {row['measure']} above {row['above']:g}: "
        f"{_verdict(row['is_met'])}"
        for row in met.to_dict("records")
    ]
    expected = f" Expected: {'; '.join(told)}." if told else ""
    return (
        f"A protocol of {known['date']} was registered (external_protocol.yml, SHA-256 "
        f"{known['sha256']}); it names bundles, thresholds and hypotheses.{expected}"
    )


def cohort_rules(evidence: ExternalEvidence) -> str:
    """Return what the protocol says of setting, period and eligibility."""
    stated = evidence.primary["protocol"].get("cohort", {})
    told = [
        f"{name.replace('_', ' ')}: {text}"
        for name, text in stated.items()
        if name != "rules" and str(text or "").strip()
    ]
    return f"By the protocol, {'; '.join(told)}." if told else ""


def size(evidence: ExternalEvidence) -> str:
    """Return how many radiographs, patients and cases there are."""
    told = [
        f"{wording.count(row['images'])} eligible radiographs of "
        f"{wording.count(row['patients'])} patients, {wording.count(row['cases'])} of "
        f"cases ({evidence.label['words']})"
        for row in evidence.mix("external", "all")
    ]
    return f"{evidence.primary['cohort']}: {'; '.join(told)}." if told else ""


def analysed(evidence: ExternalEvidence) -> str:
    """Return how many cases and controls each AUROC is of."""
    told = [
        f"{row[CLASSIFIER]}: {wording.count(row['cases'])} cases and "
        f"{wording.count(row['controls'])} controls of "
        f"{wording.count(row['patients'])} patients"
        for row in _classifiers(evidence)
    ]
    return f"Predicted and analysed, {'; '.join(told)}."


def sites(evidence: ExternalEvidence) -> str:
    """Return the sites of the cohort."""
    told = [
        f"{row['level']} {wording.count(row['images'])} radiographs"
        for row in evidence.mix("external", "site")
    ]
    return f"Sites: {'; '.join(told)}." if told else ""


def not_eligible(evidence: ExternalEvidence) -> str:
    """Return which rows of the manifest could not be used, and why."""
    table = evidence.flow_results
    told = [
        f"{row['reason']} {wording.count(row['images'])}"
        for row in table[table["outcome"] == NOT_ELIGIBLE].to_dict("records")
    ]
    if not told:
        return "Every row of the manifest was eligible."
    return f"Rows of the manifest that were not eligible: {'; '.join(told)}."


def refusals(evidence: ExternalEvidence) -> str:
    """Return what was refused, and how it counts."""
    table = evidence.flow_results
    told = []
    for name in evidence.primary["classifiers"]:
        own = table[table[CLASSIFIER] == name]
        refused = own[own["outcome"] == REFUSED]
        reasons = [
            f"{row['reason']} {wording.count(row['images'])}"
            for row in refused.to_dict("records")
        ]
        told.append(
            f"{name} refused {wording.count(refused['images'].sum())} of "
            f"{wording.count(own['images'].sum())} radiographs"
            f"{' (' + '; '.join(reasons) + ')' if reasons else ''}"
        )
    return (
        f"{'; '.join(told)}. Each number is given among the predicted, and among all "
        f"with a refusal as no right answer."
    )


def flow(evidence: ExternalEvidence) -> str:
    """Return what became of every row of the manifest."""
    table = evidence.flow_results
    predicted = [
        f"{row[CLASSIFIER]} {wording.count(row['images'])} radiographs of "
        f"{wording.count(row['patients'])} patients"
        for row in _sums(table[table["outcome"] == PREDICTED])
    ]
    told = f" Predicted: {'; '.join(predicted)}." if predicted else ""
    return f"{not_eligible(evidence)} {refusals(evidence)}{told}"


def outcome(evidence: ExternalEvidence) -> str:
    """Return what the outcome is."""
    stated = evidence.primary["protocol"].get("outcome")
    by = f" By the protocol: {stated}." if stated else ""
    label = evidence.label
    return (
        f"The outcome is the column {label['name']} of the cohort's manifest "
        f"({label['words']}); in development its reference was {label['reference']}."
        f"{by}"
    )


def predictors(evidence: ExternalEvidence) -> str:
    """Return what the classifiers are given."""
    del evidence
    return (
        "The only predictor is the pixels of the radiograph: file names, headers, age, "
        "sex and view are no input, so that the classifier does not know the outcome, "
        "nor who judges it."
    )


def preprocessing(evidence: ExternalEvidence) -> str:
    """Return how files became input."""
    bundles = ", ".join(
        f"{name} (SHA-256 {one['sha256']})"
        for name, one in evidence.primary["classifiers"].items()
    )
    return (
        f"Every radiograph was read, rendered and resized by the rules that the bundle "
        f"states, alike for all: {bundles}."
    )


def missing(evidence: ExternalEvidence) -> str:
    """Return what is not known of the radiographs."""
    told = [
        f"{wording.label(variable).lower()} {wording.count(row['images'])}"
        for variable in ("site", *_DESCRIBED)
        for row in evidence.mix("external", variable)
        if row["level"] == UNKNOWN
    ]
    listed = f"Not known of radiographs: {'; '.join(told)}." if told else ""
    rest = not_eligible(evidence)
    return (f"{listed} Nothing was imputed: no classifier takes them. {rest}").strip()


def characteristics(evidence: ExternalEvidence) -> str:
    """Return who is in the cohort, beside the internal test where it is at hand."""
    told = []
    for variable in _DESCRIBED:
        levels = [
            f"{row['level']} {wording.count(row['images'])}{_within(evidence, row)}"
            for row in evidence.mix("external", variable)
        ]
        if levels:
            told.append(f"{wording.label(variable).lower()}: {', '.join(levels)}")
    return f"Radiographs by {'; '.join(told)}." if told else ""


def case_mix(evidence: ExternalEvidence) -> str:
    """Return how the cohort differs from the internal test."""
    parts = [
        f"{cohort}: {wording.percent(row['prevalence'])} of "
        f"{wording.count(row['images'])} radiographs are of cases"
        for cohort in ("internal", "external")
        for row in evidence.mix(cohort, "all")
    ]
    if len(parts) < 2:
        return ""
    apart = [
        f"{row['predictors']} {evidence.estimate(row)}"
        for row in evidence.membership_results.to_dict("records")
    ]
    told = f" AUROC of telling them apart: {'; '.join(apart)}." if apart else ""
    return f"{'; '.join(parts).capitalize()}.{told}"


def standardised(evidence: ExternalEvidence) -> str:
    """Return the AUROCs at the case mix of the internal test."""
    table = evidence.standardised_results
    told = [
        f"{row[CLASSIFIER]} {wording.auroc(row['standardised_auroc'])} "
        f"({wording.difference(row['explained'])} to that of the cohort)"
        for row in table[table["standardised_auroc"].notna()].to_dict("records")
    ]
    if not told:
        return ""
    return (
        f"AUROC at the views, sexes and ages of the internal test: {'; '.join(told)}."
    )


def uncertainty(evidence: ExternalEvidence) -> str:
    """Return how intervals were made."""
    level = f"{100 * evidence.reporting.level:g} %"
    return (
        f"Intervals are of {level}, by patient: images of one patient are not "
        f"taken for independent."
    )


def measures(evidence: ExternalEvidence) -> str:
    """Return what was measured."""
    calibrated = not evidence.calibration_results.empty
    told = ", calibration (slope, in the large, Brier score, curve), net benefit"
    return (
        f"AUROC, sensitivity and specificity at frozen thresholds"
        f"{told if calibrated else ''}; {uncertainty(evidence)}"
    )


def performance(evidence: ExternalEvidence) -> str:
    """Return the AUROCs, and what refusals could make of them."""
    told = [
        f"{row[CLASSIFIER]} {evidence.estimate(row)}, with every refusal wrong "
        f"{wording.auroc(row['auroc_refusals_wrong'])}"
        for row in _classifiers(evidence)
        if row["auroc"] == row["auroc"]
    ]
    if told:
        return f"AUROC: {'; '.join(told)}."
    return "There is no AUROC: the cohort has one class only."


def difference(evidence: ExternalEvidence) -> str:
    """Return the differences to the internal test, or why there is none."""
    told = []
    for row in _classifiers(evidence):
        if row["difference"] == row["difference"]:
            estimate = evidence.estimate(row, "difference")
            told.append(f"{row[CLASSIFIER]} {estimate}")
        else:
            told.append(f"{row[CLASSIFIER]} none: {row['no_difference']}")
    return f"AUROC here minus that of the internal test: {'; '.join(told)}."


def operating_points(evidence: ExternalEvidence) -> str:
    """Return what the classifiers do at the thresholds of their bundles."""
    told = [
        f"{row[CLASSIFIER]} at {row['rule']} (threshold "
        f"{wording.threshold(row['threshold'])}): sensitivity "
        f"{evidence.estimate(row, 'sensitivity')}, specificity "
        f"{evidence.estimate(row, 'specificity')}; of all, with refusals, "
        f"{wording.auroc(row['sensitivity_of_all'])} and "
        f"{wording.auroc(row['specificity_of_all'])}"
        for row in evidence.operating_results.to_dict("records")
    ]
    return f"{'; '.join(told)}." if told else ""


def thresholds(evidence: ExternalEvidence) -> str:
    """Return that thresholds were stated before."""
    told = [
        f"{row[CLASSIFIER]} {row['rule']} {wording.threshold(row['threshold'])}"
        for row in evidence.operating_results.to_dict("records")
    ]
    if not told:
        return ""
    return (
        f"Thresholds are those of the bundles, frozen on validation: {'; '.join(told)}."
    )


def calibration(evidence: ExternalEvidence) -> str:
    """Return calibration of the frozen probabilities."""
    told = [
        f"{row[CLASSIFIER]}: slope {evidence.estimate(row, 'slope')}, in the large "
        f"{evidence.estimate(row, 'intercept')}, observed over expected "
        f"{row['observed_to_expected']:.2f}, Brier score {wording.auroc(row['brier'])}"
        for row in evidence.calibration_results.to_dict("records")
    ]
    return f"Calibration as it is, {'; '.join(told)}." if told else ""


def updating(evidence: ExternalEvidence) -> str:
    """Return what recalibration gives, as exploratory."""
    table = evidence.recalibration_results
    told = [
        f"{row[CLASSIFIER]}, {row['recalibration']}: slope {row['slope']:.2f}, in the "
        f"large {wording.difference(row['intercept'])}"
        for row in table.to_dict("records")
        if row.get("slope") == row.get("slope") and row.get("slope") is not None
    ]
    if not told:
        return "No classifier was updated."
    return (
        f"No classifier was updated for the primary result. Exploratory, fitted to "
        f"half of the patients and judged on the other half: {'; '.join(told)}."
    )


def subgroups(evidence: ExternalEvidence) -> str:
    """Return the range of AUROCs over subgroups."""
    table = evidence.subgroups_results
    if table.empty or table["auroc"].isna().all():
        return ""
    told = [
        f"{name}, {range_of(str(variable), rows)}"
        for (name, variable), rows in table.groupby(
            [CLASSIFIER, "variable"], sort=False
        )
    ]
    return f"AUROC by subgroup: {'; '.join(told)}."


def site_subgroups(evidence: ExternalEvidence) -> str:
    """Return the AUROC at each site."""
    table = evidence.subgroups_results
    if table.empty:
        return ""
    known = table[(table["variable"] == "site") & table["auroc"].notna()]
    told = [
        f"{row[CLASSIFIER]}, {row['level']} {evidence.estimate(row)}"
        for row in known.to_dict("records")
    ]
    return f"AUROC by site: {'; '.join(told)}." if told else ""


def shortcuts(evidence: ExternalEvidence) -> str:
    """Return what metadata and grey values alone tell."""
    told = [
        f"{row['predictors']} {evidence.estimate(row)}"
        for row in evidence.shortcuts_results.to_dict("records")
    ]
    if not told:
        return ""
    return f"AUROC of what is no finding, in this cohort: {'; '.join(told)}."


def separate(evidence: ExternalEvidence) -> str:
    """Return what was done against patients and pictures that the study knew."""
    copies = _flagged(evidence, "copies")
    told = " ".join(copies) or "None was found."
    known = "internal_auroc" in evidence.discrimination_results
    is_here = known and evidence.discrimination_results["internal_auroc"].notna().any()
    patients = "No patient has the id of one in the study's splits. " if is_here else ""
    return (
        f"{patients}Every picture was compared with those that the classifiers were "
        f"trained and chosen on, by the hash of its pixels and by a fingerprint, and "
        f"with the others of the cohort. {told}"
    )


def limitations(evidence: ExternalEvidence) -> str:
    """Return what the run itself says must be asked."""
    told = [str(sentence) for sentence in evidence.flags_results["sentence"]]
    return " ".join(told)


def software(evidence: ExternalEvidence) -> str:
    """Return the version of the code."""
    return f"covid_cxr {evidence.primary['software']} (Apache-2.0)."


def weights(evidence: ExternalEvidence) -> str:
    """Return how predictions were made."""
    return (
        f"By the bundles' own networks, thresholds and probabilities, through the same "
        f"public interface as any prediction. {preprocessing(evidence)}"
    )


def not_a_device(evidence: ExternalEvidence) -> str:
    """Return what the classifiers must not be used for."""
    del evidence
    return (
        "Research software, not a medical device: not for diagnosis, triage or any "
        "other decision about patients."
    )


def _verdict(is_met: Any) -> str:
    if pd.isna(is_met):
        return "not known"
    return "met" if is_met else "not met"


def _within(evidence: ExternalEvidence, row: Mapping[Any, Any]) -> str:
    """Return the internal number of a level, in brackets; "" where it is not known."""
    inside = {
        one["level"]: one["images"] for one in evidence.mix("internal", row["variable"])
    }
    if not inside:
        return ""
    return f" (internal test {wording.count(inside.get(row['level'], 0))})"


def _classifiers(evidence: ExternalEvidence) -> list[Mapping[Any, Any]]:
    return list(evidence.discrimination_results.to_dict("records"))


def _sums(rows: pd.DataFrame) -> Iterator[Mapping[Any, Any]]:
    """Yield predicted radiographs by classifier, whatever the caution."""
    columns = ["images", "patients"]
    summed = rows.groupby(CLASSIFIER, sort=False)[columns].sum().reset_index()
    yield from summed.to_dict("records")


def _flagged(evidence: ExternalEvidence, flag: str) -> list[str]:
    table = evidence.flags_results
    return [str(one) for one in table.loc[table["flag"] == flag, "sentence"]]
