"""Score tables from elsewhere."""

import numpy as np
import pandas as pd
import pytest

from covid_cxr.report.score_table import (
    ScoreColumns,
    are_probabilities,
    arrange_scores,
    part_of,
)

COLUMNS = ScoreColumns(
    image="file", patient="subject", label="covid", part="set", classifiers=[]
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
    test = part_of(arranged, "test")
    assert test.scores.index.tolist() == ["b", "c", "d"]
    assert test.patients.tolist() == ["1", "2", "1"]
    assert test.is_case.tolist() == [False, True, True]
    assert not are_probabilities(test)


def test_named_classifiers_are_taken_alone(table):
    named = ScoreColumns(**{**vars(COLUMNS), "classifiers": ["resnet"]})

    test = part_of(arrange_scores(table, named), "test")

    assert list(test.scores.columns) == ["resnet"]
    assert are_probabilities(test)


def test_without_a_part_every_row_is_of_the_test_part(table):
    whole = ScoreColumns(**{**vars(COLUMNS), "part": None})
    arranged = arrange_scores(table, whole)

    assert len(part_of(arranged, "test").is_case) == 4
    assert part_of(arranged, "validation") is None


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
