"""Settings, scores of two classifiers, and the contents of a report of six paths."""

import functools
import io
from dataclasses import is_dataclass
from functools import partial

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from covid_cxr.evaluation.arranged_scores import arrange_paths
from covid_cxr.evaluation.comparisons import adjust_for_all_pairs, compare_paths
from covid_cxr.evaluation.paper_tables import (
    tabulate_findings,
    tabulate_related,
    tabulate_target,
)
from covid_cxr.figures.roc_curves import draw_interactive_roc
from covid_cxr.report.characteristics import describe_parts
from covid_cxr.report.gallery import Gallery, draw_images, gather_cases
from covid_cxr.report.html import write_report
from covid_cxr.report.radiograph_flow import CohortFlow, SplitCohort, follow_radiographs
from covid_cxr.statistics.roc import trace_roc
from covid_cxr.study.current import current

COLOURS = {path.name: "#0072b2" for path in current().paths}


def made_up_scores(label, *, seed):
    images = np.random.default_rng(0)
    is_case = images.random(120) < 0.5
    noise = np.random.default_rng(seed).normal(size=120)
    return pd.DataFrame(
        {
            "image_id": [f"i{i:03d}" for i in range(120)],
            "patient_id": [f"p{i // 3}" for i in range(120)],
            "part": np.where(np.arange(120) < 60, "validation", "test"),
            label: is_case,
            f"{label}_score": noise + is_case,
        }
    )


def made_up_counts():
    rows = [
        (training_set, part, label, 100, 50, 30, 7)
        for training_set, label in [
            ("phase1", "pneumonia"),
            ("phase2_nih", "pneumonia"),
            ("phase2_rsna", "pneumonia"),
            ("phase3", "covid19"),
        ]
        for part in ("train", "validation", "test")
    ]
    columns = ["training_set", "part", "label", "images", "patients", "positives"]
    return pd.DataFrame(rows, columns=[*columns, "images_of_phase1_patients"])


def made_up_cohort():
    """Return the flow and the characteristics of four radiographs, one of them lost."""
    radiographs = pd.DataFrame(
        {
            "image_id": ["a", "b", "c", "d"],
            "patient_id": ["p:1", "p:2", "p:3", "p:4"],
            "age_years": [30.0, 40.0, 50.0, 60.0],
            "sex": ["F", "M", "F", "M"],
            "view": "PA",
            "site": ["north", "south", "north", "south"],
            "covid19": [True, False, True, False],
        }
    )
    curated = radiographs.head(3)
    split = curated[["image_id", "patient_id"]].assign(
        part=["train", "validation", "test"]
    )
    rejected = {"image_id": "d", "stage": "curation", "reason": "not <grey> & odd"}
    cohort = CohortFlow(
        ingested=radiographs,
        curated=curated,
        rejected=pd.DataFrame([rejected]),
        splits={"phase3": split},
        left_out={"phase3": split.head(0).assign(reason="")},
    )
    divided = SplitCohort(split=split, radiographs=curated, label="covid19")
    return {
        "flow_results": follow_radiographs({"covid": cohort}),
        "cohort_results": describe_parts({"phase3": divided}),
    }


def made_up_gallery(paths):
    """Return twelve cases, half at each site; the first path is right about eight."""
    right = ["true_positive", "true_negative"] * 4
    wrong = ["false_positive", "false_negative"] * 2
    maps = pd.DataFrame(
        {
            "image_id": [f"secret_{i:02d}" for i in range(12)],
            "patient_index": np.arange(12) + 1,
            "outcome": [*right, *wrong],
            "score": np.linspace(0.1, 0.9, 12),
            "height": 1,
            "width": 2,
            "map": [[0, 255]] * 12,
        }
    )
    other = maps.assign(outcome=maps["outcome"].iloc[::-1].tolist(), score=0.5)
    images = draw_images(maps, Gallery(images=12, seed=1))
    origins = {"site": ["north", "south"] * 6, "view": "PA"}
    return gather_cases(
        images,
        np.full((12, 8, 8), 90, np.uint8),
        pd.DataFrame({"image_id": images, **origins}),
        {path.name: other if i else maps for i, path in enumerate(paths)},
    )


def png():
    stream = io.BytesIO()
    Figure(figsize=(2, 1)).savefig(stream)
    return stream.getvalue()


IMAGES = (
    *("figure1", "figure2", "figure3", "figure4", "figure5", "figure6", "figure7"),
    *("flow_figure", "auroc_intervals", "learning_curves"),
)


def datasets_of(changes):
    """Return what a record, such as the tables of an audit, holds by its datasets."""
    found = {}
    for name, value in changes.items():
        found |= vars(value) if is_dataclass(value) else {name: value}
    return found


def tabulate_pairs(covid, reporting, evaluation):
    scores = arrange_paths(**covid)
    table4 = compare_paths(scores, reporting=reporting, evaluation=evaluation)
    return table4, adjust_for_all_pairs(scores, reporting=reporting)


def report_contents(paths, *, reporting, evaluation, is_synthetic):
    covid = {
        path.name: made_up_scores("covid19", seed=seed)
        for seed, path in enumerate(paths)
    }
    pneumonia = {
        f"{path.name}_phase2": made_up_scores("pneumonia", seed=seed)
        for seed, path in enumerate(paths)
        if path.phase2_trainings
    }
    is_study = len(paths) > 1
    table4, table5 = (
        tabulate_pairs(covid, reporting, evaluation) if is_study else (None, None)
    )
    curves = {
        path.title: trace_roc(scores["covid19"], scores["covid19_score"])
        for path, scores in zip(paths, covid.values(), strict=True)
    }
    return {
        "reporting": reporting,
        "cohort_counts": pd.DataFrame(
            {
                "cohort": ["nih", "rsna", "covid"],
                "is_synthetic": [False, False, is_synthetic],
                "images": [112120, 26684, 1060],
                "patients": [30805, 11439, 475],
                "rejected": [0, 0, 1],
            }
        ),
        "part_counts": made_up_counts(),
        "trainings": pd.DataFrame(
            {
                "training": ["phase1", "path_b_phase3"],
                "after": ["random weights", "random weights → phase1"],
                "train": 100,
                "validation": 50,
                "test": 50,
                "epochs": 12,
                "kept_epoch": [7, np.nan],
                "used_by": [3, 1],
                "seed": 2021,
                "split_sha256": "0123456789abcdef",
                "versions": "keras 3.15.0",
            }
        ),
        "table1": tabulate_findings(
            made_up_scores("edema", seed=9), ["edema"], reporting
        ),
        "table2": tabulate_related(made_up_counts(), reporting, **pneumonia)
        if pneumonia
        else None,
        "table3": tabulate_target(arrange_paths(**covid), reporting=reporting),
        "table4": table4,
        "table5": table5,
        **{name: png() for name in IMAGES},
        "figure3_interactive": draw_interactive_roc(
            curves, bands={}, first=None, colours=dict.fromkeys(curves, "#0072b2")
        ),
        **made_up_cohort(),
        "gallery": made_up_gallery(paths),
    }


@pytest.fixture(scope="session")
def make_contents(reporting, evaluation):
    """Return a function that makes a report's contents from made-up scores of paths."""
    settings = {"reporting": reporting, "evaluation": evaluation}
    once = functools.cache(partial(report_contents, **settings))

    def make(paths=None, *, is_synthetic=True, **changes):
        contents = once(tuple(paths or current().paths), is_synthetic=is_synthetic)
        return {**contents, **datasets_of(changes)}

    return make


@pytest.fixture(scope="session")
def contents(make_contents):
    return make_contents()


@pytest.fixture(scope="session")
def document(contents):
    return write_report(**contents)
