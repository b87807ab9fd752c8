"""Score tables from elsewhere."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from covid_cxr.evaluation.arranged_scores import (
    arrange_levels,
    arrange_parts,
    arrange_scores,
    parts_of,
)
from covid_cxr.evaluation.score_columns import ScoreColumns
from covid_cxr.evaluation.scored_part import ScoredParts

UNSAID = ScoreColumns(
    image=None,
    patient=None,
    label=None,
    part=None,
    site=None,
    positive=None,
    classifiers=[],
    subgroups=[],
)
COLUMNS = replace(UNSAID, image="file", patient="subject", label="covid", part="set")
UNSAID_BUT_LABEL = replace(UNSAID, label="covid")


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "subject": [1, 1, 2, 3],
            "file": ["d", "b", "c", "a"],
            "covid": ["Positive", "negative", "1", "0"],
            "set": ["test", "test", "test", "validation"],
            "note": list("wxyz"),
            "resnet": [0.9, 0.1, 0.8, 0.2],
            "vit": [3, -1, 2, 0],
        }
    )


def test_columns_get_our_names_and_every_numeric_one_is_a_classifier(table):
    arranged, _ = arrange_scores(table, COLUMNS)

    assert list(arranged.columns) == [
        *("image_id", "patient_id", "part", "is_case", "resnet", "vit"),
    ]
    assert arranged["image_id"].tolist() == ["a", "b", "c", "d"]
    assert arranged["is_case"].tolist() == [False, False, True, True]
    test = parts_of(arranged).test
    assert test.scores.index.tolist() == ["b", "c", "d"]
    assert test.patients.tolist() == ["1", "2", "1"]
    assert test.is_case.tolist() == [False, True, True]
    assert not test.are_probabilities


def test_named_classifiers_are_taken_alone(table):
    named = replace(COLUMNS, classifiers=["resnet"])

    test = parts_of(arrange_scores(table, named)[0]).test

    assert list(test.scores.columns) == ["resnet"]
    assert test.are_probabilities


def test_without_a_part_every_row_is_of_the_test_part(table):
    whole = replace(COLUMNS, part="none")
    parts = parts_of(arrange_scores(table, whole)[0])

    assert len(parts.test.is_case) == 4
    assert parts.validation is None


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize(
    ("image", "patient", "label", "part"),
    [
        ("image", "patient", "label", "part"),
        ("Image ID", "Patient-ID", "y_true", "split"),
        ("filename", "subject", "target", "set"),
        ("SOPInstanceUID", "PatientID", "Diagnosis", "subset"),
    ],
)
def test_columns_are_known_by_their_names(table, as_text, image, patient, label, part):
    names = dict(
        zip(
            ("file", "subject", "covid", "set"),
            (image, patient, label, part),
            strict=True,
        )
    )
    named = table.rename(columns=names)

    arranged, described = arrange_scores(
        named.astype("str") if as_text else named, UNSAID
    )

    assert arranged.equals(arrange_scores(table, COLUMNS)[0])
    taken = dict(zip(described["taken_as"], described["column"], strict=True))
    assert [taken[role] for role in ("image", "patient", "label", "part")] == [
        *(image, patient, label, part),
    ]
    assert (
        "test: 3 radiographs" in described.set_index("taken_as").loc["part", "reason"]
    )


@pytest.mark.parametrize("name", ["phase", "usage", "Cohort part"])
def test_a_column_of_parts_with_another_name_is_not_passed_over(table, name):
    renamed = table.rename(columns={"set": name})

    with pytest.raises(ValueError, match=f"comparison.part={name}"):
        arrange_scores(renamed, replace(COLUMNS, part=None))

    taken, _ = arrange_scores(renamed, replace(COLUMNS, part="none"))
    assert (taken["part"] == "test").all()


def test_the_choice_of_columns_is_logged(table, caplog):
    caplog.set_level("INFO")

    arrange_scores(table, UNSAID_BUT_LABEL)

    assert "image: file (by its name); patient: subject (by its name)" in caplog.text
    assert "label: covid (by comparison.label; case: 1, Positive;" in caplog.text
    assert "classifiers: resnet, vit" in caplog.text
    assert "The column 'note' is left out: text" in caplog.text


def test_ids_stay_as_they_are_written():
    """Whole numbers beside others are floats in many formats: 4, never 4.0."""
    table = pd.DataFrame(
        {
            "image": pd.Series(["a", "b", " c", "d"], dtype="str"),
            "patient": pd.Series(["004", "4", "4 ", "4.0"], dtype="str"),
            "label": pd.Series(["1", "0", "1", "0"], dtype="str"),
            "m": pd.Series(["0.5", "1e-3", " .25", "1"], dtype="str"),
        }
    )

    text, _ = arrange_scores(table, UNSAID)
    floats, _ = arrange_scores(table.assign(patient=[4.0, 5.0, 4.0, 6.0]), UNSAID)
    mixed, _ = arrange_scores(table.assign(patient=["004", 4, 4.0, "x"]), UNSAID)

    assert text["patient_id"].tolist() == ["004", "4", "4", "4.0"]
    assert text["image_id"].tolist() == ["a", "b", "c", "d"]
    assert text["m"].tolist() == [0.5, 0.001, 0.25, 1.0]
    assert floats["patient_id"].tolist() == ["4", "5", "4", "6"]
    assert mixed["patient_id"].tolist() == ["004", "4", "4", "x"]


def test_an_index_with_a_name_is_a_column(table):
    indexed = table.set_index("file")

    arranged, _ = arrange_scores(indexed, COLUMNS)

    assert arranged.equals(arrange_scores(table, COLUMNS)[0])


def test_without_patients_the_report_says_what_that_does(table):
    with pytest.raises(ValueError, match=r"patient=none takes each .* too narrow"):
        arrange_scores(table.drop(columns="subject"), replace(COLUMNS, patient=None))

    alone = replace(COLUMNS, patient="none")
    arranged, described = arrange_scores(table.drop(columns="subject"), alone)

    assert (arranged["patient_id"] == arranged["image_id"]).all()
    row = described.set_index("taken_as").loc["patient"]
    assert row["column"] == "none"
    assert "too narrow" in row["caution"]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1, 1, 1, 0], "only cases: all 3 radiographs, by the column covid"),
        ([0, 0, 0, 1], "only controls: all 3 radiographs, by the column covid"),
        (["COVID"] * 3 + ["normal"], "only cases"),
    ],
)
def test_a_test_part_of_one_class_names_the_label_column(table, labels, message):
    with pytest.raises(ValueError, match=message):
        arrange_scores(table.assign(covid=labels), COLUMNS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"covid": ["yes", "no", "maybe", "0"]}, "'maybe'"),
        ({"file": list("aabc")}, "1 images are named twice"),
        (
            {"subject": [1, 1, np.nan, 3]},
            "1 rows have no subject, .*row 3 of",
        ),
        ({"set": ["test", "test", "train", "validation"]}, "got test, train, valid"),
        ({"set": ["validation"] * 4}, "test at"),
        (
            {"resnet": [0.1, np.nan, 0.2, 0.3]},
            "resnet has 1 cells .*in row 2",
        ),
        ({"subject": [1, 1, 2, 1]}, "1 patients are in validation and in test"),
    ],
)
def test_a_table_that_cannot_be_compared_is_refused(table, change, message):
    with pytest.raises(ValueError, match=message):
        arrange_scores(table.assign(**change), COLUMNS)


def test_a_missing_column_is_named_with_those_that_came(table):
    with pytest.raises(ValueError, match=r"no column covid; it has subject"):
        arrange_scores(table.drop(columns="covid"), COLUMNS)


def test_a_table_without_scores_is_refused(table):
    with pytest.raises(ValueError, match="no column of scores"):
        arrange_scores(table.drop(columns=["resnet", "vit"]), COLUMNS)


def test_a_table_without_rows_is_told_so(table):
    """An empty file has no types: its scores are no numbers."""
    header = pd.DataFrame({name: [] for name in table}, dtype="str")

    with pytest.raises(ValueError, match="has no rows, only the columns subject, file"):
        arrange_scores(header, COLUMNS)


def test_a_classifier_may_not_take_the_name_of_a_column_of_ours(table):
    named = replace(COLUMNS, classifiers=["is_case"])

    with pytest.raises(ValueError, match="cannot be called is_case"):
        arrange_scores(table.assign(is_case=0.5), named)


def test_levels_are_text_and_what_is_missing_is_called_unknown(table):
    columns = replace(COLUMNS, subgroups=["ward", "scanner"])
    grouped = table.assign(ward=[1, np.nan, 2, 1], scanner=["A", "B", None, "NA"])

    levels = arrange_levels(grouped, columns).set_index("image_id")

    assert levels["ward"].tolist() == ["1", "unknown", "2", "1"]
    assert levels["scanner"].tolist() == ["A", "B", "unknown", "NA"]
    arranged, _ = arrange_scores(grouped, columns)
    assert "ward" not in arranged  # a number, and yet no score


def test_a_level_with_blanks_around_it_is_no_other_one(table):
    columns = replace(COLUMNS, subgroups=["site"])
    grouped = table.assign(site=["A", " A", "A ", "  "])

    assert arrange_levels(grouped, columns)["site"].tolist() == [*"AAA", "unknown"]


@pytest.mark.parametrize("name", ["site", "Site ID", "Centre", "hospital"])
def test_sites_are_known_by_their_name_and_are_a_grouping(table, name):
    sited = table.assign(**{name: ["A", "B", None, 7]})

    levels = arrange_levels(sited, COLUMNS)
    scores, described = arrange_scores(sited, COLUMNS)

    assert levels[name].tolist() == ["A", "B", "unknown", "7"]
    taken = described.set_index("column")["taken_as"]
    assert taken[name] == "site"
    assert name not in scores


def test_a_site_is_a_grouping_once_and_another_one_where_it_is_named(table):
    sited = table.assign(site=list("ABAB"), ward="w")
    asked = replace(COLUMNS, subgroups=["site"])
    named = replace(COLUMNS, site="ward")
    none = replace(COLUMNS, site="none")

    assert list(arrange_levels(sited, asked)) == ["site", "image_id"]
    assert list(arrange_levels(sited, named)) == ["ward", "image_id"]
    assert list(arrange_levels(sited, none)) == ["image_id"]


def test_a_hundred_sites_are_left_out_with_the_reason_and_refused_if_named():
    many = pd.DataFrame(
        {
            "image": [f"x{k}" for k in range(62)],
            "patient": [f"p{k}" for k in range(62)],
            "label": [0, 1] * 31,
            "resnet": np.linspace(0, 1, 62) ** 2,
            "site": [f"s{k // 2}" for k in range(62)],
        }
    )

    _, described = arrange_scores(many, UNSAID)

    reason = described.set_index("column").loc["site", "reason"]
    assert reason == "31 sites, and a subgroup has at most 30 levels"
    assert list(arrange_levels(many, UNSAID)) == ["image_id"]
    with pytest.raises(ValueError, match="site has 31 levels"):
        arrange_levels(many, replace(UNSAID, site="site"))


def test_a_measurement_is_no_subgroup():
    columns = replace(COLUMNS, subgroups=["age"])
    table = pd.DataFrame(
        {"file": range(40), "subject": 1, "covid": 1, "set": "test", "age": range(40)}
    )

    with pytest.raises(ValueError, match="age has 40 levels"):
        arrange_levels(table, columns)


def test_parts_in_line_become_the_table_that_they_came_from(validation, test_part):
    given = ScoredParts(validation=validation, test=test_part)

    found = parts_of(arrange_parts(given))

    for before, after in [(validation, found.validation), (test_part, found.test)]:
        assert after.scores.equals(before.scores)
        assert (after.is_case == before.is_case).all()
        assert (after.patients == before.patients).all()


def test_a_table_without_a_test_part_is_refused(table):
    arranged, _ = arrange_scores(table, COLUMNS)

    with pytest.raises(ValueError, match="no test part"):
        parts_of(arranged[arranged["part"] == "validation"])


def test_the_parts_of_one_table_are_made_once_and_those_of_another_anew(validation):
    first = arrange_parts(ScoredParts(validation=None, test=validation))
    parts = parts_of(first)

    assert parts_of(first.copy()) is parts
    first.loc[0, "sharp"] = 0.987654321
    changed = parts_of(first)
    assert changed is not parts
    assert 0.987654321 in changed.test.scores["sharp"].to_numpy()
    assert 0.987654321 not in parts.test.scores["sharp"].to_numpy()


def test_parts_that_another_thread_asks_for_meanwhile_are_not_taken(
    validation, monkeypatch
):
    first = arrange_parts(ScoredParts(validation=None, test=validation))
    other = first.assign(image_id="of another " + first["image_id"])
    parts, compare = parts_of(first), pd.DataFrame.equals

    def meanwhile(table, known):
        monkeypatch.undo()
        is_equal = compare(table, known)
        parts_of(other)
        return is_equal

    monkeypatch.setattr(pd.DataFrame, "equals", meanwhile)

    assert parts_of(first.copy()) is parts
