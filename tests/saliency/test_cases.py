"""The cases that are shown: a threshold from validation, a seeded draw from test."""

import numpy as np
import pandas as pd
import pytest

from covid_cxr.saliency.cases import draw_cases, judge_test, only_label
from covid_cxr.saliency.map_settings import Explanation, Saliency

TWO_OF_EACH = Saliency(
    method="grad_cam",
    layer=None,
    true_positives=2,
    true_negatives=2,
    false_positives=2,
    false_negatives=2,
    seed=1,
    randomised_images=0,
    border_share=0.1,
    corner_share=0.1,
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


def draw(scores, saliency=TWO_OF_EACH):
    return draw_cases(judge_test(scores, seed=saliency.seed).images, saliency)


def test_every_test_image_has_the_outcome_it_is_named_for(scores):
    judged = judge_test(scores, seed=1)
    table = judged.images.merge(scores, on="image_id")
    called = table["score"] >= judged.threshold
    outcomes = table["outcome"].str.split("_", expand=True)

    assert judged.threshold == pytest.approx(scores["covid19_score"][10])
    assert sorted(table["image_id"]) == sorted(
        scores.query("part == 'test'")["image_id"]
    )
    assert ((outcomes[1] == "positive") == called).all()
    assert ((outcomes[0] == "true") == (called == table["covid19"])).all()


def test_as_many_cases_of_each_outcome_are_drawn_as_wanted(scores):
    counts = draw(scores)["outcome"].value_counts().to_dict()

    assert counts == {
        "true_positive": 2,
        "true_negative": 2,
        "false_positive": 2,
        "false_negative": 2,
    }


def test_the_threshold_ignores_the_test_part(scores):
    is_test = scores["part"] == "test"
    inverted = scores.assign(covid19=scores["covid19"] ^ is_test)

    assert (
        judge_test(inverted, seed=1).threshold == judge_test(scores, seed=1).threshold
    )


def test_the_draw_depends_on_the_seed_and_not_on_the_order_of_the_rows(scores):
    shuffled = scores.sample(frac=1, random_state=3)
    other_seed = Saliency(**{**vars(TWO_OF_EACH), "seed": 2})
    drawn = draw(scores)

    pd.testing.assert_frame_equal(drawn, draw(shuffled))
    assert list(drawn["image_id"]) != list(draw(scores, other_seed)["image_id"])


def test_patients_are_numbered_at_random_within_the_test_part(scores):
    images = judge_test(scores, seed=1).images.merge(scores, on="image_id")
    numbers = images.groupby("patient_id")["patient_index"].unique()

    assert all(len(number) == 1 for number in numbers)
    assert sorted(n[0] for n in numbers) == list(range(1, len(numbers) + 1))
    assert [n[0] for n in numbers] != sorted(n[0] for n in numbers)


def test_fewer_cases_than_wanted_are_drawn_and_logged(scores, caplog):
    test = scores["part"] == "test"
    perfect = scores.assign(
        covid19_score=np.where(test, scores["covid19"], scores["covid19_score"])
    )
    with caplog.at_level("INFO"):
        cases = draw(perfect)

    assert set(cases["outcome"]) == {"true_positive", "true_negative"}
    assert "0 of 2 false_positives to show" in caplog.text


def test_several_labels_are_refused(scores):
    with pytest.raises(ValueError, match="hold 2: covid19, edema"):
        only_label(scores.assign(edema=False, edema_score=0.5))


def test_scores_without_a_test_part_are_refused(scores):
    with pytest.raises(ValueError, match="no test part"):
        judge_test(scores[scores["part"] != "test"], seed=1)


@pytest.mark.parametrize("name", ["true_positives", "randomised_images", "seed"])
@pytest.mark.parametrize("value", [-1, 1.5, "two", True])
def test_counts_that_are_none_are_refused(name, value):
    with pytest.raises(ValueError, match=rf"saliency\.{name} must be"):
        Saliency(**{**vars(TWO_OF_EACH), name: value})


@pytest.mark.parametrize("name", ["border_share", "corner_share"])
@pytest.mark.parametrize("value", [0, 0.5, -0.1])
def test_regions_that_are_no_part_of_an_image_are_refused(name, value):
    with pytest.raises(ValueError, match=rf"saliency\.{name} must lie between 0"):
        Saliency(**{**vars(TWO_OF_EACH), name: value})


def test_a_method_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match=r"saliency\.method .*, got 'lime'"):
        Saliency(**{**vars(TWO_OF_EACH), "method": "lime"})


@pytest.mark.parametrize("layer", ["", 3])
def test_what_is_no_name_of_a_layer_is_refused(layer):
    with pytest.raises(ValueError, match=r"saliency\.layer must be the name"):
        Saliency(**{**vars(TWO_OF_EACH), "layer": layer})


@pytest.mark.parametrize(("name", "value"), [("method", "lime"), ("layer", 3)])
def test_the_pointing_games_settings_are_refused_by_their_own_name(name, value):
    with pytest.raises(ValueError, match=rf"^pointing\.{name} must .*phase1\.yml or"):
        Explanation(**{"method": "grad_cam", "layer": None, name: value})
