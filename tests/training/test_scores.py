"""Scores: what the classifier says of the held-out images, row by row."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from covid_cxr.training.network import swap_head
from covid_cxr.training.scores import score, validation_auroc


@pytest.fixture(scope="module")
def classifier(initial):
    return swap_head(initial[0], 2, seed=21)


@pytest.fixture(scope="module")
def scores(classifier, examples):
    return score(classifier, examples)


def test_the_held_out_images_are_scored_in_the_order_of_the_split(scores, cohort):
    held_out = cohort.split[cohort.split["part"] != "train"].reset_index(drop=True)

    pd.testing.assert_frame_equal(scores[["image_id", "patient_id", "part"]], held_out)
    assert list(scores.columns[3:]) == [
        "pneumonia",
        "pneumonia_score",
        "effusion",
        "effusion_score",
    ]


def test_a_score_is_the_classifiers_output_for_that_image(scores, classifier, cohort):
    rows = cohort.curated.set_index("image_id").loc[scores["image_id"], "row"]
    images = (cohort.store.images[rows] / 255 - 0.4) / 0.2
    outputs = classifier(images[..., np.newaxis].astype(np.float32), training=False)

    np.testing.assert_allclose(
        scores[["pneumonia_score", "effusion_score"]], outputs.numpy(), atol=1e-5
    )
    assert scores["pneumonia_score"].nunique() == 19
    assert scores["pneumonia_score"].dtype == np.float64


def test_the_labels_stand_beside_their_scores(scores, cohort):
    known = cohort.curated.set_index("image_id").loc[scores["image_id"]]

    assert scores["pneumonia"].dtype == bool
    assert scores["pneumonia"].tolist() == known["pneumonia"].tolist()
    assert scores["effusion"].tolist() == known["effusion"].tolist()


def test_very_sure_scores_are_still_told_apart(classifier, examples):
    sure = swap_head(classifier, 2, seed=21)
    head = sure.layers[-1]
    head.bias.assign(head.bias + 20.0)  # a sigmoid of 1 in single precision
    scores = score(sure, examples)

    assert scores["pneumonia_score"].nunique() == 19
    assert scores["pneumonia_score"].between(0, 1, inclusive="left").all()


def test_a_split_without_a_test_part_gives_the_validation_scores(classifier, examples):
    scores = score(classifier, examples.part("train", "validation"))

    assert set(scores["part"]) == {"validation"}
    assert len(scores) == 10


def test_a_split_with_nothing_held_out_is_refused(classifier, examples):
    with pytest.raises(ValueError, match="nothing to score"):
        score(classifier, examples.part("train"))


def test_labels_that_are_not_the_classifiers_are_refused(classifier, cohort):
    with pytest.raises(ValueError, match="has 2 outputs, but there are 1 labels"):
        score(classifier, cohort.examples())


def test_the_validation_auroc_is_the_mean_of_the_labels_that_have_one():
    rng = np.random.default_rng(0)
    scores = pd.DataFrame(
        {
            "part": ["validation"] * 40 + ["test"] * 40,
            "mass": rng.random(80) < 0.5,
            "edema": pd.array([True, False, None, False] * 20, dtype="boolean"),
            "hernia": False,
            **{f"{name}_score": rng.random(80) for name in ("mass", "edema", "hernia")},
        }
    )
    validation = scores[:40]
    read = validation[validation["edema"].notna()]
    expected = (
        roc_auc_score(validation["mass"], validation["mass_score"])
        + roc_auc_score(read["edema"].astype(bool), read["edema_score"])
    ) / 2

    found = validation_auroc(scores, ["mass", "edema", "hernia"])

    assert found == pytest.approx(expected)
    assert np.isnan(validation_auroc(scores, ["hernia"]))
