"""Score tables lined up for comparison."""

import pandas as pd
import pytest

from covid_cxr.evaluation.scored_part import ScoredParts, line_up


def scores(**columns):
    table = {
        "image_id": ["i1", "i2", "i3", "i4", "i5"],
        "patient_id": ["p1", "p1", "p2", "p3", "p4"],
        "part": ["test", "test", "test", "test", "validation"],
        "covid19": [True, True, False, False, True],
        "covid19_score": [0.9, 0.6, 0.2, 0.7, 0.5],
    }
    return pd.DataFrame({**table, **columns})


def test_rows_are_matched_by_image_whatever_their_order():
    shuffled = scores().iloc[[4, 3, 1, 0, 2]]
    part = line_up(
        {"path_a": scores(), "path_b": shuffled}, label="covid19", part="test"
    )

    assert part.scores["path_a"].tolist() == [0.9, 0.6, 0.2, 0.7]
    assert part.scores["path_b"].tolist() == [0.9, 0.6, 0.2, 0.7]
    assert part.is_case.tolist() == [True, True, False, False]
    assert part.patients.tolist() == ["p1", "p1", "p2", "p3"]


def test_estimates_take_patients_or_images_as_independent():
    part = line_up({"path_a": scores()}, label="covid19", part="test")

    assert part.estimate(by_patient=True).n_clusters == 3
    assert part.estimate(by_patient=False).n_clusters == 4


def test_scores_of_other_images_are_refused():
    other = scores(image_id=["i1", "i2", "i3", "i9", "i5"])

    with pytest.raises(ValueError, match=r"path_b and path_a .* test radiographs"):
        line_up({"path_a": scores(), "path_b": other}, label="covid19", part="test")


def test_other_labels_of_the_same_images_are_refused():
    other = scores(covid19=[True, False, False, False, True])

    with pytest.raises(ValueError, match="same labels"):
        line_up({"path_a": scores(), "path_b": other}, label="covid19", part="test")


def test_a_missing_column_is_named():
    table = scores().drop(columns="covid19_score")

    with pytest.raises(ValueError, match=r"path_a has no column covid19_score; it has"):
        line_up({"path_a": table}, label="covid19", part="test")


def test_an_empty_part_is_refused():
    table = scores(part="validation")

    with pytest.raises(
        ValueError, match=r"no test radiographs of .*; its parts are va"
    ):
        line_up({"path_a": table}, label="covid19", part="test")


def test_a_classifier_alone_needs_no_validation_to_be_chosen():
    test = line_up({"path_c": scores()}, label="covid19", part="test")

    assert ScoredParts(validation=None, test=test).chosen == "path_c"


def test_of_equally_good_classifiers_the_first_is_chosen():
    tables = {"path_b": scores(), "path_a": scores()}
    part = line_up(tables, label="covid19", part="test")

    assert ScoredParts(validation=part, test=part).chosen == "path_b"
