"""The NIH cohort as ChestX-ray14 publishes it: PNG files, one table, two lists."""

from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from covid_cxr.synthesis.drawing import Look, read_signs
from covid_cxr.synthesis.hospital_settings import Synthesis
from covid_cxr.synthesis.orders import Order, RawImages, orders_of
from covid_cxr.synthesis.raw_files import draw_files, encode_png, look_of

# Width, height and pixel spacing in mm of the detectors most often seen.
_DETECTORS = (
    (2500, 2048, 0.168),
    (2048, 2500, 0.171),
    (3056, 2544, 0.139),
    (2992, 2991, 0.143),
    (2022, 2021, 0.194311),
)
# Of the official test list, the findings that radiologists marked with a box, in pixels
# of images of 1024 px, by the names in BBox_List_2017.csv.
_BOXED = {
    "Atelectasis": "atelectasis",
    "Cardiomegaly": "cardiomegaly",
    "Effusion": "effusion",
    "Infiltrate": "infiltration",
    "Mass": "mass",
    "Nodule": "nodule",
    "Pneumonia": "pneumonia",
    "Pneumothorax": "pneumothorax",
}
_PUBLISHED_PX = 1024


def write_nih(
    radiographs: pd.DataFrame,
    synthesis: Synthesis,
    defects: pd.DataFrame,
    *,
    cohort: str = "nih",
) -> tuple[RawImages, pd.DataFrame, str, str, pd.DataFrame]:
    """Return the image files, Data_Entry_2017_v2020.csv and the three lists.

    Args:
        radiographs: From `admit_patients`.
        synthesis: Size and difficulty.
        defects: From `choose_defects`.
        cohort: Its name in the study.

    Returns:
        PNG files to draw, the table with its eleven columns, `train_val_list.txt` and
        `test_list.txt` (neither ends in a newline, as published), and
        `BBox_List_2017.csv` with a box for every sign on images of the test list that
        are labelled with it.
    """
    nih = radiographs.loc[radiographs["cohort"] == cohort]
    images = draw_files(
        radiographs, synthesis, defects, cohort=cohort, encode=encode_png
    )
    names = nih["file"].map(_name)
    lists = [
        "\n".join(sorted(names[nih["official_part"] == part]))
        for part in ("train_val", "test")
    ]
    orders = orders_of(radiographs, cohort=cohort)
    boxes = _box_list(nih, orders, look_of(synthesis))
    return images, _entries(nih, names), lists[0], lists[1], boxes


def _entries(nih: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    kind = nih["drawing_seed"].to_numpy() % len(_DETECTORS)
    width, height, spacing = np.array(_DETECTORS)[kind].T
    patient = nih["patient"].astype(int)
    return pd.DataFrame(
        {
            "Image Index": names,
            "Finding Labels": nih["finding_labels"],
            "Follow-up #": nih.groupby("patient").cumcount(),
            "Patient ID": patient,
            "Patient Age": nih["age_years"],
            "Patient Gender": nih["sex"],
            "View Position": nih["view"],
            # The comma is part of two headings: the published file has eleven columns.
            "OriginalImage[Width": width.astype(int),
            "Height]": height.astype(int),
            "OriginalImagePixelSpacing[x": spacing,
            "y]": spacing,
        }
    ).reset_index(drop=True)


def _box_list(nih: pd.DataFrame, orders: Sequence[Order], look: Look) -> pd.DataFrame:
    rows = []
    columns = (nih["official_part"], nih["finding_labels"], orders)
    for part, labels, order in zip(*columns, strict=True):
        stated = labels.split("|")
        boxed = {
            name: finding
            for name, finding in _BOXED.items()
            if finding.title() in stated
        }
        if part != "test" or not boxed:
            continue
        shape = (_PUBLISHED_PX, _PUBLISHED_PX)
        signs = read_signs(order.exam, shape=shape, look=look)
        rows += [
            (order.name, name, *map(float, signs[finding]))
            for name, finding in boxed.items()
            if finding in signs
        ]
    # The commas are part of one heading, and three more end the line.
    named = ["Image Index", "Finding Label", "Bbox [x", "y", "w", "h]"]
    return pd.DataFrame(
        [(*row, "", "", "") for row in rows], columns=[*named, "", "", ""]
    )


def _name(file: str) -> str:
    return PurePosixPath(file).name
