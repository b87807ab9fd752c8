"""Adapters and nodes: radiographs that curation flags for a person to look at."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from kedro.pipeline import Node

from covid_cxr.radiographs.store import ImageStore
from covid_cxr.report import flags
from covid_cxr.report.gallery import as_jpeg


def flag_nodes(cohorts: Sequence[str]) -> list[Node]:
    """Return the nodes that count and show the flagged radiographs of these cohorts."""
    curated = [f"{cohort}_curated" for cohort in cohorts]
    stores = [f"{cohort}_store" for cohort in cohorts]
    return [
        Node(
            count_flags,
            inputs={name: name for name in curated},
            outputs="flag_results",
            name="count_flags",
        ),
        Node(
            gather_flagged,
            inputs={name: name for name in [*curated, *stores]},
            outputs="flagged_radiographs",
            name="gather_flagged",
        ),
    ]


def count_flags(**curated: pd.DataFrame) -> pd.DataFrame:
    """Return how many radiographs of each cohort have each flag.

    Args:
        curated: `<cohort>_curated`.
    """
    return flags.count_flags(_by_cohort(curated))


def gather_flagged(**datasets: pd.DataFrame | ImageStore) -> list[dict[str, Any]]:
    """Return a sample of flagged radiographs, as the report shows them.

    Args:
        datasets: `<cohort>_curated` and `<cohort>_store`.
    """
    drawn = flags.draw_flagged(_by_cohort(datasets))
    addresses: list[str] = []
    for cohort, rows in drawn.groupby("cohort", sort=False)["row"]:
        store: Any = datasets[f"{cohort}_store"]
        addresses += map(as_jpeg, store.read(rows.to_numpy(np.int64)))
    return flags.show_flagged(drawn, addresses)


def _by_cohort(datasets: dict[str, Any]) -> dict[str, pd.DataFrame]:
    ending = "_curated"
    return {
        name.removesuffix(ending): table
        for name, table in datasets.items()
        if name.endswith(ending)
    }
