"""What a header that contradicts itself, or says too little, is taken for."""

import itertools
import logging

import numpy as np
import pandas as pd
import pytest
from pydicom import Dataset

from covid_cxr.datasets.image_store import ImageStoreDataset
from covid_cxr.radiographs.admission import Admission, stated_view
from covid_cxr.radiographs.curation import Curation, plan_store
from covid_cxr.radiographs.dicom import render
from covid_cxr.radiographs.folder import list_folder
from covid_cxr.radiographs.rendering import UnreadableRadiograph

PIXELS = np.arange(256, dtype=np.uint8).reshape(16, 16)
CHEST_STUDY = {"StudyDescription": "XR CHEST 1 VIEW AP"}


def concept(value, meaning=""):
    item = Dataset()
    item.CodeValue, item.CodeMeaning = value, meaning
    return [item]


@pytest.mark.parametrize("tag", ["ABDOMEN", "BREAST", "KIDNEY", "PORTABLE", "RIB"])
@pytest.mark.parametrize(
    "contradiction",
    [
        CHEST_STUDY,
        {"SeriesDescription": "Thorax a.p."},
        {"ProtocolName": "TÓRAX_PORTÁTIL"},
        {"AnatomicRegionSequence": concept("51185008")},
        {"AnatomicRegionSequence": concept("T-D3000")},
    ],
)
def test_a_body_part_that_another_element_contradicts_rejects_nothing(
    make_dicom, tag, contradiction
):
    rendering = render(make_dicom(PIXELS, BodyPartExamined=tag, **contradiction))

    np.testing.assert_array_equal(rendering.pixels, PIXELS)
    keyword = next(iter(contradiction))
    assert rendering.steps[1].endswith(f", but chest by {keyword}")


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"StudyDescription": "ABDOMEN 1 VIEW"},
        {"StudyDescription": "CHEST AND ABDOMEN", "ViewPosition": "AP"},
        {"SeriesDescription": "KUB", "StudyDescription": "XR CHEST"},
        {"ViewPosition": "AP"},
        {"AnatomicRegionSequence": concept("T-D4000", "Abdomen"), **CHEST_STUDY},
    ],
)
@pytest.mark.parametrize("tag", ["ABDOMEN", "KIDNEY", "LSPINE"])
def test_a_body_part_that_nothing_contradicts_rejects(make_dicom, tag, header):
    with pytest.raises(UnreadableRadiograph, match=f"^not a chest: .* {tag}$"):
        render(make_dicom(PIXELS, BodyPartExamined=tag, **header))


def test_a_breast_seen_from_the_front_is_a_chest(make_dicom):
    dataset = make_dicom(PIXELS, BodyPartExamined="BREAST", ViewPosition="AP")

    assert "chest by ViewPosition" in render(dataset).steps[1]
    dataset.ViewPosition = "CC"
    with pytest.raises(UnreadableRadiograph, match="not a chest"):
        render(dataset)


def test_the_tag_alone_decides_where_the_parameter_says_so(make_dicom):
    dataset = make_dicom(PIXELS, BodyPartExamined="ABDOMEN", **CHEST_STUDY)

    with pytest.raises(UnreadableRadiograph, match=r"not a chest: .* ABDOMEN"):
        render(dataset, Admission(body_part="tag"))


@pytest.mark.parametrize("tag", ["ABDOMEN", "HAND", "Doe^Jane"])
def test_any_part_is_admitted_where_the_parameter_says_so(make_dicom, tag):
    dataset = make_dicom(PIXELS)
    dataset.add_new("BodyPartExamined", "LO", tag)

    steps = render(dataset, Admission(body_part="admit")).steps

    assert steps[1].startswith("BodyPartExamined ")
    assert steps[1].endswith(", admitted")
    assert "DOE" not in steps[1].upper()


def test_a_coded_region_counts_where_the_tag_says_nothing(make_dicom):
    abdomen = {"AnatomicRegionSequence": concept("T-D4000", "Abdomen")}

    with pytest.raises(UnreadableRadiograph, match="AnatomicRegionSequence"):
        render(make_dicom(PIXELS, **abdomen))
    render(make_dicom(PIXELS, BodyPartExamined="CHEST", **abdomen))
    render(make_dicom(PIXELS, **abdomen), Admission(body_part="tag"))


@pytest.mark.parametrize("word", ["COSTAL", "Apex", "Lordotica", "Doe^Jane", "CC"])
def test_a_view_that_is_not_understood_is_admitted_or_rejected_and_said(
    make_dicom, word
):
    dataset = make_dicom(PIXELS)
    dataset.add_new("ViewPosition", "LO", word)

    said = [step for step in render(dataset).steps if "not understood" in step]

    assert len(said) == 1
    assert (word in said[0]) == (word == "CC")  # which alone the standard lists
    with pytest.raises(
        UnreadableRadiograph, match=r"^view not understood: "
    ) as refusal:
        render(dataset, Admission(view_not_understood="reject"))
    assert refusal.value.reason == said[0]


@pytest.mark.parametrize("word", ["", "PA", "AP SUPINE", "UNKNOWN"])
def test_a_view_that_is_understood_or_blank_is_never_said(make_dicom, word):
    dataset = make_dicom(PIXELS, ViewPosition=word)

    steps = render(dataset, Admission(view_not_understood="reject")).steps

    assert not [step for step in steps if "understood" in step]


def test_another_element_may_say_what_the_view_is(make_dicom):
    coded = concept("R-10214", "postero-anterior")
    dataset = make_dicom(PIXELS, ViewPosition="STAND", ViewCodeSequence=coded)

    render(dataset, Admission(view_not_understood="reject"))
    assert stated_view(dataset) == "PA"


@pytest.mark.parametrize(
    ("sequence", "modifiers", "code", "view"),
    [
        (
            "PatientOrientationCodeSequence",
            "PatientOrientationModifierCodeSequence",
            code,
            view,
        )
        for code, view in [
            (("F-10319", ""), "decubitus"),
            (("102535000", ""), "decubitus"),
            (("?", "left lateral decubitus"), "decubitus"),
            (("F-10340", "supine"), None),
            (("F-10320", "standing"), None),
        ]
    ]
    + [
        ("ViewCodeSequence", "ViewModifierCodeSequence", code, view)
        for code, view in [
            (("111069", "Crosstable"), "lateral"),
            (("399196006", "cephalad"), None),
        ]
    ],
)
def test_what_modifies_a_coded_view_counts_as_well(
    make_dicom, sequence, modifiers, code, view
):
    item = concept("399348003", "antero-posterior")[0]
    setattr(item, modifiers, concept(*code))
    dataset = make_dicom(PIXELS, ViewPosition="AP", **{sequence: [item]})

    if view is None:
        render(dataset)
        return
    with pytest.raises(UnreadableRadiograph, match=f"not frontal: {modifiers} {view}"):
        render(dataset)


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("CHEST LAT", "lateral"),
        ("Thorax_seitlich", "lateral"),
        ("TORACE LL", "lateral"),
        ("Tórax perfil", "lateral"),
        ("thorax de profil", "lateral"),
        ("CHEST OBLIQUE", "oblique"),
        ("tórax decúbito lateral", "decubitus"),
    ],
)
def test_a_description_from_the_side_counts_where_no_view_is_stated(
    make_dicom, text, view
):
    with pytest.raises(UnreadableRadiograph, match=f"SeriesDescription {view}"):
        render(make_dicom(PIXELS, SeriesDescription=text))
    render(make_dicom(PIXELS, SeriesDescription=text, ViewPosition="PA"))


@pytest.mark.parametrize(
    "text",
    [
        "CHEST PA AND LAT",
        "Chest 2 views lateral",
        "CHEST PA/LAT",
        "late follow-up, RLL pneumonia",
        "W Chest L",
        "decúbito supino",
        "Thorax in 2 Ebenen seitlich",
        "dose profile, latex allergy",
    ],
)
def test_a_description_of_more_than_a_lateral_view_rejects_nothing(make_dicom, text):
    render(make_dicom(PIXELS, SeriesDescription=text))


@pytest.mark.parametrize("name", ["body_part", "view_not_understood"])
@pytest.mark.parametrize("value", ["Fields", "", None, True])
def test_a_choice_that_does_not_exist_is_refused_with_those_that_do(name, value):
    usual = {"size_px": 8, "shard_images": 4, "compression": "none", "workers": 1}

    with pytest.raises(ValueError, match=rf"curation\.{name} must be one of .*admit"):
        Curation(**usual, cluster=None, **{name: value})


def test_each_choice_is_a_store_of_its_own(tmp_path, write_png):
    write_png(tmp_path / "a.png", PIXELS)
    table = pd.DataFrame({"image_id": ["a"], "file": ["a.png"]})
    usual = {"size_px": 8, "shard_images": 4, "compression": "none", "workers": 1}

    fingerprints = {
        plan_store(
            table,
            list_folder(tmp_path),
            Curation(**usual, cluster=None, body_part=part, view_not_understood=view),
        )
        .shard(0)
        .fingerprint
        for part, view in itertools.product(
            ["fields", "tag", "admit"], ["admit", "reject"]
        )
    }

    assert len(fingerprints) == 6


HEADERS = {
    "chest": {"BodyPartExamined": "CHEST", "ViewPosition": "PA"},
    "contradicted": {"BodyPartExamined": "ABDOMEN", **CHEST_STUDY},
    "contradicted too": {"BodyPartExamined": "BREAST", **CHEST_STUDY},
    "other": {"BodyPartExamined": "ABDOMEN"},
    "unread": {"ViewPosition": "APEX"},
    "mammography": {"ViewPosition": "CC"},
}


def curate(tmp_path, make_dicom, **choices):
    """Write the files of HEADERS, curate them twice and return the store."""
    raw = tmp_path / "raw"
    raw.mkdir()
    for name, header in HEADERS.items():
        make_dicom(PIXELS, **header).save_as(
            raw / f"{name}.dcm", enforce_file_format=True
        )
    table = pd.DataFrame(
        {"image_id": list(HEADERS), "file": [f"{n}.dcm" for n in HEADERS]}
    )
    usual = {"size_px": 8, "shard_images": 4, "compression": "none", "workers": 1}
    plan = plan_store(
        table, list_folder(raw), Curation(**usual, cluster=None, **choices)
    )
    store = ImageStoreDataset(filepath=str(tmp_path / "covid_store"))
    store.save(plan)
    store.save(plan)  # what is kept is counted as well
    return store.load()


@pytest.mark.parametrize(
    ("choice", "counts"),
    [
        ("fields", "3 images .* 2 admitted because .*, 0 admitted .*, 1 rejected"),
        ("tag", "3 images .* 0 admitted because .*, 0 admitted .*, 3 rejected"),
        ("admit", "3 images .* 0 admitted because .*, 3 admitted .*, 0 rejected"),
    ],
)
def test_what_the_body_part_decided_is_counted(
    tmp_path, make_dicom, caplog, choice, counts
):
    with caplog.at_level(logging.WARNING):
        curate(tmp_path, make_dicom, body_part=choice)

    said = [m for m in caplog.messages if "another body part" in m]
    assert len(said) == 2
    for message in said:
        assert pd.Series([message]).str.contains(f"covid_store: {counts}").all()


@pytest.mark.parametrize(
    ("choice", "counts", "stored"),
    [
        ("admit", "2 admitted, 0 rejected", 5),
        ("reject", "0 admitted, 2 rejected", 3),
    ],
)
def test_views_that_are_not_understood_are_counted(
    tmp_path, make_dicom, caplog, choice, counts, stored
):
    with caplog.at_level(logging.WARNING):
        store = curate(tmp_path, make_dicom, view_not_understood=choice)

    said = [m for m in caplog.messages if "not understood, such as" in m]
    assert len(said) == 2
    assert all(counts in message and "ViewPosition CC" in message for message in said)
    assert "APEX" not in caplog.text
    assert store.records["is_stored"].sum() == stored
