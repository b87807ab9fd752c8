"""Several findings at once: against slow definitions, one finding, and resampling."""

import itertools

import numpy as np
import pandas as pd
import pytest

from covid_cxr.statistics.auc import estimate_aucs
from covid_cxr.statistics.finding_aucs import estimate_finding_aucs
from covid_cxr.statistics.pairs import compare_all_pairs

FINDINGS = ["effusion", "nodule", "cardiomegaly"]


def a_study(seed, *, n_patients=40, share_unknown=0.25, findings=FINDINGS):
    """Return truth with gaps, the scores of two models, and patients."""
    rng = np.random.default_rng(seed)
    patients = rng.integers(0, n_patients, 3 * n_patients)
    own = rng.standard_normal((n_patients, len(findings)))[patients]
    signal = own + own[:, :1] + rng.standard_normal(own.shape)
    truth = pd.DataFrame(signal > 0.3, columns=findings).astype(object)
    truth[rng.random(truth.shape) < share_unknown] = None
    scores = {
        name: pd.DataFrame(
            np.round(signal + noise * rng.standard_normal(own.shape), 1),
            columns=findings,
        )
        for name, noise in (("a", 1.0), ("b", 2.0))
    }
    return truth, scores, patients


def slow_aucs(truth, scores, patients, weights):
    """Every AUC, finding after finding, from every pair; patients count so often."""
    aucs = []
    for finding in truth:
        is_case = (truth[finding] == True).to_numpy()  # noqa: E712 - None is neither
        is_control = (truth[finding] == False).to_numpy()  # noqa: E712
        pairs = np.outer(weights[patients[is_case]], weights[patients[is_control]])
        for table in scores.values():
            values = table[finding].to_numpy()
            x, y = values[is_case][:, np.newaxis], values[is_control]
            won = (x > y) + 0.5 * (x == y)
            aucs.append((pairs * won).sum() / pairs.sum())
    return np.array(aucs)


def slow_covariance(truth, scores, patients):
    """The sums over patients, one pair of AUCs and one patient after another."""
    rows = []
    for finding in truth:
        is_known = truth[finding].notna().to_numpy()
        is_case = (truth[finding] == True).to_numpy()  # noqa: E712
        groups = [is_case, is_known & ~is_case, is_known]
        i10, i01, i = (len(set(patients[group])) for group in groups)
        for table in scores.values():
            values = table[finding].to_numpy()
            x, y = values[groups[0]][:, np.newaxis], values[groups[1]]
            won = (x > y) + 0.5 * (x == y)
            excess = (won - won.mean()) / won.size
            of = [
                (
                    excess[patients[groups[0]] == patient].sum(),
                    excess[:, patients[groups[1]] == patient].sum(),
                )
                for patient in sorted(set(patients))
            ]
            rows.append((of, (i10 / (i10 - 1), i01 / (i01 - 1), i / (i - 1))))
    covariance = np.zeros((len(rows), len(rows)))
    for k, m in itertools.product(range(len(rows)), repeat=2):
        (first, c), (second, d) = rows[k], rows[m]
        for (a, b), (e, f) in zip(first, second, strict=True):
            together = np.sqrt(c[2] * d[2])
            cases = np.sqrt((c[0] - c[2]) * (d[0] - d[2]))
            controls = np.sqrt((c[1] - c[2]) * (d[1] - d[2]))
            covariance[k, m] += (a + b) * (e + f) * together
            covariance[k, m] += a * e * cases + b * f * controls
    return covariance


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_covariance_follows_the_sums_over_patients(seed):
    truth, scores, patients = a_study(seed)

    found = estimate_finding_aucs(truth, scores, cluster=patients)

    everyone = np.ones(patients.max() + 1)
    aucs = np.concatenate([each.auc for each in found.estimates.values()])
    assert aucs == pytest.approx(slow_aucs(truth, scores, patients, everyone))
    expected = slow_covariance(truth, scores, patients)
    assert found.covariance == pytest.approx(expected, abs=1e-14)
    assert np.linalg.eigvalsh(found.covariance).min() > -1e-12


def test_findings_go_together_as_when_patients_are_left_out():
    truth, scores, patients = a_study(5, n_patients=150)
    everyone = np.ones(150)
    left_out = np.stack(
        [
            slow_aucs(truth, scores, patients, everyone - (np.arange(150) == p))
            for p in set(patients)
        ]
    )
    n = len(left_out)
    jackknife = (n - 1) ** 2 / n * np.cov(left_out.T)

    found = estimate_finding_aucs(truth, scores, cluster=patients)

    errors = np.sqrt(np.diag(jackknife))
    assert found.covariance / np.outer(errors, errors) == pytest.approx(
        jackknife / np.outer(errors, errors), abs=0.04
    )
    of_findings = np.corrcoef(left_out.T)[0, 2]
    assert of_findings > 0.1  # what is compared is not all zero


def test_findings_go_together_as_in_resampled_patients():
    truth, scores, patients = a_study(6, n_patients=100)
    rng = np.random.default_rng(1)
    resampled = np.stack(
        [
            slow_aucs(truth, scores, patients, rng.multinomial(100, np.full(100, 0.01)))
            for _ in range(400)
        ]
    )

    found = estimate_finding_aucs(truth, scores, cluster=patients)

    mean = resampled.reshape(400, 3, 2).mean(axis=1)
    assert found.mean.standard_error == pytest.approx(mean.std(axis=0), rel=0.15)
    difference = found.mean.compare("a", "b")
    assert difference.standard_error == pytest.approx(
        (mean[:, 0] - mean[:, 1]).std(), rel=0.15
    )


def test_each_finding_is_as_its_images_alone():
    truth, scores, patients = a_study(7)
    found = estimate_finding_aucs(truth, scores, cluster=patients)

    for f, finding in enumerate(FINDINGS):
        known = truth[finding].notna()
        alone = estimate_aucs(
            truth[finding][known].astype(bool),
            pd.DataFrame({name: t[finding][known] for name, t in scores.items()}),
            cluster=patients[known],
        )
        each = found.estimates[finding]
        assert np.array_equal(each.interval(), alone.interval())
        assert each.compare("a", "b") == alone.compare("a", "b")
        block = found.covariance[2 * f : 2 * f + 2, 2 * f : 2 * f + 2]
        assert np.array_equal(block, alone.covariance)


def test_the_mean_of_one_finding_is_that_finding():
    truth, scores, patients = a_study(8, findings=["effusion"])

    found = estimate_finding_aucs(truth, scores, cluster=patients)

    alone = found.estimates["effusion"]
    assert np.array_equal(found.mean.covariance, alone.covariance)
    assert found.mean.interval() == pytest.approx(alone.interval(), abs=1e-12)
    mean, single = (each.compare("a", "b") for each in (found.mean, alone))
    assert mean.p_value == pytest.approx(single.p_value, abs=1e-12)


def test_a_finding_twice_says_no_more_than_once():
    truth, scores, patients = a_study(9, findings=["effusion"])
    twice = {
        name: pd.DataFrame({"effusion": t["effusion"], "again": t["effusion"]})
        for name, t in scores.items()
    }

    found = estimate_finding_aucs(
        truth.assign(again=truth["effusion"]), twice, cluster=patients
    )

    once = found.estimates["effusion"]
    assert found.mean.interval() == pytest.approx(once.interval(), abs=1e-12)


def test_a_class_that_adds_no_error_has_no_part_in_the_degrees_of_freedom():
    patients = np.repeat(np.arange(30), 2)
    is_case = patients < 15
    scores = np.where(is_case, 0.5, np.where(patients % 2, 0.75, 0.25))
    scores[-2:] = 0.25, 0.75  # half of the controls below every case

    found = estimate_finding_aucs(
        pd.DataFrame({"effusion": is_case}),
        {"a": pd.DataFrame({"effusion": scores})},
        cluster=patients,
    )

    alone = found.estimates["effusion"]
    assert alone.auc[0] == 0.5
    assert np.isfinite(alone.interval()).all()
    assert found.mean.interval() == pytest.approx(alone.interval(), abs=1e-12)


def test_all_pairs_of_all_findings_are_one_family():
    truth, scores, patients = a_study(10)
    found = estimate_finding_aucs(truth, scores, cluster=patients)

    family = found.compare_all_pairs()

    assert family.pairs == (("a", "b"),) * 3
    for estimates, difference in zip(
        found.estimates.values(), family.differences, strict=True
    ):
        assert difference == estimates.compare("a", "b")
    contrasts = np.kron(np.eye(3), [1, -1])
    covariance = contrasts @ found.covariance @ contrasts.T
    errors = np.sqrt(np.diag(covariance))
    assert family.correlation == pytest.approx(covariance / np.outer(errors, errors))
    simulated = family.max_t(seed=1)
    assert (simulated.p_value >= family.p_value).all()
    assert (simulated.p_value <= family.holm + 0.005).all()


def test_with_one_finding_the_family_is_that_of_its_pairs():
    truth, scores, patients = a_study(11, findings=["effusion"])
    found = estimate_finding_aucs(truth, scores, cluster=patients)

    family, alone = (
        found.compare_all_pairs(),
        compare_all_pairs(found.estimates["effusion"]),
    )

    assert family.differences == alone.differences
    assert np.array_equal(family.correlation, alone.correlation)


def test_a_finding_of_one_patient_leaves_the_others_known():
    truth, scores, patients = a_study(12, share_unknown=0)
    truth["nodule"] = patients == patients[0]

    found = estimate_finding_aucs(truth, scores, cluster=patients)

    assert np.isnan(found.covariance[2:4]).all()
    assert np.isfinite(found.covariance[np.ix_([0, 1, 4, 5], [0, 1, 4, 5])]).all()
    assert np.isnan(found.mean.compare("a", "b").p_value)
    adjusted = found.compare_all_pairs().max_t(seed=1).p_value
    assert np.isnan(adjusted).tolist() == [False, True, False]


def test_images_without_named_patients_are_taken_as_independent():
    truth, scores, _ = a_study(13)

    found = estimate_finding_aucs(truth, scores, cluster=None)

    assert np.isinf(found.mean.compare("a", "b").degrees_of_freedom)


def test_what_does_not_fit_is_refused_with_the_finding_and_the_model():
    truth, scores, patients = a_study(14)

    with pytest.raises(ValueError, match=r"b must have .* lacks nodule"):
        estimate_finding_aucs(
            truth, scores | {"b": scores["b"].drop(columns="nodule")}, cluster=patients
        )
    with pytest.raises(ValueError, match=r"a must have .* it has 119 rows"):
        estimate_finding_aucs(truth, scores | {"a": scores["a"][1:]}, cluster=patients)
    with pytest.raises(ValueError, match=r"nodule: An AUC needs .* got 0 cases"):
        estimate_finding_aucs(truth.assign(nodule=False), scores, cluster=patients)
    with pytest.raises(ValueError, match=r"nodule: the truth must be .* got 0.5"):
        estimate_finding_aucs(truth.assign(nodule=0.5), scores, cluster=patients)
    with pytest.raises(ValueError, match="nodule: Scores must be finite"):
        estimate_finding_aucs(
            truth,
            scores | {"b": scores["b"].assign(nodule=np.nan)},
            cluster=patients,
        )
    with pytest.raises(ValueError, match=r"effusion: An AUC needs .* got 0 cases"):
        estimate_finding_aucs(
            truth[:0], {name: t[:0] for name, t in scores.items()}, cluster=patients[:0]
        )
    with pytest.raises(ValueError, match="3 findings and 0 models"):
        estimate_finding_aucs(truth, {}, cluster=patients)


def test_scores_are_not_looked_at_where_the_truth_is_unknown():
    truth, scores, patients = a_study(15)
    gaps = {name: table.where(truth.notna()) for name, table in scores.items()}

    whole, gappy = (
        estimate_finding_aucs(truth, each, cluster=patients) for each in (scores, gaps)
    )

    assert np.array_equal(whole.covariance, gappy.covariance)
