"""DICOM as two commons lay it out: the Imaging Data Commons, and MIDRC with tables.

A folder for each patient, study and series; slices of CT are among them.
"""

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from pydicom import dcmread

from covid_cxr.synthesis.defects import PlantedEncoder
from covid_cxr.synthesis.dicom_files import as_bytes, make_uid
from covid_cxr.synthesis.drawing import Look
from covid_cxr.synthesis.orders import Order, RawImages, describe
from covid_cxr.synthesis.raw_files import (
    Drawn,
    encode_jpeg_dicom,
    encode_png,
    published,
)

# Collections of the commons by site, with what PatientID begins with.
IDC_SITES = {
    "covid_19_ny_sbu": ("covid-19-ny-sbu", ""),
    "midrc_ricord_1c": ("ricord", "MIDRC-RICORD-1C-"),
    "covid_19_ar": ("covid-19-ar", "COVID-19-AR-"),
}
MIDRC_SITES = {"open-a1": 0.6, "open-r1": 0.4}
_CR, _CT, _NEGATIVES = "/CR_", "/CT_", "negatives/"


def idc_file(row: dict[str, Any]) -> str:
    """Return the path of `idc-index`; negatives come from elsewhere."""
    if not row["is_positive"]:
        return f"{_NEGATIVES}{row['patient']}_{row['visit']:02d}.png"
    patient = IDC_SITES[row["site"]][1] + row["patient"]
    return f"{row['site']}/{patient}/{_in_study(row)}"


def midrc_file(row: dict[str, Any]) -> str:
    """Return the path of a download: case, study, series."""
    return f"{row['patient']}/{_in_study(row)}"


def _encode(order: Order, *, size_px: int, look: Look) -> bytes:
    """Return the file of one radiograph, or of what is said to be a slice of CT."""
    if order.file.startswith(_NEGATIVES):
        return encode_png(order, size_px=size_px, look=look)
    image = dcmread(io.BytesIO(encode_jpeg_dicom(order, size_px=size_px, look=look)))
    image.StudyInstanceUID = order.file.split("/")[-3]
    image.Modality = "CT" if _CT in order.file else "CR"
    prefix = IDC_SITES.get(order.site, ("", ""))[1]
    image.PatientID = image.PatientName = prefix + order.patient
    return as_bytes(image)


@published(_encode)
def write_idc(drawn: Drawn) -> tuple[RawImages, pd.DataFrame]:
    """Return the files, and `additions.csv`, the negatives with their source.

    All of the collections are positive; who is not is an addition.
    """
    drawn, rows = _under_own_names(drawn), drawn.rows
    is_elsewhere = rows["file"].str.startswith(_NEGATIVES)
    is_added = is_elsewhere | ~rows["covid19"]
    of_collection = rows["site"].map({k: v[0] for k, v in IDC_SITES.items()})
    source = of_collection.mask(is_elsewhere, "elsewhere")
    manifest = describe(drawn.orders).assign(
        image=rows["file"],
        rt_pcr=np.where(rows["covid19"], "positive", "negative"),
        source=source,
        site=source,
    )
    ct = [_slice(o) for o in drawn.orders if o.file.endswith(".dcm")][:2]
    return drawn.with_further(ct), manifest[is_added.to_numpy(bool)]


@published(_encode)
def write_midrc(drawn: Drawn) -> tuple[RawImages, pd.DataFrame, pd.DataFrame]:
    """Return the files, `imaging_study.tsv` and `case.tsv`.

    One study has no test in time, one no file, and one is of CT.
    """
    drawn, rows = _under_own_names(drawn), drawn.rows
    first = drawn.orders[int(rows["covid19"].to_numpy().argmax())]
    days = (rows["drawing_seed"] % 7 - 3).astype(str)
    # A negative test beside a positive one: the study is positive.
    is_both = rows["covid19"] & (rows["drawing_seed"] % 5 == 0)
    studies = pd.DataFrame(
        {
            "study_uid": rows["file"].str.split("/").str[-3],
            "case_ids": rows["patient"],
            "study_modality": "['CR']",
            "age_at_imaging": rows["age_years"].clip(upper=89),
            "age_at_imaging_gt89": np.where(rows["age_years"] > 89, "Yes", ""),
            "days_from_study_to_pos_covid_test": days.where(rows["covid19"], ""),
            "days_from_study_to_neg_covid_test": np.where(
                is_both, "[2, 40]", days.mask(rows["covid19"], "")
            ),
        }
    )
    known = first.file.split("/")[-3]
    untested, absent, tomography = (make_uid("study", f"{known} {n}") for n in range(3))
    unusable = pd.DataFrame(
        {
            "study_uid": [untested, absent, tomography],
            "case_ids": first.patient,
            "study_modality": ["['CR']", "['CR']", "['CT']"],
            "days_from_study_to_pos_covid_test": ["90", "0", "0"],
        }
    )
    cases = rows.groupby("patient", as_index=False).agg(
        sex=("sex", "first"), project_id=("site", "first"), is_case=("covid19", "any")
    )
    table = pd.DataFrame(
        {
            "submitter_id": cases["patient"],
            "sex": cases["sex"].map({"M": "Male", "F": "Female"}),
            "project_id": cases["project_id"],
            "covid19_positive": np.where(cases["is_case"], "Yes", "No"),
        }
    )
    late = replace(first, file=first.file.replace(known, untested))
    images = drawn.with_further([late, _slice(first)])
    return images, pd.concat([studies, unusable], ignore_index=True), table


def _under_own_names(drawn: Drawn) -> Drawn:
    """Return the cohort, its copies with their own patient and study in the header.

    Those are what an image is listed by: with another's, it would be no copy.
    """
    encode = drawn.images.encode
    if not isinstance(encode, PlantedEncoder):  # nothing is planted
        return drawn
    own = {order.file: order for order in drawn.orders}
    shown = {
        file: replace(own[file], exam=other.exam)
        for file, other in encode.shown.items()
    }
    planted = replace(drawn.images, encode=replace(encode, shown=shown))
    return replace(drawn, images=planted)


def _in_study(row: dict[str, Any]) -> str:
    name = f"{row['cohort']} {row['patient']} {row['visit']}"
    study, series = make_uid("study", name), make_uid("series", name)
    return f"{study}{_CR}{series}/{make_uid('image', name)}.dcm"


def _slice(order: Order) -> Order:
    """Return the order of a slice of CT, in a series of its own of the same study."""
    return replace(order, file=order.file.replace(_CR, _CT))
