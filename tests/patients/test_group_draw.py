import itertools

import numpy as np
import pandas as pd
import pytest

from covid_cxr.patients.group_draw import Wanted, choose_groups


def radiographs(images, positives):
    """Return radiographs of patients with that many images and positives."""
    patients = np.repeat(np.arange(len(images)), images)
    rank = np.concatenate([np.arange(n_images) for n_images in images])
    return pd.DataFrame(
        {
            "group": [f"nih:{n:05d}" for n in patients],
            "pneumonia": rank < np.repeat(positives, images),
        }
    )


def draw(images, positives, wanted, *, seed=1):
    """Return the chosen patients' numbers."""
    chosen = choose_groups(
        radiographs(images, positives),
        wanted,
        label="pneumonia",
        strata=[],
        rng=np.random.default_rng(seed),
    )
    return [int(patient.removeprefix("nih:")) for patient in chosen]


@pytest.mark.parametrize("seed", range(30))
def test_the_drawn_patients_come_as_near_as_any_patients_could(seed):
    """Against all subsets of nine patients, for counts that no subset may reach."""
    rng = np.random.default_rng(seed)
    images = rng.integers(2, 14, 9)
    positives = rng.integers(1, images)
    wanted = np.array([0.3 * images.sum(), 0.3 * positives.sum()]).astype(int).clip(2)
    n_images, n_positives = wanted.tolist()

    chosen = draw(
        images, positives, Wanted(n_images=n_images, n_positives=n_positives), seed=seed
    )

    per_patient = np.c_[images, positives]
    subsets = np.array(list(itertools.product([0, 1], repeat=9)))  # (512, patients)
    # An image counts 1 / all images of the part, a positive 1 / the rarer class.
    weights = 1 / np.array([n_images, min(n_positives, n_images - n_positives)])
    best = (np.abs(subsets @ per_patient - wanted) @ weights).min()
    reached = per_patient[chosen].sum(axis=0)
    assert np.abs(reached - wanted) @ weights == pytest.approx(best)


def test_many_skewed_patients_are_drawn_exactly():
    """As many patients as in the NIH's train_val_list.txt, with up to 180 images."""
    rng = np.random.default_rng(5)
    images = rng.zipf(2.0, 28_000).clip(1, 180)
    positives = rng.binomial(images, 0.01)
    wanted = Wanted(n_images=10_696, n_positives=115)

    chosen = draw(images, positives, wanted)

    assert (images[chosen].sum(), positives[chosen].sum()) == (10_696, 115)


def test_every_patient_is_drawn_now_and_then():
    images, positives = [1, 2, 3] * 10, [0, 1, 1] * 10
    wanted = Wanted(n_images=20, n_positives=7)

    draws = [draw(images, positives, wanted, seed=seed) for seed in range(100)]

    n_drawn = np.bincount(np.concatenate(draws), minlength=30)
    assert n_drawn.min() >= 10
    assert n_drawn.max() <= 70
