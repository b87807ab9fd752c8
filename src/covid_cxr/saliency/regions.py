"""Where in a radiograph a map's energy lies: in the lungs, at the edge, in the corners.

Energy is the sum of a map. A region's share of it says little without its share of the
area: a map that is the same everywhere has both alike.
"""

from collections.abc import Iterator
from itertools import product

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.radiographs.lung_masks import decode_masks
from covid_cxr.saliency.cases import OUTCOMES
from covid_cxr.saliency.grad_cam import Floats
from covid_cxr.saliency.map_settings import Saliency
from covid_cxr.saliency.maps import maps_of
from covid_cxr.statistics.clustered_mean import clustered_mean

COLUMNS = (
    *("region", "outcome", "n_images", "n_patients"),
    *("energy", "energy_lower", "energy_upper", "area"),
)
REGIONS = ("lungs", "border", "corners")
ALL = "all"  # outcomes together

_DRAWN_PX = 512  # at which the border and the corners are drawn
_MASKS_AT_ONCE = 64


def tabulate_regions(
    maps: pd.DataFrame, lungs: pd.DataFrame, saliency: Saliency, level: float
) -> pd.DataFrame:
    """Return the mean share of the maps' energy in each region, by outcome.

    Columns: `region` ("lungs" where there are masks, "border", "corners"); `outcome`,
    or "all"; `n_images` with a map that is not zero everywhere, and `n_patients`;
    `energy`, the mean share, with an interval clustered by patient; and `area`, the
    region's mean share of the image.

    Args:
        maps: Of the test part: `image_id`, `patient_index`, `outcome` and the map.
        lungs: `image_id` and `png`, the mask; of some images, all or none.
        saliency: How large border and corners are.
        level: Coverage of the intervals.
    """
    if maps.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    edges = {
        "border": border(_DRAWN_PX, share=saliency.border_share),
        "corners": corners(_DRAWN_PX, share=saliency.corner_share),
    }
    shares = [
        *_in_lungs(maps, lungs),
        *(_in_region(maps, mask, region=name) for name, mask in edges.items()),
    ]
    known = pd.concat(shares, ignore_index=True).dropna(subset="energy")
    both = pd.concat([known.assign(outcome=ALL), known], ignore_index=True)
    groups = dict(list(both.groupby(["region", "outcome"])))
    rows = [
        {
            "region": region,
            "outcome": outcome,
            **_mean(groups[region, outcome], level=level),
        }
        for region, outcome in product(REGIONS, (ALL, *OUTCOMES))
        if (region, outcome) in groups
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def energy_share(maps: Floats, region: NDArray[np.bool_]) -> Floats:
    """Return the share of each map's sum that lies in a region, shape (n,).

    NaN for a map that is zero everywhere.

    Args:
        maps: Not negative, shape (n, height, width).
        region: Shape (h, w) for all maps, or (n, h, w); brought to the maps' size.
    """
    height, width = maps.shape[1:]
    regions = (region[np.newaxis] if region.ndim == 2 else region).astype(np.float64)
    size = (width, height)
    inside = np.stack(
        [cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in regions]
    )
    total = maps.sum(axis=(1, 2))
    share = (maps * inside).sum(axis=(1, 2))
    return np.asarray(
        np.divide(share, total, where=total > 0, out=np.full(len(maps), np.nan))
    )


def border(size_px: int, *, share: float) -> NDArray[np.bool_]:
    """Return the frame of an image, shape (size_px, size_px).

    Args:
        size_px: Of the image.
        share: Of the size, that the frame is wide.
    """
    width = round(size_px * share)
    region = np.ones((size_px, size_px), dtype=bool)
    region[width : size_px - width, width : size_px - width] = False
    return region


def corners(size_px: int, *, share: float) -> NDArray[np.bool_]:
    """Return the four corners of an image, where markers are, (size_px, size_px).

    Args:
        size_px: Of the image.
        share: Of the size, that a corner is wide and high.
    """
    width = round(size_px * share)
    is_outer = np.ones(size_px, dtype=bool)
    is_outer[width : size_px - width] = False
    return np.outer(is_outer, is_outer)


def _in_lungs(maps: pd.DataFrame, lungs: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield the shares in the lungs, some of the images that have a mask at a time."""
    masked = maps[maps["image_id"].isin(lungs["image_id"])]
    for first in range(0, len(masked), _MASKS_AT_ONCE):
        some = masked.iloc[first : first + _MASKS_AT_ONCE]
        masks = decode_masks(lungs, some["image_id"].to_list())
        yield _in_region(some, masks, region="lungs")


def _in_region(
    maps: pd.DataFrame, mask: NDArray[np.bool_], *, region: str
) -> pd.DataFrame:
    """Return each image's share of energy and of area in a region."""
    return maps[["patient_index", "outcome"]].assign(
        region=region,
        energy=energy_share(maps_of(maps), mask),
        area=mask.mean(axis=(-2, -1)),
    )


def _mean(images: pd.DataFrame, *, level: float) -> dict[str, float]:
    """Return the means over images, that of energy with its interval."""
    energy = clustered_mean(images["energy"], images["patient_index"])
    lower, upper = energy.interval(level)
    return {
        "n_images": energy.n_images,
        "n_patients": energy.n_clusters,
        "energy": energy.estimate,
        "energy_lower": lower,
        "energy_upper": upper,
        "area": images["area"].mean(),
    }
