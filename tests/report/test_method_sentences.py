"""Each sentence of the method says what the numbers were made by."""

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import norm
from scipy.stats import t as student
from sklearn.metrics import roc_auc_score
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from covid_cxr.evaluation.arranged_scores import arrange_parts
from covid_cxr.evaluation.aurocs import tabulate_aurocs
from covid_cxr.evaluation.comparisons import adjust_comparisons, compare_classifiers
from covid_cxr.evaluation.further_measures import tabulate_measures
from covid_cxr.evaluation.inference_settings import Margins
from covid_cxr.evaluation.non_inferiority import tabulate_margins
from covid_cxr.evaluation.scored_part import ScoredParts
from covid_cxr.evaluation.thresholds import tabulate_operating_points
from covid_cxr.report.method_sentences import (
    REFERENCES,
    ComparedTable,
    describe_method,
    number_references,
)

NOTHING = Margins(auroc=None, sensitivity=None, specificity=None, ppv=None, npv=None)


@pytest.fixture(scope="module")
def alone(validation, test_part):
    """Return both parts with a patient for each image, and a third classifier."""
    return {
        name: replace(
            part,
            patients=np.array([f"p{k}" for k in range(160)], dtype=object),
            scores=part.scores.assign(third=part.scores["dull"].to_numpy()[::-1]),
        )
        for name, part in {"validation": validation, "test": test_part}.items()
    }


@pytest.fixture(scope="module")
def settings(reporting, evaluation):
    """Return settings none of which is the delivered one."""
    return {
        "reporting": replace(reporting, level=0.9, significance=0.1),
        "evaluation": replace(
            evaluation,
            target_sensitivity=0.8,
            prevalences=[0.07],
            max_false_positive_rate=0.3,
            least_sensitivity=0.7,
            specificity=0.85,
            decision_threshold=0.4,
            calibration_bins=7,
        ),
    }


def text_of(settings, margins=NOTHING, **changes):
    table = ComparedTable(
        **{
            "names": ["sharp", "dull", "third"],
            "n_images": 160,
            "n_patients": 160,
            "n_replicates": 200,
            "has_validation": True,
            "has_probabilities": True,
            "has_map": True,
            **changes,
        }
    )
    return number_references(describe_method(table, **settings, margins=margins))[0]


def said(pattern, text):
    """Return the numbers that a sentence says."""
    found = re.search(pattern, text)
    assert found, (pattern, text)
    return [float(number) for number in found.groups()]


def slow_placements(cases, controls):
    pairs = (cases[:, None] > controls) + 0.5 * (cases[:, None] == controls)
    return pairs.mean(axis=1), pairs.mean(axis=0)


def test_delongs_intervals_are_on_the_logit_scale(alone, settings):
    part = alone["test"]
    table = tabulate_aurocs(
        arrange_parts(ScoredParts(validation=None, test=part)), **settings
    ).iloc[0]
    text = text_of(settings)
    (level,) = said(r"given with (\d+) % confidence intervals on the logit", text)
    assert "with DeLong's covariance and normal quantiles" in text

    scores = part.scores["sharp"].to_numpy()
    v10, v01 = slow_placements(scores[part.is_case], scores[~part.is_case])
    error = np.sqrt(v10.var(ddof=1) / len(v10) + v01.var(ddof=1) / len(v01))
    area = v10.mean()
    margin = norm.ppf((1 + level / 100) / 2) * error / (area * (1 - area))
    expected = expit([logit(area) - margin, logit(area) + margin])
    assert [table["lower"], table["upper"]] == pytest.approx(expected)
    assert said(r"from ([\d,]+) bootstrap", text) == [table["bootstrap_replicates"]]


def test_clustered_intervals_have_obuchowskis_error_and_students_quantile(
    test_part, settings
):
    table = tabulate_aurocs(
        arrange_parts(ScoredParts(validation=None, test=test_part)), **settings
    ).iloc[0]
    text = text_of(settings, n_patients=80)
    (level,) = said(r"given with (\d+) % confidence intervals on the logit", text)
    assert "Student quantiles with Satterthwaite's degrees of freedom" in text

    is_case, scores = test_part.is_case, test_part.scores["sharp"].to_numpy()
    v10, v01 = slow_placements(scores[is_case], scores[~is_case])
    area, variances, freedoms = v10.mean(), [], []
    for values, own in ((v10, is_case), (v01, ~is_case)):
        patients = test_part.patients[own]  # all images of a patient are of one class
        sums = np.array(
            [(values[patients == p] - area).sum() for p in sorted(set(patients))]
        )
        n = len(sums)
        variances.append(n / (n - 1) * (sums**2).sum() / len(values) ** 2)
        freedoms.append(n - 1)
    whole = sum(variances)
    freedom = whole**2 / sum(v**2 / f for v, f in zip(variances, freedoms, strict=True))
    quantile = student.ppf((1 + level / 100) / 2, freedom)
    margin = quantile * np.sqrt(whole) / (area * (1 - area))
    expected = expit([logit(area) - margin, logit(area) + margin])
    assert [table["lower"], table["upper"]] == pytest.approx(expected)


def test_pairs_are_adjusted_for_as_many_as_is_said(alone, settings):
    scores = arrange_parts(ScoredParts(**alone))
    pairs = compare_classifiers(scores, **settings)
    adjusted = adjust_comparisons(scores, reporting=settings["reporting"])

    (n_pairs,) = said(r"adjusted for (\d+) pairs by Holm's", text_of(settings))
    assert n_pairs == len(pairs) == len(adjusted)
    holm = multipletests(pairs["p_clustered"], method="holm")[1]
    assert adjusted["p_holm"].to_numpy() == pytest.approx(holm)


def test_thresholds_and_what_is_told_there(alone, settings):
    operating = tabulate_operating_points(
        arrange_parts(ScoredParts(**alone)), **settings
    )
    row = operating.query("classifier == 'sharp' and rule == 'sensitivity'").iloc[0]
    text = text_of(settings)
    (target,) = said(r"highest with a sensitivity of at least ([\d.]+\d)", text)
    (level,) = said(r"Wilson intervals \((\d+) %\)", text)

    part = alone["validation"]
    own = part.scores["sharp"].to_numpy()
    reached = [c for c in own if (own[part.is_case] >= c).mean() >= target]
    assert row["threshold"] == max(reached)
    test = alone["test"]
    called = test.scores["sharp"][test.is_case] >= row["threshold"]
    bounds = proportion_confint(
        called.sum(), len(called), alpha=1 - level / 100, method="wilson"
    )
    assert (row["sensitivity_lower"], row["sensitivity_upper"]) == pytest.approx(bounds)
    (prevalence,) = said(r"at a prevalence of ([\d.]+) %", text)
    assert prevalence == pytest.approx(100 * row["prevalence"])
    ends = logit([row["ppv_lower"], row["ppv"], row["ppv_upper"]])
    assert ends[1] - ends[0] == pytest.approx(ends[2] - ends[1])


def test_sensitivities_are_compared_by_mcnemars_test(alone, settings):
    table = tabulate_margins(
        arrange_parts(ScoredParts(**alone)), **settings, margins=NOTHING
    )
    operating = tabulate_operating_points(
        arrange_parts(ScoredParts(**alone)), **settings
    ).query("rule == 'youden'")
    thresholds = operating.set_index("classifier")["threshold"]
    test = alone["test"]
    first, second = (
        test.scores[name][test.is_case] >= thresholds[name]
        for name in ("sharp", "dull")
    )
    counts = [
        [(first & second).sum(), (first & ~second).sum()],
        [(~first & second).sum(), (~first & ~second).sum()],
    ]

    assert "McNemar's test without continuity correction [" in text_of(settings)
    expected = mcnemar(counts, exact=False, correction=False).pvalue
    row = table.query("measure == 'sensitivity' and rule == 'youden'").iloc[0]
    assert row["p_value"] == pytest.approx(expected)
    assert "patient's images summed" in text_of(settings, n_patients=80)


def test_a_margin_is_judged_at_half_the_significance(alone, settings):
    margins = replace(NOTHING, auroc=0.12)
    text = text_of(settings, margins)
    stated, each = said(
        r"margins of ([\d.]+) in AUROC, by .* tests at ([\d.]+) each", text
    )
    rows = tabulate_margins(
        arrange_parts(ScoredParts(**alone)), **settings, margins=margins
    ).query("measure == 'auroc'")

    for row in rows.to_dict("records"):
        assert row["margin"] == stated
        assert ("first" in row["verdict"] or row["verdict"] == "equivalent") == (
            row["p_first"] < each
        )
    assert "Non-inferiority" not in text_of(settings)


def test_ranges_and_points_are_those_of_the_measures(alone, settings):
    measured = tabulate_measures(arrange_parts(ScoredParts(**alone)), **settings)[0]
    at = measured.query("classifier == 'sharp' and recalibration != 'platt'").set_index(
        "measure"
    )
    text = text_of(settings)
    rate, least = said(
        r"false-positive rate of ([\d.]+) and from a sensitivity of ([\d.]+) on", text
    )
    (specificity,) = said(r"at a specificity of ([\d.]+) of the test", text)
    (threshold,) = said(r"threshold probability of ([\d.]+),", text)
    (bins,) = said(r"over (\d+) bins of equal width", text)

    test = alone["test"]
    scores = test.scores["sharp"].to_numpy()
    expected = roc_auc_score(test.is_case, scores, max_fpr=rate)
    assert at.loc["partial_auroc_corrected", "estimate"] == pytest.approx(expected)
    turned = roc_auc_score(~test.is_case, -scores, max_fpr=1 - least)
    assert at.loc["sensitive_auroc_corrected", "estimate"] == pytest.approx(turned)
    assert at.loc["sensitivity", "at"] == specificity
    called = scores >= threshold
    gained = (called & test.is_case).mean()
    lost = (called & ~test.is_case).mean() * threshold / (1 - threshold)
    assert at.loc["net_benefit", "estimate"] == pytest.approx(gained - lost)
    number = np.minimum((scores * bins).astype(int), bins - 1)
    distances = [
        (number == k).mean()
        * abs(scores[number == k].mean() - test.is_case[number == k].mean())
        for k in set(number)
    ]
    assert at.loc["ece", "estimate"] == pytest.approx(sum(distances))


@pytest.mark.parametrize(
    ("question", "words", "cites"),
    [
        ("image", "that of all images, in which a patient counts as often", False),
        ("patient_max", "that of patients, with the highest score", False),
        ("patient_first", "that of patients, with the score of each patient's", False),
        ("one_image", "one image of each patient, in which each image weighs", True),
    ],
)
def test_the_primary_question_is_named(settings, question, words, cites):
    asked = settings | {
        "evaluation": replace(settings["evaluation"], primary_auroc=question)
    }

    text = text_of(asked)

    assert words in text
    assert bool(re.search(r"patient's images \[\d+\]\.", text)) == cites


def test_what_was_not_done_is_not_said(settings):
    text = text_of(
        settings, has_validation=False, has_probabilities=False, names=["one"]
    )

    for word in ("Thresholds", "McNemar", "compared", "Platt", "Net benefit"):
        assert word not in text


def test_without_thresholds_only_the_margin_of_the_area_was_judged(settings):
    margins = replace(NOTHING, auroc=0.12, sensitivity=0.2, ppv=0.3)

    both = text_of(settings, margins)
    text = text_of(settings, margins, has_validation=False)
    neither = text_of(settings, replace(margins, auroc=None), has_validation=False)

    listed = "0.12 in AUROC, 0.2 in sensitivity, 0.3 in positive predictive value, by"
    assert f"within margins of {listed}" in both
    assert "within margins of 0.12 in AUROC, by" in text
    assert "margin" not in neither


def test_references_are_numbered_as_they_come(settings):
    table = ComparedTable(
        names=["a", "b"],
        n_images=9,
        n_patients=5,
        n_replicates=9,
        has_validation=True,
        has_probabilities=True,
        has_map=True,
    )
    margins = replace(NOTHING, npv=0.1)

    text, listed = number_references(
        describe_method(table, **settings, margins=margins)
    )

    numbers = [
        int(n) for n in re.findall(r"\d+", " ".join(re.findall(r"\[[\d, ]+\]", text)))
    ]
    assert list(dict.fromkeys(numbers)) == list(range(1, len(listed) + 1))
    assert set(listed) <= set(REFERENCES.values())
    assert listed[0].startswith("Obuchowski")
