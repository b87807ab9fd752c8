"""One row of an image store: a file's pixels, and the record of what became of it."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.radiographs.files import read
from covid_cxr.radiographs.geometry import Box, crop, resize
from covid_cxr.radiographs.rendering import Rendering, UnreadableRadiograph

# Raise it when the same files would give other pixels or records: stores are rewritten.
RENDERING_VERSION = 1


def curate(
    path: Path, *, box: Box | None, size_px: int
) -> tuple[NDArray[np.uint8] | None, dict[str, Any]]:
    """Return the stored pixels, shape (size_px, size_px), and the file's record.

    Pixels are None where the file cannot be used; the record says why.

    Args:
        path: A radiograph of any supported format.
        box: What to cut out, in pixels of the raw image; None for the whole image.
        size_px: Height and width of the stored image.
    """
    try:
        rendering = _curate(path, box=box, size_px=size_px)
    except UnreadableRadiograph as error:
        return None, rejected(error.reason)
    return rendering.pixels, _stored(rendering)


def rejected(reason: str) -> dict[str, Any]:
    """Return the record of an image that cannot be used."""
    return {
        "is_stored": False,
        "reason": reason,
        "steps": None,
        "mean": np.nan,
        "standard_deviation": np.nan,
        "fingerprint": None,
    }


def as_frame(records: list[dict[str, Any]]) -> pd.DataFrame:
    """Return records, each with `image_id` and `row`, as `ImageStore.records`."""
    text = dict.fromkeys(("image_id", "reason", "steps", "fingerprint"), "str")
    return pd.DataFrame(records).astype({**text, "row": "int64", "is_stored": "bool"})


def fingerprint(pixels: NDArray[np.uint8]) -> str:
    """Return 64 hexadecimal digits that hardly change with format or size.

    A difference hash: the image is averaged down to 16 rows of 17 pixels, and each of
    the 256 bits says whether a pixel is brighter than its left neighbour. The same
    picture stored twice, as PNG or JPEG, differs in few bits; count them.
    """
    small = cv2.resize(pixels, (17, 16), interpolation=cv2.INTER_AREA)
    return np.packbits(small[:, 1:] > small[:, :-1]).tobytes().hex()


def _curate(path: Path, *, box: Box | None, size_px: int) -> Rendering:
    rendering = read(path)
    if box is not None:
        edges = ", ".join(f"{edge:g}" for edge in box)
        cut = crop(rendering.pixels, box)
        rendering = rendering.then(f"cropped to ({edges})", cut)
    height, width = rendering.pixels.shape
    return rendering.then(
        f"resized from {width} x {height}",
        resize(rendering.pixels, size_px=size_px),
    )


def _stored(rendering: Rendering) -> dict[str, Any]:
    pixels = rendering.pixels
    return {
        "is_stored": True,
        "reason": None,
        "steps": "; ".join(rendering.steps),
        "mean": float(pixels.mean()) / 255,
        "standard_deviation": float(pixels.std()) / 255,
        "fingerprint": fingerprint(pixels),
    }
