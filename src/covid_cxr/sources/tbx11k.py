"""TBX11K: 8,400 radiographs, healthy, sick or with tuberculosis, with readers' boxes.

Liu et al., CVPR 2020. The archive is read as it unpacks:

    imgs/health/h0001.png, imgs/sick/s0001.png, imgs/tb/tb0003.png    512 x 512 pixels
    lists/TBX11K_train.txt, lists/TBX11K_val.txt    "tb/tb0005.png", one a line
    annotations/json/TBX11K_train.json, …_val.json  boxes, in the form of COCO

or the simplified copy: `data.csv`, a row per box (fname, bbox, target, image_type, …),
with `images/`. Test images have no labels, and the images of other collections in
imgs/extra are in neither list: none of them is listed.
"""

import ast
import json
import logging
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from covid_cxr.cohorts.radiograph_table import (
    TUBERCULOSIS,
    UNKNOWN,
    admit,
    first_reason,
    require_columns,
    stated,
)
from covid_cxr.radiographs.folder import RadiographFolder
from covid_cxr.radiographs.unmatched import names_without_file
from covid_cxr.sources.published_counts import TBX11K, log_differences

logger = logging.getLogger(__name__)

SIZE_PX = 512  # height and width of every image, which boxes are in the pixels of
BOX = ("x", "y", "width", "height")
HEALTH, SICK, TB = "health", "sick", "tb"  # folders
_CLASS_OF_TYPE = {"healthy": HEALTH, "sick_but_no_tb": SICK, "tb": TB}
_IS_TB_OF_TARGET = {"tb": True, "no_tb": False}
_TB_TYPES = {  # categories of the boxes, and the words of data.csv
    "ActiveTuberculosis": "active",
    "ObsoletePulmonaryTuberculosis": "latent",
    "PulmonaryTuberculosis": "unknown",
    "active_tb": "active",
    "latent_tb": "latent",
}
_DATA_COLUMNS = ("fname", "bbox", "target", "tb_type", "image_type")
_EDGES = ("xmin", "ymin", "width", "height")


def list_tbx11k(
    train_list: str | None,
    val_list: str | None,
    train_boxes: str | None,
    val_boxes: str | None,
    data: pd.DataFrame | None,
    images: RadiographFolder,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the radiograph table, the readers' boxes, and the rejected rows.

    `tuberculosis` is True for active and latent disease; `tb_class` is "health",
    "sick" or "tb", and `tb_type` what the boxes say: "active", "latent", "active,
    latent" or "unknown"; missing without a box. Every image is of a patient of its own,
    "tbx11k:<name>": no other id is published. Boxes are `image_id, x, y, width, height`
    in pixels of the raw image.

    Args:
        train_list: Text of TBX11K_train.txt; or None.
        val_list: Text of TBX11K_val.txt; or None.
        train_boxes: Text of TBX11K_train.json; or None.
        val_boxes: Text of TBX11K_val.json; or None.
        data: data.csv of the simplified copy, where there is no list; or None.
        images: The folder of the PNG files.

    Raises:
        ValueError: If there is neither a list nor data.csv, a list has no file of
            boxes beside it, or one of them cannot be read.
    """
    if train_list is None and val_list is None:
        rows, boxes = _from_data(data)
    else:
        rows = _from_lists({"train": train_list, "val": val_list})
        boxes = _from_json(
            {
                "TBX11K_train.json": (train_list, train_boxes),
                "TBX11K_val.json": (val_list, val_boxes),
            }
        )
    listing = _listing(rows, boxes, images)
    radiographs, rejected = admit("tbx11k", listing, images)
    if not images.is_synthetic:
        _compare(radiographs)
    return radiographs, _clipped(boxes, radiographs["image_id"]), rejected


def list_unmatched_tbx11k(listed: pd.DataFrame) -> pd.DataFrame:
    """Return the images without a file, as `unmatched_names`."""
    return names_without_file(listed, of="the lists of TBX11K")


def _from_lists(lists: dict[str, str | None]) -> pd.DataFrame:
    """Return `image_id, path, tb_class, is_tb` of the lists' lines."""
    for part, text in lists.items():
        if text is None:
            logger.info(
                "tbx11k: TBX11K_%s.txt is absent; its images are left out", part
            )
    lines = [
        line.strip().replace("\\", "/")
        for text in lists.values()
        for line in (text or "").splitlines()
        if line.strip()
    ]
    folders = pd.Series(
        [PurePosixPath(line).parent.name for line in lines], dtype="str"
    )
    return pd.DataFrame(
        {
            "image_id": [PurePosixPath(line).stem for line in lines],
            "path": lines,
            "tb_class": folders.where(folders.isin([HEALTH, SICK, TB])),
            "is_tb": folders.map({HEALTH: False, SICK: False, TB: True}).astype(
                "boolean"
            ),
        }
    )


def _from_json(files: dict[str, tuple[str | None, str | None]]) -> pd.DataFrame:
    """Return `image_id, x, y, width, height, tb_type` of the files that are wanted.

    Args:
        files: By name, the text of the list beside it, and its own.
    """
    found: list[dict[str, Any]] = []
    for name, (listed, text) in files.items():
        if listed is None:
            continue
        if text is None:
            raise ValueError(
                f"annotations/json/{name} is absent, but its list is there; put the "
                f"boxes of TBX11K there as they unpack."
            )
        try:
            found += _boxes_of(json.loads(text))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(
                f"{name} is no file of boxes in the form of COCO, with images, "
                f"annotations and categories ({type(error).__name__}); unpack it again."
            ) from error
    return _as_boxes(found)


def _boxes_of(coco: dict[str, Any]) -> Iterator[dict[str, Any]]:
    names = {one["id"]: PurePosixPath(one["file_name"]).stem for one in coco["images"]}
    types = {one["id"]: one["name"] for one in coco["categories"]}
    for one in coco["annotations"]:
        x, y, width, height = map(float, one["bbox"])
        yield {
            "image_id": names[one["image_id"]],
            **dict(zip(BOX, (x, y, width, height), strict=True)),
            "tb_type": _TB_TYPES.get(types[one["category_id"]], UNKNOWN),
        }


def _from_data(data: pd.DataFrame | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows, as of the lists, and the boxes of data.csv."""
    if data is None:
        raise ValueError(
            "There is neither lists/TBX11K_train.txt nor data.csv in the cohort's "
            "folder; put the lists and annotations of TBX11K beside its imgs, or the "
            "simplified copy's data.csv beside its images."
        )
    require_columns(data, _DATA_COLUMNS, table="data.csv")
    names = stated(data["fname"]).fillna("(none)")
    classes = stated(data["image_type"]).map(_CLASS_OF_TYPE)
    is_tb = stated(data["target"]).map(_IS_TB_OF_TARGET).astype("boolean")
    rows = pd.DataFrame(
        {
            "image_id": names.map(lambda name: PurePosixPath(name).stem),
            "path": names,
            "tb_class": classes.astype("str"),
            "is_tb": is_tb.where((classes == TB) == is_tb.fillna(value=False)),
        }
    )
    found = [
        {"image_id": image_id, **box, "tb_type": _TB_TYPES.get(str(kind), UNKNOWN)}
        for image_id, text, kind in zip(
            rows["image_id"], stated(data["bbox"]), stated(data["tb_type"]), strict=True
        )
        if (box := _box_of_text(text)) is not None
    ]
    is_whole = ~rows.duplicated(["image_id", "tb_class", "is_tb"])
    return rows[is_whole].reset_index(drop=True), _as_boxes(found)


def _box_of_text(text: object) -> dict[str, float] | None:
    """Return the box of a cell such as "{'xmin': 1, 'ymin': 2, …}"; None for "none"."""
    if not isinstance(text, str) or text.lower() == "none":
        return None
    try:
        edges = ast.literal_eval(text)
        return dict(zip(BOX, (float(edges[name]) for name in _EDGES), strict=True))
    except (ValueError, SyntaxError, TypeError, KeyError) as error:
        raise ValueError(
            f"data.csv: bbox is {text[:60]!r}, which is no box such as "
            f"{{'xmin': 10, 'ymin': 20, 'width': 30, 'height': 40}} and not none; "
            f"correct it."
        ) from error


def _as_boxes(found: list[dict[str, Any]]) -> pd.DataFrame:
    types = {"image_id": "str", **dict.fromkeys(BOX, "float64"), "tb_type": "str"}
    return pd.DataFrame(found, columns=list(types)).astype(types)


def _listing(
    rows: pd.DataFrame, boxes: pd.DataFrame, images: RadiographFolder
) -> pd.DataFrame:
    """Return the listing of the rows, with what their boxes say."""
    types = boxes.groupby("image_id")["tb_type"].agg(
        lambda t: ", ".join(sorted(set(t)))
    )
    boxed = rows["image_id"].isin(types.index)
    no_class = "its folder or type is none of health, sick and tb"
    no_tb = "has a box of tuberculosis, but is not of the class tb"
    names = pd.Series([_name_in(images, path) for path in rows["path"]], dtype="str")
    n_labels = rows.groupby("image_id")["is_tb"].transform("nunique")
    return pd.DataFrame(
        {
            "image_id": rows["image_id"],
            "name": names,
            "patient_id": "tbx11k:" + rows["image_id"],
            "source": "tbx11k",
            TUBERCULOSIS: rows["is_tb"],
            "tb_class": rows["tb_class"],
            "tb_type": rows["image_id"].map(types).astype("str"),
            "reason": first_reason(
                rows,
                {
                    no_class: rows["tb_class"].isna(),
                    "target and image_type contradict": rows["is_tb"].isna(),
                    "listed with different labels": n_labels > 1,
                    no_tb: boxed & ~rows["is_tb"].fillna(value=True),
                },
            ),
        }
    )


def _name_in(images: RadiographFolder, path: str) -> str:
    """Return the name that finds a list's image: its place in imgs, or its own.

    By the path first: imgs/extra and copies have files of other images, named alike.
    """
    for name in (f"imgs/{path}", f"images/{path}", path):
        if images.find(name) is not None:
            return name
    return PurePosixPath(path).name


def _clipped(boxes: pd.DataFrame, listed: pd.Series) -> pd.DataFrame:
    """Return the boxes of listed images, cut at the edges of the image.

    They were made for images of about 3,000 pixels, and rounded.
    """
    is_listed = boxes["image_id"].isin(listed)
    if not is_listed.all():
        logger.info(
            "tbx11k: %d of %d boxes are of images that are not admitted",
            (~is_listed).sum(),
            len(boxes),
        )
    kept = boxes[is_listed]
    left, top = kept["x"].clip(0, SIZE_PX), kept["y"].clip(0, SIZE_PX)
    right = (kept["x"] + kept["width"]).clip(0, SIZE_PX)
    bottom = (kept["y"] + kept["height"]).clip(0, SIZE_PX)
    cut = kept.assign(x=left, y=top, width=right - left, height=bottom - top)
    is_box = (cut["width"] > 0) & (cut["height"] > 0)
    if not is_box.all():
        logger.warning(
            "tbx11k: %d of %d boxes are left out, as that of %s: nothing of them is "
            "inside %d x %d pixels",
            (~is_box).sum(),
            len(cut),
            cut.loc[~is_box, "image_id"].iloc[0],
            SIZE_PX,
            SIZE_PX,
        )
    whole: pd.DataFrame = cut.loc[is_box, ["image_id", *BOX]]
    return whole.drop_duplicates(ignore_index=True)


def _compare(radiographs: pd.DataFrame) -> None:
    """Log how the classes differ from those of the published lists."""
    classes = radiographs["tb_class"].value_counts()
    counted = {"images": len(radiographs)}
    counted |= {
        f"of class {name}": int(classes.get(name, 0)) for name in (HEALTH, SICK, TB)
    }
    log_differences("tbx11k", counted, TBX11K)
