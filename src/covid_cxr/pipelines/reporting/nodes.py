"""Adapters from the catalog: one argument per path, cohort or training."""

import logging
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.evaluation.settings import Reporting
from covid_cxr.figures import cropping, intervals, learning_curves
from covid_cxr.figures.note import draw_note
from covid_cxr.figures.palette import path_colour
from covid_cxr.figures.paths import draw_paths
from covid_cxr.pipelines.reporting.cohorts import split_cohorts
from covid_cxr.pipelines.reporting.sites import take_site_results
from covid_cxr.radiographs import files
from covid_cxr.radiographs.crops import match_crops
from covid_cxr.radiographs.folder import RadiographFolder
from covid_cxr.radiographs.rendering import UnreadableRadiograph
from covid_cxr.report import audit, flow, html, trainings
from covid_cxr.report.beyond_auroc import EvaluationTables
from covid_cxr.report.documents.document import Documents
from covid_cxr.report.flags import FlagTables
from covid_cxr.report.provenance import Provenance
from covid_cxr.report.saliency import SaliencyTables
from covid_cxr.report.without_lungs import ShortcutTables
from covid_cxr.study.current import current

logger = logging.getLogger(__name__)

IMAGES = (
    *("figure1", "figure2", "figure3", "figure4", "figure5", "figure6", "figure7"),
    *("flow_figure", "auroc_intervals", "learning_curves", "randomisation_figure"),
    *("masked_radiograph_figure", "shortcut_figure"),
)

# Sections that stand in the report if a run has their tables: the field of
# `ReportContents`, and the record whose fields are named as the datasets.
SECTIONS = {
    "audit": audit.AuditTables,
    "evaluation": EvaluationTables,
    "flags": FlagTables,
    "saliency": SaliencyTables,
    "shortcuts": ShortcutTables,
    "provenance": Provenance,
    "documents": Documents,
}


def count_cohorts(**tables: pd.DataFrame) -> pd.DataFrame:
    """Return images and patients of each cohort, used and rejected.

    Args:
        tables: `<cohort>_curated` and `<cohort>_rejected`.
    """
    cohorts = [name.removesuffix("_curated") for name in tables if "_curated" in name]
    return flow.count_cohorts(
        {cohort: tables[f"{cohort}_curated"] for cohort in cohorts},
        {cohort: tables[f"{cohort}_rejected"] for cohort in cohorts},
    )


def count_parts(**tables: pd.DataFrame) -> pd.DataFrame:
    """Return images, patients and positives of every part of every training set.

    Args:
        tables: `<training set>_split` and `<cohort>_curated`.
    """
    return flow.count_parts(split_cohorts(tables))


def draw_training_paths(part_counts: pd.DataFrame) -> Any:
    """Return Figure 1: all paths, with the images that each training has seen."""
    train = part_counts[part_counts["part"] == "train"]
    training_images = dict(zip(train["training_set"], train["images"], strict=True))
    return draw_paths(current().paths, training_images=training_images)


def draw_cropping(
    images: RadiographFolder,
    crops: pd.DataFrame | None,
    radiographs: pd.DataFrame,
    reporting: Reporting,
) -> Any:
    """Return Figure 2: a radiograph drawn at random, before and after its crop.

    Args:
        images: The raw files.
        crops: As for `match_crops`; None without crops.
        radiographs: The curated ones.
        reporting: For the seed.
    """
    if crops is None:
        return draw_note("The radiographs were not cropped: there is no crop table.")
    for pixels, box in _cropped_examples(images, crops, radiographs, reporting.seed):
        return cropping.draw_cropping(pixels, box)
    return draw_note("No radiograph with a crop is at hand.")


def draw_auroc_intervals(table3: pd.DataFrame) -> Any:
    """Return the intervals of Table 3, ours beside the paper's."""
    rows = []
    for position, path in enumerate(current().paths):
        for row in table3[table3["path"] == path.name].to_dict(orient="records"):
            ours = {key: row[key] for key in ("auroc", "lower", "upper")}
            paper = {key: row[f"paper_{key}"] for key in ("auroc", "lower", "upper")}
            rows.append(
                intervals.IntervalRow(
                    title=path.title,
                    colour=path_colour(position),
                    ours=intervals.Interval(**ours),
                    paper=intervals.Interval(**paper),
                )
            )
    return intervals.draw_intervals(rows)


def draw_learning_curves(**histories: list[dict[str, float]]) -> Any:
    """Return the losses of every training.

    Args:
        histories: One record per epoch, by training.
    """
    return learning_curves.draw_learning_curves(
        {trainings.training_title(name): h for name, h in histories.items()}
    )


def list_trainings(**provenance: dict[str, Any]) -> pd.DataFrame:
    """Return one row per training.

    Args:
        provenance: By training.
    """
    return trainings.list_trainings(provenance)


def list_timings(**clocks: dict[str, list[float]]) -> pd.DataFrame:
    """Return how long every training took, by the clock.

    Args:
        clocks: By training.
    """
    return trainings.list_timings(clocks)


def write_report(
    reporting: Reporting, figure3_interactive: Any, **parts: pd.DataFrame | bytes | None
) -> str:
    """Return the HTML report of whatever this run's paths have.

    Args:
        reporting: Level and significance.
        figure3_interactive: The ROC curves.
        parts: Tables and PNG files by the name of their dataset.
    """
    images = {name: parts.pop(name) for name in IMAGES if name in parts}
    sections = {name: take_section(name, parts) for name in SECTIONS}
    sections["sites"] = take_site_results(parts)
    optional = dict.fromkeys(("table1", "table2", "table4", "table5"))
    contents: dict[str, Any] = {**optional, **parts, **sections, "images": images}
    colours = {path.name: path_colour(i) for i, path in enumerate(current().paths)}
    return html.write_report(
        html.ReportContents(
            reporting=reporting, roc=figure3_interactive, colours=colours, **contents
        )
    )


def tables_of_section(section: str) -> list[str]:
    """Return the datasets that a section of the report is made from."""
    return [field.name for field in fields(SECTIONS[section])]


def take_section(section: str, parts: dict[str, Any]) -> Any:
    """Return the section's record, taken out of `parts`; None where nothing is there.

    A field that has a default may be absent.
    """
    found = {n: parts.pop(n) for n in tables_of_section(section) if n in parts}
    return SECTIONS[section](**found) if found else None


def _cropped_examples(
    images: RadiographFolder, crops: pd.DataFrame, radiographs: pd.DataFrame, seed: int
) -> Iterator[tuple[NDArray[np.uint8], list[float]]]:
    """Yield pixels and crop of curated radiographs in random order."""
    file_of = dict(zip(radiographs["image_id"], radiographs["file"], strict=True))
    boxes, _ = match_crops(crops, radiographs, images)
    for image_id, *box in boxes.sample(frac=1, random_state=seed).itertuples():
        place = images.find(str(file_of[image_id]))
        if place is None:
            continue
        try:
            pixels = files.read(images.root / place).pixels
        except UnreadableRadiograph:
            logger.warning("Figure 2: a raw radiograph can no longer be read")
            continue
        yield pixels, box
