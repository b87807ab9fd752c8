"""The publishers' own tables, where they are at hand: every count, every row."""

import gzip

import pytest

from covid_cxr.sources.covid import CovidIngestion, list_covid
from covid_cxr.sources.nih import list_nih
from covid_cxr.sources.rsna import RsnaIngestion, list_rsna
from covid_cxr.user_csv import read_user_csv

pytestmark = pytest.mark.slow


def text_of(place):
    return gzip.decompress(place.read_bytes()).decode()


def test_the_nih_table_of_2017_gives_the_radiographs_of_that_of_2020(
    real_data, folder_of
):
    nih = real_data / "nih"
    entries = read_user_csv(nih / "Data_Entry_2017_v2020.csv.gz")
    ages = entries["Patient Age"].str.zfill(3) + "Y"
    # As that of 2017, it ends each line with a comma.
    older = read_user_csv(
        entries.assign(**{"Patient Age": ages, "": ""}).to_csv(index=False).encode()
    )

    radiographs, _, rejected = list_nih(
        older,
        text_of(nih / "train_val_list.txt.gz"),
        text_of(nih / "test_list.txt.gz"),
        None,
        folder_of(),
    )

    assert (len(radiographs), len(rejected)) == (112_120, 0)
    assert radiographs["patient_id"].nunique() == 30_805
    assert (
        radiographs["age_years"].tolist()
        == entries["Patient Age"].astype("float64").tolist()
    )


def test_the_rsna_tables_hold_what_was_published(real_data, folder_of):
    rsna = real_data / "rsna"
    radiographs, boxes, rejected = list_rsna(
        read_user_csv(rsna / "stage_2_train_labels.csv.gz"),
        read_user_csv(rsna / "stage_2_detailed_class_info.csv.gz"),
        text_of(rsna / "rsna_nih_matches.csv.gz"),
        folder_of(),
        RsnaIngestion(patient_identity="nih_patient"),
    )

    assert (len(radiographs), len(boxes), len(rejected)) == (26_684, 9_555, 0)
    assert radiographs["pneumonia"].sum() == 6_012
    assert radiographs["patient_id"].nunique() == 11_439
    assert radiographs["is_doubtful_match"].sum() == 98


def test_every_row_of_the_public_collection_is_used_or_has_a_reason(
    real_data, folder_of
):
    radiographs, rejected = list_covid(
        read_user_csv(real_data / "covid-chestxray-dataset/metadata.csv"),
        None,
        None,
        folder_of(),
        CovidIngestion(layout="covid_chestxray_dataset", pseudonym_salt=None),
    )

    assert len(radiographs) + len(rejected) == 751
    assert rejected["reason"].value_counts().to_dict() == {
        "not an X-ray": 84,
        "lateral view": 58,
        "view not stated": 39,
        "finding not stated": 28,
        "listed again, for another patient": 4,
    }
    assert radiographs["covid19"].sum() == 434
