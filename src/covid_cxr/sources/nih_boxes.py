"""The boxes of ChestX-ray14: one for a finding of an image, drawn by a radiologist.

Wang et al., CVPR 2017, Section 3: BBox_List_2017.csv marks 8 findings of images of the
official test list, in pixels of the published 1024 x 1024 image.
"""

import logging

import numpy as np
import pandas as pd

from covid_cxr.cohorts.radiograph_table import BOX, FINDINGS, require_columns, stated
from covid_cxr.cohorts.vocabulary import terms_of
from covid_cxr.radiographs.unmatched import unmatched_names
from covid_cxr.sources.published_counts import NIH_BOXES
from covid_cxr.user_numbers import PIXELS, line_of, numbers

logger = logging.getLogger(__name__)

LIST = "BBox_List_2017.csv"
PUBLISHED_PX = 1024
_IMAGE, _FINDING = "Image Index", "Finding Label"
# The commas of "Bbox [x,y,w,h]" part one heading into four; where a spreadsheet has
# quoted it, the three columns after it have no name.
_EDGES = ("Bbox [x", "y", "w", "h]")
_QUOTED = ("Bbox [x,y,w,h]", "Unnamed: 3", "Unnamed: 4", "Unnamed: 5")
_COLUMNS = {
    "image_id": "str",
    **dict.fromkeys(BOX, "float64"),
    "finding": "str",
    "of_px": "int64",
}


def read_boxes(
    box_list: pd.DataFrame | None, radiographs: pd.DataFrame
) -> pd.DataFrame:
    """Return the boxes of admitted images that are labelled with the finding.

    Columns: `image_id, x, y, width, height, finding` and `of_px`: they are in pixels of
    the published image, which has 1024 to a side, however large the copy at hand is.

    Args:
        box_list: BBox_List_2017.csv, as text; None if it is absent: no boxes.
        radiographs: The radiograph table.

    Raises:
        ValueError: If columns are missing, a finding is none of NIH's, or an edge is no
            number.
    """
    if box_list is None:
        logger.info("nih: %s is absent, so no map is held against boxes", LIST)
        return pd.DataFrame(columns=list(_COLUMNS)).astype(_COLUMNS)
    table = _with_edges(box_list)
    edges = numbers(table, _EDGES, form=PIXELS)
    boxes = edges.set_axis(list(BOX), axis=1).assign(
        image_id=_images(table), finding=_findings(table), of_px=PUBLISHED_PX
    )
    return _usable(boxes, table, radiographs)[list(_COLUMNS)].astype(_COLUMNS)


def count_boxes(box_list: pd.DataFrame) -> dict[str, int]:
    """Return the counts that `published_counts.NIH_BOXES` holds."""
    named = stated(box_list[_FINDING]).value_counts()
    whole = {"boxes": len(box_list), "images": box_list[_IMAGE].nunique()}
    return {name: int(named.get(name, 0)) for name in NIH_BOXES} | whole


def boxes_without_row(box_list: pd.DataFrame | None, known: set[str]) -> pd.DataFrame:
    """Return the images of the list that nih_entries lacks, as `unmatched_names`."""
    named = [] if box_list is None else _images(box_list).unique().tolist()
    return unmatched_names(
        [name for name in named if name not in known],
        of=LIST,
        n_names=len(named),
        reason="have no row in nih_entries",
    )


def _images(box_list: pd.DataFrame) -> pd.Series:
    return stated(box_list[_IMAGE]).fillna("(none)")


def _with_edges(box_list: pd.DataFrame) -> pd.DataFrame:
    is_quoted = _QUOTED[0] in box_list
    parts = dict(zip(_QUOTED, _EDGES, strict=True)) if is_quoted else {}
    table = box_list.rename(columns=parts)
    require_columns(table, (_IMAGE, _FINDING, *_EDGES), table=f"nih_box_list ({LIST})")
    return table


def _findings(table: pd.DataFrame) -> pd.Series:
    """Return the finding of each box, by the words of nih in the vocabulary."""
    words = {
        term: own[0] for term, own in terms_of("nih").items() if own[0] in FINDINGS
    }
    named = stated(table[_FINDING])
    findings = named.map(words)
    if findings.isna().any():
        place = int(findings.isna().to_numpy().argmax())
        raise ValueError(
            f"{line_of(table, place)}: {_FINDING} is {named.iloc[place]!r}, expected "
            f"one of {', '.join(words)}; correct it."
        )
    return findings.astype("str")


def _usable(
    boxes: pd.DataFrame, table: pd.DataFrame, radiographs: pd.DataFrame
) -> pd.DataFrame:
    """Return the boxes inside the image whose finding the admitted image has."""
    own = boxes[boxes["image_id"].isin(radiographs["image_id"])]
    labelled = {
        (image, finding)
        for finding in own["finding"].unique()
        for image in radiographs["image_id"][radiographs[finding].fillna(value=False)]
    }
    pairs = zip(own["image_id"], own["finding"], strict=True)
    ends = [own["x"] + own["width"], own["y"] + own["height"]]
    is_box = own[["x", "y"]].ge(0).all(axis=1) & own[["width", "height"]].gt(0).all(
        axis=1
    )
    is_inside = is_box & ends[0].le(PUBLISHED_PX) & ends[1].le(PUBLISHED_PX)
    is_kept = is_inside & np.array([pair in labelled for pair in pairs], bool)
    if not is_kept.all():
        place = int(table.index.get_indexer(own.index[~is_kept][:1])[0])
        first = own[~is_kept].iloc[0]
        logger.warning(
            "nih: %d of %d boxes are left out, as that of %s (%s): a box must lie "
            "inside the %d x %d image, and the image be labelled with its finding",
            (~is_kept).sum(),
            len(own),
            first["image_id"],
            line_of(table, place),
            PUBLISHED_PX,
            PUBLISHED_PX,
        )
    return own[is_kept]
