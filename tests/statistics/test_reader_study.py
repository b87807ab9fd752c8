"""Reader studies: the published analysis of Van Dyke's data, and simulation."""

import numpy as np
import pytest
from scipy.stats import norm

from covid_cxr.statistics.auc import estimate_aucs
from covid_cxr.statistics.reader_study import ReaderStudy, study_readers

# Two modalities and five readers on 114 patients (Van Dyke et al. 1993), as
# UtilFigureOfMerit of R's RJafroc prints them for dataset02, "Wilcoxon".
AUCS = np.array(
    [
        [0.9196, 0.8588, 0.9039, 0.9731, 0.8298],
        [0.9478, 0.9053, 0.9217, 0.9994, 0.9300],
    ]
)
# As UtilORVarComponentsFactorial does with covEstMethod = "jackknife".
VARIANCE, COV1, COV2, COV3 = 0.00080228827, 0.00034661371, 0.00034407483, 0.00023902837
OWN_VARIANCE, OWN_COV2 = (0.0010141, 0.0005905), (0.0004840, 0.0002042)


def van_dyke():
    """Return the study with a covariance that has the printed means."""
    covariance = np.full((2, 5, 2, 5), COV3)
    for i in range(2):
        covariance[i, :, i, :] = OWN_COV2[i]
        for j in range(5):
            covariance[i, j, 1 - i, j] = COV1
            covariance[i, j, i, j] = OWN_VARIANCE[i]
    return ReaderStudy(
        modalities=("cine", "spin echo"),
        auc=AUCS,
        covariance=covariance.reshape(10, 10),
    )


def test_the_components_are_the_printed_ones():
    assert van_dyke().components == pytest.approx(
        (VARIANCE, COV1, COV2, COV3), abs=1e-7
    )


def test_readers_and_cases_at_random_are_tested_as_printed():
    """F 4.456, 15.26 degrees of freedom, p 0.05167, interval -0.08796 to 0.00036."""
    study = van_dyke()

    f, freedom, p_value = study.test_modalities()
    difference = study.compare("cine", "spin echo")

    assert f == pytest.approx(4.456, abs=0.01)  # of AUCs with four decimals
    assert freedom == pytest.approx(15.26, abs=0.05)
    assert p_value == pytest.approx(0.05167, abs=2e-4)
    assert difference.p_value == pytest.approx(p_value)
    assert difference.estimate == pytest.approx(-0.0438, abs=5e-5)
    assert difference.interval() == pytest.approx((-0.08796, 0.00036), abs=1e-4)


def test_each_modality_has_its_own_printed_interval():
    assert van_dyke().interval() == pytest.approx(
        np.array([[0.8252, 0.9689], [0.8941, 0.9875]]), abs=1.5e-4
    )


def ratings(rng, n_patients=60, n_readers=4, difference=0.0):
    """Return labels, ratings (n, 2, readers), and patients with two images each."""
    patients = np.repeat(np.arange(n_patients), 2)
    is_case = patients < n_patients // 2
    own = rng.standard_normal(n_patients)[patients][:, None, None]
    skill = 1.5 + 0.2 * rng.standard_normal((1, 1, n_readers))
    skill = skill + 0.2 * rng.standard_normal((1, 2, n_readers))
    skill = skill + difference * np.array([0, 1])[None, :, None]
    noise = rng.standard_normal((len(patients), 2, n_readers))
    return is_case, skill * is_case[:, None, None] + 0.6 * own + 0.8 * noise, patients


def test_the_aucs_are_those_of_each_reader_and_modality():
    is_case, rated, patients = ratings(np.random.default_rng(1))

    study = study_readers(is_case, rated, modalities=["a", "b"], cluster=patients)

    for i in range(2):
        for j in range(4):
            alone = estimate_aucs(is_case, rated[:, i, j], cluster=patients)
            assert study.auc[i, j] == pytest.approx(alone.auc[0])
            place = 4 * i + j
            assert study.covariance[place, place] == pytest.approx(
                alone.covariance[0, 0]
            )


def test_equal_modalities_are_told_apart_as_often_as_said():
    rng = np.random.default_rng(2)
    rejected = []
    for _ in range(500):
        is_case, rated, patients = ratings(rng)
        study = study_readers(is_case, rated, modalities=["a", "b"], cluster=patients)
        rejected.append(study.compare("a", "b").p_value < 0.05)

    assert np.mean(rejected) == pytest.approx(0.05, abs=0.025)


def test_readers_who_are_all_alike_leave_their_own_interval_to_the_patients():
    is_case, rated, patients = ratings(np.random.default_rng(4), n_readers=2)
    rated[:, 0, 1] = rated[:, 0, 0]
    study = study_readers(is_case, rated, modalities=["a", "b"], cluster=patients)

    lower, upper = study.interval()[0]

    error = np.sqrt(study.covariance[0, 0])  # the same for both, and between them
    assert [lower, upper] == pytest.approx(
        study.auc[0, 0] + 1.959964 * error * np.array([-1, 1])
    )


def test_readers_who_differ_alike_are_tested_by_the_patients_alone():
    covariance = np.full((2, 2, 2, 2), 0.001)
    covariance[0, :, 0, :] = covariance[1, :, 1, :] = 0.003
    study = ReaderStudy(
        modalities=("a", "b"),
        auc=np.array([[0.875, 0.75], [0.8125, 0.6875]]),
        covariance=covariance.reshape(4, 4),
    )

    _, freedom, p_value = study.test_modalities()

    assert freedom == np.inf
    assert p_value == pytest.approx(2 * norm.sf(0.0625 / np.sqrt(2 * 0.002)))
    assert study.compare("a", "b").p_value == pytest.approx(p_value)


def test_readers_without_any_error_have_no_interval():
    is_case, rated, patients = ratings(np.random.default_rng(5), n_readers=2)
    rated[:, 0] += 100 * is_case[:, np.newaxis]
    study = study_readers(is_case, rated, modalities=["a", "b"], cluster=patients)

    assert np.isnan(study.interval()).tolist() == [[True, True], [False, False]]


def test_the_jackknife_leaves_out_each_patient_in_turn():
    is_case, rated, patients = ratings(np.random.default_rng(6), n_patients=12)

    study = study_readers(
        is_case,
        rated,
        modalities=["a", "b"],
        cluster=patients,
        covariance="jackknife",
    )

    left_out = np.array(
        [
            [
                np.mean(
                    np.sign(
                        rated[kept & is_case, i, j][:, None]
                        - rated[kept & ~is_case, i, j]
                    )
                    / 2
                    + 0.5
                )
                for i in range(2)
                for j in range(4)
            ]
            for kept in (patients != patient for patient in range(12))
        ]
    )
    apart = left_out - left_out.mean(axis=0)
    assert study.covariance == pytest.approx(11 / 12 * apart.T @ apart)


def test_what_is_no_reader_study_is_refused():
    is_case, rated, patients = ratings(np.random.default_rng(3))

    with pytest.raises(ValueError, match="2 modalities and 2 readers"):
        study_readers(is_case, rated[:, :, :1], modalities=["a", "b"], cluster=patients)
    with pytest.raises(ValueError, match=r"shape .120, 2, 4. for 3 modalities"):
        study_readers(is_case, rated, modalities=["a", "b", "c"], cluster=patients)
    study = study_readers(is_case, rated, modalities=["a", "b"], cluster=patients)
    with pytest.raises(ValueError, match="no modality 'c'"):
        study.compare("a", "c")
    with pytest.raises(ValueError, match="a name of its own, got a, a for 2"):
        study_readers(is_case, rated, modalities=["a", "a"], cluster=patients)
    with pytest.raises(ValueError, match="one of delong, jackknife, got 'ols'"):
        study_readers(
            is_case,
            rated,
            modalities=["a", "b"],
            cluster=patients,
            covariance="ols",
        )
