"""Means over images of patients."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from covid_cxr.statistics.clustered_mean import clustered_mean, clustered_means


def test_with_one_image_per_patient_it_is_the_interval_of_a_t_test():
    values = np.random.default_rng(0).normal(size=12)

    mean = clustered_mean(values, np.arange(12))

    expected = ttest_1samp(values, 0).confidence_interval(0.9)
    assert mean.estimate == pytest.approx(values.mean())
    assert mean.interval(0.9) == pytest.approx(tuple(expected))


def test_the_standard_error_follows_the_definition_by_hand():
    # Mean 2; residuals by patient -1 + 0 = -1 and 1, over 3 images; 2 patients.
    mean = clustered_mean([1.0, 2.0, 3.0], np.array(["p", "p", "q"]))

    assert mean.standard_error == pytest.approx(np.sqrt(2 * (1 + 1) / 9))
    assert (mean.n_images, mean.n_clusters) == (3, 2)


def test_it_agrees_with_a_slow_bootstrap_of_patients():
    rng = np.random.default_rng(1)
    patients = rng.integers(0, 150, 500)
    values = rng.normal(size=150)[patients] + rng.normal(size=500)
    by_patient = [values[patients == patient] for patient in np.unique(patients)]
    replicates = [
        np.concatenate([by_patient[k] for k in rng.integers(0, len(by_patient), 150)])
        for _ in range(2000)
    ]

    resampled = np.std([replicate.mean() for replicate in replicates])

    assert clustered_mean(values, patients).standard_error == pytest.approx(
        resampled, rel=0.1
    )


def test_a_single_patient_has_no_interval():
    assert np.isnan(clustered_mean([1.0, 2.0], np.array(["p", "p"])).interval()).all()


@pytest.mark.parametrize("values", [[], [1.0, np.nan]])
def test_values_that_are_none_are_refused(values):
    with pytest.raises(ValueError, match="needs values, all of them finite"):
        clustered_mean(values, np.arange(len(values)))


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, 1 / 3])
def test_values_that_are_all_alike_leave_no_interval_of_no_width(value):
    mean = clustered_mean(np.full(21, value), np.arange(21) // 3)

    assert mean.estimate == pytest.approx(value)
    assert np.isnan(mean.interval()).all()


def test_pairs_of_means_are_means_of_differences():
    rng = np.random.default_rng(9)
    patients = rng.integers(0, 30, 100)
    values = rng.standard_normal((3, 100))

    found = clustered_means([*values, values[0]], patients)

    for i, j in ((0, 1), (2, 0)):
        alone = clustered_mean(values[i] - values[j], patients)
        pair = found.compare(i, j)
        assert pair.estimate == pytest.approx(alone.estimate)
        assert pair.standard_error == pytest.approx(alone.standard_error)
        assert (pair.n_images, pair.n_clusters) == (100, alone.n_clusters)
    assert found.mean(1) == clustered_mean(values[1], patients)
    assert found.compare(0, 3).p_value == 1
