"""From a radiograph table and a folder of files to the shards of an image store."""

import hashlib
import json
import logging
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.checks import check_whole, check_word
from covid_cxr.radiographs.admission import ADMIT, FIELDS, USUAL, Admission
from covid_cxr.radiographs.crops import (
    EDGES,
    CropMatching,
    match_crops,
    refuse_unmatched_crops,
)
from covid_cxr.radiographs.folder import RadiographFolder
from covid_cxr.radiographs.pixels import COMPRESSIONS, StoreLayout
from covid_cxr.radiographs.record import (
    RENDERING_VERSION,
    as_frame,
    curate,
    rejected,
)
from covid_cxr.radiographs.store import write_shard

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Curation:
    """How raw files become an image store, as read from parameters_curation.yml.

    Attributes:
        size_px: Height and width of the stored images.
        shard_images: Images per file of the store.
        compression: none, or zstd.
        workers: Processes that read files; 1 reads in this process.
        cluster: Address of a Dask scheduler whose workers read files instead, as in
            tcp://10.0.0.1:8786; None for processes of this machine.
        body_part: As in `Admission`.
        view_not_understood: As in `Admission`.
    """

    size_px: int
    shard_images: int
    compression: str
    workers: int
    cluster: str | None
    body_part: str = FIELDS
    view_not_understood: str = ADMIT

    def __post_init__(self) -> None:
        """Refuse sizes below 1 and choices that do not exist."""
        place = "parameters_curation.yml"
        for name in ("size_px", "shard_images", "workers"):
            check_whole(f"curation.{name}", getattr(self, name), least=1, place=place)
        check_word("curation.compression", self.compression, COMPRESSIONS, place=place)
        _ = self.admission  # refuses choices that do not exist

    @property
    def admission(self) -> Admission:
        """What decides where view and body part are not clear."""
        return Admission(
            body_part=self.body_part, view_not_understood=self.view_not_understood
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Shard:
    """The images of one shard: the unit of work that a process gets.

    Attributes:
        number: 0 to layout.n_shards - 1.
        first_row: Row of the first image in the store.
        images: In the order of their rows, as in `StorePlan.images`.
        root: The folder of raw images.
        layout: How the store is cut into files.
        admission: As for `dicom.render`.
    """

    number: int
    first_row: int
    images: pd.DataFrame
    root: Path
    layout: StoreLayout
    admission: Admission = USUAL

    @property
    def fingerprint(self) -> str:
        """SHA-256 of everything that the shard's pixels and records depend on.

        Image ids, file names, sizes and times of change, crop boxes, sizes, the
        compression, what is admitted and the version of the rendering; not where
        the folder lies.
        """
        layout, admission = self.layout, self.admission
        sizes = [layout.size_px, layout.shard_images, layout.compression]
        admitted = [admission.body_part, admission.view_not_understood]
        digest = hashlib.sha256(
            json.dumps([RENDERING_VERSION, *sizes, *admitted]).encode()
        )
        digest.update(self.images.to_csv(index=False).encode())
        return digest.hexdigest()

    def render(self) -> tuple[NDArray[np.uint8], pd.DataFrame]:
        """Return pixels (n, size_px, size_px) and one record per image.

        An image that cannot be used stays black; its record says why.
        """
        size = self.layout.size_px
        pixels = np.zeros((len(self.images), size, size), np.uint8)
        records = []
        for i, image in enumerate(self.images.to_dict("records")):
            stored, record = self._curate(image)
            if stored is not None:
                pixels[i] = stored
            records.append(
                {"image_id": image["image_id"], "row": self.first_row + i, **record}
            )
        return pixels, as_frame(records)

    def _curate(
        self, image: dict[Any, Any]
    ) -> tuple[NDArray[np.uint8] | None, dict[str, Any]]:
        if pd.isna(image["file"]):
            return None, rejected("file missing: not found in the folder")
        if pd.isna(image["path"]):
            return None, rejected(f"file missing: {image['file']}")
        x0, y0, x1, y1 = (image[edge] for edge in EDGES)
        return curate(
            self.root / image["path"],
            box=None if pd.isna(x0) else (x0, y0, x1, y1),
            size_px=self.layout.size_px,
            admission=self.admission,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class StorePlan:
    """Everything that is needed to write a store, decided before any file is opened.

    Attributes:
        root: The folder of raw images.
        images: One row per row of the store: `image_id`; `file` as in the radiograph
            table, missing where it names none; `path` relative to the folder, `bytes`
            and `changed_ns` (time of change), missing where the file is; `x0, y0, x1,
            y1` in pixels of the raw image, missing for the whole image.
        curation: Sizes and workers.
    """

    root: Path
    images: pd.DataFrame
    curation: Curation

    @property
    def layout(self) -> StoreLayout:
        """How the store is cut into files."""
        return StoreLayout(
            n_images=len(self.images),
            size_px=self.curation.size_px,
            shard_images=self.curation.shard_images,
            compression=self.curation.compression,
        )

    def shard(self, number: int) -> Shard:
        """Return the images of one shard."""
        rows = self.layout.rows(number)
        return Shard(
            number=number,
            first_row=rows.start,
            images=self.images.iloc[rows.start : rows.stop],
            root=self.root,
            layout=self.layout,
            admission=self.curation.admission,
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
        crops: As for `match_crops`; None crops nothing.
        curation: Sizes and workers.

    Raises:
        ValueError: If a table is empty, lacks a column or repeats an image, or a crop
            is no box.
    """
    _check_radiographs(radiographs)
    named = radiographs[["image_id", "file"]].astype("str")
    paths = named["file"].map(images.find, na_action="ignore").astype("str")
    sizes, changes = _states(images.root, paths)
    planned = named.assign(path=paths, bytes=sizes, changed_ns=changes)
    boxes, _ = match_crops(crops, radiographs, images)
    return StorePlan(
        root=images.root,
        images=planned.join(boxes, on="image_id").reset_index(drop=True),
        curation=curation,
    )


def plan_matched_store(
    radiographs: pd.DataFrame,
    images: RadiographFolder,
    crops: pd.DataFrame | None,
    curation: Curation,
    crops_unmatched: pd.DataFrame,
    crop_matching: CropMatching,
) -> StorePlan:
    """Return the plan of a store as `plan_cropped_store`, unless crops fit too badly.

    Args:
        radiographs: As for `plan_store`.
        images: The folder of raw images.
        crops: As for `match_crops`; None crops nothing.
        curation: Sizes and workers.
        crops_unmatched: From `list_unmatched_crops`.
        crop_matching: How many crops may find no image.

    Raises:
        ValueError: As `plan_cropped_store`, or if too many crops find no image.
    """
    n_crops = 0 if crops is None else len(crops)
    refuse_unmatched_crops(
        crops_unmatched,
        n_crops,
        crop_matching,
        kept_in="03_primary/covid_crops_unmatched.parquet",
    )
    return plan_cropped_store(radiographs, images, crops, curation)


def write_planned(root: Path, shard: Shard) -> int:
    """Render a shard, write it to the store in `root` and return its number."""
    images, records = shard.render()
    write_shard(
        root,
        shard.number,
        first_row=shard.first_row,
        images=images,
        records=records,
        fingerprint=shard.fingerprint,
    )
    return shard.number


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


def _states(root: Path, paths: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return the size in bytes and the time of change in nanoseconds of each file."""
    sizes, changes = np.zeros((2, len(paths)), dtype=np.int64)
    for i, path in enumerate(paths):
        if not pd.isna(path):
            # A link may lead nowhere: reading the file rejects it.
            with suppress(OSError):
                status = (root / path).stat()
                sizes[i], changes[i] = status.st_size, status.st_mtime_ns
    states = pd.DataFrame({"sizes": sizes, "changes": changes}, index=paths.index)
    known = states.astype("Int64").where(paths.notna())
    return known["sizes"], known["changes"]
