"""Sentences about the data of a run, each told from what the run left.

A statement returns "" where the run does not tell; it never says what was not done.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from covid_cxr.report import wording
from covid_cxr.report.characteristics import AGE
from covid_cxr.report.documents.evidence import TEST_SET, Evidence
from covid_cxr.report.printable import NOT_SHOWN
from covid_cxr.report.radiograph_flow import (
    PARTS,
    REJECTED_AT_CURATION,
    REJECTED_AT_INGESTION,
)
from covid_cxr.report.run_facts import ABSENT, DATA
from covid_cxr.sources.adapters import SOURCES
from covid_cxr.study.current import current
from covid_cxr.study.design import PHASE3

_LAYOUTS = {  # of the source "covid"
    "manifest": "the {target} cohort in the group's own manifest",
    "covid_chestxray_dataset": "the covid-chestxray-dataset (Cohen et al. 2020)",
    "covidx": "COVIDx (Wang, Lin and Wong 2020)",
    "ricord": "MIDRC-RICORD-1C (Tsai et al. 2021)",
    "bimcv": "BIMCV-COVID19+ and BIMCV-COVID19- (de la Iglesia Vaya et al. 2020)",
}
_REFERENCES = {
    "manifest": "{target} is the {reference} result in the manifest",
    "covid_chestxray_dataset": "{target} is the finding that the collection gives",
    "covidx": "{target} is the class in the published label files",
    "ricord": "all studies of the collection are of {target}",
    "bimcv": "{target} is the table of test results that lists the session",
}
_DESCRIBED = (AGE, "sex", "view", "site")


def notices(evidence: Evidence) -> tuple[str, ...]:
    """Return what has to be read before anything else."""
    draft = (
        "Draft, filled by a program from what one run left. Check every statement, and "
        "fill the marked blanks."
    )
    if not evidence.synthetic:
        return (draft,)
    synthetic = (
        "Synthetic data: not clinical evidence. A program drew the radiographs that "
        f"stand in place of {_listed(evidence.synthetic)}; no number below says "
        "anything about patients."
    )
    return (synthetic, draft)


def sources(evidence: Evidence) -> str:
    """Return each cohort with its origin and size."""
    told = []
    for row in evidence.cohort_counts.to_dict("records"):
        origin = _origin(str(row["cohort"]), evidence)
        drawn = "synthetic radiographs in the format of " if row["is_synthetic"] else ""
        told.append(
            f"{drawn}{origin}: {wording.count(row['images'])} radiographs of "
            f"{wording.count(row['patients'])} patients"
        )
    return _sentence("; ".join(told))


def _origin(cohort: str, evidence: Evidence) -> str:
    title = wording.cohort(cohort)
    source = SOURCES[current().cohorts[cohort].source]
    layout = _LAYOUTS.get(evidence.layout or "", title)
    origin = source.origin or layout.format(target=wording.target())
    return origin if title == source.title else f"{title}, {origin}"


def _reference(training_set: str, evidence: Evidence) -> str:
    """Return what the labels of a training set rest on; "" where it is not told."""
    study = current()
    drawn = study.training_sets[training_set]
    bases = [
        SOURCES[one.source].reference for one in study.cohorts_behind(training_set)
    ]
    told = " or ".join(dict.fromkeys(filter(None, bases)))
    if not told:
        layout = _REFERENCES.get(evidence.layout or "", "")
        return layout.format(target=study.target.name, reference=study.target.reference)
    by = f" ({study.target.reference})" if training_set == PHASE3 else ""
    if len(drawn.labels) > 1:
        which = "" if training_set == PHASE3 else "the "
        return f"{which}{drawn.what} are {told}{by}"
    return f"{drawn.what} is {told}{by}"


def eligibility(evidence: Evidence) -> str:
    """Return what was rejected before the parts were drawn, and why."""
    table = evidence.flow_results
    lost = table[table["step"].isin([REJECTED_AT_INGESTION, REJECTED_AT_CURATION])]
    if lost.empty:
        return "No listed radiograph was rejected."
    told = [
        f"{wording.cohort(row['cohort'])}: {wording.count(row['images'])} "
        f"{row['step']}, {row['reason']}"
        for row in lost.to_dict("records")
    ]
    total = wording.count(lost["images"].sum())
    return _sentence(f"{total} listed radiographs were rejected. {'; '.join(told)}")


def preprocessing(evidence: Evidence) -> str:
    """Return how files became the network's input."""
    size = evidence.parameters.get("curation", {}).get("size_px")
    if size is None:
        return ""
    crops = evidence.provenance.of(DATA).get(f"{current().target_cohort}_crops", ABSENT)
    cropped = "" if crops == ABSENT else ", inside its crop where one was given"
    told = (
        f"Every radiograph was read as 8-bit grey and resized by area averaging to "
        f"{size} by {size} pixels{cropped}."
    )
    intensity = evidence.record.get("intensity")
    if intensity is None:
        return told
    spread = intensity["standard_deviation"]
    return (
        f"{told} For phase 3, {intensity['mean']:.3f} was subtracted from each pixel "
        f"on 0 to 1 and the rest divided by {spread:.3f}: mean and standard deviation "
        f"of {wording.count(intensity['n_images'])} training radiographs."
    )


def predictors(_: Evidence) -> str:
    """Return what the network sees."""
    return (
        "The only predictor is the pixels of one radiograph; nothing was chosen or "
        "measured by judgement, and no metadata go into the network."
    )


def unreadable(_: Evidence) -> str:
    """Return what becomes of a radiograph that cannot be read."""
    return (
        "A file that cannot be read as a radiograph is rejected with its reason and "
        "gets no score; the quality of the picture is not judged."
    )


def subsets(evidence: Evidence) -> str:
    """Return which radiographs of a cohort each training set is drawn from."""
    told = []
    for name in _training_sets(evidence):
        stated = evidence.parameters.get(f"{name}_split")
        if stated is None:
            return ""
        drawn = current().training_sets[name]
        for cohort in drawn.cohorts:
            split = stated[cohort] if drawn.is_pooled else stated
            eligible = "the official test list" if split["eligible"] != "all" else "all"
            of_cohort = f", {wording.cohort(cohort)}" if drawn.is_pooled else ""
            told.append(
                f"{wording.training_set(name)}{of_cohort}: {_amount(split['images'])} "
                f"of {eligible}"
            )
    return f"Drawn from the curated radiographs. {'; '.join(told)}."


def pseudonyms(evidence: Evidence) -> str:
    """Return whether patient ids were replaced."""
    cohort = current().target_cohort
    ingestion = evidence.parameters.get(f"{cohort}_ingestion")
    if ingestion is None:
        return ""
    if ingestion.get("pseudonym_salt") == NOT_SHOWN:
        return (
            f"Patient ids of the {wording.cohort(cohort)} cohort other than public "
            "ones were replaced by keyed hashes (HMAC-SHA256) when the cohort was read."
        )
    return "Patient ids were used as delivered; no document of this run holds one."


def missing_values(evidence: Evidence) -> str:
    """Return how much of the metadata is unknown, and that it stayed so."""
    table = _of_test_set(evidence).query("level == 'unknown'")
    told = [
        f"{row['characteristic']} of {wording.count(_total(row))} {row['unit']}"
        for row in table.to_dict("records")
        if _total(row)
    ]
    unknown = _listed(told) or "none"
    return (
        f"Unknown in phase 3, of age, sex, view and site: {unknown}. What is unknown "
        "stayed unknown and nothing was imputed; the network sees pixels only."
    )


def views(evidence: Evidence) -> str:
    """Return the projections of phase 3."""
    return f"Frontal radiographs of phase 3 by view: {_levels(evidence, 'view')}."


def reference_standard(evidence: Evidence) -> str:
    """Return what each label rests on."""
    told = [
        f"{wording.training_set(name)}: {reference}"
        for name in _training_sets(evidence)
        if (reference := _reference(name, evidence))
    ]
    if not evidence.synthetic:
        return _sentence("; ".join(told))
    return f"{'; '.join(told)}. Labels of synthetic cohorts are those of the program."


def partitions(evidence: Evidence) -> str:
    """Return the sizes of all parts, and how phase 3's were drawn."""
    told = []
    for name, rows in evidence.part_counts.groupby("training_set", sort=False):
        sizes = [
            f"{row['part']} {wording.count(row['images'])} radiographs of "
            f"{wording.count(row['patients'])} patients"
            for row in rows.to_dict("records")
        ]
        told.append(f"{wording.training_set(str(name))}: {', '.join(sizes)}")
    return _sentence("; ".join(told)) + _draw(evidence)


def held_apart(evidence: Evidence) -> str:
    """Return the level at which the parts are disjoint, as the audit found it."""
    told = "By patient: a split with a patient in two parts is refused when it is read."
    for cohort in current().cohorts.values():
        ingestion = evidence.parameters.get(f"{cohort.name}_ingestion", {})
        is_known = SOURCES[cohort.source].has_patients
        if not is_known or ingestion.get("patient_identity") == "kaggle_id":
            told += (
                f" For {cohort.short} each image was taken for a patient of its own."
            )
    leaks = _leaks(evidence)
    return f"{told} {leaks}" if leaks else told


def outcome_counts(evidence: Evidence) -> str:
    """Return radiographs with and without the finding in every part."""
    rows = evidence.part_counts.to_dict("records")
    return _sentence("; ".join(_outcomes(row) for row in rows))


def learned_from(evidence: Evidence) -> str:
    """Return the training parts of the chosen path, phase by phase."""
    used = evidence.chosen.training_sets
    rows = evidence.part_counts[
        evidence.part_counts["training_set"].isin(used)
        & (evidence.part_counts["part"] == "train")
    ]
    return _sentence("; ".join(_outcomes(row) for row in rows.to_dict("records")))


def participant_flow(evidence: Evidence) -> str:
    """Return radiographs used and rejected, by cohort."""
    told = [
        f"{wording.cohort(row['cohort'])}: {wording.count(row['images'])} used, "
        f"{wording.count(row['rejected'])} rejected"
        for row in evidence.cohort_counts.to_dict("records")
    ]
    return _sentence("; ".join(told)) + " The flow diagram of the report shows them."


def demographics(evidence: Evidence) -> str:
    """Return age, sex, view and site of every part of phase 3."""
    told = []
    table = _of_test_set(evidence)
    for part in PARTS:
        known = table[table["characteristic"].isin(_DESCRIBED) & table[part].notna()]
        by_characteristic = [
            f"{name} ({rows['unit'].iloc[0]}) {_listed(_counts(rows, part))}"
            for name, rows in known.groupby("characteristic", sort=False)
        ]
        told.append(f"{part}: {'; '.join(by_characteristic)}")
    return _sentence(f"Phase 3. {'. '.join(told)}")


def sites(evidence: Evidence) -> str:
    """Return the sites of phase 3 with their radiographs."""
    return f"Radiographs of phase 3 by site: {_levels(evidence, 'site')}."


def training_against_test(evidence: Evidence) -> str:
    """Return how the test part differs from what was trained on, by its drawing."""
    test = evidence.test_split.get("test")
    if test is None:
        return ""
    if test == "site":
        site = evidence.test_split.get("held_out_site")
        return f"The test part is the site {site}, from which nothing was trained on."
    return (
        "Training and test part of phase 3 are drawn from the same cohort, with the "
        "same eligibility, label and image processing."
    )


def external_data(evidence: Evidence) -> str:
    """Return whether the test part comes from elsewhere."""
    told = training_against_test(evidence)
    if not told or evidence.test_split.get("test") == "site":
        return told
    return "No external data were tested on: the test part is of the same cohort."


def _outcomes(row: Mapping[Hashable, Any]) -> str:
    n_known = row.get("known", row["images"])
    n_unknown = row["images"] - n_known
    unknown = f", unknown of {wording.count(n_unknown)}" if n_unknown else ""
    return (
        f"{wording.training_set(row['training_set'])}, {row['part']}: "
        f"{wording.count(row['positives'])} with and "
        f"{wording.count(n_known - row['positives'])} without "
        f"{wording.label(row['label'])}{unknown}, "
        f"{wording.count(row['patients'])} patients"
    )


def _leaks(evidence: Evidence) -> str:
    if evidence.audit is None:
        return ""
    told = [f"{stage['title']}: {stage['words']}" for stage in evidence.audit.stages]
    return f"The leakage audit found: {' '.join(told)}"


def _draw(evidence: Evidence) -> str:
    """Return how phase 3's parts were drawn."""
    split = evidence.test_split
    if not split:
        return ""
    if split["test"] == "site":
        test = f"the site {split['held_out_site']}"
    elif split["test"] == "fold":
        test = f"fold {split['fold']} of {split['n_folds']}"
    else:
        test = _amount(split["test"])
    strata = f", evened by {_listed(split['strata'])}" if split["strata"] else ""
    return (
        f" The parts of phase 3 were drawn at random, by patient (seed "
        f"{split['seed']}): test {test}, validation "
        f"{_amount(split['validation'])}{strata}."
    )


def _of_test_set(evidence: Evidence) -> pd.DataFrame:
    table = evidence.cohort_results
    return table[table["training_set"] == TEST_SET]


def _levels(evidence: Evidence, characteristic: str) -> str:
    """Return the levels of one characteristic in phase 3, counted over all parts."""
    table = _of_test_set(evidence)
    rows = table[table["characteristic"] == characteristic].to_dict("records")
    counts = [(row["level"], _total(row)) for row in rows]
    return _listed([f"{level} {wording.count(n)}" for level, n in counts if n])


def _counts(rows: pd.DataFrame, part: str) -> list[str]:
    return [
        f"{row['level']} {wording.count(row[part])}"
        for row in rows.to_dict("records")
        if row[part]
    ]


def _total(row: Mapping[Hashable, Any]) -> float:
    return float(sum(row[part] for part in PARTS if not pd.isna(row[part])))


def _training_sets(evidence: Evidence) -> list[str]:
    return [str(name) for name in evidence.part_counts["training_set"].unique()]


def _amount(value: float | str) -> str:
    """Return a share of the radiographs as per cent, a count as it is."""
    if isinstance(value, str):
        return value
    return f"{100 * value:.3g} %" if value <= 1 else wording.count(value)


def _listed(words: Sequence[str]) -> str:
    return ", ".join(map(str, words))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
