"""The cases that are shown: a threshold from validation, a seeded draw from test."""

import numpy as np
import pandas as pd
import pytest

from covid_cxr.saliency.cases import SaliencyCases, draw_cases

TWO_OF_EACH = SaliencyCases(
    true_positives=2, true_negatives=2, false_positives=2, false_negatives=2, seed=1
)


@pytest.fixture
def scores():
    """Return 20 validation and 60 test images; from 0.6 on, validation says case."""
    rng = np.random.default_rng(8)
    validation = pd.DataFrame(
        {
            "covid19": [False] * 10 + [True] * 10,
            "covid19_score": np.linspace(0.1, 1, 20),
        }
    )
    validation["covid19_score"] += np.where(validation["covid19"], 0.0, -0.05)
    test = pd.DataFrame(
        {"covid19": rng.random(60) < 0.5, "covid19_score": rng.random(60)}
    )
    table = pd.concat([validation, test], ignore_index=True)
    return table.assign(
        image_id=[f"image_{number:02d}" for number in range(80)],
        patient_id=[f"patient_{number // 3:02d}" for number in range(80)],
        part=["validation"] * 20 + ["test"] * 60,
    )


def test_cases_are_test_images_with_the_outcome_they_are_named_for(scores):
    drawn = draw_cases(scores, TWO_OF_EACH)
    table = drawn.cases.merge(scores, on="image_id")
    called = table["score"] >= drawn.threshold
    outcomes = table["outcome"].str.split("_", expand=True)

    assert drawn.threshold == pytest.approx(scores["covid19_score"][10])
    assert set(table["part"]) == {"test"}
    assert table["outcome"].value_counts().to_dict() == {
        "true_positive": 2,
        "true_negative": 2,
        "false_positive": 2,
        "false_negative": 2,
    }
    assert ((outcomes[1] == "positive") == called).all()
    assert ((outcomes[0] == "true") == (called == table["covid19"])).all()


def test_the_threshold_ignores_the_test_part(scores):
    is_test = scores["part"] == "test"
    inverted = scores.assign(covid19=scores["covid19"] ^ is_test)

    assert (
        draw_cases(inverted, TWO_OF_EACH).threshold
        == draw_cases(scores, TWO_OF_EACH).threshold
    )


def test_the_draw_depends_on_the_seed_and_not_on_the_order_of_the_rows(scores):
    shuffled = scores.sample(frac=1, random_state=3)
    other_seed = SaliencyCases(**{**vars(TWO_OF_EACH), "seed": 2})
    drawn = draw_cases(scores, TWO_OF_EACH).cases

    pd.testing.assert_frame_equal(drawn, draw_cases(shuffled, TWO_OF_EACH).cases)
    assert list(drawn["image_id"]) != list(
        draw_cases(scores, other_seed).cases["image_id"]
    )


def test_patients_are_numbered_at_random_within_the_test_part(scores):
    everybody = SaliencyCases(
        true_positives=60,
        true_negatives=60,
        false_positives=60,
        false_negatives=60,
        seed=1,
    )
    cases = draw_cases(scores, everybody).cases.merge(scores, on="image_id")
    numbers = cases.groupby("patient_id")["patient_index"].unique()

    assert all(len(number) == 1 for number in numbers)
    assert sorted(n[0] for n in numbers) == list(range(1, len(numbers) + 1))
    assert [n[0] for n in numbers] != sorted(n[0] for n in numbers)


def test_fewer_cases_than_wanted_are_drawn_and_logged(scores, caplog):
    test = scores["part"] == "test"
    perfect = scores.assign(
        covid19_score=np.where(test, scores["covid19"], scores["covid19_score"])
    )
    with caplog.at_level("INFO"):
        cases = draw_cases(perfect, TWO_OF_EACH).cases

    assert set(cases["outcome"]) == {"true_positive", "true_negative"}
    assert "0 of 2 false_positives to show" in caplog.text


def test_several_labels_are_refused(scores):
    with pytest.raises(ValueError, match="hold 2: covid19, edema"):
        draw_cases(scores.assign(edema=False, edema_score=0.5), TWO_OF_EACH)


def test_scores_without_a_test_part_are_refused(scores):
    with pytest.raises(ValueError, match="no test part"):
        draw_cases(scores[scores["part"] != "test"], TWO_OF_EACH)


@pytest.mark.parametrize("value", [-1, 1.5, "two", True])
def test_counts_that_are_none_are_refused(value):
    with pytest.raises(ValueError, match=r"saliency\.true_positives must be"):
        SaliencyCases(**{**vars(TWO_OF_EACH), "true_positives": value})
