"""SIIM-ACR Pneumothorax Segmentation 2019: radiographs of NIH, read and outlined anew.

Filice et al., J Digit Imaging 33 (2020) 490. `stage_2_train.csv`, or `train-rle.csv` of
the first stage, has a row for each outlined pneumothorax, or one with -1 for an image
without:

    ImageId,EncodedPixels
    1.2.276.0.7230010.3.1.4.8323329.14508.1517875252.443873,387620 23 996 33 986 43
    1.2.276.0.7230010.3.1.4.8323329.1034.1517875166.8504,-1

Numbers come in pairs: how many pixels are left out since the last run, and how many
follow that are in it, of 1024 x 1024 pixels counted down the columns.

`ImageId` is the SOPInstanceUID, and the file's name. Which image of ChestX-ray14 it is,
and whose, is not said: `siim_nih_mapping.csv` (ImageId, nih_image) may say it.
"""

import logging
import re
from collections.abc import Callable

import numpy as np
import pandas as pd

from covid_cxr.cohorts.dicom_headers import read_headers
from covid_cxr.cohorts.radiograph_table import (
    NIH_SITE,
    admit,
    first_reason,
    require_columns,
    stated,
)
from covid_cxr.radiographs.folder import RadiographFolder
from covid_cxr.radiographs.unmatched import names_without_file, unmatched_names
from covid_cxr.sources.nih import patient_of_image

logger = logging.getLogger(__name__)

SIZE_PX = 1024  # height and width of every image, and of its masks
PNEUMOTHORAX = "pneumothorax"
NONE = "-1"  # in place of a mask
BOX = ("x", "y", "width", "height")

_MASK_COLUMNS = ("ImageId", "EncodedPixels")
_MAPPING_COLUMNS = ("ImageId", "nih_image")
_NO_ID = "(none)"
_RUNS = re.compile(r"\d+\s+\d+(?:\s+\d+\s+\d+)*")


def list_siim_pneumothorax(
    masks: pd.DataFrame | None,
    stage1_masks: pd.DataFrame | None,
    mapping: pd.DataFrame | None,
    images: RadiographFolder,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the radiograph table, a box around each mask, and the rejected rows.

    Patients are "nih:<Patient ID>" where the mapping knows the image, else each image
    is a patient of its own, "siim:<ImageId>". View, sex and age come from the DICOM
    headers. Boxes are `image_id, x, y, width, height` in pixels of the raw image.

    Args:
        masks: stage_2_train.csv; or None.
        stage1_masks: train-rle.csv, which counts where the other is absent.
        mapping: ImageId and nih_image; or None.
        images: The folder of the DICOM files.

    Raises:
        ValueError: If both tables of masks are absent, or columns are missing.
    """
    table = _table(masks, stage1_masks)
    rows = _read_masks(table)
    listing = _one_row_per_image(rows)
    headers = read_headers(listing["name"], images)
    listing = listing.assign(
        source="siim",
        site=NIH_SITE,
        **headers.assign(reason=listing["reason"].fillna(headers["reason"])),
        **_identities(listing["image_id"], mapping),
    )
    radiographs, rejected = admit("siim_pneumothorax", listing, images)
    return radiographs, _boxes(rows, radiographs), rejected


def list_unmatched_siim_pneumothorax(
    listed: pd.DataFrame, mapping: pd.DataFrame | None
) -> pd.DataFrame:
    """Return the images without a file or, with a mapping, a name at NIH."""
    absent = names_without_file(listed, of="the table of masks")
    if mapping is None:
        return absent
    unmapped = unmatched_names(
        listed.loc[listed["nih_image"].isna(), "image_id"],
        of="the table of masks",
        n_names=len(listed),
        reason="have no NIH image in siim_nih_mapping.csv",
    )
    return pd.concat([absent, unmapped], ignore_index=True)


def box_of_mask(
    encoded: str, *, size_px: int = SIZE_PX
) -> tuple[int, int, int, int] | None:
    """Return x, y, width and height of what a mask covers; None if it is no mask.

    Args:
        encoded: Pairs of pixels left out and pixels in the mask, down the columns.
        size_px: Height and width of the mask.
    """
    if not _RUNS.fullmatch(encoded):
        return None
    left_out, lengths = np.array(encoded.split(), dtype=object).reshape(-1, 2).T
    ends = np.cumsum(
        [int(n) for pair in zip(left_out, lengths, strict=True) for n in pair]
    )
    firsts, lasts = ends[::2], ends[1::2] - 1
    if (firsts > lasts).any() or lasts[-1] >= size_px**2:
        return None
    columns = firsts // size_px, lasts // size_px
    is_whole = columns[0] != columns[1]  # a run into the next column has both edges
    top = np.where(is_whole, 0, firsts % size_px).min()
    bottom = np.where(is_whole, size_px - 1, lasts % size_px).max()
    left, right = columns[0].min(), columns[1].max()
    return int(left), int(top), int(right - left + 1), int(bottom - top + 1)


def _table(masks: pd.DataFrame | None, stage1: pd.DataFrame | None) -> pd.DataFrame:
    name, table = ("stage_2_train.csv", masks)
    if table is None:
        name, table = ("train-rle.csv", stage1)
    elif stage1 is not None:
        logger.info("siim_pneumothorax: stage_2_train.csv counts, not train-rle.csv")
    if table is None:
        raise ValueError(
            "There is neither stage_2_train.csv nor train-rle.csv in the cohort's "
            "folder; put the challenge's table of masks beside its DICOM files."
        )
    require_columns(table, _MASK_COLUMNS, table=name)
    return table


def _read_masks(table: pd.DataFrame) -> pd.DataFrame:
    """Return `image_id, encoded, box` of each row; no box where it is no mask."""
    encoded = stated(table["EncodedPixels"])
    is_mask = encoded.notna() & (encoded != NONE)
    boxes = [
        box_of_mask(text) if wanted else None
        for text, wanted in zip(encoded, is_mask, strict=True)
    ]
    return pd.DataFrame(
        {
            "image_id": stated(table["ImageId"]).fillna(_NO_ID).to_numpy(),
            "is_stated": encoded.notna().to_numpy(),
            "is_mask": is_mask.to_numpy(bool),
            "box": pd.Series(boxes, dtype=object),
        }
    )


def _one_row_per_image(rows: pd.DataFrame) -> pd.DataFrame:
    """Return `image_id, name, pneumothorax, reason` for every image named."""
    is_unread = rows["is_mask"] & rows["box"].isna()
    by_image = rows.assign(is_unread=is_unread).groupby("image_id", sort=False)
    images = pd.DataFrame(
        {
            "is_stated": by_image["is_stated"].all(),
            "has_mask": by_image["is_mask"].any(),
            "has_none": ~by_image["is_mask"].all(),
            "is_unread": by_image["is_unread"].any(),
        }
    ).reset_index()
    return pd.DataFrame(
        {
            "image_id": images["image_id"],
            "name": images["image_id"] + ".dcm",
            PNEUMOTHORAX: images["has_mask"],
            "reason": first_reason(
                images,
                {
                    "no ImageId": images["image_id"] == _NO_ID,
                    "EncodedPixels is blank": ~images["is_stated"],
                    "its rows state a mask and none (-1)": (
                        images["has_mask"] & images["has_none"]
                    ),
                    "EncodedPixels is no mask of 1024 x 1024 pixels": (
                        images["is_unread"]
                    ),
                },
            ),
        }
    )


def _identities(
    image_ids: pd.Series, mapping: pd.DataFrame | None
) -> dict[str, pd.Series]:
    """Return the columns `patient_id` and `nih_image`."""
    names = pd.Series(pd.NA, index=image_ids.index, dtype="str")
    if mapping is None:
        logger.warning(
            "siim_pneumothorax: its images are images of NIH ChestX-ray14, but without "
            "siim_nih_mapping.csv each is taken for a patient of its own: patients may "
            "be in two parts, and in the parts of a cohort of NIH. The audit finds "
            "the same pictures, not the same patients"
        )
    else:
        require_columns(mapping, _MAPPING_COLUMNS, table="siim_nih_mapping.csv")
        names = image_ids.map(_nih_names(mapping)).astype("str")
    patients = patient_of_image(names)
    logger.info(
        "siim_pneumothorax: %d of %d images mapped to an NIH image",
        patients.notna().sum(),
        len(image_ids),
    )
    return {
        "patient_id": patients.fillna("siim:" + image_ids),
        "nih_image": names.where(patients.notna()),
    }


def _nih_names(mapping: pd.DataFrame) -> Callable[[str], str | None]:
    """Return what gives an image's name at NIH; none where two names are stated."""
    pairs = pd.DataFrame({name: stated(mapping[name]) for name in _MAPPING_COLUMNS})
    of_image = pairs.dropna().drop_duplicates()
    is_clear = ~of_image.duplicated("ImageId", keep=False)
    if not is_clear.all():
        logger.warning(
            "siim_nih_mapping.csv gives %d images more than one NIH image; they are "
            "taken for not mapped",
            of_image.loc[~is_clear, "ImageId"].nunique(),
        )
    clear: dict[str, str] = dict(of_image[is_clear].to_numpy().tolist())
    return clear.get


def _boxes(rows: pd.DataFrame, radiographs: pd.DataFrame) -> pd.DataFrame:
    """Return `image_id, x, y, width, height` of the admitted images' masks."""
    kept = rows[rows["box"].notna() & rows["image_id"].isin(radiographs["image_id"])]
    boxes = pd.DataFrame(kept["box"].tolist(), columns=list(BOX), dtype="float64")
    boxes.insert(0, "image_id", kept["image_id"].to_numpy())
    return boxes.drop_duplicates(ignore_index=True)
