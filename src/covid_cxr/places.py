"""Where datasets keep their values, and which of them a run would miss."""

import re
from pathlib import Path
from typing import Any

from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from covid_cxr.datasets.optional import OptionalDataset


def missing_inputs(
    pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]
) -> dict[str, str]:
    """Return the places of what nothing in the pipeline writes and nothing has written.

    Args:
        pipeline: Its inputs are looked for.
        catalog: Of the run.
    """
    return {
        name: place_of(dataset)
        for name in sorted(pipeline.inputs())
        if not name.startswith(("params:", "parameters"))
        and not isinstance(dataset := catalog[name], OptionalDataset)
        and not dataset.exists()
    }


def file_of(dataset: Any) -> Path | None:
    """Return where a file dataset keeps its value; None for another one."""
    if isinstance(dataset, OptionalDataset):
        return file_of(dataset._dataset)
    path = getattr(dataset, "_filepath", None)
    return None if path is None else Path(str(path))


def place_of(dataset: Any) -> str:
    """Return where a file dataset keeps its value, as `shortened`."""
    place = file_of(dataset)
    return type(dataset).__name__ if place is None else shortened(place)


def shortened(place: Path) -> str:
    """Return a path relative to the working folder where it lies inside."""
    here = Path.cwd()
    return str(place.relative_to(here) if place.is_relative_to(here) else place)


def folder_name(place: str) -> str:
    """Return the name of a folder, in letters, digits, "_", "-" and "."; a resolver.

    Args:
        place: As a user names it, also with a "/" behind it.
    """
    return re.sub(r"[^\w.-]+", "_", Path(place).name).strip(".") or "cohort"
