"""One row of an image store: a file's pixels, and the record of what became of it."""

import hashlib
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.radiographs.admission import USUAL, Admission
from covid_cxr.radiographs.contrast import is_contrast_suspect
from covid_cxr.radiographs.files import read
from covid_cxr.radiographs.geometry import Box, crop, resize
from covid_cxr.radiographs.polarity import measure_polarity
from covid_cxr.radiographs.rendering import Rendering, UnreadableRadiograph

# Raise it when the same files would give other pixels or records: stores are rewritten.
RENDERING_VERSION = 4

# Type of each column of `ImageStore.records`, in their order.
_TYPES = {
    "image_id": "str",
    "row": "int64",
    "is_stored": "bool",
    "reason": "str",
    "steps": "str",
    "mean": "float64",
    "standard_deviation": "float64",
    "fingerprint": "str",
    "pixels_sha256": "str",
    "border_mean": "float64",
    "centre_mean": "float64",
    "air_contrast": "float64",
    "lung_contrast": "float64",
    "is_polarity_suspect": "boolean",
    "is_contrast_suspect": "boolean",
    "identifying_attributes": "str",
    "burned_in_annotation": "str",
}

_CROPPED = "cropped to "
_RESIZED = re.compile(r"resized from (?P<width>\d+) x (?P<height>\d+)$")


def curate(
    path: Path, *, box: Box | None, size_px: int, admission: Admission = USUAL
) -> tuple[NDArray[np.uint8] | None, dict[str, Any]]:
    """Return the stored pixels, shape (size_px, size_px), and the file's record.

    Pixels are None where the file cannot be used; the record says why. Beside what a
    store keeps (`ImageStore.records`) it has a `Rendering`'s `age_years` and
    `is_photograph`.

    Args:
        path: A radiograph of any supported format.
        box: What to cut out, in pixels of the raw image; None for the whole image.
        size_px: Height and width of the stored image.
        admission: As for `dicom.render`.
    """
    try:
        raw = read(path, admission)
        stored = _fit(raw, box=box, size_px=size_px)
    except UnreadableRadiograph as error:
        return None, rejected(error.reason)
    return stored.pixels, {**_of_the_file(raw), **_of_the_image(stored)}


def rejected(reason: str) -> dict[str, Any]:
    """Return the record of an image that cannot be used, of which nothing is known."""
    return {"is_stored": False, "reason": reason}


def as_frame(records: list[dict[str, Any]]) -> pd.DataFrame:
    """Return records, each with `image_id` and `row`, as `ImageStore.records`."""
    return pd.DataFrame(records, columns=list(_TYPES)).astype(_TYPES)


def original_size(steps: str) -> tuple[int, int]:
    """Return width and height in pixels of what was resized to the stored image.

    That is the raw image, or what was cropped out of it.

    Args:
        steps: Of its record.

    Raises:
        ValueError: If they do not say.
    """
    found = _RESIZED.search(steps)
    if found is None:
        raise ValueError(
            f"The steps {steps!r} of an image do not end in its resizing; run the "
            "curation pipeline again."
        )
    return int(found["width"]), int(found["height"])


def is_cropped(steps: pd.Series) -> pd.Series:
    """Return of each image's `steps` whether it was cut to a box."""
    return steps.str.contains(_CROPPED, regex=False)


def pixels_sha256(pixels: NDArray[np.uint8]) -> str:
    """Return the SHA-256 of shape and pixels: equal for the same image, however stored.

    Args:
        pixels: Shape (height, width).
    """
    height, width = pixels.shape
    digest = hashlib.sha256(f"{height} x {width}".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def fingerprint(pixels: NDArray[np.uint8]) -> str:
    """Return 64 hexadecimal digits that hardly change with format or size.

    A difference hash: the image is averaged down to 16 rows of 17 pixels, and each of
    the 256 bits says whether a pixel is brighter than its left neighbour. The same
    picture stored twice, as PNG or JPEG, differs in few bits; count them.
    """
    # Rows first: whole factors are many times as fast as what 17 columns need.
    rows = cv2.resize(pixels, (pixels.shape[1], 16), interpolation=cv2.INTER_AREA)
    small = cv2.resize(rows, (17, 16), interpolation=cv2.INTER_AREA)
    return np.packbits(small[:, 1:] > small[:, :-1]).tobytes().hex()


def _fit(raw: Rendering, *, box: Box | None, size_px: int) -> Rendering:
    """Return the rendering as it is stored: cut out, then resampled."""
    cut = raw
    if box is not None:
        edges = ", ".join(f"{edge:g}" for edge in box)
        cut = raw.then(f"{_CROPPED}({edges})", crop(raw.pixels, box))
    height, width = cut.pixels.shape
    return cut.then(
        f"resized from {width} x {height}", resize(cut.pixels, size_px=size_px)
    )


def _of_the_file(raw: Rendering) -> dict[str, Any]:
    """Return what is known of the file, before anything is cut off.

    A store keeps neither age, which a study has in its tables, nor what a camera wrote.
    """
    return {
        "age_years": raw.age_years,
        "is_photograph": raw.is_photograph,
        "pixels_sha256": pixels_sha256(raw.pixels),
        "identifying_attributes": "; ".join(raw.identifying) or None,
        "burned_in_annotation": raw.burned_in,
    }


def _of_the_image(stored: Rendering) -> dict[str, Any]:
    """Return what the record says of the stored image."""
    mean, deviation = cv2.meanStdDev(stored.pixels)
    polarity = measure_polarity(stored.pixels)
    return {
        "is_stored": True,
        "reason": None,
        "steps": "; ".join(stored.steps),
        "mean": mean.item() / 255,
        "standard_deviation": deviation.item() / 255,
        "fingerprint": fingerprint(stored.pixels),
        "border_mean": polarity.border_mean,
        "centre_mean": polarity.centre_mean,
        "air_contrast": polarity.air_contrast,
        "lung_contrast": polarity.lung_contrast,
        "is_polarity_suspect": polarity.is_suspect,
        "is_contrast_suspect": is_contrast_suspect(stored.pixels),
    }
