"""Which trainings lie behind the numbers, and what they cost."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

IMAGENET = "ImageNet weights"


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a number of trainings cost.

    Attributes:
        trainings: How many.
        epochs: Of all of them.
        image_passes: Radiographs through the network to be learned from, each time
            counted: epochs times training radiographs.
    """

    trainings: int
    epochs: float
    image_passes: float


def list_trainings(**provenance: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per training.

    `used_by` is the number of last classifiers that a training leads to, its own
    included: for each of them it would be run, were nothing shared.

    Args:
        provenance: Record by training, as in `path_b_phase2`: stage, parents, images
            per part, epochs, seed, hash of the split, versions. What a record
            lacks stays empty in the table.
    """
    lineages = _lineages(provenance.values())
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
                "used_by": sum(record.get("stage") in lineage for lineage in lineages),
                "seed": record.get("seed"),
                "split_sha256": record.get("split_sha256"),
                "versions": _as_text(record.get("versions", {})),
            }
        )
    return pd.DataFrame(rows)


def list_timings(**clocks: Mapping[str, Any]) -> pd.DataFrame:
    """Return `training`, `epochs`, `seconds` and `seconds_per_epoch`.

    Apart from all other tables, since it is never the same again.

    Args:
        clocks: The `seconds` of each epoch and its validation, by training.
    """
    rows = [
        {
            "training": name,
            "epochs": len(clock["seconds"]),
            "seconds": sum(clock["seconds"]),
            "seconds_per_epoch": sum(clock["seconds"]) / len(clock["seconds"]),
        }
        for name, clock in clocks.items()
    ]
    return pd.DataFrame(rows)


def cost_of_study(trainings: pd.DataFrame) -> Cost:
    """Return what the trainings cost, each run once."""
    return _cost(trainings, pd.Series(1, index=trainings.index))


def cost_from_scratch(trainings: pd.DataFrame) -> Cost:
    """Return what it would cost to train every path from scratch, sharing nothing.

    Args:
        trainings: From `list_trainings`; the shared ones are taken to cost each path
            what they cost once.
    """
    return _cost(trainings, trainings["used_by"])


def training_title(name: str) -> str:
    """Return the name of a training for readers, as in "Path (b), phase 2".

    Args:
        name: As in `path_b_phase2`, `path_b_phase2_rsna`, `phase1` or `phase1_random`.
    """
    path, _, phase = name.rpartition("phase")
    number, _, further = phase.partition("_")
    title = f"phase {number}{f' ({further})' if further else ''}"
    if not path:
        return title.capitalize()
    return f"Path ({path.removeprefix('path_').removesuffix('_')}), {title}"


def _lineages(records: Iterable[Mapping[str, Any]]) -> list[set[Any]]:
    """Return for each classifier from which no other starts its stages, all told."""
    lineages = [
        {record.get("stage"), *(parent.get("stage") for parent in record["parents"])}
        for record in records
        if "parents" in record
    ]
    return [own for own in lineages if not any(own < other for other in lineages)]


def _cost(trainings: pd.DataFrame, times: pd.Series) -> Cost:
    passes = trainings["epochs"] * trainings["train"]
    return Cost(
        trainings=int(times.sum()),
        epochs=float((times * trainings["epochs"]).sum()),
        image_passes=float((times * passes).sum()),
    )


def _ancestor(record: Mapping[str, Any]) -> str:
    """Return an ancestor's name; of the first one, which weights it had."""
    stage = str(record.get("stage", "?"))
    weights = record.get("network", {}).get("weights")
    if stage != "initial" or weights is None:
        return stage
    named = {"none": "random weights", "imagenet": IMAGENET}
    return named.get(weights, str(weights))


def _as_text(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{package} {version}" for package, version in versions.items())
