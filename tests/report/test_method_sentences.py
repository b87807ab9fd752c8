"""Each sentence of the method says what the numbers were made by."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import chi2, norm
from scipy.stats import f as f_distribution
from scipy.stats import t as student
from sklearn.metrics import roc_auc_score
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from covid_cxr.evaluation.arranged_scores import arrange_parts
from covid_cxr.evaluation.aurocs import tabulate_aurocs
from covid_cxr.evaluation.comparisons import adjust_comparisons, compare_classifiers
from covid_cxr.evaluation.further_measures import tabulate_measures
from covid_cxr.evaluation.imperfect_labels import (
    StatedReference,
    correct_for_unlabelled,
    correct_labels,
    weigh_labelled,
)
from covid_cxr.evaluation.inference_settings import Margins
from covid_cxr.evaluation.non_inferiority import tabulate_margins
from covid_cxr.evaluation.pooled_levels import pool_levels
from covid_cxr.evaluation.reader_table import (
    ReaderColumns,
    arrange_readings,
    tabulate_readers,
)
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


FURTHER = {
    "has_pooled": True,
    "has_levels": True,
    "has_interactions": True,
    "readers_covariance": "jackknife",
    "reference": (0.7, 0.95),
    "is_weighted": True,
    "is_verified": True,
}


def test_what_only_some_analyses_have_is_said_of_these_alone(settings):
    whole, nothing = text_of(settings, **FURTHER), text_of(settings)
    words = {
        "has_pooled": "prediction interval for a further one",
        "has_levels": "compared by unpaired tests",
        "has_interactions": "Cochran's Q of the paired",
        "readers_covariance": "Readers and patients were both taken as drawn",
        "reference": "erred independently, and bounded",
        "is_weighted": "inverse weighting with the share of labelled",
        "is_verified": "verification bias",
    }

    for name, words_of_it in words.items():
        assert words_of_it in whole
        assert words_of_it not in nothing
        without = {k: v for k, v in FURTHER.items() if k != name}
        assert words_of_it not in text_of(settings, **without)


def sited(alone):
    """Return scores of 160 patients of four sites, and the sites."""
    part = alone["test"]
    scores = arrange_parts(ScoredParts(validation=None, test=part))
    site = np.array(list("ABCD"))[np.arange(160) // 2 % 4]
    return scores, pd.DataFrame({"image_id": scores["image_id"], "site": site})


def areas_of_sites(scores, levels, weigh):
    """Return estimates and variances in each site, of one combination of placements."""
    found = []
    for site in "ABCD":
        own = scores[levels["site"].to_numpy() == site]
        truth = own["is_case"].to_numpy()
        placed = {
            name: slow_placements(
                own[name].to_numpy()[truth], own[name].to_numpy()[~truth]
            )
            for name in ("sharp", "dull")
        }
        kinds = [weigh(placed["sharp"][k], placed["dull"][k]) for k in (0, 1)]
        variance = sum(kind.var(ddof=1) / len(kind) for kind in kinds)
        found.append((kinds[0].mean(), variance))
    return np.array(found).T


def test_pooling_is_paule_and_mandels_with_hartung_and_knapps_interval(alone, settings):
    scores, levels = sited(alone)
    row = pool_levels(scores, levels, **settings)[0].query("classifier == 'dull'")
    assert "Paule and Mandel's variance between them, Hartung and Knapp's" in text_of(
        settings, has_pooled=True
    )

    area, spread = areas_of_sites(scores, levels, lambda sharp, dull: dull)
    y, v = logit(area), spread / (area * (1 - area)) ** 2

    def excess(tau2):
        w = 1 / (v + tau2)
        return (w * (y - (w * y).sum() / w.sum()) ** 2).sum() - 3

    tau2 = brentq(excess, 0, 100) if excess(0) > 0 else 0.0
    w = 1 / (v + tau2)
    centre = (w * y).sum() / w.sum()
    error = np.sqrt((w * (y - centre) ** 2).sum() / 3 / w.sum())
    tail = (1 + settings["reporting"].level) / 2
    margin = student.ppf(tail, 3) * error
    further = student.ppf(tail, 2) * np.sqrt(tau2 + error**2)
    names = ["lower", "upper", "prediction_lower", "prediction_upper"]
    ends = expit(centre + np.array([-margin, margin, -further, further]))
    assert row[names].iloc[0].tolist() == pytest.approx(ends, rel=1e-4)


def test_levels_are_compared_unpaired_and_gains_by_cochrans_q(alone, settings):
    scores, levels = sited(alone)
    _, between, interactions = pool_levels(scores, levels, **settings)
    text = text_of(settings, has_levels=True, has_interactions=True)
    assert "compared by unpaired tests, with Holm's adjustment" in text
    assert "by Cochran's Q of the paired differences" in text

    area, spread = areas_of_sites(scores, levels, lambda sharp, dull: sharp)
    z = (area[0] - area[1]) / np.sqrt(spread[0] + spread[1])
    first = between.query("classifier == 'sharp'").iloc[0]
    assert (first["first"], first["second"]) == ("A", "B")
    assert first["p_value"] == pytest.approx(2 * norm.sf(abs(z)))
    holm = multipletests(between["p_value"], method="holm")[1]
    assert between["p_holm"].to_numpy() == pytest.approx(holm)
    gain, spread = areas_of_sites(scores, levels, lambda sharp, dull: sharp - dull)
    q = ((gain - np.average(gain, weights=1 / spread)) ** 2 / spread).sum()
    found = interactions.query("first == 'sharp' and second == 'dull'").iloc[0]
    assert found["p_value"] == pytest.approx(chi2.sf(q, 3), rel=1e-6)


def test_labels_are_corrected_for_the_reference_that_is_said(alone, settings):
    scores = arrange_parts(ScoredParts(**alone))
    stated = StatedReference(sensitivity=0.7, specificity=0.95, unlabelled="refuse")
    row = correct_labels(scores, reporting=settings["reporting"], reference=stated)[0]
    row = row.set_index("classifier").loc["sharp"]
    sensitivity, specificity = said(
        r"reference with a sensitivity of ([\d.]+) and a specificity of ([\d.]+),",
        text_of(settings, reference=(0.7, 0.95)),
    )

    test = alone["test"]
    called = test.scores["sharp"].to_numpy() >= row["threshold"]
    # Of p diseased, p Se + (1 - p)(1 - Sp) are positive; likewise of those called.
    both = (called & test.is_case).mean()
    diseased = (test.is_case.mean() - (1 - specificity)) / (
        sensitivity + specificity - 1
    )
    found = (both - (1 - specificity) * called.mean()) / (sensitivity + specificity - 1)
    assert row["corrected_sensitivity"] == pytest.approx(found / diseased)


def test_missing_labels_are_weighted_and_corrected_as_is_said(alone, settings):
    scores = arrange_parts(ScoredParts(**alone))
    rng = np.random.default_rng(2)
    is_gap = (scores["part"] == "test") & (rng.random(len(scores)) < 0.4)
    known, others = scores[~is_gap], scores[is_gap].drop(columns="is_case")
    reporting = settings["reporting"]
    weighed = weigh_labelled(known, others, reporting).set_index("classifier")
    verified = correct_for_unlabelled(known, others, reporting).set_index("classifier")
    text = text_of(settings, is_weighted=True, is_verified=True)
    assert "within strata of the mean rank over classifiers" in text
    assert "within each call those without a label were as those with one" in text

    test = scores[scores["part"] == "test"]
    labelled = ~is_gap[test.index]
    rank = test[["sharp", "dull", "third"]].rank().mean(axis=1)
    stratum = pd.qcut(rank, int(weighed["strata"].iloc[0]), labels=False)
    weight = 1 / labelled.groupby(stratum).transform("mean")
    own = test[labelled]
    assert weighed.loc["dull", "corrected"] == pytest.approx(
        roc_auc_score(own["is_case"], own["dull"], sample_weight=weight[labelled])
    )
    called = test["dull"] >= verified.loc["dull", "threshold"]
    share = own["is_case"].groupby(called[labelled]).mean()
    cases = share * called.value_counts()
    assert verified.loc["dull", "corrected_sensitivity"] == pytest.approx(
        cases[True] / cases.sum()
    )


def test_readers_are_compared_with_the_covariance_that_is_said(reporting, settings):
    """Obuchowski and Rockette's F by its definition, and the jackknife's covariance."""
    rng = np.random.default_rng(6)
    rows = [
        (case, reader, modality, case % 2, case % 2 + rng.standard_normal())
        for case in range(40)
        for reader in "xyz"
        for modality in ("alone", "aided")
    ]
    names = ["case", "reader", "modality", "truth", "score"]
    columns = ReaderColumns(
        **{name: name for name in ("case", "reader", "modality", "score")},
        patient="none",
        label="truth",
        positive=None,
        covariance="jackknife",
    )
    readings = arrange_readings(pd.DataFrame(rows, columns=names), columns)
    (found,) = tabulate_readers(readings, columns, reporting)[1].to_dict("records")

    table = pd.DataFrame(rows, columns=names).pivot_table(
        index="case", columns=["modality", "reader"], values="score"
    )
    truth = np.arange(40) % 2
    areas = np.array([roc_auc_score(truth, table[c]) for c in table]).reshape(2, 3)
    left_out = np.array(
        [
            [
                roc_auc_score(np.delete(truth, k), np.delete(table[c].to_numpy(), k))
                for k in range(40)
            ]
            for c in table
        ]
    )
    covariance = np.cov(left_out) * 39**2 / 40  # (n - 1)/n times the sum of squares
    places = [(i, j) for i in range(2) for j in range(3)]
    kinds = {2: [], 3: []}
    for a, (i, j) in enumerate(places):
        for b, (k, m) in enumerate(places):
            if j != m:
                kinds[2 if i == k else 3].append(covariance[a, b])
    apart = max(np.mean(kinds[2]) - np.mean(kinds[3]), 0)
    centred = areas - areas.mean(axis=1, keepdims=True) - areas.mean(axis=0)
    ms_tr = ((centred + areas.mean()) ** 2).sum() / 2
    ms_t = 3 * ((areas.mean(axis=1) - areas.mean()) ** 2).sum()
    denominator = ms_tr + 3 * apart
    freedom = 2 * (denominator / ms_tr) ** 2
    p_value = f_distribution.sf(ms_t / denominator, 1, freedom)
    assert found["p_all"] == pytest.approx(p_value, rel=1e-6)
    text = text_of(settings, readers_covariance="jackknife")
    assert "with the jackknife's covariance by patient and Hillis' degrees" in text


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
