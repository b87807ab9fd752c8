"""From a radiograph table and a folder of files to the shards of an image store."""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.radiographs.folder import RadiographFolder
from covid_cxr.radiographs.geometry import Box
from covid_cxr.radiographs.record import (
    RENDERING_VERSION,
    as_frame,
    curate,
    rejected,
)
from covid_cxr.radiographs.store import StoreLayout

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Curation:
    """How raw files become an image store, as read from parameters_curation.yml.

    Attributes:
        size_px: Height and width of the stored images.
        shard_images: Images per file of the store.
        workers: Processes that read files; 1 reads in this process.
    """

    size_px: int
    shard_images: int
    workers: int

    def __post_init__(self) -> None:
        """Refuse what is not a positive whole number."""
        for name in ("size_px", "shard_images", "workers"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(
                    f"curation.{name} must be a whole number of at least 1, got "
                    f"{value!r}; correct it in parameters_curation.yml."
                )


@dataclass(frozen=True, kw_only=True)
class PlannedImage:
    """One row of the store before it is rendered.

    Attributes:
        image_id: As in the radiograph table.
        file: As in the radiograph table, or None where it names none.
        path: Relative to the folder, or None where the file is missing.
        box: x0, y0, x1, y1 in pixels of the raw image, or None for the whole image.
    """

    image_id: str
    file: str | None
    path: str | None
    box: Box | None


@dataclass(frozen=True, kw_only=True)
class Shard:
    """The images of one shard: the unit of work that a process gets.

    Attributes:
        number: 0 to n_shards - 1.
        first_row: Row of the first image in the store.
        images: In the order of their rows.
        root: The folder of raw images.
        size_px: Height and width of the stored images.
    """

    number: int
    first_row: int
    images: tuple[PlannedImage, ...]
    root: Path
    size_px: int

    def render(self) -> tuple[NDArray[np.uint8], pd.DataFrame]:
        """Return pixels (n, size_px, size_px) and one record per image.

        An image that cannot be used stays black; its record says why.
        """
        pixels = np.zeros((len(self.images), self.size_px, self.size_px), np.uint8)
        records = []
        for i, image in enumerate(self.images):
            stored, record = self._curate(image)
            if stored is not None:
                pixels[i] = stored
            records.append(
                {"image_id": image.image_id, "row": self.first_row + i, **record}
            )
        return pixels, as_frame(records)

    def _curate(
        self, image: PlannedImage
    ) -> tuple[NDArray[np.uint8] | None, dict[str, Any]]:
        if image.file is None:
            return None, rejected("file missing: not found in the folder")
        if image.path is None:
            return None, rejected(f"file missing: {image.file}")
        return curate(self.root / image.path, box=image.box, size_px=self.size_px)


@dataclass(frozen=True, kw_only=True)
class StorePlan:
    """Everything that is needed to write a store, decided before any file is opened.

    Attributes:
        root: The folder of raw images.
        images: One per row of the store.
        curation: Sizes and workers.
        fingerprint: SHA-256 over image ids, file names, sizes and times of change,
            crop boxes, sizes and the version of the rendering.
    """

    root: Path
    images: tuple[PlannedImage, ...]
    curation: Curation
    fingerprint: str

    @property
    def layout(self) -> StoreLayout:
        """How the store is cut into files."""
        return StoreLayout(
            n_images=len(self.images),
            size_px=self.curation.size_px,
            shard_images=self.curation.shard_images,
            fingerprint=self.fingerprint,
        )

    @property
    def n_shards(self) -> int:
        """The number of shards; the last one may hold fewer images."""
        return self.layout.n_shards

    def shard(self, number: int) -> Shard:
        """Return the images of one shard."""
        rows = self.layout.rows(number)
        return Shard(
            number=number,
            first_row=rows.start,
            images=self.images[rows.start : rows.stop],
            root=self.root,
            size_px=self.curation.size_px,
        )


def plan_store(
    radiographs: pd.DataFrame, images: RadiographFolder, curation: Curation
) -> StorePlan:
    """Return the plan of a store with one row per row of `radiographs`.

    Args:
        radiographs: With `image_id` (unique) and `file` (file name, or path relative
            to the folder; missing where the source has no file).
        images: The folder of raw images.
        curation: Sizes and workers.

    Raises:
        ValueError: If the table is empty, lacks a column or repeats an image.
    """
    return plan_cropped_store(radiographs, images, None, curation)


def plan_cropped_store(
    radiographs: pd.DataFrame,
    images: RadiographFolder,
    crops: pd.DataFrame | None,
    curation: Curation,
) -> StorePlan:
    """Return the plan of a store whose images are cut to the boxes in `crops`.

    The paper removed burned-in labels by cropping (Section 2.3).

    Args:
        radiographs: As for `plan_store`.
        images: The folder of raw images.
        crops: `image` (an image_id or a file of `radiographs`), `x0, y0, x1, y1` in
            pixels of the raw image, x1 and y1 outside; None crops nothing.
        curation: Sizes and workers.

    Raises:
        ValueError: If a table is empty, lacks a column or repeats an image.
    """
    _check_radiographs(radiographs)
    boxes = {} if crops is None else _boxes(crops, radiographs)
    planned = tuple(_plan_images(radiographs, images, boxes))
    return StorePlan(
        root=images.root,
        images=planned,
        curation=curation,
        fingerprint=_plan_fingerprint(planned, root=images.root, curation=curation),
    )


def _check_radiographs(radiographs: pd.DataFrame) -> None:
    missing = {"image_id", "file"} - set(radiographs.columns)
    if missing:
        raise ValueError(
            f"The radiograph table lacks {', '.join(sorted(missing))}; it has "
            f"{', '.join(map(str, radiographs.columns))}. Run the ingestion pipeline."
        )
    if radiographs.empty:
        raise ValueError(
            "The radiograph table has no rows, so there is nothing to store; see the "
            "cohort's ingestion_rejected table for what was left out and why."
        )
    repeated = radiographs["image_id"][radiographs["image_id"].duplicated()]
    if len(repeated):
        raise ValueError(
            f"The radiograph table names {len(repeated)} images twice, as in "
            f"{repeated.iloc[0]!r}; an image_id must be unique."
        )


def _boxes(crops: pd.DataFrame, radiographs: pd.DataFrame) -> dict[str, Box]:
    """Return boxes by image_id; report those of images that the cohort lacks."""
    missing = {"image", "x0", "y0", "x1", "y1"} - set(crops.columns)
    if missing:
        raise ValueError(
            f"The crop table lacks {', '.join(sorted(missing))}; expected the columns "
            f"image, x0, y0, x1, y1."
        )
    ids = radiographs["image_id"].astype(str)
    named = radiographs["file"].notna()
    by_file = dict(zip(radiographs["file"][named], ids[named], strict=True))
    known = {**by_file, **dict(zip(ids, ids, strict=True))}
    boxes: dict[str, Box] = {}
    n_unknown = 0
    rows = crops[["image", "x0", "y0", "x1", "y1"]].itertuples(index=False)
    for image, x0, y0, x1, y1 in rows:
        image_id = known.get(str(image))
        n_unknown += image_id is None
        if image_id in boxes:
            raise ValueError(f"The crop table has two boxes for {image!r}; keep one.")
        if image_id is not None:
            boxes[image_id] = (float(x0), float(y0), float(x1), float(y1))
    if n_unknown:
        logger.warning("%d crop boxes are of images not in the cohort", n_unknown)
    return boxes


def _plan_images(
    radiographs: pd.DataFrame, images: RadiographFolder, boxes: Mapping[str, Box]
) -> Iterator[PlannedImage]:
    files = radiographs["file"].astype(object).where(radiographs["file"].notna(), None)
    for image_id, file in zip(radiographs["image_id"].astype(str), files, strict=True):
        yield PlannedImage(
            image_id=image_id,
            file=file,
            path=None if file is None else images.find(file),
            box=boxes.get(image_id),
        )


def _plan_fingerprint(
    planned: tuple[PlannedImage, ...], *, root: Path, curation: Curation
) -> str:
    sizes = [RENDERING_VERSION, curation.size_px, curation.shard_images]
    digest = hashlib.sha256(json.dumps(sizes).encode())
    for image in planned:
        state = None
        if image.path is not None:
            status = (root / image.path).stat()
            state = [status.st_size, status.st_mtime_ns]
        row = [image.image_id, image.file, image.path, image.box, state]
        digest.update(json.dumps(row).encode())
    return digest.hexdigest()
