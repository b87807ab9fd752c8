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
from covid_cxr.report.documents.checklist import answer_all
from covid_cxr.report.documents.data_statements import notices
from covid_cxr.report.documents.document import Document, Table
from covid_cxr.report.documents.evidence import TEST_SET, Evidence
from covid_cxr.report.documents.result_statements import RULES
from covid_cxr.report.radiograph_flow import PARTS
from covid_cxr.study.current import current

SOURCE = (
    "Sections after Mitchell et al., Model cards for model reporting, FAT* 2019, doi "
    "10.1145/3287560.3287596."
)

FORM = "model_card"
FACTORS, ANALYSES = "Factors", "Quantitative analyses"  # sections that have tables


def fill_model_card(evidence: Evidence) -> Document:
    """Return the model card of the chosen classifier."""
    return Document(
        name=FORM,
        title=(
            f"Model card: {wording.target()} on chest radiographs, "
            f"{evidence.chosen.title}"
        ),
        source=SOURCE,
        notices=notices(evidence),
        items=answer_all(FORM, evidence),
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
                RULES[str(row["rule"])],
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
