import logging

import pandas as pd
import pytest

from covid_cxr.sources.bimcv import read_bimcv
from covid_cxr.sources.covid import CovidIngestion, list_covid

BIMCV = CovidIngestion(layout="bimcv", pseudonym_salt=None)


def labels(*sessions):
    """Return a table of labels with the published columns, for (subject, session)."""
    rows = "".join(
        f"{n}\tsub-{subject}\tses-{session}\treport\t['normal']\n"
        for n, (subject, session) in enumerate(sessions)
    )
    return f"\tPatientID\tReportID\tReport\tLabels\n{rows}"


def image(collection, subject, session, *, view="ap", run=1):
    return (
        f"{collection}/sub-{subject}/ses-{session}/mod-rx/"
        f"sub-{subject}_ses-{session}_run-{run}_bp-chest_vp-{view}_cr.png"
    )


POSITIVE = {
    "covid19_posi/derivatives/labels/labels_covid19_posi.tsv": labels(
        ("S03047", "E07985")
    ),
    "covid19_posi/participants.tsv": (
        "participant\tmodality_dicom\tbody_parts\tage\tgender\n"
        "sub-S03047\t['CR']\t[['chest']]\t['067Y', '068Y']\tM\n"
    ),
    image("covid19_posi", "S03047", "E07985"): "",
}
NEGATIVE = {
    "covid19_neg/derivatives/labels/labels_SARS-cov-2_nega.tsv": labels(
        ("S09001", "E20001"), ("S03047", "E20002")
    ),
    "covid19_neg/participants.tsv": (
        "participant\tmodality_dicom\tbody_parts\tage\tgender\n"
        "sub-S09001\t['CR']\t[['chest']]\t[54]\tF\n"
    ),
    image("covid19_neg", "S09001", "E20001", view="pa"): "",
    image("covid19_neg", "S03047", "E20002"): "",
}
JOIN = {
    "covid19_neg/listjoin_ok.tsv": (
        "\tcovid19_neg\tcovid19_posi\n0\tsub-S09001\tsub-S03047\n"
    )
}


def test_the_collection_of_the_session_is_the_label(unpacked):
    radiographs, rejected = list_covid(
        None, None, None, unpacked({**POSITIVE, **NEGATIVE, **JOIN}), BIMCV
    )

    rows = radiographs.set_index("file")
    positive = rows.loc[image("covid19_posi", "S03047", "E07985")]
    negative = rows.loc[image("covid19_neg", "S09001", "E20001", view="pa")]
    assert [positive["covid19"], negative["covid19"]] == [True, False]
    assert [positive["view"], negative["view"]] == ["AP", "PA"]
    assert [positive["sex"], negative["sex"]] == ["M", "F"]
    assert [positive["age_years"], negative["age_years"]] == [67.0, 54.0]
    assert rejected.empty


def test_a_patient_of_both_collections_is_one_patient(unpacked):
    listing = read_bimcv(unpacked({**POSITIVE, **NEGATIVE, **JOIN}))

    patients = listing.set_index("name")["patient"]
    assert patients[image("covid19_posi", "S03047", "E07985")] == "S03047"
    assert patients[image("covid19_neg", "S09001", "E20001", view="pa")] == "S03047"


def test_the_collections_number_their_subjects_apart(unpacked):
    listing = read_bimcv(unpacked({**POSITIVE, **NEGATIVE, **JOIN}))

    row = listing.set_index("name").loc[image("covid19_neg", "S03047", "E20002")]
    assert row["patient"] == "neg-S03047"
    assert row["sex"] == "unknown"  # S03047 of the other collection is a man


def test_without_the_list_of_shared_patients_the_log_says_so(unpacked, caplog):
    with caplog.at_level(logging.WARNING):
        read_bimcv(unpacked({**POSITIVE, **NEGATIVE}))

    assert "patients who are in both collections cannot be recognised" in caplog.text


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (image("x", "S03047", "E07985", view="ll"), "lateral view"),
        (image("x", "S03047", "E07985", view="xx"), "view not understood"),
        (image("x", "S03047", "E99999"), "its session is in no table of labels"),
        ("x/preview.png", "its name has no subject and session"),
    ],
)
def test_a_file_that_cannot_be_used_is_rejected_alone(unpacked, name, reason):
    listing = read_bimcv(unpacked({**POSITIVE, name: ""})).set_index("name")

    assert listing.pop("reason").dropna().to_dict() == {name: reason}


def test_a_session_in_both_tables_is_rejected(unpacked):
    both = {
        "covid19_neg/derivatives/labels/Labels_covid_NEG_JAN21.tsv": labels(
            ("S03047", "E07985")
        )
    }

    listing = read_bimcv(unpacked({**POSITIVE, **both, **JOIN}))

    assert listing["reason"].tolist() == [
        "its session is in the labels of both collections"
    ]


def test_participants_above_both_collections_are_left_unread(unpacked, caplog):
    files = {**POSITIVE, **NEGATIVE, **JOIN}
    files["participants.tsv"] = files.pop("covid19_posi/participants.tsv")

    with caplog.at_level(logging.WARNING):
        listing = read_bimcv(unpacked(files)).set_index("name")

    assert "the labels of 2 collections below it" in caplog.text
    assert listing.loc[image("covid19_posi", "S03047", "E07985"), "sex"] == "unknown"


def test_a_folder_without_labels_is_refused(unpacked):
    with pytest.raises(ValueError, match=r"no labels\*posi\*\.tsv and no labels\*neg"):
        read_bimcv(unpacked({image("x", "S1", "E1"): ""}))


def test_tables_that_a_spreadsheet_saved_again_are_read(unpacked):
    saved = {
        name: text.replace("\t", ";") if name.endswith(".tsv") else text
        for name, text in {**POSITIVE, **NEGATIVE, **JOIN}.items()
    }

    listing = read_bimcv(unpacked(saved))

    pd.testing.assert_frame_equal(
        listing, read_bimcv(unpacked({**POSITIVE, **NEGATIVE, **JOIN}))
    )
