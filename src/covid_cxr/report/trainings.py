"""Which trainings lie behind the numbers: from provenance records to one table."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

IMAGENET = "ImageNet weights"


def list_trainings(provenance: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return one row per training.

    Args:
        provenance: Record by training, as in `path_b_phase2`: stage, parents, images
            per part, epochs, seconds, seed, hash of the split, versions. What a record
            lacks stays empty in the table.
    """
    rows = []
    for name, record in provenance.items():
        images = record.get("n_images", {})
        ancestors = [_ancestor(parent) for parent in record.get("parents", [])]
        rows.append(
            {
                "training": name,
                "after": " → ".join(ancestors),
                "train": images.get("train"),
                "validation": images.get("validation"),
                "test": images.get("test"),
                "epochs": record.get("n_epochs"),
                "kept_epoch": record.get("best_epoch"),
                "hours": _hours(record.get("seconds")),
                "seed": record.get("seed"),
                "split_sha256": record.get("split_sha256"),
                "versions": _as_text(record.get("versions", {})),
            }
        )
    return pd.DataFrame(rows)


def training_title(name: str) -> str:
    """Return a training's name for readers, as in "Path (b), phase 2".

    Args:
        name: As in `path_b_phase2` or `phase1`.
    """
    path, _, phase = name.rpartition("_")
    title = f"phase {phase.removeprefix('phase')}"
    if not path:
        return title.capitalize()
    return f"Path ({path.removeprefix('path_')}), {title}"


def _ancestor(record: Mapping[str, Any]) -> str:
    """Return an ancestor's name; of the first one, which weights it had."""
    stage = str(record.get("stage", "?"))
    weights = record.get("network", {}).get("weights")
    if stage != "initial" or weights is None:
        return stage
    named = {"none": "random weights", "imagenet": IMAGENET}
    return named.get(weights, str(weights))


def _hours(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / 3600


def _as_text(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{package} {version}" for package, version in versions.items())
