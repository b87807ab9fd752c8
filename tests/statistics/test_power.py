"""Planning: against published tables, printed output of R, and simulation."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from covid_cxr.statistics.auc import estimate_aucs
from covid_cxr.statistics.power import (
    VARIANCES,
    PlannedTestSet,
    PowerOfDifference,
    PowerOfNonInferiority,
    WidthOfAuc,
    WidthOfSensitivity,
    design_effect,
    fewest_patients,
    learn_from_pilot,
    smallest_detectable_difference,
)

BALANCED = PlannedTestSet(share_of_cases=0.5)


@pytest.mark.parametrize(
    ("auc", "standard_error"),
    # Their formula worked out for 165 cases and 53 controls, to four places.
    [(0.849, 0.0261), (0.857, 0.0253), (0.757, 0.0342)],
)
def test_the_standard_error_of_hanley_and_mcneil(auc, standard_error):
    variance = VARIANCES["hanley_mcneil"](auc, 165, 53)

    assert np.sqrt(variance) == pytest.approx(standard_error, abs=5e-5)


def power_against_chance(auc, n_cases, n_controls, significance):
    """Of pROC's test of one AUC against 1/2, which is no question of ours."""
    variance = VARIANCES["obuchowski"]
    chance = np.sqrt(variance(0.5, n_cases, n_controls))
    error = np.sqrt(variance(auc, n_cases, n_controls))
    return norm.cdf((auc - 0.5 - norm.ppf(1 - significance) * chance) / error)


def test_the_variance_of_obuchowski_is_that_of_proc():
    """As in the tests of R's pROC for these commands."""
    # power.roc.test(ncases=41, ncontrols=72, auc=0.73, sig.level=0.05)
    assert power_against_chance(0.73, 41, 72, 0.025) == pytest.approx(
        0.9897453, abs=5e-8
    )
    # power.roc.test(ncases=41, ncontrols=72, auc=0.73, power=0.95, sig.level=NULL)
    assert power_against_chance(0.73, 41, 72, 0.009238584 / 2) == pytest.approx(
        0.95, abs=5e-8
    )
    # power.roc.test(ncases=41, ncontrols=72, sig.level=0.05, power=0.95), which looks
    # for the root to about 1e-4 (R's uniroot)
    detectable = brentq(
        lambda auc: power_against_chance(auc, 41, 72, 0.025) - 0.95, 0.55, 0.95
    )
    assert detectable == pytest.approx(0.6961054, abs=1e-4)


@pytest.mark.parametrize(
    ("ratio", "auc", "n_cases", "n_controls"),
    # Obuchowski et al., Clin Chem 2004;50:1118, Table 4: power 0.9, one-sided 0.05.
    [
        *[(0.25, 0.6, 334, 84), (0.25, 0.7, 80, 20), (0.5, 0.7, 49, 25)],
        *[(1, 0.6, 135, 135), (1, 0.7, 33, 33), (1, 0.8, 14, 14)],
        *[(2, 0.6, 102, 203), (2, 0.7, 25, 50), (4, 0.7, 21, 84)],
    ],
)
def test_the_table_of_obuchowski(ratio, auc, n_cases, n_controls):
    needed = brentq(
        lambda n: power_against_chance(auc, n, ratio * n, 0.05) - 0.9, 2, 1000
    )

    assert np.ceil([needed, ratio * needed]).tolist() == [n_cases, n_controls]


@pytest.mark.parametrize(
    ("aucs", "expected"),
    # Hanley and McNeil 1982, the equation of Table III with exact quantiles: one-sided
    # 0.05, two samples of n cases and n controls, powers of 0.8, 0.9 and 0.95.
    [((0.70, 0.75), (653, 899, 1131)), ((0.80, 0.90), (111, 150, 186))],
)
def test_the_numbers_of_hanley_and_mcneil(aucs, expected):
    def power_of(n):
        first, second = (VARIANCES["hanley_mcneil"](auc, n, n) for auc in aucs)
        limit = norm.ppf(0.95) * np.sqrt(2 * first)
        return norm.cdf((aucs[1] - aucs[0] - limit) / np.sqrt(first + second))

    for power, n_per_class in zip((0.8, 0.9, 0.95), expected, strict=True):
        needed = brentq(lambda n, power=power: power_of(n) - power, 10, 5000)
        # Their large-sample variance has n where ours has n - 1.
        assert needed == pytest.approx(n_per_class, abs=1.5)


def test_the_power_is_that_of_the_test_whose_error_is_estimated():
    question = PowerOfDifference(
        auc=0.8, difference=0.05, correlation=0.5, significance=0.05, power=0.8
    )
    error = BALANCED.error_of_difference((0.8, 0.85), 0.5, 300)
    z = np.random.default_rng(5).normal(0.05 / error, 1, 40_000)

    assert question.reached(BALANCED, 300) == pytest.approx(
        (z > norm.ppf(0.975)).mean(), abs=0.01
    )


@pytest.mark.parametrize(("n_cases", "n_controls"), [(40, 20), (15, 60)])
def test_the_binormal_variance_is_that_of_normal_scores(n_cases, n_controls):
    rng = np.random.default_rng(1)
    shift = np.sqrt(2) * norm.ppf(0.85)
    x = shift + rng.standard_normal((20_000, n_cases, 1))
    y = rng.standard_normal((20_000, 1, n_controls))
    aucs = (x > y).mean(axis=(1, 2))

    variance = VARIANCES["binormal"](0.85, n_cases, n_controls)

    assert variance == pytest.approx(aucs.var(), rel=0.03)


def test_the_error_of_a_sensitivity_is_that_of_normal_scores():
    rng = np.random.default_rng(2)
    shift = norm.ppf(0.8) + norm.ppf(0.9)
    cases = shift + rng.standard_normal((4000, 300))
    controls = rng.standard_normal((4000, 200))
    limits = np.quantile(controls, 0.9, axis=1, keepdims=True)
    sensitivity = (cases > limits).mean(axis=1)

    error = PlannedTestSet(share_of_cases=0.6).error_of_sensitivity(0.8, 0.9, 500)

    assert error == pytest.approx(sensitivity.std(), rel=0.05)


def test_images_of_one_patient_count_less():
    assert design_effect(
        images_per_patient=2.3, standard_deviation=0, correlation=0.5
    ) == pytest.approx(1.65)
    # Half of the patients with one image and half with three: of the average image's
    # patient there are 2.5.
    assert design_effect(
        images_per_patient=2, standard_deviation=1, correlation=0.4
    ) == pytest.approx(1 + 1.5 * 0.4)
    together = PlannedTestSet(
        share_of_cases=0.5, images_per_patient=2, design_effect=1.6
    )
    assert together.error_of_auc(0.8, 100) == pytest.approx(
        np.sqrt(1.6) * BALANCED.error_of_auc(0.8, 200)
    )


def test_the_difference_of_independent_models_has_both_variances():
    alone = BALANCED.error_of_auc(0.8, 200)

    assert BALANCED.error_of_difference((0.8, 0.8), 0.0, 200) == pytest.approx(
        np.sqrt(2) * alone
    )
    assert BALANCED.error_of_difference((0.8, 0.8), 0.75, 200) == pytest.approx(
        np.sqrt(0.5) * alone
    )


@pytest.mark.parametrize(
    "question",
    [
        WidthOfAuc(auc=0.85, width=0.1, level=0.95),
        WidthOfSensitivity(sensitivity=0.9, specificity=0.8, width=0.1, level=0.95),
        PowerOfDifference(
            auc=0.8, difference=0.05, correlation=0.5, significance=0.05, power=0.8
        ),
        PowerOfNonInferiority(
            auc=0.85, margin=0.05, correlation=0.5, significance=0.025, power=0.9
        ),
    ],
)
def test_the_fewest_patients_are_enough_and_one_less_is_not(question):
    n = fewest_patients(question, BALANCED)

    assert question.is_met(question.reached(BALANCED, n))
    assert not question.is_met(question.reached(BALANCED, n - 1))


def test_non_inferiority_is_the_power_that_it_says():
    question = PowerOfNonInferiority(
        auc=0.85, margin=0.05, correlation=0.5, significance=0.025, power=0.8
    )
    n = fewest_patients(question, BALANCED)
    error = BALANCED.error_of_difference((0.85, 0.85), 0.5, n)
    draws = np.random.default_rng(3).normal(0, error, 40_000)

    found = (draws + 0.05) / error > norm.ppf(0.975)

    assert found.mean() == pytest.approx(0.8, abs=0.01)


def test_ten_images_of_either_class_are_the_least():
    question = WidthOfAuc(auc=0.9, width=0.9, level=0.95)

    assert fewest_patients(question, PlannedTestSet(share_of_cases=0.1)) == 100


def test_a_pilot_tells_what_is_expected():
    rng = np.random.default_rng(4)
    patients = np.repeat(np.arange(80), 3)
    is_case = np.repeat(rng.random(80) < 0.4, 3)
    own = rng.standard_normal(80)[patients]
    scores = 1.5 * is_case[:, None] + own[:, None] + rng.standard_normal((240, 2))
    estimates = estimate_aucs(is_case, scores, cluster=patients)

    pilot = learn_from_pilot(is_case, scores, cluster=patients, variance="binormal")

    assert pilot.auc == estimates.auc[0]
    assert (pilot.images_per_patient, pilot.n_patients) == (3, 80)
    assert pilot.share_of_cases == is_case.mean()
    assert pilot.design_effect > 1.3
    again = PlannedTestSet(
        share_of_cases=pilot.share_of_cases,
        images_per_patient=3,
        design_effect=pilot.design_effect,
    )
    first, second = estimates.standard_error
    assert again.error_of_auc(pilot.auc, 80) == pytest.approx(first)
    difference = first**2 + second**2 - 2 * pilot.correlation * first * second
    assert np.sqrt(difference) == pytest.approx(estimates.compare(0, 1).standard_error)
    alone = learn_from_pilot(
        is_case, scores[:, 0], cluster=patients, variance="binormal"
    )
    assert np.isnan(alone.correlation)
    assert alone.design_effect == pytest.approx(pilot.design_effect)


def test_a_perfect_pilot_tells_nothing():
    is_case = np.arange(20) < 10

    with pytest.raises(ValueError, match="AUC is 0 or 1"):
        learn_from_pilot(
            is_case, is_case.astype(float), cluster=None, variance="binormal"
        )


def test_the_smallest_detectable_difference_is_detected_with_that_power():
    smallest = smallest_detectable_difference(0.03, significance=0.05, power=0.8)

    assert smallest == pytest.approx(0.03 * (1.959964 + 0.841621), rel=1e-6)


@pytest.mark.parametrize("unknown", [0.0, np.nan])
def test_without_a_standard_error_nothing_is_known_to_be_detectable(unknown):
    assert np.isnan(smallest_detectable_difference(unknown))


def test_what_cannot_be_planned_is_refused():
    with pytest.raises(ValueError, match="power must lie"):
        smallest_detectable_difference(0.03, power=80)
    with pytest.raises(ValueError, match=r"share of cases must lie .* got 50"):
        PlannedTestSet(share_of_cases=50)
    with pytest.raises(ValueError, match="at least 1 image per patient"):
        PlannedTestSet(share_of_cases=0.5, images_per_patient=0.5)
    with pytest.raises(ValueError, match="one of binormal, hanley_mcneil, obuchowski"):
        PlannedTestSet(share_of_cases=0.5, variance="delong")
    with pytest.raises(ValueError, match="greater auc must lie"):
        PowerOfDifference(
            auc=0.9, difference=0.2, correlation=0, significance=0.05, power=0.8
        )
    with pytest.raises(ValueError, match=r"lies in .0, 1., got 2"):
        design_effect(images_per_patient=2, standard_deviation=0, correlation=2)
    with pytest.raises(ValueError, match="correlation of two AUCs"):
        BALANCED.error_of_difference((0.8, 0.8), 1.0, 100)
    with pytest.raises(ValueError, match="Not even 10,000,000 patients"):
        fewest_patients(WidthOfAuc(auc=0.5, width=1e-5, level=0.95), BALANCED)
