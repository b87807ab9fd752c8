"""Training sets: images of a store, the part that each is in, and their labels."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

PARTS = ("train", "validation", "test")


class Images(Protocol):
    """What training needs of an image store, or of several taken together."""

    @property
    def n_images(self) -> int:
        """How many images there are."""
        ...

    @property
    def size_px(self) -> int:
        """Height and width of each."""
        ...

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what they hold."""
        ...

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return the images of `rows`, shape (n, size_px, size_px), in their order."""
        ...


@dataclass(frozen=True, kw_only=True)
class Intensity:
    """How bright the training images are, on [0, 1].

    Attributes:
        mean: Of all their pixels.
        standard_deviation: Of all their pixels.
        n_images: How many of them were measured.
    """

    mean: float
    standard_deviation: float
    n_images: int

    def __post_init__(self) -> None:
        """Refuse what images cannot be normalised by."""
        if not (0 <= self.mean <= 1 and self.standard_deviation > 0):
            raise ValueError(
                f"The intensity's mean is {self.mean} and its standard deviation "
                f"{self.standard_deviation}, expected 0 to 1 and more than 0. Look at "
                "the training images and run curation again."
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """The images of one part of a training set.

    Attributes:
        store: Holds the images.
        rows: Which of them, shape (n,).
        is_case: Their labels, 0 or 1, NaN where unknown, shape (n, labels).
        intensity: Of the training images.
    """

    store: Images
    rows: NDArray[np.int64]
    is_case: NDArray[np.float32]
    intensity: Intensity


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingSet:
    """What a classifier is trained, chosen and tested on.

    Attributes:
        store: Holds the images.
        radiographs: `image_id`, `patient_id`, `part`, `row` in the store, and one
            boolean column per label, missing where unknown.
        labels: What the classifier tells, in the order of its outputs.
        intensity: Of the training images.
    """

    store: Images
    radiographs: pd.DataFrame
    labels: tuple[str, ...]
    intensity: Intensity

    def part(self, *names: str) -> Part:
        """Return the images of the parts `names`, in the order of the table."""
        chosen = self.radiographs[self.radiographs["part"].isin(names)]
        return Part(
            store=self.store,
            rows=chosen["row"].to_numpy(np.int64),
            is_case=chosen[list(self.labels)].to_numpy(np.float32, na_value=np.nan),
            intensity=self.intensity,
        )


def assemble(
    store: Images,
    curated: pd.DataFrame,
    split: pd.DataFrame,
    *,
    intensity: Mapping[str, Any],
    labels: Sequence[str],
) -> TrainingSet:
    """Return the training set that `split` makes of the curated radiographs.

    Args:
        store: The cohort's images.
        curated: `image_id`, `row` in the store, and a boolean column per label.
        split: `image_id`, `patient_id` and `part`, one row per image.
        intensity: `mean` and `standard_deviation` of the training images on [0, 1],
            and `n_images`.
        labels: What the classifier is to tell. Of several, an image may lack some, as
            where its publisher is not certain, or where cohorts with different labels
            are pooled; it must have one, and does not count for the others.

    Raises:
        ValueError: If a label, an image, its label or its pixels are missing.
    """
    absent = [label for label in labels if label not in curated.columns]
    if absent or not labels:
        raise ValueError(
            f"The curated radiographs have no column {', '.join(absent) or '(none)'}; "
            f"they have {', '.join(curated.columns)}. Correct the phase's labels."
        )
    radiographs = split[["image_id", "patient_id", "part"]].merge(
        curated[["image_id", "row", *labels]],
        how="left",
        on="image_id",
        validate="one_to_one",
    )
    _check_pixels(radiographs, store)
    if len(labels) > 1:
        _refuse_unlabelled(radiographs, labels)
    else:
        _refuse_unknown(radiographs, labels)
    is_whole = bool(radiographs[list(labels)].notna().all(axis=None))
    kind = bool if is_whole else "boolean"
    return TrainingSet(
        store=store,
        radiographs=radiographs.astype(
            {"row": np.int64, **dict.fromkeys(labels, kind)}
        ),
        labels=tuple(labels),
        intensity=Intensity(**intensity),
    )


def check_classifier(classifier: Any, training_set: TrainingSet) -> None:
    """Refuse images or labels that are not those of the Keras model `classifier`.

    Raises:
        ValueError: If it takes images of another size or has another number of outputs.
    """
    stored_px, taken_px = training_set.store.size_px, classifier.input_shape[1]
    if stored_px != taken_px:
        raise ValueError(
            f"The images are {stored_px} px wide and high, but the classifier takes "
            f"{taken_px} px. Set network.size_px and curation.size_px to one value and "
            "run again from curation."
        )
    n_outputs = classifier.output_shape[-1]
    if n_outputs != len(training_set.labels):
        raise ValueError(
            f"The classifier has {n_outputs} outputs, but there are "
            f"{len(training_set.labels)} labels: {', '.join(training_set.labels)}. "
            "Give the labels that it was trained with."
        )


def check_trainable(training_set: TrainingSet) -> None:
    """Refuse a training set from which nothing can be learned.

    Raises:
        ValueError: If the training or the validation part is empty, or no label has
            both classes in the training part.
    """
    counts = training_set.radiographs["part"].value_counts()
    for name in ("train", "validation"):
        if counts.get(name, 0) == 0:
            raise ValueError(
                f"The {name} part is empty (parts: {counts.to_dict()}). Enlarge it in "
                "the split's parameters."
            )
    is_case = training_set.part("train").is_case
    n_cases, n_known = np.nansum(is_case, axis=0), np.sum(~np.isnan(is_case), axis=0)
    is_constant = (n_cases == 0) | (n_cases == n_known)  # (labels,)
    constant = [training_set.labels[i] for i in np.flatnonzero(is_constant)]
    if len(constant) == len(training_set.labels):
        raise ValueError(
            f"The {counts['train']} training images are all alike in "
            f"{', '.join(constant)}: there is nothing to learn. Draw a split "
            "with cases and controls."
        )
    if constant:
        logger.warning("one class only in training: %s", ", ".join(constant))
    for name in ("validation", "test"):
        held_out = training_set.part(name).is_case
        without = np.nansum(held_out, axis=0) == 0
        if len(held_out) and without.any():
            absent = [training_set.labels[i] for i in np.flatnonzero(without)]
            logger.warning("no positive in the %s part: %s", name, ", ".join(absent))


def _check_pixels(radiographs: pd.DataFrame, store: Images) -> None:
    row = radiographs["row"]
    lost = radiographs.loc[row.isna() | (row < 0) | (row >= store.n_images), "image_id"]
    if len(lost):
        raise ValueError(
            f"{len(lost)} of the split's {len(radiographs)} images have no pixels in "
            f"the store of {store.n_images}, such as {lost.iloc[0]}. The split, the "
            "curated table and the store are of different runs: run curation again."
        )


def _refuse_unlabelled(radiographs: pd.DataFrame, labels: Sequence[str]) -> None:
    is_unlabelled = radiographs[list(labels)].isna().all(axis=1)
    unlabelled = radiographs.loc[is_unlabelled, "image_id"]
    if len(unlabelled):
        raise ValueError(
            f"None of the labels is known for {len(unlabelled)} of the split's "
            f"{len(radiographs)} images, such as {unlabelled.iloc[0]}. Leave them out "
            "of the split."
        )


def _refuse_unknown(radiographs: pd.DataFrame, labels: Sequence[str]) -> None:
    for label in labels:
        unknown = radiographs.loc[radiographs[label].isna(), "image_id"]
        if len(unknown):
            raise ValueError(
                f"{label} is unknown for {len(unknown)} of the split's "
                f"{len(radiographs)} images, such as {unknown.iloc[0]}. Leave them out "
                "of the split."
            )
