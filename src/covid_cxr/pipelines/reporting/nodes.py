"""Adapters from the catalog: one argument per path, cohort or training."""

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.audit.masked_inputs import MaskedInputs, mask_inputs
from covid_cxr.evaluation.inference_settings import Reporting
from covid_cxr.evaluation.masked_aurocs import INPUT_NAMES, WHOLE
from covid_cxr.evaluation.paper_tables import chosen_path
from covid_cxr.figures import (
    cropping,
    explained_cases,
    flow_diagram,
    intervals,
    learning_curves,
    masked_radiographs,
)
from covid_cxr.figures.note import draw_note
from covid_cxr.figures.palette import classifier_colours
from covid_cxr.figures.paths import draw_paths
from covid_cxr.patients.pooling import of_cohort
from covid_cxr.radiographs import files
from covid_cxr.radiographs.crops import match_crops
from covid_cxr.radiographs.folder import RadiographFolder
from covid_cxr.radiographs.rendering import UnreadableRadiograph
from covid_cxr.radiographs.store import ImageStore
from covid_cxr.report import flags, radiograph_flow, wording
from covid_cxr.report.characteristics import describe_parts
from covid_cxr.report.gallery import Gallery, as_jpeg, draw_images, gather_cases
from covid_cxr.report.map_tests import METHOD_NAMES, explained_path
from covid_cxr.report.score_figures import panel_per_finding
from covid_cxr.report.trainings import training_title
from covid_cxr.saliency.cases import OUTCOMES
from covid_cxr.study.current import current
from covid_cxr.training.examples import Examples

logger = logging.getLogger(__name__)

_PART_TITLES = {"train": "Training", "validation": "Validation", "test": "Test"}


def follow_study(**tables: pd.DataFrame) -> pd.DataFrame:
    """Return the flow table.

    Args:
        tables: `<cohort>_radiographs`, `<cohort>_rejected`, `<cohort>_curated`,
            `<training set>_split` and `<training set>_left_out`.
    """
    cohorts = {}
    for cohort in current().cohorts:
        if f"{cohort}_curated" not in tables:
            continue
        drawn = {
            name: one.cohorts
            for name, one in current().training_sets.items()
            if cohort in one.cohorts and f"{name}_split" in tables
        }
        cohorts[cohort] = radiograph_flow.CohortFlow(
            ingested=tables[f"{cohort}_radiographs"],
            curated=tables[f"{cohort}_curated"],
            rejected=tables[f"{cohort}_rejected"],
            **{
                kind: {
                    name: of_cohort(tables[f"{name}_{table}"], cohort, among=among)
                    for name, among in drawn.items()
                }
                for kind, table in (("splits", "split"), ("left_out", "left_out"))
            },
        )
    return radiograph_flow.follow_radiographs(cohorts)


def describe_study(**tables: pd.DataFrame) -> pd.DataFrame:
    """Return the characteristics of every part of every training set.

    Args:
        tables: `<training set>_split` and `<origin>_curated`.
    """
    return describe_parts(_split_cohorts(tables))


def count_study(**tables: pd.DataFrame) -> pd.DataFrame:
    """Return images, patients and positives of every part of every training set.

    Args:
        tables: `<training set>_split` and `<origin>_curated`.
    """
    return radiograph_flow.count_parts(_split_cohorts(tables))


def draw_radiograph_flow(flow_results: pd.DataFrame) -> Any:
    """Return the flow diagram of the flow table."""
    return flow_diagram.draw_flow(
        [
            _lane(str(cohort), rows)
            for cohort, rows in flow_results.groupby("cohort", sort=False)
        ]
    )


def gather_flagged(**datasets: pd.DataFrame | ImageStore) -> list[dict[str, Any]]:
    """Return a sample of flagged radiographs, as the report shows them.

    Args:
        datasets: `<cohort>_curated` and `<cohort>_store`.
    """
    drawn = flags.draw_flagged(
        {
            name.removesuffix("_curated"): table
            for name, table in datasets.items()
            if isinstance(table, pd.DataFrame)
        }
    )
    addresses: list[str] = []
    for cohort, rows in drawn.groupby("cohort", sort=False)["row"]:
        store: Any = datasets[f"{cohort}_store"]
        addresses += map(as_jpeg, store.read(rows.to_numpy(np.int64)))
    return flags.show_flagged(drawn, addresses)


def draw_training_paths(part_counts: pd.DataFrame) -> Any:
    """Return Figure 1: all paths, with the images that each training has seen."""
    train = part_counts[part_counts["part"] == "train"]
    training_images = dict(zip(train["training_set"], train["images"], strict=True))
    return draw_paths(current().paths, training_images=training_images)


def draw_cropped_example(
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


@panel_per_finding
def draw_auroc_intervals(table3: pd.DataFrame) -> Any:
    """Return the intervals of Table 3, ours beside the paper's."""
    titles = {path.name: path.title for path in current().paths}
    in_order = pd.CategoricalDtype([*titles])
    rows = table3.sort_values("path", key=lambda p: p.astype(in_order), kind="stable")
    colours = rows["path"].map(classifier_colours(titles))
    return intervals.draw_intervals(
        rows.assign(title=rows["path"].map(titles), colour=colours)
    )


def draw_losses(**histories: list[dict[str, float]]) -> Any:
    """Return the losses of every training.

    Args:
        histories: One record per epoch, by training.
    """
    return learning_curves.draw_learning_curves(
        {training_title(name): h for name, h in histories.items()}
    )


def draw_outcomes(
    table3: pd.DataFrame,
    store: ImageStore,
    radiographs: pd.DataFrame,
    reporting: Reporting,
    **explanations: dict[str, Any],
) -> tuple[Any, ...]:
    """Return Figures 4 to 7 for the path asked for, or the best on validation."""
    path = explained_path(table3, reporting)
    explanation = explanations[path.name]
    rows = radiographs.set_index("image_id")["row"]
    return tuple(
        _draw_outcome(explanation, outcome=outcome, store=store, rows=rows)
        for outcome in OUTCOMES
    )


def draw_forgetting(randomisation_results: pd.DataFrame) -> Any:
    """Return how similar each path's maps stay while its classifier forgets."""
    if randomisation_results.empty:
        return draw_note("No randomisation test was made: randomised_images is 0.")
    titles = {path.name: path.title for path in current().paths}
    by_path = randomisation_results.groupby("path", sort=False)
    colours = classifier_colours(titles)
    return explained_cases.draw_randomisation(
        {titles[str(name)]: table for name, table in by_path},
        colours={titles[name]: colour for name, colour in colours.items()},
    )


def gather_gallery(
    table3: pd.DataFrame,
    store: ImageStore,
    radiographs: pd.DataFrame,
    gallery: Gallery,
    **maps: pd.DataFrame,
) -> list[dict[str, Any]]:
    """Return the cases of the gallery, drawn by the path that is best on validation."""
    images = draw_images(maps[chosen_path(table3).name], gallery)
    rows = radiographs.set_index("image_id")["row"].loc[images]
    pixels = store.read(rows.to_numpy(np.int64))
    return gather_cases(images, pixels, radiographs, maps)


def draw_masked_aurocs(results: pd.DataFrame) -> Any:
    """Return the AUROCs of every path and input."""
    shown = set(results["path"].dropna())
    paths = {path.name: path.title for path in current().paths if path.name in shown}
    return masked_radiographs.draw_shortcuts(
        results,
        inputs=INPUT_NAMES,
        paths=paths,
        colours=classifier_colours(paths),
    )


def draw_masked_example(
    examples: Examples,
    lungs: pd.DataFrame,
    masked_inputs: MaskedInputs,
    reporting: Reporting,
) -> Any:
    """Return a test radiograph drawn at random, as each input shows it.

    Args:
        examples: Of phase 3.
        lungs: From `curate_lungs`; one with a mask is drawn, if there is any.
        masked_inputs: How much is hidden.
        reporting: For the seed.
    """
    test = examples.part("test").radiographs["image_id"]
    with_mask = test[test.isin(lungs["image_id"])]
    drawn = (with_mask if len(with_mask) else test).sample(
        1, random_state=reporting.seed
    )
    rows = examples.of(drawn).rows
    inputs = mask_inputs(
        examples.store,
        examples.radiographs,
        lungs,
        mean_intensity=examples.intensity.mean,
        masked_inputs=masked_inputs,
    )
    shown = {INPUT_NAMES[WHOLE]: examples.store.read(rows)[0]}
    for name, masked in inputs.items():
        if int(rows[0]) in masked.masks:
            shown[INPUT_NAMES[name]] = masked.read(rows)[0]
    return masked_radiographs.draw_masked_radiograph(shown)


def _split_cohorts(
    tables: dict[str, pd.DataFrame],
) -> dict[str, radiograph_flow.SplitCohort]:
    """Return the training sets that have a split among the tables, by name."""
    return {
        name: radiograph_flow.SplitCohort(
            split=tables[f"{name}_split"],
            radiographs=tables[f"{one.origin}_curated"],
            label=one.label,
        )
        for name, one in current().training_sets.items()
        if f"{name}_split" in tables
    }


def _lane(cohort: str, rows: pd.DataFrame) -> flow_diagram.CohortLane:
    whole = rows[rows["training_set"].isna()]
    stations = {
        "Listed": radiograph_flow.LISTED,
        "Ingested": radiograph_flow.INGESTED,
        "Curated": radiograph_flow.CURATED,
    }
    losses = (
        radiograph_flow.REJECTED_AT_INGESTION,
        radiograph_flow.REJECTED_AT_CURATION,
    )
    return flow_diagram.CohortLane(
        title=wording.cohort(cohort),
        stations=[_station(title, whole, step) for title, step in stations.items()],
        losses=[_losses(whole, step) for step in losses],
        training_sets=[
            flow_diagram.DividedSet(
                title=wording.training_set(str(name)),
                left_out=_losses(divided, radiograph_flow.LEFT_OUT),
                parts=[
                    _station(title, divided, part)
                    for part, title in _PART_TITLES.items()
                    if (divided["step"] == part).any()
                ],
            )
            for name, divided in rows.groupby("training_set", sort=False)
        ],
    )


def _station(title: str, rows: pd.DataFrame, step: str) -> flow_diagram.Station:
    row = rows[rows["step"] == step].iloc[0]
    n_patients = None if pd.isna(row["patients"]) else int(row["patients"])
    return flow_diagram.Station(
        title=title, images=int(row["images"]), patients=n_patients
    )


def _losses(rows: pd.DataFrame, step: str) -> flow_diagram.Losses:
    lost = rows[rows["step"] == step]
    return flow_diagram.Losses(
        title=step.capitalize(),
        images=dict(zip(lost["reason"], lost["images"].astype(int), strict=True)),
    )


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


def _draw_outcome(
    explanation: dict[str, Any], *, outcome: str, store: ImageStore, rows: pd.Series
) -> Any:
    cases = [case for case in explanation["cases"] if case["outcome"] == outcome]
    if not cases:
        name = outcome.replace("_", " ")
        return draw_note(f"The test part has no {name} at this threshold.")
    unknown = [c["image_id"] for c in cases if c["image_id"] not in rows.index]
    if unknown:
        raise ValueError(
            f"The saliency maps are of radiographs that are not among the curated "
            f"ones, such as {unknown[0]}; run phase 3 again."
        )
    wanted = rows.loc[[case["image_id"] for case in cases]].to_numpy(np.int64)
    return explained_cases.draw_explained_cases(
        [
            explained_cases.ExplainedCase(
                patient_index=case["patient_index"],
                score=case["score"],
                pixels=pixels,
                saliency=np.asarray(case["map"], dtype=np.float64),
            )
            for case, pixels in zip(cases, store.read(wanted), strict=True)
        ],
        method=METHOD_NAMES[explanation["method"]],
    )
