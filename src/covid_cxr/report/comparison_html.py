"""The HTML file of a comparison of anybody's classifiers."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pandas as pd

import covid_cxr
from covid_cxr.evaluation.calibration_tables import PLATT
from covid_cxr.evaluation.imperfect_labels import StatedReference
from covid_cxr.evaluation.inference_settings import Evaluation, Margins, Reporting
from covid_cxr.evaluation.score_columns import ScoreColumns
from covid_cxr.report import wording
from covid_cxr.report.beyond_auroc import EvaluationTables
from covid_cxr.report.comparison_answer import answer, answer_primary, ask
from covid_cxr.report.html import as_fragment, make_environment
from covid_cxr.report.margin_tables import MarginTables
from covid_cxr.report.measure_tables import MeasureTables
from covid_cxr.report.method_sentences import (
    ComparedTable,
    describe_method,
    number_references,
)
from covid_cxr.report.pooled_tables import PooledTables
from covid_cxr.report.printable import flatten
from covid_cxr.report.question_tables import QuestionTables
from covid_cxr.report.reader_tables import ReaderTables
from covid_cxr.report.reference_tables import ReferenceTables, UnlabelledTables
from covid_cxr.report.sections import take_record

# What the template takes in place of bare datasets, by name.
RECORDS: Mapping[str, type[Any]] = {
    "evaluation": EvaluationTables,
    "questions": QuestionTables,
    "margins": MarginTables,
    "measures": MeasureTables,
    "pooled": PooledTables,
    "reference": ReferenceTables,
    "unlabelled": UnlabelledTables,
    "readers": ReaderTables,
}
SHOWN = tuple(one.name for made in RECORDS.values() for one in fields(made))


def list_settings(
    reporting: Reporting,
    evaluation: Evaluation,
    margins: Margins,
    columns: ScoreColumns,
) -> pd.DataFrame:
    """Return every setting of the comparison, and the version: `name` and `value`.

    Args:
        reporting: Level and significance.
        evaluation: Whatever else was chosen.
        margins: As they were stated.
        columns: What the user says of the table.
    """
    records = {
        "reporting": vars(reporting),
        "evaluation": vars(evaluation),
        "margins": vars(margins),
        "comparison": vars(columns),
    }
    settings = {"covid_cxr": covid_cxr.__version__, **flatten(records)}
    return pd.DataFrame(settings.items(), columns=["name", "value"])


def write_comparison(
    reporting: Reporting,
    evaluation: Evaluation,
    margins: Margins,
    reference: StatedReference,
    roc_interactive: Any,
    **results: Any,
) -> str:
    """Return the whole file as text.

    Args:
        reporting: Level and significance.
        evaluation: Whatever else was chosen.
        margins: As they were stated.
        reference: As it was stated.
        roc_interactive: Plotly figure of the ROC curves.
        results: Tables of columns, of settings, of pairs and of adjusted p values, and
            `SHOWN`.
    """
    environment = make_environment()
    # A user's classifier or subgroup keeps its name, were it that of a path of ours.
    environment.filters |= {"classifier": str, "short_name": str, "variable": str}
    template = environment.get_template("comparison.html.jinja")
    classifiers = results["auroc_results"]
    pairs = results["pair_results"], results["adjusted_results"]
    sentences = describe_method(
        _what_there_was(results, reference), reporting, evaluation, margins
    )
    method, references = number_references(sentences)
    records = {name: take_record(made, results) for name, made in RECORDS.items()}
    return template.render(
        results,
        reporting=reporting,
        power=evaluation.power,
        question=ask(classifiers),
        answer=answer(classifiers, *pairs, reporting),
        method=method,
        references=references,
        answer_primary=answer_primary(records["questions"], reporting),
        **records,
        roc=as_fragment(roc_interactive),
        wording=wording,
    )


def _what_there_was(
    results: Mapping[str, Any], reference: StatedReference
) -> ComparedTable:
    classifiers = results["auroc_results"]
    first = classifiers.iloc[0]
    known = results["measure_results"].dropna(subset=["estimate"])
    recalibration = set(known["recalibration"].dropna())
    return ComparedTable(
        names=list(map(str, classifiers["classifier"])),
        n_images=int(first["cases"] + first["controls"]),
        n_patients=int(first["patients"]),
        n_replicates=int(first["bootstrap_replicates"]),
        has_validation=not results["operating_results"].empty,
        has_probabilities=bool(recalibration),
        has_map=PLATT in recalibration,
        **_further(results, reference),
    )


def _further(results: Mapping[str, Any], reference: StatedReference) -> dict[str, Any]:
    """Return what there was beside classifiers, as the tables that were made say."""

    def has(name: str, column: str | None = None) -> bool:
        table = results.get(name)
        if table is None or not len(table):
            return False
        return column is None or bool(table[column].notna().any())

    stated = reference.sensitivity, reference.specificity
    return {
        "has_pooled": has("pooled_results", "auroc"),
        "has_levels": has("between_results"),
        "has_interactions": has("interaction_results"),
        "readers_covariance": results["reader_columns"].covariance
        if has("reader_test_results")
        else None,
        "reference": stated if has("reference_results") else None,
        "is_weighted": has("unlabelled_auroc_results", "corrected"),
        "is_verified": has("verification_results"),
    }
