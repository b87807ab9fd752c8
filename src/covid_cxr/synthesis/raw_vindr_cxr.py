"""VinDr-CXR: DICOM files, three readers' rows and boxes of each training image."""

from hashlib import sha256
from typing import Any

import pandas as pd

from covid_cxr.synthesis.drawing import Box, read_signs
from covid_cxr.synthesis.findings import OPACITIES
from covid_cxr.synthesis.orders import RawImages
from covid_cxr.synthesis.raw_files import Drawn, encode_jpeg_dicom, published

READERS = ("R8", "R9", "R10")
# In the published order, with what is drawn of each.
_COLUMNS = {
    "Aortic enlargement": (),
    "Atelectasis": ("atelectasis",),
    "Calcification": (),
    "Cardiomegaly": ("cardiomegaly",),
    "Clavicle fracture": (),
    "Consolidation": ("consolidation",),
    "Edema": ("edema",),
    "Emphysema": ("emphysema",),
    "Enlarged PA": (),
    "ILD": (),
    "Infiltration": ("infiltration",),
    "Lung Opacity": OPACITIES,
    "Lung cavity": (),
    "Lung cyst": (),
    "Mediastinal shift": (),
    "Nodule/Mass": ("nodule", "mass"),
    "Pleural effusion": ("effusion",),
    "Pleural thickening": ("pleural_thickening",),
    "Pneumothorax": ("pneumothorax",),
    "Pulmonary fibrosis": ("fibrosis",),
    "Rib fracture": (),
    "Other lesion": (),
    "COPD": (),
    "Lung tumor": (),
    "Pneumonia": ("pneumonia",),
    "Tuberculosis": ("tuberculosis",),
    "Other diseases": ("covid19",),
}
_DISSENT_EVERY = 7  # images of which one reader says the contrary of a label


def vindr_file(row: dict[str, Any]) -> str:
    """Return the published path: a name that says nothing of the patient."""
    part = "train" if int(row["patient"][-4:]) % 4 else "test"
    return f"{part}/{sha256(row['patient'].encode()).hexdigest()[:32]}.dicom"


@published(encode_jpeg_dicom)
def write_vindr_cxr(drawn: Drawn) -> tuple[RawImages, *tuple[pd.DataFrame, ...]]:
    """Return the image files, and labels and boxes of both parts.

    Each label is that of two readers at least; the third may see it otherwise.
    """
    labels: dict[str, list[dict[str, Any]]] = {"train": [], "test": []}
    boxes: dict[str, list[dict[str, Any]]] = {"train": [], "test": []}
    for row, order in zip(drawn.rows.to_dict("records"), drawn.orders, strict=True):
        part, shape = order.file.partition("/")[0], (drawn.size_px, drawn.size_px)
        signs = read_signs(order.exam, shape=shape, look=drawn.look)
        for reader in READERS if part == "train" else ("",):
            read = {"image_id": order.stem, **({"rad_id": reader} if reader else {})}
            votes = _votes(row, reader)
            labels[part].append(
                {**read, **votes, "No finding": not any(votes.values())}
            )
            boxes[part] += [
                {**read, **box} for box in _boxes(votes, signs, drawn.size_px)
            ]
    tables = [pd.DataFrame(labels[part]) for part in ("train", "test")]
    as_numbers = [
        table.assign(**table.select_dtypes(bool).astype(int)) for table in tables
    ]
    return (
        drawn.images,
        as_numbers[0],
        as_numbers[1].rename(columns={"Other diseases": "Other disease"}),
        pd.DataFrame(boxes["train"]),
        pd.DataFrame(boxes["test"]),
    )


def _votes(row: dict[Any, Any], reader: str) -> dict[str, bool]:
    votes = {name: any(row[f] for f in drawn) for name, drawn in _COLUMNS.items()}
    if reader != READERS[row["drawing_seed"] % len(READERS)]:
        return votes
    return {
        name: is_there ^ ((row["anatomy_seed"] + number) % _DISSENT_EVERY == 0)
        for number, (name, is_there) in enumerate(votes.items())
    }


def _boxes(
    votes: dict[str, bool], signs: dict[str, Box], size_px: int
) -> list[dict[str, object]]:
    """Return the boxes of one reader; one row without where nothing is marked.

    What a reader sees and nobody has drawn is marked in the middle of the image.
    """
    middle = (size_px // 3, size_px // 3, size_px // 3, size_px // 3)
    corners = ("x_min", "y_min", "x_max", "y_max")
    found = []
    for name in (name for name, is_seen in votes.items() if is_seen):
        own = [signs[one] for one in _COLUMNS[name] if one in signs]
        for x, y, width, height in own or [middle]:
            edges = (x, y, x + width, y + height)
            found.append({"class_name": name, **dict(zip(corners, edges, strict=True))})
    return found or [{"class_name": "No finding", **dict.fromkeys(corners, "")}]
