"""Examples: the radiographs of a training set with their parts, labels and pixels.

One dataset holds all that a training, a scoring or a map asks of a training set. It is
light: the pixels stay in the image stores that it names.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.cohorts.intensity import IntensitySample, measure_intensity
from covid_cxr.radiographs.normalisation import Intensity
from covid_cxr.radiographs.pooled_store import pooled
from covid_cxr.radiographs.store import Images

logger = logging.getLogger(__name__)

PARTS = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True, eq=False)
class Examples:
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

    def part(self, *names: str) -> Self:
        """Return the examples of the parts `names`, in the order of the table."""
        return self.where(self.radiographs["part"].isin(names))

    def where(self, is_kept: pd.Series) -> Self:
        """Return those of which `is_kept` says so, row by row of the table."""
        kept = self.radiographs[is_kept].reset_index(drop=True)
        return replace(self, radiographs=kept)

    def of(self, image_ids: pd.Series) -> Self:
        """Return those of some images, in their order."""
        table = self.radiographs.set_index("image_id").loc[image_ids].reset_index()
        return replace(self, radiographs=table)

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Which images of the store, shape (n,)."""
        return self.radiographs["row"].to_numpy(np.int64)

    @cached_property
    def is_case(self) -> NDArray[np.float32]:
        """Their labels, 0 or 1, NaN where unknown, shape (n, labels)."""
        labels = self.radiographs[list(self.labels)]
        return labels.to_numpy(np.float32, na_value=np.nan)


def assemble(
    curated: pd.DataFrame,
    split: pd.DataFrame,
    labels: Sequence[str],
    sample: IntensitySample,
    **stores: Any,
) -> Examples:
    """Return the examples that `split` makes of the curated radiographs.

    Args:
        curated: `image_id`, `row` in the store, and a boolean column per label; of
            several cohorts also `cohort`.
        split: `image_id`, `patient_id` and `part`, one row per image.
        labels: What a classifier is to tell. Of several, an image may lack some, as
            where its publisher is not certain, or where cohorts with different labels
            are pooled; it must have one, and does not count for the others.
        sample: Of training images, for their intensity.
        stores: `<cohort>_store`, all of one image size.

    Raises:
        ValueError: If stores differ in image size, a label, an image, its label or its
            pixels are missing, there is no training image, or the training images have
            no contrast.
    """
    absent = [label for label in labels if label not in curated.columns]
    if absent or not labels:
        raise ValueError(
            f"The curated radiographs have no column {', '.join(absent) or '(none)'}; "
            f"they have {', '.join(curated.columns)}. Correct the phase's labels."
        )
    store = pooled([*stores.values()])
    curated = curated.assign(row=_pooled_rows(curated, stores))
    radiographs = split[["image_id", "patient_id", "part"]].merge(
        curated[["image_id", "row", *labels]],
        how="left",
        on="image_id",
        validate="one_to_one",
    )
    _check_pixels(radiographs, store)
    _refuse_unlabelled(radiographs, labels)
    is_whole = bool(radiographs[list(labels)].notna().all(axis=None))
    kind = bool if is_whole else "boolean"
    radiographs = radiographs.astype({"row": np.int64, **dict.fromkeys(labels, kind)})
    trained = radiographs[radiographs["part"] == "train"].sort_values("image_id")
    return Examples(
        store=store,
        radiographs=radiographs,
        labels=tuple(labels),
        intensity=measure_intensity(store, trained["row"].to_numpy(), sample),
    )


def check_classifier(classifier: Any, examples: Examples) -> None:
    """Refuse images or labels that are not those of the Keras model `classifier`.

    Raises:
        ValueError: If it takes images of another size or has another number of outputs.
    """
    stored_px, taken_px = examples.store.size_px, classifier.input_shape[1]
    if stored_px != taken_px:
        raise ValueError(
            f"The images are {stored_px} px wide and high, but the classifier takes "
            f"{taken_px} px. Set network.size_px and curation.size_px to one value and "
            "run again from curation."
        )
    n_outputs = classifier.output_shape[-1]
    if n_outputs != len(examples.labels):
        raise ValueError(
            f"The classifier has {n_outputs} outputs, but there are "
            f"{len(examples.labels)} labels: {', '.join(examples.labels)}. "
            "Give the labels that it was trained with."
        )


def check_trainable(examples: Examples) -> None:
    """Refuse examples from which nothing can be learned.

    Raises:
        ValueError: If the training or the validation part is empty, or no label has
            both classes in the training part.
    """
    counts = examples.radiographs["part"].value_counts()
    for name in ("train", "validation"):
        if counts.get(name, 0) == 0:
            raise ValueError(
                f"The {name} part is empty (parts: {counts.to_dict()}). Enlarge it in "
                "the split's parameters."
            )
    is_case = examples.part("train").is_case
    n_cases, n_known = np.nansum(is_case, axis=0), np.sum(~np.isnan(is_case), axis=0)
    is_constant = (n_cases == 0) | (n_cases == n_known)  # (labels,)
    constant = [examples.labels[i] for i in np.flatnonzero(is_constant)]
    if len(constant) == len(examples.labels):
        raise ValueError(
            f"The {counts['train']} training images are all alike in "
            f"{', '.join(constant)}: there is nothing to learn. Draw a split "
            "with cases and controls."
        )
    if constant:
        logger.warning("one class only in training: %s", ", ".join(constant))
    for name in ("validation", "test"):
        held_out = examples.part(name).is_case
        without = np.nansum(held_out, axis=0) == 0
        if len(held_out) and without.any():
            absent = [examples.labels[i] for i in np.flatnonzero(without)]
            logger.warning("no positive in the %s part: %s", name, ", ".join(absent))


def _pooled_rows(curated: pd.DataFrame, stores: Mapping[str, Images]) -> pd.Series:
    """Return the rows of images in the stores taken together, in their order."""
    if len(stores) == 1:
        return curated["row"]
    sizes = [store.n_images for store in stores.values()]
    cohorts = [name.removesuffix("_store") for name in stores]
    first_row = dict(zip(cohorts, np.cumsum([0, *sizes]), strict=False))
    return curated["row"] + curated["cohort"].map(first_row)


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
        several = len(labels) > 1
        what = "None of the labels is known" if several else f"{labels[0]} is unknown"
        raise ValueError(
            f"{what} for {len(unlabelled)} of the split's {len(radiographs)} images, "
            f"such as {unlabelled.iloc[0]}. Leave them out of the split."
        )
