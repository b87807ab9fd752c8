import hashlib
import hmac
import logging

import pandas as pd
import pytest

from covid_cxr.sources.covid import CovidIngestion, list_covid
from covid_cxr.sources.covid_patients import identify_patients

SALT = "a secret of this project"


def listing(*rows):
    """Return a listing of (source, patient, name)."""
    return pd.DataFrame(rows, columns=["source", "patient", "name"], dtype="str")


def patients(table, *, rsna_mapping=None, salt=None):
    identified = identify_patients(table, rsna_mapping=rsna_mapping, salt=salt)
    return identified["patient_id"].tolist()


def test_the_same_id_of_two_sources_is_two_patients():
    table = listing(("sirm", "1", "a.png"), ("cohen", "1", "b.png"))

    assert patients(table) == ["sirm:1", "cohen:1"]


def test_nih_images_carry_the_nih_patient():
    table = listing(
        ("nih", "whoever", "folder/00000013_002.png"),
        ("nih", "00000013", "renamed.png"),
        ("nih", "0", "other.png"),
    )

    identified = identify_patients(table, rsna_mapping=None, salt=None)

    assert identified["patient_id"].tolist() == ["nih:13", "nih:13", "nih:0"]
    assert identified["nih_image"].fillna("-").tolist() == [
        "00000013_002.png",
        "-",
        "-",
    ]


def test_pseudonyms_are_keyed_hashes_that_others_cannot_make():
    table = listing(("covid", "Mrs Smith", "a.png"), ("covid", "Mrs Smith", "b.png"))

    found = patients(table, salt=SALT)

    digest = hmac.new(SALT.encode(), b"Mrs Smith", hashlib.sha256).hexdigest()
    assert found == [f"covid:{digest[:16]}"] * 2
    assert patients(table, salt="another secret of 16") != found


def test_public_ids_keep_their_identity_under_a_salt():
    table = listing(
        ("rsna", "aa", "aa.dcm"), ("rsna", "bb", "bb.dcm"), ("nih", "7", "x.png")
    )
    mapping = "patientId,nih_image\naa,00000007_000.png\n"

    assert patients(table, rsna_mapping=mapping, salt=SALT) == [
        "nih:7",
        "rsna:bb",
        "nih:7",
    ]


def test_rsna_images_without_the_mapping_are_named_in_the_log(caplog):
    with caplog.at_level(logging.INFO):
        found = patients(listing(("rsna", "aa", "aa.dcm")))

    assert found == ["rsna:aa"]
    assert "without rsna_mapping each image is taken for a patient" in caplog.text


def test_the_salt_is_never_shown(folder_of, caplog):
    ingestion = CovidIngestion(layout="manifest", pseudonym_salt=SALT)
    manifest = pd.DataFrame(
        {
            "image": ["a.png", "b.png"],
            "patient": ["Mrs Smith", "Mr Jones"],
            "rt_pcr": ["positive", "negative"],
            **dict.fromkeys(("site", "view", "sex", "age"), None),
        },
        dtype="str",
    )

    with caplog.at_level(logging.DEBUG):
        tables = list_covid(manifest, None, None, folder_of(), ingestion)

    shown = repr(ingestion) + caplog.text + "".join(table.to_csv() for table in tables)
    assert SALT not in shown
    assert "Smith" not in shown


@pytest.mark.parametrize("salt", ["short", "", 1234567890123456])
def test_a_salt_that_can_be_guessed_is_refused_without_being_shown(salt):
    with pytest.raises(ValueError, match="at least 16 characters") as refused:
        CovidIngestion(layout="manifest", pseudonym_salt=salt)

    assert not salt or str(salt) not in str(refused.value)
