"""The model card of the chosen classifier.

Sections after Mitchell M, Wu S, Zaldivar A, et al. "Model cards for model reporting",
FAT* 2019, doi 10.1145/3287560.3287596; the example of Garbin and Marques, Radiol Artif
Intell 2022;4(2):e210127, doi 10.1148/ryai.210127, is of the same kind of classifier.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from covid_cxr.evaluation.findings import FINDING
from covid_cxr.report import wording
from covid_cxr.report.documents import data_statements as data
from covid_cxr.report.documents import model_statements as model
from covid_cxr.report.documents import result_statements as results
from covid_cxr.report.documents.checklist import answer_all, item, under
from covid_cxr.report.documents.document import Document, Table
from covid_cxr.report.documents.evidence import TEST_SET, Evidence
from covid_cxr.report.radiograph_flow import PARTS
from covid_cxr.study.current import current

SOURCE = (
    "Sections after Mitchell et al., Model cards for model reporting, FAT* 2019, doi "
    "10.1145/3287560.3287596."
)

DETAILS, USE, FACTORS = "Model details", "Intended use", "Factors"
METRICS, EVALUATION, TRAINING = "Metrics", "Evaluation data", "Training data"
ANALYSES, ETHICS = "Quantitative analyses", "Ethical considerations"
CAVEATS = "Caveats and recommendations"

QUESTIONS = (
    *under(
        DETAILS,
        item(
            "",
            "Developers, date, contact",
            asked="who trained this model, when, and whom to ask",
        ),
        item("", "Model", model.chosen_model),
        item("", "Network", model.network, model.output),
        item("", "Training", model.initialisation, model.training, model.selection),
        item("", "Weights", model.weights),
        item("", "Software", model.code, model.software),
        item(
            "",
            "Licence of the weights",
            asked="licence of the weights, given those of the images",
        ),
    ),
    *under(
        USE,
        item(
            "",
            "Intended use",
            model.study_type,
            asked="research question, and who may use the model for it",
        ),
        item("", "Out of scope", model.not_a_device),
    ),
    *under(
        FACTORS,
        item(
            "",
            "Groups and circumstances",
            data.demographics,
            asked="groups that matter and are not recorded, such as ethnicity",
        ),
        item("", "Unknown", data.missing_values),
    ),
    *under(
        METRICS,
        item("", "Measures", results.metrics, results.uncertainty),
        item("", "Thresholds", results.thresholds),
    ),
    *under(
        EVALUATION,
        item(
            "", "Test part", data.sources, data.training_against_test, results.leakage
        ),
        item("", "Labels", data.reference_standard),
    ),
    *under(
        TRAINING,
        item("", "Training parts", data.learned_from),
        item("", "Pre-processing", data.preprocessing),
        item("", "Left out", data.eligibility),
    ),
    *under(
        ANALYSES,
        item("", "Discrimination", results.performance, results.comparison),
        item("", "At thresholds", results.operating_points),
        item("", "Calibration", results.calibration),
        item("", "Subgroups", results.subgroups, results.unseen_sites),
    ),
    *under(
        ETHICS,
        item(
            "",
            "Patients' data",
            data.pseudonyms,
            asked="approval, consent, and risks for those in the images",
        ),
    ),
    *under(
        CAVEATS,
        item("", "Limits", results.limitations),
        item("", "Shortcuts", results.shortcuts, results.masked_lungs),
        item("", "Recommendations", asked="what has to be done before anybody uses it"),
    ),
)


def fill_model_card(evidence: Evidence) -> Document:
    """Return the model card of the chosen classifier."""
    return Document(
        name="model_card",
        title=(
            f"Model card: {wording.target()} on chest radiographs, "
            f"{evidence.chosen.title}"
        ),
        source=SOURCE,
        notices=data.notices(evidence),
        items=answer_all(QUESTIONS, evidence),
        tables=tuple(_tables(evidence)),
    )


def _tables(evidence: Evidence) -> Iterator[Table]:
    """Yield the tables that the run has rows for."""
    yield _characteristics(evidence)
    yield _aurocs(evidence)
    operating = evidence.of_chosen(evidence.operating_results)
    if operating is not None:
        yield _operating_points(evidence, operating)
    subgroups = evidence.of_chosen(evidence.subgroup_results)
    if subgroups is not None:
        yield _subgroups(subgroups)


def _characteristics(evidence: Evidence) -> Table:
    table = evidence.cohort_results
    rows = table[table["training_set"] == TEST_SET].to_dict("records")
    return Table(
        section=FACTORS,
        caption="Phase 3, characteristics of each part.",
        columns=("Characteristic", "Level", "Counted", *map(str.capitalize, PARTS)),
        rows=tuple(
            (
                wording.label(str(row["characteristic"])),
                str(row["level"]),
                str(row["unit"]),
                *(wording.count(row[part]) for part in PARTS),
            )
            for row in rows
        ),
    )


def _aurocs(evidence: Evidence) -> Table:
    rows = evidence.table3.to_dict("records")
    return Table(
        section=ANALYSES,
        caption=(
            f"AUROC of {wording.target()} on the test part with {evidence.level} "
            "intervals, by patient and by image."
        ),
        columns=(
            *_finding_heading(),
            *("Path", "AUROC", "Interval by patient", "Interval by image"),
        ),
        rows=tuple(
            (
                *_finding_cell(row),
                wording.classifier(row["path"]),
                wording.auroc(row["auroc"]),
                wording.interval(row["lower"], row["upper"]),
                wording.interval(row["image_lower"], row["image_upper"]),
            )
            for row in rows
        ),
    )


def _operating_points(evidence: Evidence, table: pd.DataFrame) -> Table:
    return Table(
        section=ANALYSES,
        caption=(
            "Predictive values on the test part at thresholds chosen on validation, "
            f"if the share of {wording.target()} were the prevalence, with "
            f"{evidence.level} intervals."
        ),
        columns=(
            *_finding_heading(),
            *("Rule", "Threshold", "Prevalence", "Positive", "Negative"),
        ),
        rows=tuple(
            (
                *_finding_cell(row),
                results.RULES[str(row["rule"])],
                f"{row['threshold']:.3f}",
                wording.percent(row["prevalence"]),
                _with_interval(row, "ppv"),
                _with_interval(row, "npv"),
            )
            for row in table.to_dict("records")
        ),
    )


def _subgroups(table: pd.DataFrame) -> Table:
    return Table(
        section=ANALYSES,
        caption="AUROC in subgroups of the test part; a dash where it is too small.",
        columns=(
            *_finding_heading(),
            *("Group", "Level", "Radiographs", "Patients", "Cases"),
            *("AUROC", "Interval"),
        ),
        rows=tuple(
            (
                *_finding_cell(row),
                wording.label(str(row["variable"])),
                str(row["level"]),
                wording.count(row["images"]),
                wording.count(row["patients"]),
                wording.count(row["cases"]),
                wording.auroc(row["auroc"]),
                wording.interval(row["lower"], row["upper"]),
            )
            for row in table.to_dict("records")
        ),
    )


def _finding_heading() -> tuple[str, ...]:
    return ("Finding",) if current().has_findings else ()


def _finding_cell(row: Mapping[Any, Any]) -> tuple[str, ...]:
    return (wording.label(row[FINDING]),) if FINDING in row else ()


def _with_interval(row: Mapping[Any, Any], name: str) -> str:
    bounds = wording.interval(row[f"{name}_lower"], row[f"{name}_upper"])
    return f"{wording.auroc(row[name])} ({bounds})"
