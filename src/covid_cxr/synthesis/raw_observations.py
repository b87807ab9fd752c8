"""CheXpert and MIMIC-CXR-JPG: JPEG files, and 14 observations taken from reports.

A report is sure of most, hedges (-1), or says nothing of what is not there (blank).
"""

from dataclasses import replace
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.synthesis.findings import OPACITIES
from covid_cxr.synthesis.orders import RawImages
from covid_cxr.synthesis.raw_files import Drawn, encode_jpeg, published

# In CheXpert's order, with what is drawn of each.
_OBSERVATIONS = {
    "No Finding": (),
    "Enlarged Cardiomediastinum": (),
    "Cardiomegaly": ("cardiomegaly",),
    "Lung Opacity": (*OPACITIES, "edema", "atelectasis"),
    "Lung Lesion": ("mass", "nodule"),
    "Edema": ("edema",),
    "Consolidation": ("consolidation",),
    "Pneumonia": ("pneumonia",),
    "Atelectasis": ("atelectasis",),
    "Pneumothorax": ("pneumothorax",),
    "Pleural Effusion": ("effusion",),
    "Pleural Other": ("pleural_thickening",),
    "Fracture": (),
    "Support Devices": ("has_devices",),
}
_FRONTAL, _LATERAL = "view1_frontal", "view2_lateral"
_LATERAL_EVERY = 4
_UNLABELLED = "59999999"  # a study without a row of labels


def chexpert_file(row: dict[str, Any]) -> str:
    """Return the published path: names repeat in every folder."""
    part = "train" if int(row["patient"][-4:]) % 5 else "valid"
    return f"{part}/{row['patient']}/study{row['visit']}/{_FRONTAL}.jpg"


def mimic_file(row: dict[str, Any]) -> str:
    """Return the published path: patient, study and a name of 40 hex digits."""
    patient = row["patient"]
    study = f"5{patient[-4:]}{row['visit']:03d}"
    name = sha256(f"{patient} {study}".encode()).hexdigest()[:40]
    name = "-".join(name[n : n + 8] for n in range(0, 40, 8))
    return f"files/p{patient[:2]}/p{patient}/s{study}/{name}.jpg"


@published(encode_jpeg)
def write_chexpert(drawn: Drawn) -> tuple[RawImages, pd.DataFrame, pd.DataFrame]:
    """Return the image files, `train.csv` and `valid.csv`, which radiologists read."""
    rows = drawn.rows
    frontal = pd.DataFrame(
        {
            "Path": "CheXpert-v1.0-small/" + rows["file"],
            "Sex": rows["sex"].map({"M": "Male", "F": "Female"}),
            "Age": rows["age_years"].clip(upper=90),
            "Frontal/Lateral": "Frontal",
            "AP/PA": rows["view"].str.split().str[0],
            **_observed(rows, is_read=rows["file"].str.startswith("valid/")),
        }
    )
    lateral = frontal.iloc[::_LATERAL_EVERY].assign(
        Path=lambda table: table["Path"].str.replace(_FRONTAL, _LATERAL),
        **{"Frontal/Lateral": "Lateral", "AP/PA": ""},
    )
    table = pd.concat([frontal, lateral]).sort_values("Path", ignore_index=True)
    is_valid = table["Path"].str.contains("/valid/")
    images = drawn.with_further(
        replace(order, file=order.file.replace(_FRONTAL, _LATERAL))
        for order in drawn.orders[::_LATERAL_EVERY]
    )
    return images, table[~is_valid], table[is_valid]


@published(encode_jpeg)
def write_mimic_cxr_jpg(
    drawn: Drawn,
) -> tuple[RawImages, pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the image files, metadata, split and the labels of both labelers."""
    rows, orders = drawn.rows, drawn.orders
    laterals = [
        replace(order, file=order.file.replace(order.stem, order.stem[::-1]))
        for order in orders[::_LATERAL_EVERY]
    ]
    study = PurePosixPath(orders[0].file).parts[-2]
    unlabelled = orders[0].file.replace(study, f"s{_UNLABELLED}")
    unlabelled = unlabelled.replace(orders[0].stem, orders[0].stem[::-1] + "-0")
    listed = pd.concat(
        [
            rows,
            rows.iloc[::_LATERAL_EVERY].assign(
                file=[order.file for order in laterals], view="LATERAL"
            ),
            rows.iloc[:1].assign(file=unlabelled),
        ],
        ignore_index=True,
    )
    number = listed["patient"].str[-4:].astype(int)
    part = np.select([number % 5 == 0, number % 5 == 1], ["test", "validate"], "train")
    split = _mimic_ids(listed)[["dicom_id", "study_id", "subject_id"]]
    studies = _mimic_ids(rows)[["subject_id", "study_id"]]
    chexpert, negbio = (
        studies.join(pd.DataFrame(_observed(rows, shift=shift))[sorted(_OBSERVATIONS)])
        for shift in (0, 3)
    )
    images = drawn.with_further([*laterals, replace(orders[0], file=unlabelled)])
    return images, _metadata(listed), split.assign(split=part), chexpert, negbio


def _mimic_ids(rows: pd.DataFrame) -> pd.DataFrame:
    paths = rows["file"].map(PurePosixPath)
    return pd.DataFrame(
        {
            "dicom_id": paths.map(lambda path: path.stem),
            "subject_id": rows["patient"],
            "study_id": paths.map(lambda path: path.parts[-2].removeprefix("s")),
        }
    )


def _metadata(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the table in which the view stands, at times in its coded form only."""
    view = rows["view"].str.split().str[0]
    coded = view.map(
        {"PA": "postero-anterior", "AP": "antero-posterior", "LATERAL": "lateral"}
    )
    is_blank = rows["drawing_seed"] % 5 == 0
    return _mimic_ids(rows).assign(
        ViewPosition=view.mask(is_blank, ""),
        StudyDate="2180" + rows["study_date"].str[4:],  # shifted
        ViewCodeSequence_CodeMeaning=coded,
    )


def _observed(
    rows: pd.DataFrame, *, is_read: pd.Series | None = None, shift: int = 0
) -> dict[str, NDArray[np.str_]]:
    """Return the cells of each observation, by its name.

    Args:
        rows: What is drawn.
        is_read: True where radiologists read the image: none is left open.
        shift: Another labeler hedges elsewhere.
    """
    cells = {}
    is_sure = np.zeros(len(rows), bool) if is_read is None else is_read.to_numpy(bool)
    for number, (name, drawn) in enumerate(_OBSERVATIONS.items()):
        is_there = rows[[*drawn]].astype(bool).any(axis=1).to_numpy(bool)
        dice = (rows["drawing_seed"].to_numpy() + 7 * number + shift) % 10
        if name == "No Finding":
            named = [one for each in _OBSERVATIONS.values() for one in each]
            is_there = ~rows[named].astype(bool).any(axis=1).to_numpy(bool)
            dice = np.full(len(rows), 1)
        as_told = np.select([dice == 0, is_there, dice < 6], ["-1.0", "1.0", ""], "0.0")
        cells[name] = np.where(is_sure, np.where(is_there, "1.0", "0.0"), as_told)
    return cells
