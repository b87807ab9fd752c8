"""Classifiers of the border and of the lungs, shown radiographs without either."""

from dataclasses import dataclass

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from covid_cxr.audit.masked_inputs import INPUTS, MaskedInputs
from covid_cxr.pipelines.phase3.masked_scores import score_masked_inputs
from covid_cxr.radiographs.lung_masks import encode_mask
from covid_cxr.radiographs.normalisation import Intensity
from covid_cxr.training.examples import Examples

SIZE_PX = 16
LUNGS = np.zeros((SIZE_PX, SIZE_PX), bool)
LUNGS[5:11, 4:12] = True
BORDER = np.ones((SIZE_PX, SIZE_PX), bool)
BORDER[2:-2, 2:-2] = False
N_IMAGES = 60
IDS = [f"i{n:02d}" for n in range(N_IMAGES)]
IS_CASE = np.arange(N_IMAGES) % 2 == 0


@dataclass(frozen=True)
class MemoryStore:
    """Cases are brighter in the lungs and at the border; all else is noise."""

    size_px = SIZE_PX
    n_images = N_IMAGES

    def read(self, rows):
        rng = np.random.default_rng(5)
        images = rng.integers(60, 160, (N_IMAGES, SIZE_PX, SIZE_PX))
        images[np.ix_(IS_CASE, np.arange(SIZE_PX), np.arange(SIZE_PX))] += 60 * (
            LUNGS | BORDER
        )
        return images.astype(np.uint8)[rows]


def reader_of(where):
    """Return a classifier whose score is the brightness of a part of the image."""
    image = keras.Input((SIZE_PX, SIZE_PX, 1))
    pixels = keras.layers.Flatten()(image)
    classifier = keras.Model(image, keras.layers.Dense(1, activation="sigmoid")(pixels))
    weights = where.reshape(-1, 1) / where.sum()
    classifier.set_weights([weights.astype(np.float32), np.zeros(1, np.float32)])
    return classifier


def scores_of(where, *, with_mask=IDS):
    parts = np.repeat(["train", "validation", "test"], 20)
    table = {"image_id": IDS, "patient_id": IDS, "part": parts, "row": range(N_IMAGES)}
    examples = Examples(
        store=MemoryStore(),
        radiographs=pd.DataFrame({**table, "covid19": IS_CASE}),
        labels=("covid19",),
        intensity=Intensity(mean=0.45, standard_deviation=0.2, n_images=20),
    )
    return score_masked_inputs(
        classifier=reader_of(where),
        examples=examples,
        lungs=pd.DataFrame({"image_id": with_mask, "png": encode_mask(LUNGS)}),
        masked_inputs=MaskedInputs(centre_share=0.75, border_share=0.125),
    )


def aurocs_of(where):
    return {
        name: roc_auc_score(rows["covid19"], rows["covid19_score"])
        for name, rows in scores_of(where).groupby("input")
    }


def test_a_classifier_of_the_border_needs_no_lungs():
    aurocs = aurocs_of(BORDER)

    assert aurocs["border_only"] == aurocs["centre_removed"] == 1.0
    assert aurocs["lungs_removed"] == 1.0
    assert aurocs["lungs_only"] == 0.5


def test_a_classifier_of_the_lungs_needs_them():
    aurocs = aurocs_of(LUNGS)

    assert aurocs["lungs_only"] == 1.0
    assert aurocs["lungs_removed"] == 0.5
    assert aurocs["border_only"] == aurocs["centre_removed"] == 0.5


def test_what_is_hidden_is_neither_bright_nor_dark_to_the_network():
    """The mean of the training images is 0 once normalised, up to a grey level."""
    scores = scores_of(LUNGS)
    hidden = scores[scores["input"] == "lungs_removed"]

    assert hidden["covid19_score"].to_numpy() == pytest.approx(0.5, abs=0.005)


def test_validation_and_test_images_are_scored_with_every_input():
    table = scores_of(BORDER)

    counts = table.groupby(["input", "part"]).size()
    assert counts.to_dict() == {
        (name, part): 20 for name in INPUTS for part in ("validation", "test")
    }
    assert list(table.columns) == [
        *("image_id", "patient_id", "part", "covid19", "covid19_score"),
        *("input", "hidden_share"),
    ]
    shares = table.groupby("input")["hidden_share"].agg(["min", "max"])
    assert shares.loc["lungs_removed"].tolist() == [LUNGS.mean()] * 2
    assert shares.loc["lungs_only"].tolist() == [1 - LUNGS.mean()] * 2
    assert shares.loc["centre_removed"].tolist() == [0.75**2] * 2


def test_inputs_that_need_a_mask_have_the_images_with_one_only():
    table = scores_of(BORDER, with_mask=[IDS[0], IDS[30], IDS[45]])

    with_mask = table[table["input"] == "lungs_removed"]
    assert with_mask["image_id"].tolist() == [IDS[30], IDS[45]]
    assert (table["input"] == "centre_removed").sum() == 40


def test_a_cohort_without_masks_is_scored_without_the_inputs_that_need_them():
    table = scores_of(BORDER, with_mask=[])

    assert set(table["input"]) == {"centre_removed", "border_only"}
