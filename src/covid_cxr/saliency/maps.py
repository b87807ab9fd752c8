"""Maps of many images: made batch by batch, kept as bytes in a table.

A table of maps has a row per image: what the image is known by, `height` and `width`
of its map, and `map`, its values times 255 as whole numbers, row by row.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.saliency.grad_cam import Explain, Floats, Images


def tabulate_maps(
    images: pd.DataFrame, explain: Explain, batches: Iterator[Images]
) -> pd.DataFrame:
    """Return the table of the maps of some images.

    Args:
        images: A row per image.
        explain: Makes the maps.
        batches: The network's input for the images, in their order.
    """
    maps = [one for batch in batches for one in _as_bytes(explain(batch))]
    return images.assign(
        height=[len(one) for one in maps],
        width=[one.shape[1] for one in maps],
        map=[one.ravel() for one in maps],
    )


def maps_of(table: pd.DataFrame) -> Floats:
    """Return the maps of a table on [0, 1], shape (n, height, width).

    Args:
        table: As `tabulate_maps` returns it, of maps of one size; at least one row.
    """
    shape = (-1, table["height"].iloc[0], table["width"].iloc[0])
    return np.stack(table["map"].to_list()).reshape(shape) / 255


def _as_bytes(maps: Floats) -> NDArray[np.uint8]:
    return np.rint(255 * maps).astype(np.uint8)
