"""Every source rejects views from the side, and says which views it did not understand.

The words are written as hospitals do, and read by one vocabulary.
"""

import logging

import pandas as pd
import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from covid_cxr.radiographs.folder import list_folder
from covid_cxr.sources.bimcv import read_bimcv
from covid_cxr.sources.covid import CovidIngestion, list_covid
from covid_cxr.sources.nih import list_nih
from covid_cxr.sources.ricord import read_ricord
from covid_cxr.sources.rsna import RsnaIngestion, list_rsna

FROM_THE_SIDE = ["LL", "RLD", "LLO", "Lateral izquierda", "profil", "schräg", "OBLIQUE"]
NOT_UNDERSTOOD = ["COSTAL", "Apex", "Doe^Jane"]
MANIFEST = CovidIngestion(layout="manifest", pseudonym_salt=None)
STRICT = CovidIngestion(
    layout="manifest", pseudonym_salt=None, view_not_understood="reject"
)


def with_frontal(views):
    return ["PA", "AP", *views]


def manifest(views, **columns):
    return pd.DataFrame(
        {
            "image": [f"{n}.png" for n in range(len(views))],
            "patient": [f"p{n}" for n in range(len(views))],
            "rt_pcr": "positive",
            "site": "a",
            "view": views,
            "sex": "F",
            "age": "61",
            **columns,
        },
        dtype="str",
    )


def of_manifest(views, folder, ingestion=MANIFEST):
    return list_covid(manifest(views), None, None, list_folder(folder), ingestion)[1]


def of_additions(views, folder, ingestion=MANIFEST):
    added = manifest(views, source="elsewhere")
    return list_covid(
        manifest(["AP"], image=["x.png"]), added, None, list_folder(folder), ingestion
    )[1]


def of_public_collection(views, folder):
    table = pd.DataFrame(
        {
            "patientid": [str(n) for n in range(len(views))],
            "sex": "M",
            "age": "65",
            "finding": "COVID-19",
            "view": views,
            "modality": "X-ray",
            "date": "2020",
            "location": "Vietnam",
            "filename": [f"{n}.jpg" for n in range(len(views))],
        },
        dtype="str",
    )
    ingestion = CovidIngestion(layout="covid_chestxray_dataset", pseudonym_salt=None)
    return list_covid(table, None, None, list_folder(folder), ingestion)[1]


def of_nih(views, folder):
    names = [f"{n:08d}_000.png" for n in range(len(views))]
    table = pd.DataFrame(
        {
            "Image Index": names,
            "Finding Labels": "No Finding",
            "Patient ID": range(len(views)),
            "Patient Age": 57,
            "Patient Gender": "M",
            "View Position": views,
        }
    )
    return list_nih(table, "\n".join(names), "", None, list_folder(folder))[2]


def write_header(path, view):
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1"
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.add_new("ViewPosition", "LO", view)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)


def of_rsna(views, folder):
    ids = [f"id{n}" for n in range(len(views))]
    for image_id, view in zip(ids, views, strict=True):
        write_header(folder / f"{image_id}.dcm", view)
    labels = pd.DataFrame({"patientId": ids, "Target": 0}).assign(
        **dict.fromkeys(["x", "y", "width", "height"])
    )
    classes = pd.DataFrame({"patientId": ids, "class": "Normal"})
    ingestion = RsnaIngestion(patient_identity="kaggle_id")
    return list_rsna(labels, classes, None, list_folder(folder), ingestion)[2]


def of_ricord(views, folder):
    for n, view in enumerate(views):
        study = f"MIDRC-RICORD-1C-SITE2-{n:06d}/12345/17480"
        write_header(folder / study / "1.dcm", view)
    listing = read_ricord(list_folder(folder))
    return listing[listing["reason"].notna()]


TABLES = [of_manifest, of_additions, of_public_collection, of_nih]
HEADERS = [of_rsna, of_ricord]


@pytest.mark.parametrize("rejected_of", [*TABLES, *HEADERS])
def test_views_from_the_side_are_rejected_by_every_source(tmp_path, rejected_of):
    rejected = rejected_of(with_frontal(FROM_THE_SIDE), tmp_path)

    assert rejected["reason"].tolist() == ["lateral view"] * len(FROM_THE_SIDE)


@pytest.mark.parametrize("view", ["ll", "LL", "rld", "llo", "lat", "OBLIQUE"])
def test_bimcv_rejects_views_from_the_side_by_the_files_name(unpacked, view):
    name = f"sub-S1_ses-E1_run-1_bp-chest_vp-{view}_cr.png"
    labels = "\tPatientID\tReportID\n0\tsub-S1\tses-E1\n"

    listing = read_bimcv(unpacked({name: "", "labels_posi.tsv": labels}))

    assert listing["reason"].tolist() == ["lateral view"]


@pytest.mark.parametrize("rejected_of", [of_public_collection, of_nih])
def test_a_publishers_view_that_is_not_understood_is_rejected(
    tmp_path, rejected_of, caplog
):
    rejected = rejected_of(with_frontal(NOT_UNDERSTOOD), tmp_path)

    assert rejected["reason"].tolist() == ["view not understood"] * 3
    assert "3 values of view are not understood" in caplog.text
    assert "'COSTAL', 'Apex'" in caplog.text  # words of a table are the user's own


@pytest.mark.parametrize("rejected_of", [of_manifest, of_additions])
@pytest.mark.parametrize(
    ("ingestion", "reasons"),
    [(MANIFEST, []), (STRICT, ["view not understood"] * 3)],
)
def test_a_manifests_view_that_is_not_understood_is_for_the_parameter(
    tmp_path, rejected_of, ingestion, reasons, caplog
):
    rejected = rejected_of(
        [*with_frontal(NOT_UNDERSTOOD), "", "NA"], tmp_path, ingestion
    )

    assert rejected["reason"].tolist() == reasons
    assert "3 values of view are not understood" in caplog.text
    assert "'COSTAL', 'Apex'" in caplog.text


@pytest.mark.parametrize("value", ["Admit", "", None, True])
def test_a_choice_that_does_not_exist_is_refused_with_those_that_do(value):
    with pytest.raises(ValueError, match="must be one of admit, reject"):
        CovidIngestion(
            layout="manifest", pseudonym_salt=None, view_not_understood=value
        )


@pytest.mark.parametrize("rejected_of", HEADERS)
def test_a_headers_view_that_is_not_understood_is_counted_without_the_word(
    tmp_path, rejected_of, caplog
):
    with caplog.at_level(logging.DEBUG):
        rejected = rejected_of(with_frontal(NOT_UNDERSTOOD), tmp_path)

    assert rejected.empty  # curation admits or rejects it, by the whole header
    assert "3 values of view are not understood" in caplog.text
    assert not [word for word in NOT_UNDERSTOOD if word.upper() in caplog.text.upper()]


@pytest.mark.parametrize(
    ("folders", "reason"),
    [
        ("08-02-2002-NA-XR CHEST LATERAL-68828/1.000000-NA-82832", "lateral view"),
        ("08-02-2002-NA-XR CHEST AP-68828/2.000000-LATERAL-82832", "lateral view"),
        ("08-02-2002-NA-XR CHEST 2 VIEWS PA LAT-68828/1.000000-NA-82832", None),
        ("08-02-2002-NA-XR CHEST 1 VIEW AP-68828/1.000000-NA-82832", None),
    ],
)
def test_ricords_folders_say_what_the_header_leaves_out(tmp_path, folders, reason):
    write_header(tmp_path / f"MIDRC-RICORD-1C-SITE2-000105/{folders}/1.dcm", "")

    listing = read_ricord(list_folder(tmp_path))

    assert listing["reason"].fillna("").tolist() == [reason or ""]
