"""Lung masks: where the lungs are on a curated radiograph, from anybody's outlines.

A mask is an image file of the raw radiograph's size, bright inside the lungs and dark
outside. It goes the way of its radiograph, cut out and resampled alike, so that its
pixels lie on those of the image store.
"""

import logging
from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.radiographs.crops import EDGES
from covid_cxr.radiographs.curation import Curation, plan_cropped_store
from covid_cxr.radiographs.files import read, read_shape
from covid_cxr.radiographs.folder import IMAGE_SUFFIXES, RadiographFolder
from covid_cxr.radiographs.geometry import crop, resize
from covid_cxr.radiographs.rendering import UnreadableRadiograph

logger = logging.getLogger(__name__)

_INSIDE = 255
_HALF = 128  # a pixel of the curated image is lung where half of it is
# As the masks of the covid-chestxray-dataset are named (annotations/lungVAE-masks).
_ENDING = "_mask"


def curate_lungs(
    masks: RadiographFolder | None,
    images: RadiographFolder,
    radiographs: pd.DataFrame,
    curated: pd.DataFrame,
    crops: pd.DataFrame | None,
    curation: Curation,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the lung masks of the curated radiographs, and those that are no use.

    A radiograph without a mask is nothing unusual, nor is a cohort without any.

    Args:
        masks: Image files that are named like their radiographs (docs/data.md); None
            where there is no such folder.
        images: The folder of raw images.
        radiographs: The radiograph table.
        curated: Those of it that have pixels; their raw files must be there still.
        crops: As for `plan_cropped_store`.
        curation: For the size.

    Returns:
        `image_id` and `png`, the bytes of a PNG of the curated image's size with 255
        inside the lungs and 0 outside; and `file`, `image_id` (missing where the mask
        is of no curated radiograph) and `reason` of every other mask.
    """
    plan = plan_cropped_store(radiographs, images, crops, curation).images
    is_usable = plan["image_id"].isin(curated["image_id"]) & plan["path"].notna()
    rows = plan[is_usable].to_dict("records")
    usable = {str(row["image_id"]): row for row in rows}
    named = _by_name({image_id: row["file"] for image_id, row in usable.items()})
    pngs: dict[str, bytes] = {}
    rejected: list[tuple[str, str | None, str]] = []
    for file, path in _files(masks):
        image_id = None
        try:
            image_id = _radiograph_of(file, named, taken=pngs)
            pngs[image_id] = _curate(
                path,
                raw=images.root / usable[image_id]["path"],
                box=[usable[image_id][edge] for edge in EDGES],
                size_px=curation.size_px,
            )
        except UnreadableRadiograph as error:
            rejected.append((file, image_id, error.reason))
    return _as_tables(pngs, rejected, n_radiographs=len(usable))


def decode_masks(lungs: pd.DataFrame, image_ids: Sequence[str]) -> NDArray[np.bool_]:
    """Return where the lungs are on these images, shape (n, size_px, size_px).

    Args:
        lungs: From `curate_lungs`.
        image_ids: The images, n of them.

    Raises:
        ValueError: If an image has no mask.
    """
    pngs = dict(zip(lungs["image_id"], lungs["png"], strict=True))
    lost = [image_id for image_id in image_ids if image_id not in pngs]
    if lost:
        raise ValueError(
            f"{len(lost)} of {len(image_ids)} images have no lung mask, such as "
            f"{lost[0]}; leave them out, or put their masks into the folder masks and "
            "run curation again."
        )
    masks = [decode_mask(pngs[image_id]) for image_id in image_ids]
    return np.stack(masks) if masks else np.zeros((0, 0, 0), bool)


def encode_mask(is_inside: NDArray[np.bool_]) -> bytes:
    """Return a PNG of 255 inside and 0 outside.

    Args:
        is_inside: Shape (height, width).
    """
    png = cv2.imencode(".png", _INSIDE * is_inside.astype(np.uint8))[1]
    return bytes(png.tobytes())


def decode_mask(png: bytes) -> NDArray[np.bool_]:
    """Return where a PNG is bright, shape (height, width)."""
    grey = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    return np.asarray(grey, np.uint8) >= _HALF


def _files(masks: RadiographFolder | None) -> list[tuple[str, Path]]:
    """Return the masks' paths in their folder, and where they lie."""
    if masks is None:
        return []
    return [(file, masks.root / file) for file in sorted(masks.files)]


def _by_name(files: Mapping[str, str]) -> Mapping[str, set[str]]:
    """Return the radiographs that each name may mean, in whose ending it may differ.

    Args:
        files: Path in the folder of images, by `image_id`.
    """
    named = defaultdict(set)
    for image_id, file in files.items():
        for name in (image_id, file, PurePosixPath(file).name):
            named[_without_ending(name)].add(image_id)
    return named


def _radiograph_of(
    file: str, named: Mapping[str, set[str]], *, taken: Container[str]
) -> str:
    """Return the radiograph that the path of a mask means, or else its name."""
    path = _without_ending(file)
    names = [path, path.removesuffix(_ENDING)]
    names += [PurePosixPath(name).name for name in names]
    meant = next((sorted(named[name]) for name in names if name in named), [])
    if not meant:
        raise UnreadableRadiograph("no curated radiograph has its name")
    if len(meant) > 1:
        raise UnreadableRadiograph(
            f"{len(meant)} radiographs have its name; put it into the same subfolder "
            "as its radiograph"
        )
    if meant[0] in taken:
        raise UnreadableRadiograph("its radiograph has another mask")
    return meant[0]


def _without_ending(name: str) -> str:
    """Return the name without .png or the like; a UID keeps its last number."""
    path = PurePosixPath(name)
    is_image = path.suffix.lower() in IMAGE_SUFFIXES
    return str(path.with_suffix("")) if is_image else name


def _curate(path: Path, *, raw: Path, box: Sequence[float], size_px: int) -> bytes:
    """Return the mask in the geometry of its radiograph, as in `record.curate`."""
    pixels = read(path).pixels
    height, width = read_shape(raw)
    if pixels.shape != (height, width):
        raise UnreadableRadiograph(
            f"{pixels.shape[1]} x {pixels.shape[0]} pixels, but its radiograph has "
            f"{width} x {height}"
        )
    # Bright is relative: people also save 1 for inside, or 1 and 2 for the two lungs.
    # A few brighter pixels, of a label say, are not what it is relative to.
    bright = np.percentile(pixels[pixels > 0], 99, method="inverted_cdf")
    inside = _INSIDE * (pixels >= bright / 2).astype(np.uint8)
    cut = inside if np.isnan(box).any() else crop(inside, box)
    is_inside = resize(cut, size_px=size_px) >= _HALF
    if not is_inside.any():
        raise UnreadableRadiograph("no lung inside the crop of its radiograph")
    return encode_mask(is_inside)


def _as_tables(
    pngs: Mapping[str, bytes],
    rejected: Sequence[tuple[str, str | None, str]],
    *,
    n_radiographs: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    lungs = pd.DataFrame({"image_id": list(pngs), "png": list(pngs.values())})
    refused = pd.DataFrame(rejected, columns=["file", "image_id", "reason"])
    logger.info("lung masks of %d of %d radiographs", len(lungs), n_radiographs)
    if len(refused):
        logger.warning(
            "%d lung masks are no use, as in: %s",
            len(refused),
            refused["reason"].iloc[0],
        )
    return lungs.astype({"image_id": "str", "png": object}), refused.astype("str")
