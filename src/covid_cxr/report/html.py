"""One self-contained HTML file that loads nothing from anywhere."""

import base64
from collections.abc import Mapping
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from covid_cxr.evaluation.aurocs import MOST_DRAWN
from covid_cxr.evaluation.inference_settings import Reporting
from covid_cxr.evaluation.paper_tables import chosen_path, results_of_paths
from covid_cxr.evaluation.published import CITATION
from covid_cxr.evaluation.table_rows import rows_of
from covid_cxr.figures.palette import path_colour
from covid_cxr.report import wording
from covid_cxr.report.answer import has_answer, study_answer
from covid_cxr.report.leakage_summary import compare_with_models
from covid_cxr.report.map_tests import explained_path
from covid_cxr.report.margin_tables import (
    measure_title,
    short_name,
    verdict_in_words,
)
from covid_cxr.report.measure_tables import measure_in_words
from covid_cxr.report.question_tables import question_title
from covid_cxr.report.sections import SECTIONS, sections_of
from covid_cxr.report.source_words import cohort_origins, learned_labels
from covid_cxr.report.trainings import (
    IMAGENET,
    cost_from_scratch,
    cost_of_study,
    training_title,
)
from covid_cxr.saliency.randomisation import block_title
from covid_cxr.study.current import current
from covid_cxr.study.design import TrainingPath


def write_report(reporting: Reporting, **found: Any) -> str:
    """Return the HTML document of whatever this run's paths have.

    The same contents give the same document, byte for byte.

    Args:
        reporting: Level and significance.
        found: Tables, PNG files and records, by the names of their datasets in
            `sections.SECTIONS`; None for what the run lacks.
    """
    paths = _paths_of(found["table3"])
    shown = sections_of(found, list(paths))
    context = {
        name: value
        for section in SECTIONS
        for name, value in section.context(found, list(paths)).items()
    }
    context |= _of_all_sections(reporting, context, paths, found)
    environment = make_environment()
    contents = [
        {
            "name": section.name,
            "title": environment.from_string(section.title).render(context),
        }
        for section in shown
    ]
    template = environment.get_template("report.html.jinja")
    return template.render(context, sections=contents)


def _paths_of(table3: pd.DataFrame) -> dict[str, TrainingPath]:
    """Return the paths of this report by name, in the order of the study."""
    names = set(table3["path"])
    return {path.name: path for path in current().paths if path.name in names}


def _of_all_sections(
    reporting: Reporting,
    context: Mapping[str, Any],
    paths: Mapping[str, TrainingPath],
    found: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what every template may speak of."""
    table3 = context["table3"]
    chosen, results = chosen_path(table3), _records(results_of_paths(table3))
    figures = {name: one for name, one in found.items() if isinstance(one, bytes)}
    return {
        "reporting": reporting,
        "level": f"{100 * reporting.level:.1f}".removesuffix(".0") + " %",
        "is_study": context["table4"] is not None,
        "answer": _answer(context, reporting),
        "paths": paths,
        "chosen": chosen,
        "results": results,
        "best": next(row for row in results if row["path"] == chosen.name),
        "explained": explained_path(table3, reporting),
        "synthetic": list(context["cohort_counts"].query("is_synthetic")["cohort"]),
        "images": {name: as_data_uri(png) for name, png in figures.items()},
        "roc": as_fragment(context["figure3_interactive"]),
        "colours": {
            path.name: path_colour(i) for i, path in enumerate(current().paths)
        },
        "citation": CITATION,
        "printed": current().published is not None,
        "wording": wording,
        "metadata": _metadata(context),
    }


def _answer(context: Mapping[str, Any], reporting: Reporting) -> str | None:
    """Return the study's answer; None where there is none, as of a path alone."""
    if context["table4"] is None or not has_answer():
        return None
    return study_answer(
        *(context[name] for name in ("table3", "table4", "table5")),
        cohort_counts=context["cohort_counts"],
        reporting=reporting,
    )


def _metadata(context: Mapping[str, Any]) -> list[dict[str, Any]]:
    if context["audit"] is None:
        return []
    tables = {name: context[name] for name in ("table1", "table2", "table3")}
    return compare_with_models(context["audit"].metadata_auroc, **tables)


def make_environment() -> Environment:
    """Return the templates of reports, with the filters that they share."""
    environment = Environment(
        loader=PackageLoader("covid_cxr.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "auroc": wording.auroc,
        "begun": wording.begun,
        "block_title": block_title,
        "classifier": wording.classifier,
        "cohort_name": wording.cohort,
        "count": wording.count,
        "data_uri": as_data_uri,
        "label": wording.label,
        "measure": measure_title,
        "measured": measure_in_words,
        "p_value": wording.p_value,
        "question": question_title,
        "short_name": short_name,
        "threshold": wording.threshold,
        "training_set_name": wording.training_set,
        "training_title": training_title,
        "variable": wording.label,
        "verdict": verdict_in_words,
    }
    environment.globals["records"] = _records
    environment.globals["study"] = study = current()
    environment.globals["cohort_origins"] = cohort_origins
    environment.globals["learned_labels"] = learned_labels
    environment.globals["as_printed"] = ", as in the paper" if study.published else ""
    environment.globals["without_radiographs"] = _without_radiographs
    environment.globals["interval"] = wording.interval
    environment.globals["imagenet"] = IMAGENET
    environment.globals["most_drawn"] = MOST_DRAWN
    environment.globals["cost_of_study"] = cost_of_study
    environment.globals["cost_from_scratch"] = cost_from_scratch
    return environment


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{n: _said(n, value) for n, value in row.items()} for row in rows_of(table)]


def _said(column: str, value: Any) -> Any:
    """Return a cell; a caution that nobody gave comes back from its file as NaN."""
    is_unsaid = column == "caution" and not isinstance(value, str)
    return "" if is_unsaid else value


def _without_radiographs(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the cases of the gallery without the images that stand in the page."""
    return [{**case, "radiograph": None} for case in cases]


def as_data_uri(image: bytes, media_type: str = "image/png") -> str:
    """Return an image file as its address in HTML."""
    return f"data:{media_type};base64,{base64.b64encode(image).decode()}"


def as_fragment(figure: Any) -> str:
    """Return the figure's HTML with the one copy of plotly.js in it."""
    from plotly.io import to_html

    return str(
        to_html(
            figure,
            full_html=False,
            include_plotlyjs=True,
            div_id="figure3-plot",
            config={"responsive": True, "displaylogo": False},
        )
    )
