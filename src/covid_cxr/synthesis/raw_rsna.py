"""The RSNA cohort as Kaggle publishes it: JPEG in DICOM, boxes, classes, a mapping.

Its radiographs are those of the NIH cohort, read anew: the labels are what a reader
sees on the drawing, not what text mining says.
"""

import json
from pathlib import PurePosixPath

import pandas as pd

from covid_cxr.synthesis.dicom_files import make_uid
from covid_cxr.synthesis.drawing import Box, Look, read_opacities
from covid_cxr.synthesis.hospital_settings import Synthesis
from covid_cxr.synthesis.orders import Order, RawImages, orders_of
from covid_cxr.synthesis.patients_nih import rsna_class
from covid_cxr.synthesis.raw_files import draw_files, encode_jpeg_dicom, look_of

_CLASSES = {
    "opaque": "Lung Opacity",
    "abnormal": "No Lung Opacity / Not Normal",
    "normal": "Normal",
}


def write_rsna(
    radiographs: pd.DataFrame,
    synthesis: Synthesis,
    defects: pd.DataFrame,
    *,
    cohort: str = "rsna",
) -> tuple[RawImages, pd.DataFrame, pd.DataFrame, str]:
    """Return the image files, both stage-2 tables and the mapping to NIH images.

    Returns:
        DICOM files to draw, `stage_2_train_labels.csv` (a row per box),
        `stage_2_detailed_class_info.csv` (repeated like the boxes), and the JSON text
        of the official mapping.
    """
    rsna = radiographs.loc[radiographs["cohort"] == cohort]
    orders = orders_of(radiographs, cohort=cohort)
    look, size_px = look_of(synthesis), synthesis.raw_size_px
    rows = [
        row
        for order, seen in zip(orders, rsna_class(rsna), strict=True)
        for row in _read(order, seen, size_px=size_px, look=look)
    ]
    table = pd.DataFrame(rows)
    boxes = ["x", "y", "width", "height"]
    images = draw_files(
        radiographs, synthesis, defects, cohort=cohort, encode=encode_jpeg_dicom
    )
    return (
        images,
        table[["patientId", *boxes, "Target"]].astype(dict.fromkeys(boxes, float)),
        table[["patientId", "class"]],
        _mapping(orders, rsna, table),
    )


def _read(
    order: Order, seen: str, *, size_px: int, look: Look
) -> list[dict[str, object]]:
    """Return the label rows of one radiograph: one per box, or one without."""
    boxes: tuple[Box, ...] = ()
    if seen == "opaque":
        boxes = read_opacities(order.exam, shape=(size_px, size_px), look=look)
        # An opacity that hides behind the heart is not read as one.
        seen = "opaque" if boxes else "abnormal"
    row = {"patientId": order.stem, "Target": int(bool(boxes))}
    row["class"] = _CLASSES[seen]
    if not boxes:
        return [{**row, "x": None, "y": None, "width": None, "height": None}]
    return [
        {**row, "x": x, "y": y, "width": width, "height": height}
        for x, y, width, height in boxes
    ]


def _mapping(orders: tuple[Order, ...], rsna: pd.DataFrame, table: pd.DataFrame) -> str:
    """Return the JSON text of the official mapping, one object per image."""
    classes = table.groupby("patientId")["class"].first()
    rows = [
        {
            "subset_img_id": order.stem,
            "img_id": PurePosixPath(row["nih_file"]).name,
            "orig_labels": row["finding_labels"].split("|"),
            "subset_group": "train",
            "subset_init_label": classes[order.stem],
            "StudyInstanceUID": make_uid("study", order.stem),
            "SeriesInstanceUID": make_uid("series", order.stem),
            "SOPInstanceUID": make_uid("image", order.stem),
            "studyId": f"study-{number:06d}",
            "seriesId": f"series-{number:06d}",
            "instanceId": f"instance-{number:06d}",
        }
        for number, (order, row) in enumerate(
            zip(orders, rsna.to_dict("records"), strict=True)
        )
    ]
    return json.dumps(rows, indent=1)
