import logging
from pathlib import Path

import pandas as pd
import pytest

from covid_cxr.cohorts.covid_manifest import read_manifest
from covid_cxr.cohorts.manifest_listing import COLUMNS
from covid_cxr.sources.covid import CovidIngestion, list_covid

MANIFEST = CovidIngestion(layout="manifest", pseudonym_salt=None)
PUBLIC = CovidIngestion(layout="covid_chestxray_dataset", pseudonym_salt=None)


def list_rows(table, folder, ingestion, *, additions=None, rsna_mapping=None):
    return list_covid(table, additions, rsna_mapping, folder, ingestion)


def manifest(**columns):
    n_rows = len(next(iter(columns.values())))
    return pd.DataFrame(
        {
            "image": [f"{n}.dcm" for n in range(n_rows)],
            "patient": [f"p{n}" for n in range(n_rows)],
            "rt_pcr": "positive",
            "site": "site_a",
            "view": "AP",
            "sex": "F",
            "age": "61",
            **columns,
        },
        dtype="str",
    )


def metadata(**columns):
    n_rows = len(next(iter(columns.values())))
    return pd.DataFrame(
        {
            "patientid": [str(n) for n in range(n_rows)],
            "offset": "0",
            "sex": "M",
            "age": "65",
            "finding": "COVID-19",
            "view": "PA",
            "modality": "X-ray",
            "date": "January 22, 2020",
            "location": "Cho Ray Hospital, Ho Chi Minh City, Vietnam",
            "folder": "images",
            "filename": [f"{n}.jpg" for n in range(n_rows)],
            **columns,
        },
        dtype="str",
    )


def test_the_rt_pcr_result_is_the_label(folder_of):
    table = manifest(rt_pcr=["positive", "Negative", " POSITIVE "])

    radiographs, _ = list_rows(table, folder_of("1.dcm"), MANIFEST)

    assert radiographs["covid19"].tolist() == [True, False, True]
    assert radiographs["patient_id"].tolist() == ["covid:p0", "covid:p1", "covid:p2"]
    assert radiographs["file"].notna().tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("rt_pcr", "pending", "RT-PCR result not understood"),
        ("rt_pcr", None, "no RT-PCR result"),
        ("patient", " ", "no patient"),
        ("image", None, "no image name"),
        ("view", "LL", "lateral view"),
    ],
)
def test_a_row_that_cannot_be_used_is_rejected_alone(folder_of, column, value, reason):
    table = manifest(site=["a", "a"])
    table.loc[1, column] = value

    radiographs, rejected = list_rows(table, folder_of(), MANIFEST)

    assert radiographs["image_id"].tolist() == ["0.dcm"]
    assert rejected["reason"].tolist() == [reason]


def test_what_a_manifest_leaves_blank_is_unknown(folder_of):
    table = manifest(site=[None], view=[""], sex=[None], age=[None])

    radiographs, _ = list_rows(table, folder_of(), MANIFEST)

    row = radiographs.iloc[0]
    assert row[["site", "view", "sex"]].tolist() == ["unknown"] * 3
    assert pd.isna(row["age_years"])


def test_an_image_with_both_results_is_rejected_altogether(folder_of):
    table = manifest(
        image=["a", "a", "b"],
        patient=list("xxy"),
        rt_pcr=["positive", "negative", "negative"],
    )

    radiographs, rejected = list_rows(table, folder_of(), MANIFEST)

    assert radiographs["image_id"].tolist() == ["b"]
    assert rejected["reason"].tolist() == ["listed with different labels"] * 2


def test_a_manifest_may_name_the_source_and_the_date(folder_of):
    table = manifest(
        patient=["1", "1", "1"],
        rt_pcr=["positive", "negative", "negative"],
        source=["Hospital A", "b", None],
        study_date=["2020-03-01", None, None],
    )

    radiographs, _ = list_rows(table, folder_of(), MANIFEST)

    assert radiographs["source"].tolist() == ["hospital-a", "b", "covid"]
    assert radiographs["patient_id"].tolist() == ["hospital-a:1", "b:1", "covid:1"]
    assert radiographs["study_date"].fillna("-").tolist() == ["2020-03-01", "-", "-"]


def test_the_template_has_every_column_and_no_row_that_is_rejected(folder_of):
    how_to = Path(__file__).parents[2] / "docs/how-to"
    template = pd.read_csv(how_to / "manifest-template.csv", dtype="str")

    radiographs, rejected = list_rows(template, folder_of(), MANIFEST)

    assert rejected.empty
    assert radiographs["covid19"].tolist() == [True, False, False]
    assert template.columns.tolist() == [
        *(*COLUMNS[:2], "rt_pcr", *COLUMNS[2:]),
        *("source", "study_date"),
    ]
    described = (how_to / "own-data.md").read_text()
    assert all(f"| `{column}` |" in described for column in template.columns)


def test_additions_join_any_layout(folder_of):
    additions = manifest(
        image=["aa.dcm", "0.jpg"],
        patient=["aa", "2"],
        rt_pcr=["negative", "negative"],
        source=["rsna", "site_b"],
    )
    mapping = "patientId,nih_image\naa,00000007_000.png\n"

    radiographs, rejected = list_rows(
        metadata(sex=["M", "F"]),
        folder_of("aa.dcm"),
        PUBLIC,
        additions=additions,
        rsna_mapping=mapping,
    )

    rows = radiographs.set_index("image_id")
    assert rows["source"].to_dict() == {
        "1.jpg": "covid-chestxray-dataset",
        "aa.dcm": "rsna",
    }
    assert rows.loc["aa.dcm", ["patient_id", "file"]].tolist() == [
        "nih:7",
        "images/aa.dcm",
    ]
    # 0.jpg is positive in the collection and negative in the additions.
    assert rejected["reason"].tolist() == ["listed with different labels"] * 2


def test_additions_need_a_source(folder_of):
    additions = manifest(site=["a"])

    with pytest.raises(ValueError, match=r"additions\.csv\) lacks the columns source"):
        list_rows(manifest(site=["a"]), folder_of(), MANIFEST, additions=additions)


def test_a_layout_whose_table_is_absent_says_what_to_do(folder_of):
    with pytest.raises(ValueError, match=r"covid_manifest is absent; .*covidx, ricord"):
        list_rows(None, folder_of(), MANIFEST)


def test_a_source_that_determines_the_label_is_warned_of(folder_of, caplog):
    table = manifest(rt_pcr=["positive", "negative"], source=["ricord", "rsna"])

    list_rows(table, folder_of(), MANIFEST)

    assert "THE SOURCE OF AN IMAGE DETERMINES ITS LABEL" in caplog.text


@pytest.mark.parametrize("is_synthetic", [True, False])
def test_only_a_real_collection_is_compared_with_the_published_counts(
    folder_of, caplog, is_synthetic
):
    with caplog.at_level(logging.INFO):
        list_rows(metadata(sex=["M"]), folder_of(is_synthetic=is_synthetic), PUBLIC)

    assert ("1 rows (published 542)" in caplog.text) is not is_synthetic


def test_missing_columns_of_a_manifest_are_named(folder_of):
    table = manifest(site=["a"]).drop(columns=["rt_pcr", "age"])

    with pytest.raises(
        ValueError,
        match=r"manifest\.csv\) lacks the columns rt_pcr, age; it has image, patient,",
    ):
        list_rows(table, folder_of(), MANIFEST)


def test_a_layout_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="covidx, ricord, bimcv, got 'x'"):
        CovidIngestion(layout="x", pseudonym_salt=None)


@pytest.mark.parametrize(
    ("finding", "is_case"),
    [
        ("COVID-19", True),
        ("COVID-19, ARDS", True),
        ("Pneumonia/Viral/COVID-19", True),
        ("Pneumonia/Viral/SARS", False),
        ("Streptococcus", False),
        ("No Finding", False),
    ],
)
def test_both_generations_of_findings_are_read(folder_of, finding, is_case):
    radiographs, _ = list_rows(metadata(finding=[finding]), folder_of(), PUBLIC)

    assert radiographs["covid19"].tolist() == [is_case]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("finding", "todo", "finding not stated"),
        ("finding", "Unknown", "finding not stated"),
        ("finding", None, "finding not stated"),
        ("modality", "CT", "not an X-ray"),
        ("modality", None, "not an X-ray"),
        ("view", "L", "lateral view"),
        ("view", "?", "view not stated"),
        ("view", None, "view not stated"),
        ("patientid", None, "no patient"),
        ("filename", None, "no image name"),
    ],
)
def test_a_public_row_that_cannot_be_used_is_rejected_alone(
    folder_of, column, value, reason
):
    table = metadata(sex=["M", "F"])
    table.loc[1, column] = value

    radiographs, rejected = list_rows(table, folder_of(), PUBLIC)

    assert radiographs["image_id"].tolist() == ["0.jpg"]
    assert rejected["reason"].tolist() == [reason]


def test_supine_views_are_ap(folder_of):
    table = metadata(view=["AP Supine", "APS", "AP", "PA"])

    radiographs, _ = list_rows(table, folder_of(), PUBLIC)

    assert radiographs["view"].tolist() == ["AP", "AP", "AP", "PA"]


def test_the_site_is_the_country(folder_of):
    places = ["Cho Ray Hospital, Ho Chi Minh City, Vietnam", "Italy", "?", None]

    radiographs, _ = list_rows(metadata(location=places), folder_of(), PUBLIC)

    assert radiographs["site"].tolist() == ["Vietnam", "Italy", "unknown", "unknown"]


def test_a_patient_may_have_both_labels_and_ids_keep_their_case(folder_of):
    table = metadata(
        patientid=["324a", "324a", "324A"], finding=["No Finding", "COVID-19", "SARS"]
    )

    radiographs, _ = list_rows(table, folder_of(), PUBLIC)

    assert radiographs["patient_id"].str.removeprefix(
        "covid-chestxray-dataset:"
    ).tolist() == ["324a", "324a", "324A"]
    assert radiographs["covid19"].tolist() == [False, True, False]


def test_a_positive_test_with_another_finding_is_rejected(folder_of):
    table = metadata(
        finding=["Pneumonia", "Pneumonia", "Pneumonia", "Pneumonia/Viral/COVID-19"],
        RT_PCR_positive=["Y", "Unclear", None, "Y"],
    )

    radiographs, rejected = list_rows(table, folder_of(), PUBLIC)

    assert radiographs["covid19"].tolist() == [False, False, True]
    assert rejected["image_id"].tolist() == ["0.jpg"]
    assert "RT-PCR positive" in rejected["reason"][0]


def test_a_file_of_two_patients_is_used_once(folder_of):
    table = metadata(filename=["a.jpg", "a.jpg"], patientid=["285", "339"])

    radiographs, rejected = list_rows(table, folder_of(), PUBLIC)

    assert radiographs["patient_id"].tolist() == ["covid-chestxray-dataset:285"]
    assert rejected["reason"].tolist() == ["listed again, for another patient"]


def test_missing_columns_of_the_public_table_are_named(folder_of):
    with pytest.raises(ValueError, match=r"metadata\.csv\) lacks the columns finding;"):
        list_rows(metadata(sex=["M"]).drop(columns="finding"), folder_of(), PUBLIC)


@pytest.mark.parametrize(
    "word", ["pos", "1", "True", "detected", "POSITIVO", "+", "sí"]
)
def test_a_positive_result_is_understood_as_people_write_it(word, folder_of):
    assert read_result(word, folder_of) == [True]


@pytest.mark.parametrize("word", ["neg", "0", "False", "not detected", "Negativa", "-"])
def test_a_negative_result_is_understood_as_people_write_it(word, folder_of):
    assert read_result(word, folder_of) == [False]


def read_result(word, folder_of):
    rows = pd.DataFrame(
        {
            **dict.fromkeys(["site", "view", "sex", "age"], ""),
            "image": ["1.png", "2.png"],
            "patient": ["1", "2"],
            "rt_pcr": [word, "negative"],
        }
    )
    listing = read_manifest(rows)
    assert listing["reason"].isna().all()
    return listing["covid19"].tolist()[:1]


def test_one_file_listed_under_two_names_with_two_labels_is_rejected(folder_of):
    rows = pd.DataFrame(
        {
            **dict.fromkeys(["site", "view", "sex", "age"], ""),
            "image": ["1.png", "./IMAGES/1.PNG", "2.png"],
            "patient": ["1", "1", "2"],
            "rt_pcr": ["positive", "negative", "negative"],
        }
    )

    radiographs, rejected = list_covid(
        rows,
        None,
        None,
        folder_of("1.png", "2.png"),
        CovidIngestion(layout="manifest", pseudonym_salt=None),
    )

    assert radiographs["image_id"].tolist() == ["2.png"]
    assert set(rejected["reason"]) == {"listed with different labels"}
