"""The model card of the chosen classifier.

Sections after Mitchell M, Wu S, Zaldivar A, et al. "Model cards for model reporting",
FAT* 2019, doi 10.1145/3287560.3287596; the example of Garbin and Marques, Radiol Artif
Intell 2022;4(2):e210127, doi 10.1148/ryai.210127, is of the same kind of classifier.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from covid_cxr.report import wording
from covid_cxr.report.documents import data_statements as data
from covid_cxr.report.documents import model_statements as model
from covid_cxr.report.documents import result_statements as results
from covid_cxr.report.documents.checklist import Question, answer_all
from covid_cxr.report.documents.document import Document, Table
from covid_cxr.report.documents.evidence import TEST_SET, Evidence
from covid_cxr.report.flow import PARTS

SOURCE = (
    "Sections after Mitchell et al., Model cards for model reporting, FAT* 2019, doi "
    "10.1145/3287560.3287596."
)

DETAILS, USE, FACTORS = "Model details", "Intended use", "Factors"
METRICS, EVALUATION, TRAINING = "Metrics", "Evaluation data", "Training data"
ANALYSES, ETHICS = "Quantitative analyses", "Ethical considerations"
CAVEATS = "Caveats and recommendations"

QUESTIONS = (
    Question(
        section=DETAILS,
        topic="Developers, date, contact",
        asked="who trained this model, when, and whom to ask",
    ),
    Question(section=DETAILS, topic="Model", told=(model.chosen_model,)),
    Question(section=DETAILS, topic="Network", told=(model.network, model.output)),
    Question(
        section=DETAILS,
        topic="Training",
        told=(model.initialisation, model.training, model.selection),
    ),
    Question(section=DETAILS, topic="Weights", told=(model.weights,)),
    Question(section=DETAILS, topic="Software", told=(model.code, model.software)),
    Question(
        section=DETAILS,
        topic="Licence of the weights",
        asked="licence of the weights, given those of the images",
    ),
    Question(
        section=USE,
        topic="Intended use",
        told=(model.study_type,),
        asked="research question, and who may use the model for it",
    ),
    Question(section=USE, topic="Out of scope", told=(model.not_a_device,)),
    Question(
        section=FACTORS,
        topic="Groups and circumstances",
        told=(data.demographics,),
        asked="groups that matter and are not recorded, such as ethnicity",
    ),
    Question(section=FACTORS, topic="Unknown", told=(data.missing_values,)),
    Question(
        section=METRICS,
        topic="Measures",
        told=(results.metrics, results.uncertainty),
    ),
    Question(section=METRICS, topic="Thresholds", told=(results.thresholds,)),
    Question(
        section=EVALUATION,
        topic="Test part",
        told=(data.sources, data.training_against_test, results.leakage),
    ),
    Question(section=EVALUATION, topic="Labels", told=(data.reference_standard,)),
    Question(
        section=TRAINING,
        topic="Training parts",
        told=(data.learned_from,),
    ),
    Question(section=TRAINING, topic="Pre-processing", told=(data.preprocessing,)),
    Question(section=TRAINING, topic="Left out", told=(data.eligibility,)),
    Question(
        section=ANALYSES,
        topic="Discrimination",
        told=(results.performance, results.comparison),
    ),
    Question(
        section=ANALYSES,
        topic="At thresholds",
        told=(results.operating_points,),
    ),
    Question(section=ANALYSES, topic="Calibration", told=(results.calibration,)),
    Question(
        section=ANALYSES,
        topic="Subgroups",
        told=(results.subgroups, results.unseen_sites),
    ),
    Question(
        section=ETHICS,
        topic="Patients' data",
        told=(data.pseudonyms,),
        asked="approval, consent, and risks for those in the images",
    ),
    Question(section=CAVEATS, topic="Limits", told=(results.limitations,)),
    Question(
        section=CAVEATS,
        topic="Shortcuts",
        told=(results.shortcuts, results.masked_lungs),
    ),
    Question(
        section=CAVEATS,
        topic="Recommendations",
        asked="what has to be done before anybody uses it",
    ),
)


def fill_model_card(evidence: Evidence) -> Document:
    """Return the model card of the chosen classifier.

    Args:
        evidence: What the run left.
    """
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
    operating = evidence.of_chosen(evidence.operating)
    if operating is not None:
        yield _operating_points(evidence, operating)
    subgroups = evidence.of_chosen(evidence.subgroups)
    if subgroups is not None:
        yield _subgroups(subgroups)


def _characteristics(evidence: Evidence) -> Table:
    table = evidence.characteristics
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
    rows = [evidence.row_of(path.name) for path in evidence.paths]
    return Table(
        section=ANALYSES,
        caption=(
            f"AUROC of {wording.target()} on the test part with {evidence.level} "
            "intervals, by patient and by image."
        ),
        columns=("Path", "AUROC", "Interval by patient", "Interval by image"),
        rows=tuple(
            (
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
        columns=("Rule", "Threshold", "Prevalence", "Positive", "Negative"),
        rows=tuple(
            (
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
            "Group",
            "Level",
            "Radiographs",
            "Patients",
            "Cases",
            "AUROC",
            "Interval",
        ),
        rows=tuple(
            (
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


def _with_interval(row: Mapping[Any, Any], name: str) -> str:
    bounds = wording.interval(row[f"{name}_lower"], row[f"{name}_upper"])
    return f"{wording.auroc(row[name])} ({bounds})"
