"""The table of crops: which box of which raw image is kept.

The paper removed burned-in labels by cropping (Section 2.3). A crop that finds no image
leaves its labels in the picture, so it is named, and a table that hardly finds any
stops the run.
"""

from dataclasses import dataclass

import pandas as pd

from covid_cxr.checks import check_share
from covid_cxr.radiographs.folder import RadiographFolder
from covid_cxr.radiographs.unmatched import UnmatchedBound, refuse_unmatched
from covid_cxr.user_numbers import PIXELS, line_of, numbers

EDGES = ["x0", "y0", "x1", "y1"]
_PARAMETER = "crop_matching.max_unmatched_share"


@dataclass(frozen=True, kw_only=True)
class CropMatching:
    """How well the crops must fit the cohort, from parameters_curation.yml.

    Attributes:
        max_unmatched_share: Of the crops, 0 to 1, that may be of images which the
            cohort lacks; above it the run stops.
    """

    max_unmatched_share: float

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        check_share(_PARAMETER, self.max_unmatched_share)


def match_crops(
    crops: pd.DataFrame | None, radiographs: pd.DataFrame, images: RadiographFolder
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the box of each image that has one, and the crops that found no image.

    A crop names an image by its `image_id`, its `file`, or as a file is found
    (`RadiographFolder.locate`) that only one radiograph has.

    Args:
        crops: `image`, `x0, y0, x1, y1` in pixels of the raw image, x1 and y1 outside;
            as text or numbers. None where there is no such table.
        radiographs: The radiograph table.
        images: The folder of raw images.

    Returns:
        The edges as float64 by `image_id`, in the order of the crops; and `place`,
        `image` of every other crop.

    Raises:
        ValueError: If the table lacks a column, an edge is blank or no number, or an
            image has two boxes.
    """
    if crops is None:
        return (
            pd.DataFrame(columns=EDGES, dtype="float64"),
            pd.DataFrame(columns=["place", "image"], dtype="str"),
        )
    boxes = _read(crops)
    boxes = boxes.assign(image_id=_image_ids(boxes["image"], radiographs, images))
    is_unmatched = boxes["image_id"].isna()
    unmatched = boxes.loc[is_unmatched, ["place", "image"]].reset_index(drop=True)
    matched = boxes[~is_unmatched]
    repeated = matched[matched["image_id"].duplicated()]
    if len(repeated):
        raise ValueError(
            f"{repeated['place'].iloc[0]}: the crop table has two boxes for "
            f"{repeated['image'].iloc[0]!r}; keep one."
        )
    return matched.set_index("image_id")[EDGES], unmatched


def list_unmatched_crops(
    crops: pd.DataFrame | None, radiographs: pd.DataFrame, images: RadiographFolder
) -> pd.DataFrame:
    """Return `place` (its line) and `image` of each crop that finds no radiograph.

    Args:
        crops: As for `match_crops`, as the following.
        radiographs: The radiograph table.
        images: The folder of raw images.

    Raises:
        ValueError: As `match_crops`.
    """
    return match_crops(crops, radiographs, images)[1]


def refuse_unmatched_crops(
    unmatched: pd.DataFrame, n_crops: int, crop_matching: CropMatching, *, kept_in: str
) -> None:
    """Name the crops that find no image; refuse too many.

    Args:
        unmatched: From `match_crops`.
        n_crops: Of the whole table.
        crop_matching: When to stop.
        kept_in: The file that has all of them.

    Raises:
        ValueError: If their share is above the bound.
    """
    refuse_unmatched(
        unmatched.assign(
            list="crops.csv",
            reason="are of no image in the cohort",
            n_names=n_crops,
        ),
        UnmatchedBound(
            share=crop_matching.max_unmatched_share,
            parameter=_PARAMETER,
            kept_in=kept_in,
        ),
    )


def _read(crops: pd.DataFrame) -> pd.DataFrame:
    """Return `image`, the edges as numbers, and `place`: the line of each crop."""
    missing = {"image", *EDGES} - set(crops.columns)
    if missing:
        raise ValueError(
            f"The crop table lacks {', '.join(sorted(missing))}; expected the columns "
            f"image, x0, y0, x1, y1."
        )
    boxes = numbers(crops, EDGES, form=PIXELS).reset_index(drop=True)
    names = crops["image"].astype("str").str.strip().fillna("(none)")
    places = [line_of(crops, row) for row in range(len(crops))]
    incomplete = boxes.isna().any(axis="columns").to_numpy(bool)
    if incomplete.any():
        row = int(incomplete.argmax())
        blank = ", ".join(boxes.columns[boxes.iloc[row].isna()])
        raise ValueError(
            f"{places[row]}: the crop table lacks an edge of the box for "
            f"{names.iloc[row]!r} ({blank} is blank); give all of x0, y0, x1, y1, or "
            f"remove the row to keep the image whole."
        )
    texts = {"image": names.to_numpy(), "place": places}
    return boxes.assign(
        **{name: pd.Series(cells, dtype="str") for name, cells in texts.items()}
    )


def _image_ids(
    names: pd.Series, radiographs: pd.DataFrame, images: RadiographFolder
) -> pd.Series:
    """Return the radiograph that each name means; missing where it means none."""
    ids = radiographs["image_id"].astype("str")
    has_file = radiographs["file"].notna()
    files = radiographs.loc[has_file, "file"].astype("str")
    paths = files.map(images.find)
    is_alone = paths.notna() & ~paths.duplicated(keep=False)
    of_path = dict(zip(paths[is_alone], ids[has_file][is_alone], strict=True))
    known = {
        **dict(zip(files, ids[has_file], strict=True)),
        **dict(zip(ids, ids, strict=True)),
    }
    return names.map(
        lambda name: known.get(name) or of_path.get(images.find(name) or "")
    ).astype("str")
