"""Duplicates: the same picture under two names, also stored anew or inverted.

Two steps, because either alone is not enough (docs/decisions/0010). Fingerprints find
candidates among all pairs: a picture that was stored anew keeps most of its 256 bits,
and its negative changes most of them. The stored images then confirm a candidate by
the correlation of their differences between neighbouring pixels, which is near 1 for
the same picture, near -1 for its negative, and far from both for two radiographs of
the same person.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Self

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.checks import check_whole
from covid_cxr.radiographs.store import ImageStore

logger = logging.getLogger(__name__)

FINGERPRINT_BITS = 256
EXACT, NEAR = "exact", "near"
PAIR_DTYPES = {
    "first_image_id": "str",
    "first_patient_id": "str",
    "second_image_id": "str",
    "second_patient_id": "str",
    "kind": "str",
    "distance": "int64",
    "is_inverted": "bool",
    "correlation": "float64",
}

# 256 x 4,096 distances fit in the processor's cache; nothing else grows with the pairs.
_BLOCK = (256, 4096)
_BATCH_PAIRS = 128
_THUMBNAIL_PX = 64


@dataclass(frozen=True, kw_only=True)
class DuplicateSearch:
    """What counts as the same picture, as read from parameters_curation.yml.

    Attributes:
        max_distance: Bits of 256 that may differ between the fingerprints.
        max_inverted_distance: The same between a picture and a negative of it. Larger:
            where neighbours are equal, as in black margins, inverting changes no bit.
        min_correlation: Of differences between neighbouring pixels, 0 to 1.
    """

    max_distance: int
    max_inverted_distance: int
    min_correlation: float

    def __post_init__(self) -> None:
        """Refuse distances that would take any picture for its own negative."""
        for name in ("max_distance", "max_inverted_distance"):
            check_whole(
                f"duplicates.{name}",
                getattr(self, name),
                least=0,
                most=FINGERPRINT_BITS // 2 - 1,
                place="parameters_curation.yml",
            )
        if not 0 < self.min_correlation <= 1:
            raise ValueError(
                f"duplicates.min_correlation must be above 0 and at most 1, got "
                f"{self.min_correlation!r}; correct it in parameters_curation.yml."
            )


@dataclass(frozen=True, kw_only=True)
class ComparedCohort:
    """The images of one side of the comparison, in the order of their ids.

    Attributes:
        images: Curated radiographs.
        store: Their pixels.
    """

    images: pd.DataFrame
    store: ImageStore

    @classmethod
    def of(cls, curated: pd.DataFrame, store: ImageStore) -> Self:
        """Return a cohort ready to be compared."""
        in_order = curated.sort_values("image_id", ignore_index=True)
        return cls(images=in_order, store=store)

    @property
    def words(self) -> NDArray[np.uint64]:
        """The fingerprints, shape (images, 4)."""
        return as_words(self.images["fingerprint"])

    @property
    def distinct(self) -> NDArray[np.int64]:
        """The places of the images that are no copy of an earlier one, shape (n,).

        Copies have the same picture before and, but for crops, after curation.
        """
        is_copy = self.images.duplicated(["pixels_sha256", "fingerprint"])
        return np.flatnonzero(~is_copy)

    @property
    def copies(self) -> NDArray[np.int64]:
        """The places of the first of the same pixels and of a later one, (pairs, 2)."""
        places = pd.Series(range(len(self.images)))
        first = places.groupby(self.images["pixels_sha256"]).transform("first")
        pairs = np.column_stack([first, places]).astype(np.int64)
        return pairs[pairs[:, 0] < pairs[:, 1]]

    def take(self, places: NDArray[np.int64]) -> Self:
        """Return the images at `places`, repeated ones allowed."""
        taken = self.images.iloc[places].reset_index(drop=True)
        return replace(self, images=taken)

    def read(self, places: slice) -> NDArray[np.uint8]:
        """Return the pixels of some images, shape (n, size, size)."""
        return self.store.read(self.images["row"].to_numpy(np.int64)[places])


def find_duplicates(
    curated: pd.DataFrame, store: ImageStore, duplicates: DuplicateSearch
) -> pd.DataFrame:
    """Return the pairs of images of one cohort that show the same picture.

    Args:
        curated: `image_id`, `patient_id`, `row` in the store, `fingerprint` and
            `pixels_sha256` (of the whole picture, before it is cropped and resized).
        store: The cohort's image store.
        duplicates: What counts as the same picture.

    Returns:
        One row per pair, its first image before its second and the rows in the order
        of both: `PAIR_DTYPES`. `kind` is "exact" (the same pixels) or "near",
        `distance` counts bits of 256 (to the negative, where `is_inverted`). Of n
        copies n - 1 pairs are named, each with the first copy, and near ones are
        sought for the first only: what is linked is linked through it.
    """
    cohort = ComparedCohort.of(curated, store)
    places = cohort.distinct
    near = _near(cohort.take(places), cohort.take(places), duplicates, is_within=True)
    candidates = np.unique(np.concatenate([cohort.copies, places[near]]), axis=0)
    is_ordered = candidates[:, 0] < candidates[:, 1]
    pairs = _confirm(candidates[is_ordered], cohort, cohort, duplicates)
    _log(store.root.name, pairs)
    return pairs


def find_duplicates_across(
    curated: Mapping[str, pd.DataFrame],
    stores: Mapping[str, ImageStore],
    duplicates: DuplicateSearch,
) -> pd.DataFrame:
    """Return the pairs of images of two different cohorts that show the same picture.

    Args:
        curated: By cohort; columns as for `find_duplicates`.
        stores: By cohort.
        duplicates: What counts as the same picture.

    Returns:
        `first_cohort`, `second_cohort` (in the order of `curated`) and `PAIR_DTYPES`;
        of the copies within a cohort only the first is compared.
    """
    found = []
    for first, second in combinations(curated, 2):
        cohorts = (
            ComparedCohort.of(curated[cohort], stores[cohort])
            for cohort in (first, second)
        )
        left, right = (cohort.take(cohort.distinct) for cohort in cohorts)
        near = _near(left, right, duplicates, is_within=False)
        candidates = np.unique(np.concatenate([_equal(left, right), near]), axis=0)
        pairs = _confirm(candidates, left, right, duplicates)
        _log(f"{first} and {second}", pairs)
        found.append(pairs.assign(first_cohort=first, second_cohort=second))
    columns = ["first_cohort", "second_cohort", *PAIR_DTYPES]
    if not found:
        return no_duplicates().reindex(columns=columns)
    return pd.concat(found, ignore_index=True)[columns]


def pair_cohorts(duplicates: DuplicateSearch, **cohorts: Any) -> pd.DataFrame:
    """Return the pairs of images of different cohorts that show the same picture.

    Args:
        duplicates: What counts as the same picture.
        cohorts: `<cohort>_curated` and `<cohort>_store`.
    """
    names = [name.removesuffix("_store") for name in cohorts if name.endswith("_store")]
    return find_duplicates_across(
        {cohort: cohorts[f"{cohort}_curated"] for cohort in names},
        {cohort: cohorts[f"{cohort}_store"] for cohort in names},
        duplicates,
    )


def no_duplicates() -> pd.DataFrame:
    """Return the table of a cohort in which no picture is there twice."""
    return pd.DataFrame(columns=list(PAIR_DTYPES)).astype(PAIR_DTYPES)


def as_words(fingerprints: pd.Series) -> NDArray[np.uint64]:
    """Return fingerprints of 64 hexadecimal digits as shape (n, 4)."""
    octets = bytes.fromhex("".join(fingerprints))
    return np.frombuffer(octets, np.uint64).reshape(-1, FINGERPRINT_BITS // 64)


def near_pairs(
    first: NDArray[np.uint64],
    second: NDArray[np.uint64],
    search: DuplicateSearch,
    *,
    is_within: bool = False,
) -> Iterator[NDArray[np.int64]]:
    """Yield the places (pairs, 2) of fingerprints that are near, or near a negative.

    Every pair is looked at, block by block: radiographs are too much alike for an
    index over a part of the bits to leave many out.

    Args:
        first: Shape (n, 4).
        second: Shape (m, 4).
        search: How near.
        is_within: Whether both are the same, so that blocks left of the diagonal need
            not be looked at. Pairs of an image with itself are among the yielded.
    """
    least_inverted = FINGERPRINT_BITS - search.max_inverted_distance
    height, width = _BLOCK
    for top in range(0, len(first), height):
        for left in range(top if is_within else 0, len(second), width):
            distance = hamming(
                first[top : top + height, None], second[None, left : left + width]
            )
            is_near = (distance <= search.max_distance) | (distance >= least_inverted)
            yield np.argwhere(is_near) + np.array([top, left])


def hamming(
    first: NDArray[np.uint64], second: NDArray[np.uint64]
) -> NDArray[np.uint16]:
    """Return how many bits differ; shapes (…, 4) that broadcast, without the last."""
    differing = np.bitwise_count(first[..., 0] ^ second[..., 0]).astype(np.uint16)
    for word in range(1, first.shape[-1]):
        differing += np.bitwise_count(first[..., word] ^ second[..., word])
    return np.asarray(differing, np.uint16)


def correlate(
    first: NDArray[np.uint8], second: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """Return the correlation of the differences between neighbouring pixels.

    They are those along each row of a thumbnail: slow changes of brightness, which all
    chests share, hardly weigh in them. A picture without any correlates with none.

    Args:
        first: Shape (n, size, size).
        second: The same shape.
    """
    return np.asarray((_differences(first) * _differences(second)).sum(axis=1))


def _near(
    first: ComparedCohort,
    second: ComparedCohort,
    search: DuplicateSearch,
    *,
    is_within: bool,
) -> NDArray[np.int64]:
    """Return the places (pairs, 2) of images with near fingerprints."""
    near = near_pairs(first.words, second.words, search, is_within=is_within)
    return np.concatenate([np.empty((0, 2), np.int64), *near])


def _equal(first: ComparedCohort, second: ComparedCohort) -> NDArray[np.int64]:
    """Return the places (pairs, 2) of images with the same pixels."""
    left, right = (
        cohort.images[["pixels_sha256"]].reset_index(names="place")
        for cohort in (first, second)
    )
    pairs = left.merge(right, on="pixels_sha256")
    return pairs[["place_x", "place_y"]].to_numpy(np.int64)


def _confirm(
    candidates: NDArray[np.int64],
    first: ComparedCohort,
    second: ComparedCohort,
    search: DuplicateSearch,
) -> pd.DataFrame:
    """Return the candidates that show the same picture, as a table of pairs."""
    left, right = first.take(candidates[:, 0]), second.take(candidates[:, 1])
    is_exact = left.images["pixels_sha256"] == right.images["pixels_sha256"]
    differing = hamming(left.words, right.words).astype(np.int64)
    is_inverted = ~is_exact & (differing > FINGERPRINT_BITS // 2)
    correlation = _correlations(left, right)
    agreement = np.where(is_inverted, -correlation, correlation)
    pairs = pd.DataFrame(
        {
            "first_image_id": left.images["image_id"],
            "first_patient_id": left.images["patient_id"],
            "second_image_id": right.images["image_id"],
            "second_patient_id": right.images["patient_id"],
            "kind": np.where(is_exact, EXACT, NEAR),
            "distance": np.where(is_inverted, FINGERPRINT_BITS - differing, differing),
            "is_inverted": is_inverted,
            "correlation": correlation,
        }
    )
    is_confirmed = is_exact | (agreement >= search.min_correlation)
    return pairs[is_confirmed].astype(PAIR_DTYPES).reset_index(drop=True)


def _correlations(first: ComparedCohort, second: ComparedCohort) -> NDArray[np.float64]:
    """Return the correlation of every image with the other side's at its place."""
    correlations = np.zeros(len(first.images))
    for start in range(0, len(correlations), _BATCH_PAIRS):
        batch = slice(start, start + _BATCH_PAIRS)
        correlations[batch] = correlate(first.read(batch), second.read(batch))
    return correlations


def _differences(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the differences along each row of a thumbnail as unit vectors."""
    size = min(_THUMBNAIL_PX, images.shape[-1])
    thumbnails = [
        cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
        for image in images
    ]
    steps = np.diff(np.stack(thumbnails).astype(np.float64), axis=2)
    steps = steps.reshape(len(images), -1)  # (images, differences)
    centred = steps - steps.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.asarray(centred / np.where(length > 0, length, 1.0))


def _log(where: str, pairs: pd.DataFrame) -> None:
    is_of_two = pairs["first_patient_id"] != pairs["second_patient_id"]
    logger.info(
        "%s: %d exact and %d near duplicates, %d of them of two patients",
        where,
        (pairs["kind"] == EXACT).sum(),
        (pairs["kind"] == NEAR).sum(),
        is_of_two.sum(),
    )
