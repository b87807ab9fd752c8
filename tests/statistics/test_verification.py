"""Verification bias: the published example and formula, simulation, and refusals."""

import numpy as np
import pytest

from covid_cxr.statistics.verification import correct_for_verification

# Hepatic scintigraphy (Drum and Christacopoulos, J Nucl Med 1972;13:908), the example
# of Begg and Greenes: verified by call and disease, and unverified by call.
VERIFIED = {(1, 1): 231, (1, 0): 32, (0, 1): 27, (0, 0): 54}
UNVERIFIED = {1: 166, 0: 140}


def scintigraphy():
    rows = [
        (case, 1, call) for (call, case), n in VERIFIED.items() for _ in range(n)
    ] + [(0, 0, call) for call, n in UNVERIFIED.items() for _ in range(n)]
    return np.array(rows, dtype=bool).T


def test_the_published_example():
    """Corrected 0.84 and 0.74; of the verified alone 0.90 and 0.63."""
    case, verified, called = scintigraphy()

    found = correct_for_verification(case, verified, called, cluster=None)

    assert found.sensitivity.estimate == pytest.approx(0.8365, abs=5e-5)
    assert found.specificity.estimate == pytest.approx(0.7384, abs=5e-5)
    assert found.n_verified == 344


def test_the_error_is_that_of_the_published_formula():
    """Of the log odds: N/(n1 n0) + (1 - v1)/(v1 m1) + (1 - v0)/(v0 m0)."""
    case, verified, called = scintigraphy()
    variance = 650 / (429 * 221) + 32 / (231 * 263) + 54 / (27 * 81)
    of_specificity = 650 / (429 * 221) + 231 / (32 * 263) + 27 / (54 * 81)

    found = correct_for_verification(case, verified, called, cluster=None)

    for share, expected in (
        (found.sensitivity, variance),
        (found.specificity, of_specificity),
    ):
        odds = share.estimate * (1 - share.estimate)
        by_formula = np.sqrt(expected) * odds
        assert share.standard_error == pytest.approx(by_formula, rel=2e-3)


def test_inverse_weights_give_the_same_numbers():
    rng = np.random.default_rng(1)
    case, called, site = rng.random((3, 500)) < 0.5
    verified = rng.random(500) < np.where(called, 0.9, 0.3) * np.where(site, 1, 0.6)
    weight = np.zeros(500)
    for kind in ((c, s) for c in (False, True) for s in (False, True)):
        own = (called == kind[0]) & (site == kind[1])
        weight[own] = 1 / verified[own].mean()

    found = correct_for_verification(case, verified, called, cluster=None, stratum=site)

    known = weight * verified
    assert found.sensitivity.estimate == pytest.approx(
        (known * case * called).sum() / (known * case).sum()
    )
    assert found.specificity.estimate == pytest.approx(
        (known * ~case * ~called).sum() / (known * ~case).sum()
    )


def test_the_specificity_is_the_sensitivity_of_the_mirrored():
    rng = np.random.default_rng(4)
    patient = np.arange(300) // 3
    case = (rng.random(100) < 0.4)[patient]
    called = rng.random(300) < np.where(case, 0.8, 0.3)
    verified = rng.random(300) < np.where(called, 0.9, 0.5)

    found = correct_for_verification(case, verified, called, cluster=patient)
    mirrored = correct_for_verification(~case, verified, ~called, cluster=patient)

    ends = [found.specificity.estimate, *found.intervals()[1]]
    assert ends == pytest.approx(
        [mirrored.sensitivity.estimate, *mirrored.intervals()[0]]
    )


def test_a_share_of_1_has_no_interval():
    case, called = np.array([[1, 1, 0, 0, 0], [1, 1, 1, 0, 0]], dtype=bool)

    found = correct_for_verification(case, [True] * 5, called, cluster=None)

    assert found.sensitivity.estimate == 1
    assert np.isnan(found.intervals()).tolist() == [[True, True], [False, False]]


def test_all_verified_is_what_is_seen():
    case, verified, called = scintigraphy()
    everything = np.ones_like(verified)

    found = correct_for_verification(case, everything, called, cluster=None)

    assert found.sensitivity.estimate == pytest.approx(called[case].mean())
    assert found.specificity.estimate == pytest.approx((~called[~case]).mean())


def test_an_interval_by_patient_holds_the_truth_and_one_by_image_does_not():
    rng = np.random.default_rng(2)
    held, by_image, seen = [], [], []
    for _ in range(400):
        patient = np.repeat(np.arange(150), 3)
        case = (rng.random(150) < 0.4)[patient]
        own = rng.standard_normal(150)[patient]
        score = 1.6832 * case + 0.8 * own + 0.6 * rng.standard_normal(450)
        called = score >= 0.8416  # 0.8 of either are called rightly
        verified = rng.random(450) < np.where(called, 0.9, 0.4)
        for cluster, kept in ((patient, held), (None, by_image)):
            found = correct_for_verification(case, verified, called, cluster=cluster)
            low, high = found.intervals()[0]
            kept.append(low <= 0.8 <= high)
        seen.append(called[case & verified].mean())

    assert np.mean(seen) > 0.88  # what the verified alone would say
    assert np.mean(held) == pytest.approx(0.95, abs=0.03)
    assert np.mean(by_image) < 0.9


def test_what_cannot_be_corrected_is_refused():
    case, verified, called = scintigraphy()

    with pytest.raises(ValueError, match="No image that is not called is verified"):
        correct_for_verification(case, verified & called, called, cluster=None)
    with pytest.raises(ValueError, match="all are of one class"):
        correct_for_verification(case, verified & case, called, cluster=None)
    with pytest.raises(ValueError, match="650 labels, 650 verifications and 2 calls"):
        correct_for_verification(case, verified, called[:2], cluster=None)
