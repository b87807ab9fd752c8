import io
import logging

import pandas as pd
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    generate_uid,
)

from covid_cxr.radiographs.folder import list_folder
from covid_cxr.sources.idc import IdcIngestion, list_idc, list_unmatched_idc

STUDY, SERIES = "1.3.6.1.4.1.14519.5.2.1.9", "1.3.6.1.4.1.14519.5.2.1.10"
SBU, RICORD, AR = "A123456", "MIDRC-RICORD-1C-419639-000082", "COVID-19-AR-16406488"


def header_of(patient, *, modality="DX", **elements):
    """Return a DICOM file without pixels."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=[str(elements)])
    dataset.Modality = modality
    if patient:
        dataset.PatientID = patient
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def laid_out(collection, patient, *, modality="DX", name="a.dcm"):
    """Return a path as `idc download` writes it."""
    return f"{collection}/{patient}/{STUDY}/{modality}_{SERIES}/{name}"


@pytest.fixture
def downloaded(tmp_path):
    def make(files):
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return list_folder(tmp_path)

    return make


def listed(images, additions=None, **choices):
    return list_idc(additions, None, images, IdcIngestion(**choices))


def everything():
    return {
        laid_out("covid_19_ny_sbu", SBU): header_of(
            SBU,
            StudyDate="19010203",
            ViewPosition="AP",
            PatientSex="F",
            PatientAge="061Y",
        ),
        laid_out("midrc_ricord_1c", RICORD, modality="CR"): header_of(
            RICORD, modality="CR", ViewPosition="PA"
        ),
        laid_out("covid_19_ar", AR): header_of(AR, PatientSex="M"),
    }


def test_three_collections_are_read_by_header(downloaded):
    radiographs, rejected = listed(downloaded(everything()))
    by_source = radiographs.set_index("source")

    assert rejected.empty
    assert by_source["patient_id"].to_dict() == {
        "covid-19-ny-sbu": f"covid-19-ny-sbu:{SBU}",
        "ricord": "ricord:419639-000082",
        "covid-19-ar": "covid-19-ar:16406488",
    }
    sbu = by_source.loc["covid-19-ny-sbu"]
    assert sbu[["view", "sex", "age_years", "study_date"]].tolist() == [
        "AP",
        "F",
        61.0,
        "19010203",
    ]
    assert by_source["site"].to_dict() == {
        "covid-19-ny-sbu": "Stony Brook University",
        "ricord": "419639",
        "covid-19-ar": "University of Arkansas for Medical Sciences",
    }
    assert radiographs["covid19"].all()


def test_files_of_one_name_in_many_series_are_told_apart(downloaded):
    other = laid_out("covid_19_ny_sbu", "A654321")
    files = {**everything(), f"more/{other}": header_of("A654321")}

    radiographs, _ = listed(downloaded(files))

    assert other in radiographs["image_id"].tolist()
    assert radiographs["file"].nunique() == 4


@pytest.mark.parametrize(
    ("name", "patient", "collections", "source"),
    [
        ("flat/1.dcm", RICORD, None, "ricord"),
        ("flat/1.dcm", AR, None, "covid-19-ar"),
        ("1.dcm", SBU, ["covid_19_ny_sbu"], "covid-19-ny-sbu"),
        ("COVID-19-NY-SBU/A1/01-01-1901-NA-CHEST-1/2.0-NA-3/1-1.dcm", SBU, None,
         "covid-19-ny-sbu"),
        ("manifest-1/COVID-19-AR/1-1.dcm", AR, ["covid_19_ar"], "covid-19-ar"),
    ],
)  # fmt: skip
def test_flat_folders_and_those_of_the_archive_are_read(
    downloaded, name, patient, collections, source
):
    images = downloaded({name: header_of(patient)})

    radiographs, _ = listed(images, collections=collections)

    assert radiographs["source"].tolist() == [source]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (laid_out("covid_19_ar", AR, modality="CT"), b"not even read"),
        (laid_out("covid_19_ar", AR, modality="SEG"), b"not even read"),
        ("covid_19_ar/flat/1.dcm", header_of(AR, modality="CT")),
        ("covid_19_ar/flat/1.dcm", header_of(AR, modality="SR")),
    ],
)
def test_other_modalities_are_counted_and_left_out(downloaded, caplog, name, content):
    caplog.set_level(logging.INFO)

    radiographs, rejected = listed(downloaded({**everything(), name: content}))

    assert len(radiographs) == 3
    assert rejected.empty
    is_ct = "CT_" in name or b"CT" in content
    assert f"1 files are no radiographs and are left out, {int(is_ct)} of them CT" in (
        caplog.text
    )


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("flat/1.dcm", header_of(SBU), "no folder and no id tells which collection"),
        ("covid_19_ar/1.dcm", header_of(""), "no PatientID in the header"),
        ("covid_19_ar/1.dcm", b"no header", "no PatientID in the header"),
        (laid_out("covid_19_ar", AR, name="b.dcm"), header_of("COVID-19-AR-9"),
         "PatientID contradicts its folder"),
        (laid_out("covid_19_ar", AR, name="b.dcm"),
         header_of(AR, ViewPosition="LL"), "lateral view"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_rejected_with_its_reason(
    downloaded, name, content, reason
):
    radiographs, rejected = listed(downloaded({**everything(), name: content}))

    assert len(radiographs) == 3
    assert rejected["reason"].tolist()[0].startswith(reason)


def test_a_damaged_header_in_the_commons_layout_is_left_to_curation(downloaded):
    files = {**everything(), laid_out("covid_19_ar", AR, name="b.dcm"): b"damaged"}

    radiographs, _ = listed(downloaded(files))

    assert radiographs["patient_id"].tolist().count("covid-19-ar:16406488") == 2


def test_files_of_a_collection_that_is_not_asked_for_are_rejected(downloaded):
    images = downloaded(everything())

    radiographs, rejected = listed(images, collections=["covid_19_ar"])

    assert radiographs["source"].tolist() == ["covid-19-ar"]
    assert rejected["reason"].tolist() == ["of a collection that is not asked for"] * 2


def test_a_collection_that_is_asked_for_and_absent_stops_with_its_name(downloaded):
    files = {laid_out("covid_19_ar", AR): header_of(AR)}

    with pytest.raises(ValueError, match=r"no radiograph .* of midrc_ricord_1c in the"):
        listed(downloaded(files), collections=["covid_19_ar", "midrc_ricord_1c"])


@pytest.mark.parametrize("collections", ["covid_19_ar", [], ["nlst"], 3])
def test_collections_that_do_not_exist_are_refused(collections):
    with pytest.raises(ValueError, match=r"list of covid_19_ny_sbu, midrc_ricord_1c"):
        IdcIngestion(collections=collections)


def test_negatives_of_a_manifest_are_added_and_warned_of(downloaded, caplog):
    files = {**everything(), "own/n1.png": b"", "own/n2.png": b""}
    additions = pd.DataFrame(
        {
            "image": ["n1.png", "n2.png", "lost.png"],
            "patient": ["1", "2", "3"],
            "rt_pcr": "negative",
            "site": "here",
            "view": "PA",
            "sex": None,
            "age": None,
            "source": "own",
        },
        dtype="str",
    )

    radiographs, rejected = listed(downloaded(files), additions)

    assert rejected.empty
    assert radiographs["covid19"].tolist() == [True] * 3 + [False] * 3
    assert "THE SOURCE OF AN IMAGE DETERMINES ITS LABEL" in caplog.text
    unmatched = list_unmatched_idc(radiographs)[["list", "image", "n_names"]]
    assert unmatched.to_numpy().tolist() == [["additions.csv", "lost.png", 3]]


def test_the_warning_says_that_all_are_positive(downloaded, caplog):
    listed(downloaded(everything()))

    assert "covid-19-ny-sbu (1 images, all positive)" in caplog.text


def test_pseudonyms_hide_the_ids_of_the_collections(downloaded):
    radiographs, _ = listed(downloaded(everything()), pseudonym_salt="sixteen letters!")

    assert not radiographs["patient_id"].str.contains("16406488|123456").any()
