"""Labels of images of NIH's test list on which radiologists have agreed.

Majkowska et al., Radiology 2020 (doi 10.1148/radiol.2019191293): three radiologists
read each of 1,962 images of the official test list for four findings, up to five times,
until they agreed. Google publishes the labels as YES and NO.
"""

import pandas as pd

from covid_cxr.cohorts.radiograph_table import require_columns, stated
from covid_cxr.radiographs.unmatched import unmatched_names
from covid_cxr.sources.published_counts import NIH_ADJUDICATED, log_differences
from covid_cxr.user_numbers import line_of

FILE = "four_findings_expert_labels_test_labels.csv"
ADJUDICATED = {
    "fracture": "Fracture",
    "pneumothorax": "Pneumothorax",
    "airspace_opacity": "Airspace opacity",
    "nodule_or_mass": "Nodule or mass",
}
_IMAGE, _PATIENT = "Image Index", "Patient ID"
_WORDS = {"YES": True, "NO": False}


def read_adjudicated(
    adjudicated_labels: pd.DataFrame | None, listed: pd.DataFrame
) -> pd.DataFrame:
    """Return `image_id` and a nullable column for each finding of `ADJUDICATED`.

    Of images that the cohort has. What is blank is unknown.

    Args:
        adjudicated_labels: The table as published, as text; None if it is absent: no
            image has such labels.
        listed: The radiograph table.

    Raises:
        ValueError: If columns are missing, a label is another word, an image is there
            twice or has another patient than in nih_entries: names file and line.
    """
    kinds = {"image_id": "str", **dict.fromkeys(ADJUDICATED, "boolean")}
    if adjudicated_labels is None:
        return pd.DataFrame(columns=list(kinds)).astype(kinds)
    table = adjudicated_labels
    _require_columns(table)
    images, words = _images(table), table[[*ADJUDICATED.values()]].apply(stated)
    labels = words.apply(lambda column: column.map(_WORDS).astype("boolean"))
    _refuse(table, images.duplicated(), "names an image again")
    is_other = (words.notna() & labels.isna()).any(axis=1)
    _refuse(table, is_other, "holds a label that is neither YES nor NO")
    own = images.map(listed.set_index("image_id")["patient_id"])
    numbers = stated(table[_PATIENT]).str.replace(r"\.0+$", "", regex=True)
    is_anothers = own.notna() & (own != "nih:" + numbers)
    _refuse(table, is_anothers, "has another Patient ID than nih_entries")
    read = labels.set_axis(list(ADJUDICATED), axis=1).assign(image_id=images)
    if not listed["is_synthetic"].any():
        log_differences(FILE, _counts(read), NIH_ADJUDICATED)
    known: pd.DataFrame = read.loc[own.notna(), list(kinds)].astype(kinds)
    return known.reset_index(drop=True)


def adjudicated_without_row(
    adjudicated_labels: pd.DataFrame | None, known: set[str]
) -> pd.DataFrame:
    """Return the images of the table that nih_entries lacks, as `unmatched_names`.

    Raises:
        ValueError: If columns are missing.
    """
    named: set[str] = set()
    if adjudicated_labels is not None:
        _require_columns(adjudicated_labels)
        named.update(_images(adjudicated_labels))
    return unmatched_names(
        sorted(named - known),
        of=FILE,
        n_names=len(named),
        reason="have no row in nih_entries",
    )


def _require_columns(table: pd.DataFrame) -> None:
    columns = (_IMAGE, _PATIENT, *ADJUDICATED.values())
    require_columns(table, columns, table=f"nih_adjudicated_labels ({FILE})")


def _images(table: pd.DataFrame) -> pd.Series:
    return stated(table[_IMAGE]).fillna("(none)")


def _refuse(table: pd.DataFrame, is_wrong: pd.Series, what: str) -> None:
    if is_wrong.any():
        place = int(is_wrong.to_numpy(bool).argmax())
        raise ValueError(
            f"{line_of(table, place)}, image {_images(table).iloc[place]}: it {what}. "
            f"Use {FILE} as published, or correct the line."
        )


def _counts(read: pd.DataFrame) -> dict[str, int]:
    """Return the counts that `published_counts.NIH_ADJUDICATED` holds."""
    positive = {f"with {name}": int(read[name].sum()) for name in ADJUDICATED}
    return {"images": len(read), **positive}
