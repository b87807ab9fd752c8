"""Radiographs with the lungs hidden, or all but the lungs.

A classifier that tells COVID-19 from the lungs cannot do so without them. One that
still can has learned something else, as Maguolo and Nanni (Information Fusion
2021;76:1) showed of classifiers trained on radiographs whose centre was blackened.

What is hidden gets the mean intensity of the training images: the network's input is
then 0, neither bright nor dark. Black would be a new, strong edge, and the mean of the
image itself would tell how bright its lungs are. The outline of what is hidden stays
visible.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.radiographs.lung_masks import encode_mask
from covid_cxr.radiographs.masked_store import MaskedStore
from covid_cxr.radiographs.store import Images

LUNGS_REMOVED, LUNGS_ONLY = "lungs_removed", "lungs_only"
CENTRE_REMOVED, BORDER_ONLY = "centre_removed", "border_only"
INPUTS = (LUNGS_REMOVED, LUNGS_ONLY, CENTRE_REMOVED, BORDER_ONLY)


@dataclass(frozen=True, kw_only=True)
class MaskedInputs:
    """What is hidden where nobody outlined the lungs (parameters_audit.yml).

    Attributes:
        centre_share: Height and width of the hidden centre, as a share of the image's.
        border_share: Width of the frame that alone is shown, likewise.
    """

    centre_share: float
    border_share: float

    def __post_init__(self) -> None:
        """Refuse to hide or to show everything."""
        for name, most in (("centre_share", 1.0), ("border_share", 0.5)):
            value = getattr(self, name)
            if not 0 < value < most:
                raise ValueError(
                    f"audit.masked_inputs.{name} must lie between 0 and {most}, got "
                    f"{value!r}; correct it in parameters_audit.yml."
                )


def mask_inputs(
    store: Images,
    radiographs: pd.DataFrame,
    lungs: pd.DataFrame,
    *,
    mean_intensity: float,
    masked_inputs: MaskedInputs,
) -> dict[str, MaskedStore]:
    """Return radiographs as each of `INPUTS` shows them.

    Args:
        store: Holds the images.
        radiographs: `image_id` and `row` in the store.
        lungs: From `curate_lungs`: those images alone are shown without their lungs.
        mean_intensity: Of the training images, on [0, 1].
        masked_inputs: How much of the other images is hidden.
    """
    outlined = radiographs.merge(lungs, on="image_id")
    of_lungs = dict(zip(outlined["row"].astype(int), outlined["png"], strict=True))
    rows = radiographs["row"].astype(int)
    centre = _central_block(store.size_px, masked_inputs.centre_share)
    inner = _central_block(store.size_px, 1 - 2 * masked_inputs.border_share)
    masks = {
        LUNGS_REMOVED: of_lungs,
        LUNGS_ONLY: of_lungs,
        CENTRE_REMOVED: dict.fromkeys(rows, encode_mask(centre)),
        BORDER_ONLY: dict.fromkeys(rows, encode_mask(inner)),
    }
    return {
        name: MaskedStore(
            store=store,
            masks=masks[name],
            hidden="outside" if name == LUNGS_ONLY else "inside",
            fill=round(255 * mean_intensity),
        )
        for name in INPUTS
    }


def _central_block(size_px: int, share: float) -> NDArray[np.bool_]:
    """Return True in the middle, shape (size_px, size_px); at least one pixel."""
    width = max(1, round(share * size_px))
    first = (size_px - width) // 2
    is_inside = np.zeros((size_px, size_px), bool)
    is_inside[first : first + width, first : first + width] = True
    return is_inside
