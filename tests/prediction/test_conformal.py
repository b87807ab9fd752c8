"""Shares that conformal bounds promise, by simulation; distances, by definition."""

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf

from covid_cxr.prediction.conformal import (
    one_per_patient,
    prediction_sets,
    upper_bound,
)
from covid_cxr.prediction.gate import UsualFeatures, fit_gate


@pytest.mark.parametrize(("n", "share"), [(9, 0.1), (50, 0.1), (199, 0.01), (40, 0.3)])
def test_the_share_beyond_the_bound_is_the_one_asked_for(n, share):
    rng = np.random.default_rng(n)
    values = rng.standard_exponential((20_000, n + 1))

    beyond = [new > upper_bound(known, share=share) for *known, new in values]

    exact = np.floor((n + 1) * share + 1e-9) / (n + 1)  # k ranks of n + 1 lie beyond
    assert np.mean(beyond) == pytest.approx(exact, abs=4 * np.sqrt(share / 20_000))
    assert exact <= share


def test_too_few_patients_bound_nothing():
    assert upper_bound(range(98), share=0.01) is None
    assert upper_bound(range(99), share=0.01) == 98
    assert upper_bound([], share=0.5) is None


def test_one_image_of_each_patient_is_drawn():
    patients = np.repeat(["a", "b", "c"], [1, 5, 20])

    drawn = [one_per_patient(patients, seed=seed) for seed in range(200)]

    assert all(patients[places].tolist() == ["a", "b", "c"] for places in drawn)
    assert {places[1] for places in drawn} == set(range(1, 6))


def test_each_class_is_covered_by_patient():
    rng = np.random.default_rng(5)
    covered = {True: [], False: []}
    for seed in range(400):
        is_case = np.repeat(rng.random(120) < 0.3, 2)
        patient_effect = np.repeat(rng.normal(0, 2, 120), 2)  # one image is not two
        signal = 2 * is_case + patient_effect + rng.normal(0, 0.3, 240)
        scores = 1 / (1 + np.exp(-signal))
        patients = np.repeat(np.arange(120), 2)
        known = patients < 80
        sets = prediction_sets(
            scores[known], is_case[known], patients[known], coverage=0.8, seed=seed
        )
        new = np.flatnonzero(~known)[::2]  # one image of each new patient
        in_case = scores[new] >= sets["least_case_score"]
        in_control = scores[new] <= sets["greatest_control_score"]
        covered[True] += in_case[is_case[new]].tolist()
        covered[False] += in_control[~is_case[new]].tolist()

    for is_in in covered.values():
        assert 0.8 - 0.015 < np.mean(is_in) < 0.8 + 0.05


def test_distances_are_mahalanobis_with_the_shrunk_covariance():
    rng = np.random.default_rng(3)
    for n, channels in ((12, 30), (200, 8)):  # fewer images than channels, and more
        known = rng.normal(size=(n, channels)) @ rng.normal(size=(channels, channels))
        new = rng.normal(size=(5, channels))
        fitted = LedoitWolf().fit(known)

        distance = UsualFeatures.of(known).distance(new)

        assert distance == pytest.approx(np.sqrt(fitted.mahalanobis(new)), rel=1e-6)


def test_the_gate_refuses_the_stated_share_of_patients_like_the_known():
    rng = np.random.default_rng(7)
    refused = []
    for seed in range(60):
        features = rng.normal(size=(800, 4))
        patients = np.repeat(np.arange(400), 2)
        usual, gate = fit_gate(features, patients, refused_share=0.05, seed=seed)
        new = rng.normal(size=(500, 4))
        refused.append((usual.distance(new) > gate["limit"]).mean())

    assert gate["n_patients"] == 200
    assert np.mean(refused) == pytest.approx(0.05, abs=0.01)


def test_a_gate_of_two_patients_refuses_nothing():
    features = np.random.default_rng(1).normal(size=(2, 4))

    usual, gate = fit_gate(features, np.array(["a", "b"]), refused_share=0.01, seed=1)

    assert gate["limit"] is None
    assert np.isfinite(usual.distance(features)).all()


@pytest.mark.parametrize("unknown", [np.nan, None])
def test_an_image_whose_label_is_not_known_is_refused(unknown):
    is_case = [True, unknown, False]

    with pytest.raises(ValueError, match="drop the images whose label is unknown"):
        prediction_sets([0.9, 0.5, 0.1], is_case, ["a", "b", "c"], coverage=0.8, seed=1)
