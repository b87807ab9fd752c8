"""One self-contained HTML file that loads nothing from anywhere."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from covid_cxr.evaluation.aurocs import MOST_DRAWN
from covid_cxr.evaluation.paper_tables import chosen_path
from covid_cxr.evaluation.published import CITATION
from covid_cxr.evaluation.settings import Reporting
from covid_cxr.report import wording
from covid_cxr.report.audit import AuditTables, compare_with_models
from covid_cxr.report.beyond_auroc import EvaluationTables
from covid_cxr.report.documents.document import Documents
from covid_cxr.report.flags import FlagTables
from covid_cxr.report.provenance import Provenance
from covid_cxr.report.saliency import SaliencyTables, explained_path
from covid_cxr.report.sites_left_out import SiteResults
from covid_cxr.report.trainings import (
    IMAGENET,
    cost_from_scratch,
    cost_of_study,
    training_title,
)
from covid_cxr.report.without_lungs import ShortcutTables
from covid_cxr.saliency.randomisation import block_title
from covid_cxr.study.current import current
from covid_cxr.study.design import TrainingPath


@dataclass(frozen=True, kw_only=True)
class ReportContents:
    """What a report shows; None for what its paths do not have.

    Attributes:
        reporting: Level and significance.
        cohorts: From `flow.count_cohorts`.
        parts: From `flow.count_parts`.
        trainings: From `trainings.list_trainings`.
        table1: Findings.
        table2: Related findings.
        table3: The target.
        table4: Pairs of paths.
        table5: Pairs of paths, adjusted.
        images: PNG files by the name of their figure, as in `figure1`.
        roc: Plotly figure of the ROC curves.
        colours: Of each path in the figures, by its name.
        audit: Leakage, and what metadata tell.
        shortcuts: What is left of the AUROCs without the lungs.
        seeds: From `seeds.tabulate_seeds`.
        flow: From `flow.follow_radiographs`.
        characteristics: From `cohort_table.describe_parts`.
        flags: Radiographs that a person should look at.
        gallery: From `gallery.gather_cases`.
        evaluation: What is asked of the scores beyond Table 3.
        sites: At sites that were not trained at, one left out in turn.
        saliency: Whether the maps deserve trust.
        provenance: Where the numbers come from.
        documents: The drafts for reviewers.
    """

    reporting: Reporting
    cohorts: pd.DataFrame
    parts: pd.DataFrame
    trainings: pd.DataFrame
    table1: pd.DataFrame | None
    table2: pd.DataFrame | None
    table3: pd.DataFrame
    table4: pd.DataFrame | None
    table5: pd.DataFrame | None
    images: Mapping[str, bytes]
    roc: Any
    colours: Mapping[str, str]
    audit: AuditTables | None = None
    shortcuts: ShortcutTables | None = None
    seeds: pd.DataFrame | None = None
    flow: pd.DataFrame | None = None
    characteristics: pd.DataFrame | None = None
    flags: FlagTables | None = None
    gallery: list[dict[str, Any]] | None = None
    evaluation: EvaluationTables | None = None
    sites: SiteResults | None = None
    saliency: SaliencyTables | None = None
    provenance: Provenance | None = None
    documents: Documents | None = None

    @property
    def paths(self) -> list[TrainingPath]:
        """The paths of this report, in the order of the study."""
        names = set(self.table3["path"])
        return [path for path in current().paths if path.name in names]


def write_report(contents: ReportContents) -> str:
    """Return the HTML document.

    The same contents give the same document, byte for byte.
    """
    return (
        make_environment()
        .get_template("report.html.jinja")
        .render(
            contents=contents,
            paths={path.name: path for path in contents.paths},
            chosen=chosen_path(contents.table3),
            explained=explained_path(contents.table3, contents.reporting),
            synthetic=list(contents.cohorts.query("is_synthetic")["cohort"]),
            images={name: as_data_uri(png) for name, png in contents.images.items()},
            roc=as_fragment(contents.roc),
            colours=dict(contents.colours),
            citation=CITATION,
            cohort_of=current().cohort_of,
            printed=current().published is not None,
            wording=wording,
            metadata=_metadata(contents),
        )
    )


def _metadata(contents: ReportContents) -> list[dict[str, Any]]:
    if contents.audit is None:
        return []
    return compare_with_models(
        contents.audit.metadata_auroc,
        table1=contents.table1,
        table2=contents.table2,
        table3=contents.table3,
    )


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
        "block_title": block_title,
        "classifier": wording.classifier,
        "cohort_name": wording.cohort,
        "count": wording.count,
        "data_uri": as_data_uri,
        "label": wording.label,
        "p_value": wording.p_value,
        "training_set_name": wording.training_set,
        "training_title": training_title,
        "variable": wording.label,
    }
    environment.globals["records"] = _records
    environment.globals["study"] = current()
    environment.globals["without_radiographs"] = _without_radiographs
    environment.globals["interval"] = wording.interval
    environment.globals["imagenet"] = IMAGENET
    environment.globals["most_drawn"] = MOST_DRAWN
    environment.globals["cost_of_study"] = cost_of_study
    environment.globals["cost_from_scratch"] = cost_from_scratch
    return environment


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(column): _said(str(column), value) for column, value in row.items()}
        for row in table.to_dict(orient="records")
    ]


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
