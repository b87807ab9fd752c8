"""PadChest: PNG of 16 bits, one table whose labels are lists as Python writes them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from covid_cxr.synthesis.drawing import Look, draw_radiograph
from covid_cxr.synthesis.exposure import to_grey
from covid_cxr.synthesis.orders import Order, RawImages
from covid_cxr.synthesis.raw_files import Drawn, as_file, published

# In the published English, and as some reports have it.
_WORDS = {
    "cardiomegaly": ("cardiomegaly", "cardiomegalia"),
    "emphysema": ("emphysema", "enfisema"),
    "edema": ("pulmonary edema", "edema pulmonar"),
    "hernia": ("hiatal hernia", "hernia de hiato"),
    "pneumothorax": ("pneumothorax", "neumotórax"),
    "effusion": ("pleural effusion", "derrame pleural"),
    "mass": ("mass", "masa"),
    "fibrosis": ("pulmonary fibrosis", "fibrosis pulmonar"),
    "atelectasis": ("atelectasis", "atelectasia"),
    "consolidation": ("consolidation", "consolidación"),
    "pleural_thickening": ("pleural thickening", "engrosamiento pleural"),
    "nodule": ("nodule", "nódulo"),
    "pneumonia": ("pneumonia", "neumonía"),
    "infiltration": ("infiltrates", "infiltrados"),
    "tuberculosis": ("tuberculosis", "tuberculosis pulmonar"),
}
_PROJECTIONS = {"PA": "PA", "AP": "AP", "AP Supine": "AP_horizontal"}
_UNCHANGED_EVERY, _SPANISH_EVERY = 6, 3
# Rows of the first patient that cannot be used: what differs, by the file's name.
_UNUSABLE = {
    "lateral": {"Projection": "L"},
    "ribs": {"Projection": "COSTAL"},
    "left_out": {"Projection": "EXCLUDE"},
    "no_report": {"Labels": "['exclude']"},
    "blurred": {"Labels": "['suboptimal study']"},
    "unlabelled": {"Labels": "[]"},
    "broken": {"Labels": "['normal']"},  # its file ends half-way
}


def padchest_file(row: dict[str, Any]) -> str:
    """Return the published path: one of some fifty folders, and a long number."""
    return f"{row['drawing_seed'] % 50}/{row['patient']}_{row['visit']:02d}.png"


def encode_png16(order: Order, *, size_px: int, look: Look) -> bytes:
    """Return the PNG file of one radiograph, of 16 bits."""
    drawing = draw_radiograph(order.exam, shape=(size_px, size_px), look=look)
    return as_file(to_grey(drawing.density).astype(np.uint16) * 257, ".png")


@published(encode_png16)
def write_padchest(drawn: Drawn) -> tuple[RawImages, pd.DataFrame]:
    """Return the image files and the table of labels."""
    rows = drawn.rows
    table = pd.DataFrame(
        {
            "ImageID": rows["image_id"],
            "ImageDir": rows["file"].str.partition("/")[0],
            "StudyDate_DICOM": rows["study_date"],
            "StudyID": rows["patient"] + rows.groupby("patient").cumcount().astype(str),
            "PatientID": rows["patient"],
            "PatientBirth": rows["study_date"].str[:4].astype(int) - rows["age_years"],
            "PatientSex_DICOM": rows["sex"],
            "Projection": rows["view"].map(_PROJECTIONS),
            "MethodLabel": np.where(rows["drawing_seed"] % 4, "RNN_model", "Physician"),
            "Labels": [_list_of(row) for row in rows.to_dict("records")],
        }
    )
    first = drawn.orders[0]
    files = {name: f"0/{first.patient}_{name}.png" for name in _UNUSABLE}
    unusable = [
        table.iloc[:1].assign(ImageID=files[name].removeprefix("0/"), **other)
        for name, other in _UNUSABLE.items()
    ]
    images = drawn.with_further(
        [replace(first, file=file) for file in files.values()],
        broken=(files["broken"],),
    )
    whole = pd.concat([table, *unusable], ignore_index=True)
    # The published table begins with a column without a name.
    return images, whole.rename_axis("").reset_index()


def _list_of(row: dict[Any, Any]) -> str:
    """Return the labels as Python writes a list, some with a leading blank."""
    seed = int(row["drawing_seed"])
    is_spanish = seed % _SPANISH_EVERY == 0
    words = [_WORDS[name][is_spanish] for name in _WORDS if row[name]] or ["normal"]
    if seed % _UNCHANGED_EVERY == 1 and words != ["normal"]:
        words.append("unchanged")
    return str([word if seed % 2 else f" {word}" for word in words])
