"""The pointing game: whether a map's largest element lies in what a reader marked.

Zhang et al., ECCV 2016. A map that points anywhere hits with the share of the image
that the boxes cover; one that always points to where findings often are, as often as
the map of one image hits the boxes of another. Only what is beyond both is a merit.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from covid_cxr.saliency.grad_cam import Floats
from covid_cxr.statistics.auc import as_codes
from covid_cxr.statistics.proportion import clustered_share

COLUMNS = (
    *("n_images", "n_patients", "n_hits", "hits", "hits_lower", "hits_upper"),
    *("hits_of_other_images", "area"),
)

_DRAWN_PX = 256  # at which the area of boxes that overlap is measured


def tabulate_pointing(
    maps: Floats,
    boxes: Sequence[Floats],
    *,
    patients: NDArray[np.str_] | pd.Series,
    level: float,
) -> pd.DataFrame:
    """Return how often maps point into boxes: one row, or none without an image.

    Columns: `n_images`, `n_patients`, `n_hits`; `hits`, their share with an interval
    clustered by patient; `hits_of_other_images`, the share of hits of each image's
    point in the boxes of all others, NaN for one image; and `area`, the mean share of
    the image that its boxes cover: what a point anywhere would hit.

    Args:
        maps: Shape (n, height, width).
        boxes: Of each image, as for `points_into`.
        patients: Of each image, shape (n,).
        level: Coverage of the interval.
    """
    if not len(maps):
        return pd.DataFrame(columns=list(COLUMNS))
    points = largest_elements(maps)
    is_hit = points_into(points, boxes)
    share, _ = clustered_share(
        is_hit, np.ones_like(is_hit), as_codes(patients, len(is_hit))
    )
    lower, upper = share.interval(level)
    row = (
        *(share.n_images, share.n_clusters, int(is_hit.sum())),
        *(share.estimate, lower, upper),
        *(_hits_of_others(points, boxes), _mean_area(boxes)),
    )
    return pd.DataFrame([row], columns=list(COLUMNS))


def largest_elements(maps: Floats) -> Floats:
    """Return x and y of the centre of each map's largest element, shape (n, 2).

    Args:
        maps: Shape (n, height, width). The first of equals counts.

    Returns:
        From 0 at the left and upper edge of the image to 1 at the other; NaN for a map
        that is zero everywhere, which points nowhere and hits nothing.
    """
    height, width = maps.shape[1:]
    row, column = np.divmod(maps.reshape(len(maps), -1).argmax(axis=1), width)
    points = np.stack([(column + 0.5) / width, (row + 0.5) / height], axis=1)
    is_dark = maps.max(axis=(1, 2)) <= 0
    return np.where(is_dark[:, np.newaxis], np.nan, points)


def points_into(points: ArrayLike, boxes: Sequence[Floats]) -> NDArray[np.bool_]:
    """Return whether each point lies in a box of its image, shape (n,).

    Args:
        points: x and y, shape (n, 2).
        boxes: Of each image: x, y, width and height in the same unit, shape (boxes, 4).
    """
    pairs = zip(np.asarray(points, np.float64), boxes, strict=True)
    return np.array([_are_in(point[np.newaxis], own)[0] for point, own in pairs], bool)


def _are_in(points: Floats, boxes: Floats) -> NDArray[np.bool_]:
    """Return whether each point (n, 2) lies in any of the boxes (k, 4), shape (n,)."""
    first, size = boxes[:, :2], boxes[:, 2:]
    each = points[:, np.newaxis]  # (n, 1, 2)
    is_in = ((first <= each) & (each < first + size)).all(axis=2)  # (n, k)
    return np.asarray(np.any(is_in, axis=1))


def _hits_of_others(points: Floats, boxes: Sequence[Floats]) -> float:
    """Return the share of hits over all pairs of a point and another image's boxes."""
    n_images = len(points)
    if n_images < 2:
        return float("nan")
    n_hits = 0
    for number, own in enumerate(boxes):
        n_hits += int(_are_in(np.delete(points, number, axis=0), own).sum())
    return n_hits / (n_images * (n_images - 1))


def _mean_area(boxes: Sequence[Floats]) -> float:
    """Return the mean share of the image in any of its boxes, given in its shares."""
    centre = (np.arange(_DRAWN_PX) + 0.5) / _DRAWN_PX
    areas = []
    for own in boxes:
        is_in = np.zeros((_DRAWN_PX, _DRAWN_PX), dtype=bool)
        for x, y, width, height in own:
            in_columns = (x <= centre) & (centre < x + width)
            in_rows = (y <= centre) & (centre < y + height)
            is_in |= np.outer(in_rows, in_columns)
        areas.append(is_in.mean())
    return float(np.mean(areas))
