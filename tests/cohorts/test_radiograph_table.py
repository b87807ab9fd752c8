from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from covid_cxr.cohorts.radiograph_table import (
    FINDINGS,
    NIH_SPELLINGS,
    admit,
    age_in_years,
    check_radiographs,
    describe_reasons,
    first_reason,
    frontal_view,
    is_lateral,
    require_columns,
    sex,
    source_name,
    stated,
)


def listing(**columns):
    n_rows = len(next(iter(columns.values())))
    usual = {
        "image_id": [f"{n}.png" for n in range(n_rows)],
        "name": [f"{n}.png" for n in range(n_rows)],
        "patient_id": [f"covid:{n}" for n in range(n_rows)],
        "view": "PA",
        "sex": "F",
        "age_years": 50.0,
        "source": "covid",
        "site": "a",
        "study_date": None,
        "covid19": True,
        "reason": None,
    }
    return pd.DataFrame({**usual, **columns})


def test_there_are_fourteen_findings_in_the_nih_spelling():
    assert len(set(FINDINGS)) == 14
    assert NIH_SPELLINGS["pleural_thickening"] == "Pleural_Thickening"
    assert NIH_SPELLINGS["edema"] == "Edema"


def test_a_radiograph_has_the_path_of_its_file_or_none(folder_of):
    radiographs, _ = admit("covid", listing(sex=["F", "M"]), folder_of("1.png"))

    assert pd.isna(radiographs["file"][0])
    assert radiographs["file"][1] == "images/1.png"


@pytest.mark.parametrize("is_synthetic", [True, False])
def test_the_folder_says_whether_radiographs_are_synthetic(folder_of, is_synthetic):
    images = folder_of("0.png", is_synthetic=is_synthetic)

    radiographs, _ = admit("covid", listing(sex=["F"]), images)

    assert radiographs["is_synthetic"].tolist() == [is_synthetic]


def test_rows_with_a_reason_are_rejected_with_it(folder_of):
    rows = listing(reason=[None, "no patient"])

    radiographs, rejected = admit("covid", rows, folder_of("0.png", "1.png"))

    assert radiographs["image_id"].tolist() == ["0.png"]
    assert rejected.to_dict("records") == [
        {
            "image_id": "1.png",
            "file": "images/1.png",
            "stage": "ingestion",
            "reason": "no patient",
        }
    ]


def test_of_repeated_rows_the_first_usable_one_is_kept(folder_of):
    rows = listing(
        image_id=["a", "a", "a", "a"],
        patient_id=["covid:1", "covid:1", "covid:1", "covid:2"],
        sex=["F", "M", "F", "F"],
        reason=["no patient", None, None, None],
    )

    radiographs, rejected = admit("covid", rows, folder_of())

    assert radiographs["sex"].tolist() == ["M"]
    assert rejected["reason"].tolist() == [
        "no patient",
        "listed more than once",
        "listed again, for another patient",
    ]


def test_further_columns_follow_the_common_ones(folder_of):
    radiographs, _ = admit("covid", listing(nih_image=["x.png"]), folder_of())

    assert radiographs.columns.tolist() == [
        "image_id",
        "patient_id",
        "file",
        "view",
        "sex",
        "age_years",
        "source",
        "site",
        "study_date",
        "is_synthetic",
        "covid19",
        "nih_image",
    ]


def test_a_radiograph_table_survives_parquet(folder_of, tmp_path):
    rows = listing(age_years=[np.nan, 3.5], covid19=[True, None])
    radiographs, rejected = admit("covid", rows, folder_of("1.png"))
    for name, table in {"radiographs": radiographs, "rejected": rejected}.items():
        table.to_parquet(tmp_path / name)

        pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / name), table)


def test_a_table_without_one_usable_row_is_refused(folder_of):
    with pytest.raises(ValueError, match=r"None of the 2 .* no patient \(2\).*right"):
        admit("covid", listing(reason=["no patient"] * 2), folder_of())


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("view", "LL"),
        ("sex", "female"),
        ("age_years", 130.0),
        ("age_years", -1.0),
        ("patient_id", "13"),
    ],
)
def test_values_outside_the_schema_are_refused_by_name(folder_of, column, value):
    with pytest.raises(
        ValueError, match=rf"does not fit its schema: {column}: .*1, as"
    ):
        admit("covid", listing(**{column: [value]}), folder_of())


def test_an_image_may_stand_in_a_radiograph_table_only_once(folder_of):
    radiographs, _ = admit("covid", listing(sex=["F"]), folder_of())

    with pytest.raises(ValueError, match="image_id"):
        check_radiographs(pd.concat([radiographs, radiographs], ignore_index=True))


def test_missing_columns_are_named_with_those_that_came():
    with pytest.raises(
        ValueError, match=r"my table lacks the columns b, c; it has a, d\. Use"
    ):
        require_columns(pd.DataFrame(columns=["a", "d"]), "abc", table="my table")


def test_the_first_reason_that_applies_is_given():
    rows = pd.DataFrame(index=[5, 7, 9])
    first, second = pd.Series([True, False, False]), pd.Series([True, True, False])

    reasons = first_reason(rows, {"first": first, "second": second})

    assert reasons.index.tolist() == [5, 7, 9]
    assert reasons.tolist()[:2] == ["first", "second"]
    assert pd.isna(reasons[9])


@pytest.mark.parametrize(
    ("came", "years"),
    [
        ("058Y", 58.0),
        ("61", 61.0),
        (61, 61.0),
        (61.0, 61.0),
        ("018M", 1.5),
        ("52W", 52 * 7 / 365.25),
        ("010D", 10 / 365.25),
        (" 7y ", 7.0),
        (0, 0.0),
        (120, 120.0),
    ],
)
def test_ages_are_read_in_years(came, years):
    assert age_in_years(pd.Series([came]))[0] == pytest.approx(years)


@pytest.mark.parametrize("came", ["411Y", 414, "", None, "old", "-3", "1e2", "12Q"])
def test_an_impossible_age_is_missing(came):
    assert np.isnan(age_in_years(pd.Series([came]))[0])


def test_sex_is_m_or_f_or_unknown():
    values = pd.Series(["M", "male", "f", "Female ", "O", "", None])

    assert sex(values).tolist() == ["M", "M", "F", "F", *["unknown"] * 3]


def test_views_are_pa_or_ap_or_unknown():
    values = pd.Series(["PA", "pa", "AP Supine", "APS", "AP Erect", "L", "?", None])

    assert frontal_view(values).tolist() == [
        *["PA"] * 2,
        *["AP"] * 3,
        *["unknown"] * 3,
    ]


def test_lateral_views_are_known():
    values = pd.Series(["L", "LL", "RL", "lateral", "PA", "AP", "", None])

    assert is_lateral(values).tolist() == [True] * 4 + [False] * 4


def test_blank_text_is_missing():
    assert stated(pd.Series([" a ", " ", "", None])).isna().tolist() == [
        False,
        *[True] * 3,
    ]


def test_reasons_are_described_with_the_commonest_first():
    reasons = ["b", *"aaa", *"cc", "d", "e", "f"]

    described = describe_reasons(pd.DataFrame({"reason": reasons}))

    assert described.startswith("a (3); c (2); b (1)")
    assert described.endswith("1 more reasons")


def test_a_source_is_written_in_one_way():
    names = source_name(pd.Series(["RSNA", " rnsa ", "Hospital A, Wuhan", "?", None]))

    assert names.fillna("-").tolist() == ["rsna", "rsna", "hospital-a-wuhan", "-", "-"]


@pytest.mark.parametrize(
    ("came", "years"),
    [
        (">90", 90),
        ("90+", 90),
        ("61 years", 61),
        ("061 Y", 61),
        ("18 months", 1.5),
        ("61 años", 61),
        ("61,5", 61.5),
        ("45 Jahre", 45),
        ("000Y", 0),
    ],
)
def test_ages_are_understood_as_people_write_them(came, years):
    assert age_in_years(pd.Series([came]))[0] == pytest.approx(years)


@pytest.mark.parametrize(
    ("came", "meant"),
    [("Mujer", "F"), ("hombre", "M"), ("W", "F"), ("männlich", "M"), ("Femme", "F")],
)
def test_sexes_are_understood_as_people_write_them(came, meant):
    assert sex(pd.Series([came, "F"]))[0] == meant


@pytest.mark.parametrize("came", ["missing", "married", "Fx", "mixed", "weiss"])
def test_no_word_is_taken_for_a_sex_by_its_initial(came):
    assert sex(pd.Series([came])).tolist() == ["unknown"]


def test_where_h_stands_beside_m_neither_is_understood(caplog):
    assert set(sex(pd.Series(["H", "M", "H"]))) == {"unknown"}
    assert "3 values of sex are not understood" in caplog.text


@pytest.mark.parametrize(
    ("read", "word"),
    [(sex, "X1"), (age_in_years, "old"), (frontal_view, "COSTAL")],
)
def test_what_is_not_understood_is_counted_with_an_example(read, word, caplog):
    read(pd.Series([word, word, "", None, "unknown"]))

    assert "2 values" in caplog.text
    assert repr(word.upper()) in caplog.text


def test_a_name_of_several_files_is_rejected_as_ambiguous(folder_of):
    images = replace(folder_of(), files=("neg/1.png", "pos/1.png", "2.png"))
    rows = listing(image_id=["1.png", "2.png"], name=["1.png", "2.png"])

    radiographs, rejected = admit("covid", rows, images)

    assert radiographs["image_id"].tolist() == ["2.png"]
    assert rejected["reason"].tolist() == [
        "ambiguous file name: several files of the folder have it"
    ]
