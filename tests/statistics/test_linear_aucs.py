"""Sums over patients: against the whole AUC of every pair, with the same weights."""

import numpy as np
import pytest

from covid_cxr.statistics.auc import estimate_aucs
from covid_cxr.statistics.bootstrap import bootstrap_aucs

WHERE = bootstrap_aucs.__module__


def table(seed, n_images=4000, signal=1.0, decimals=9):
    """Return labels, two models' scores and patients, some of both classes."""
    rng = np.random.default_rng(seed)
    patients = rng.integers(0, n_images // 2, n_images)
    is_case = (patients % 5 == 1) ^ (rng.random(n_images) < 0.05)
    own = rng.standard_normal(patients.max() + 1)[patients]
    noise = rng.standard_normal((n_images, 2)) + own[:, np.newaxis]
    scores = noise + is_case[:, np.newaxis] * [signal, signal / 2]
    return is_case, np.round(scores, decimals), patients


def both(monkeypatch, data, n_replicates=200, most_left_out=1.0):
    """Return whole and linear replicates of the same draws."""
    is_case, scores, patients = data
    found = []
    for many in (len(is_case), len(is_case) - 1):
        monkeypatch.setattr(f"{WHERE}._MANY_IMAGES", many)
        monkeypatch.setattr(f"{WHERE}._MOST_LEFT_OUT", most_left_out)
        found.append(
            bootstrap_aucs(
                is_case, scores, cluster=patients, n_replicates=n_replicates, seed=3
            )
        )
    return found


@pytest.mark.parametrize("decimals", [9, 1, 0], ids=["no ties", "ties", "few values"])
@pytest.mark.parametrize("signal", [0.0, 1.0, 3.0])
def test_what_linear_replicates_leave_out_is_as_little_as_they_say(
    monkeypatch, signal, decimals
):
    whole, linear = both(monkeypatch, table(1, signal=signal, decimals=decimals))

    assert whole.left_out is None
    assert linear.auc == pytest.approx(whole.auc, rel=1e-12)
    gap = linear.replicates - whole.replicates
    seen = np.sqrt((gap**2).mean(axis=0)) / whole.standard_error
    assert (seen < 1.1 * linear.left_out).all()
    assert (linear.left_out < 0.25).all()
    assert (seen < 0.06).all()


@pytest.mark.parametrize("method", ["percentile", "bca"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_bounds_are_those_of_whole_replicates_far_within_their_own_error(
    monkeypatch, seed, method
):
    whole, linear = both(monkeypatch, table(seed, n_images=20_000), n_replicates=400)

    expected, found = whole.interval(method=method), linear.interval(method=method)

    assert (
        np.abs(found.bounds - expected.bounds) < expected.monte_carlo_error / 2
    ).all()
    gap = np.abs(found.bounds - expected.bounds) / whole.standard_error[:, np.newaxis]
    assert gap.max() < 0.05


def test_the_rest_falls_with_the_root_of_the_number_of_patients(monkeypatch):
    shares = []
    for n_images in (1000, 16_000):
        whole, linear = both(monkeypatch, table(5, n_images=n_images))
        gap = (linear.replicates - whole.replicates).std(axis=0)
        shares.append(np.array([gap / whole.standard_error, linear.left_out]))

    assert shares[0] / shares[1] == pytest.approx(4 * np.ones((2, 2)), rel=0.35)


def test_a_patient_left_out_is_left_out_of_the_sums(monkeypatch):
    whole, linear = both(monkeypatch, table(6), n_replicates=2)

    moved = whole.jackknife - whole.auc

    assert np.abs(linear.jackknife - whole.jackknife).max() < 0.02 * np.abs(moved).max()


@pytest.mark.parametrize(
    "scores",
    [
        lambda case, rng: case + rng.random(len(case)) / 2,
        lambda case, rng: np.zeros(len(case)),
        lambda case, rng: -1.0 * case,
    ],
    ids=["perfect", "constant", "reversed"],
)
def test_scores_without_variance_have_no_rest_and_no_interval(monkeypatch, scores):
    is_case, _, patients = table(7)
    drawn = scores(is_case, np.random.default_rng(1))
    whole, linear = both(monkeypatch, (is_case, drawn, patients), n_replicates=9)

    assert linear.left_out.tolist() == [0]
    assert linear.replicates.tolist() == whole.replicates.tolist()
    assert np.isnan(linear.interval().bounds).all()


@pytest.mark.parametrize("kind", ["one wrong pair", "few patients", "small"])
def test_replicates_are_whole_where_the_rest_would_be_seen(monkeypatch, kind):
    is_case, scores, patients = table(8, n_images=2000)
    if kind == "one wrong pair":
        scores = is_case + np.linspace(0, 0.5, len(is_case))
        worst = [np.flatnonzero(is_case)[0], np.flatnonzero(~is_case)[-1]]
        scores[worst] = scores[worst[::-1]]
    elif kind == "few patients":
        patients = patients % 40
    whole, asked = both(
        monkeypatch, (is_case, scores, patients), n_replicates=9, most_left_out=0.03
    )

    assert asked.left_out is None
    assert (asked.replicates == whole.replicates).all()
    assert (asked.jackknife == whole.jackknife).all()


def test_a_table_of_the_size_that_is_announced_is_summed_as_it_is():
    """Without a change of the limits: a hundred thousand images and a few."""
    is_case, scores, patients = table(9, n_images=100_500)

    found = bootstrap_aucs(is_case, scores, cluster=patients, n_replicates=300, seed=1)

    expected = estimate_aucs(is_case, scores, cluster=patients).standard_error
    assert (found.left_out < 0.03).all()
    assert found.standard_error == pytest.approx(expected, rel=0.15)
