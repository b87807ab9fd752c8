"""Score tables from elsewhere."""

import numpy as np
import pandas as pd
import pytest

from covid_cxr.report.score_table import (
    ScoreColumns,
    arrange_levels,
    arrange_parts,
    arrange_scores,
    parts_of,
)
from covid_cxr.report.scored_part import ScoredParts

COLUMNS = ScoreColumns(
    image="file",
    patient="subject",
    label="covid",
    part="set",
    classifiers=[],
    subgroups=[],
)


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
    arranged = arrange_scores(table, COLUMNS)

    assert list(arranged.columns) == [
        *("image_id", "patient_id", "part", "is_case", "resnet", "vit"),
    ]
    assert arranged["is_case"].tolist() == [True, False, True, False]
    test = parts_of(arranged).test
    assert test.scores.index.tolist() == ["b", "c", "d"]
    assert test.patients.tolist() == ["1", "2", "1"]
    assert test.is_case.tolist() == [False, True, True]
    assert not test.are_probabilities


def test_named_classifiers_are_taken_alone(table):
    named = ScoreColumns(**{**vars(COLUMNS), "classifiers": ["resnet"]})

    test = parts_of(arrange_scores(table, named)).test

    assert list(test.scores.columns) == ["resnet"]
    assert test.are_probabilities


def test_without_a_part_every_row_is_of_the_test_part(table):
    whole = ScoreColumns(**{**vars(COLUMNS), "part": None})
    parts = parts_of(arrange_scores(table, whole))

    assert len(parts.test.is_case) == 4
    assert parts.validation is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"covid": ["yes", "no", "maybe", "0"]}, "'maybe'"),
        ({"file": list("aabc")}, "1 images are named twice"),
        ({"subject": [1, 1, np.nan, 3]}, "1 rows have no subject"),
        ({"set": ["test", "test", "train", "validation"]}, "got test, train, valid"),
        ({"set": ["validation"] * 4}, "test at"),
        ({"resnet": [0.1, np.nan, 0.2, 0.3]}, "1 of resnet"),
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
    with pytest.raises(ValueError, match="cannot be called is_case"):
        arrange_scores(table.assign(is_case=0.5), COLUMNS)


def test_levels_are_text_and_what_is_missing_is_called_unknown(table):
    columns = ScoreColumns(**{**vars(COLUMNS), "subgroups": ["ward", "scanner"]})
    grouped = table.assign(ward=[1, np.nan, 2, 1], scanner=["A", "B", None, "NA"])

    levels = arrange_levels(grouped, columns).set_index("image_id")

    assert levels["ward"].tolist() == ["1", "unknown", "2", "1"]
    assert levels["scanner"].tolist() == ["A", "B", "unknown", "NA"]
    arranged = arrange_scores(grouped, columns)
    assert "ward" not in arranged  # a number, and yet no score


def test_a_measurement_is_no_subgroup():
    columns = ScoreColumns(**{**vars(COLUMNS), "subgroups": ["age"]})
    table = pd.DataFrame({"file": range(40), "age": range(40)})

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
    arranged = arrange_scores(table, COLUMNS)

    with pytest.raises(ValueError, match="no test part"):
        parts_of(arranged[arranged["part"] == "validation"])
