"""Who is in the study: the flow of radiographs, and who is in each part."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from kedro.pipeline import Node

from covid_cxr.figures import flow as flow_figure
from covid_cxr.report import flow, wording
from covid_cxr.report.cohort_table import describe_parts
from covid_cxr.study.current import current

_PART_TITLES = {"train": "Training", "validation": "Validation", "test": "Test"}


def cohort_nodes(training_sets: Sequence[str]) -> list[Node]:
    """Return the nodes that count and describe who is in these training sets."""
    cohort_of = current().cohort_of
    cohorts = list(dict.fromkeys(cohort_of[name] for name in training_sets))
    curated = [f"{cohort}_curated" for cohort in cohorts]
    splits = [f"{name}_split" for name in training_sets]
    followed = [
        *(
            f"{cohort}_{kind}"
            for cohort in cohorts
            for kind in ("radiographs", "rejected")
        ),
        *(f"{name}_left_out" for name in training_sets),
    ]
    return [
        Node(
            follow_radiographs,
            inputs={name: name for name in [*followed, *curated, *splits]},
            outputs="flow_results",
            name="follow_radiographs",
        ),
        Node(
            draw_flow,
            inputs={"flow_results": "flow_results"},
            outputs="flow_figure",
            name="draw_flow",
        ),
        Node(
            describe_cohorts,
            inputs={name: name for name in [*curated, *splits]},
            outputs="cohort_results",
            name="describe_cohorts",
        ),
    ]


def follow_radiographs(**tables: pd.DataFrame) -> pd.DataFrame:
    """Return the flow table.

    Args:
        tables: `<cohort>_radiographs`, `<cohort>_rejected`, `<cohort>_curated`,
            `<training set>_split` and `<training set>_left_out`.
    """
    cohorts = {}
    for cohort in current().cohorts:
        if f"{cohort}_curated" not in tables:
            continue
        drawn = [
            name
            for name, origin in current().cohort_of.items()
            if origin == cohort and f"{name}_split" in tables
        ]
        cohorts[cohort] = flow.CohortFlow(
            ingested=tables[f"{cohort}_radiographs"],
            curated=tables[f"{cohort}_curated"],
            rejected=tables[f"{cohort}_rejected"],
            splits={name: tables[f"{name}_split"] for name in drawn},
            left_out={name: tables[f"{name}_left_out"] for name in drawn},
        )
    return flow.follow_radiographs(cohorts)


def describe_cohorts(**tables: pd.DataFrame) -> pd.DataFrame:
    """Return the characteristics of every part of every training set.

    Args:
        tables: `<training set>_split` and `<cohort>_curated`.
    """
    return describe_parts(split_cohorts(tables))


def split_cohorts(tables: dict[str, pd.DataFrame]) -> dict[str, flow.SplitCohort]:
    """Return the training sets that have a split among the tables, by name.

    Args:
        tables: `<training set>_split` and `<cohort>_curated`.
    """
    return {
        name: flow.SplitCohort(
            split=tables[f"{name}_split"],
            radiographs=tables[f"{one.cohort}_curated"],
            label=one.label,
        )
        for name, one in current().training_sets.items()
        if f"{name}_split" in tables
    }


def draw_flow(flow_results: pd.DataFrame) -> Any:
    """Return the flow diagram of the flow table."""
    return flow_figure.draw_flow(
        [
            _lane(str(cohort), rows)
            for cohort, rows in flow_results.groupby("cohort", sort=False)
        ]
    )


def _lane(cohort: str, rows: pd.DataFrame) -> flow_figure.CohortLane:
    whole = rows[rows["training_set"].isna()]
    stations = {
        "Listed": flow.LISTED,
        "Ingested": flow.INGESTED,
        "Curated": flow.CURATED,
    }
    losses = (flow.REJECTED_AT_INGESTION, flow.REJECTED_AT_CURATION)
    return flow_figure.CohortLane(
        title=wording.cohort(cohort),
        stations=[_station(title, whole, step) for title, step in stations.items()],
        losses=[_losses(whole, step) for step in losses],
        training_sets=[
            flow_figure.DividedSet(
                title=wording.training_set(str(name)),
                left_out=_losses(divided, flow.LEFT_OUT),
                parts=[
                    _station(title, divided, part)
                    for part, title in _PART_TITLES.items()
                    if (divided["step"] == part).any()
                ],
            )
            for name, divided in rows.groupby("training_set", sort=False)
        ],
    )


def _station(title: str, rows: pd.DataFrame, step: str) -> flow_figure.Station:
    row = rows[rows["step"] == step].iloc[0]
    n_patients = None if pd.isna(row["patients"]) else int(row["patients"])
    return flow_figure.Station(
        title=title, images=int(row["images"]), patients=n_patients
    )


def _losses(rows: pd.DataFrame, step: str) -> flow_figure.Losses:
    lost = rows[rows["step"] == step]
    return flow_figure.Losses(
        title=step.capitalize(),
        images=dict(zip(lost["reason"], lost["images"].astype(int), strict=True)),
    )
