"""Sites and subgroups pooled: what is computed from which patients, and why not."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2, norm

from covid_cxr.evaluation.pooled_levels import pool_levels
from covid_cxr.statistics.auc import estimate_aucs
from covid_cxr.statistics.pooling import pool_aucs


def scored(sizes, seed=1):
    """Return scores and levels of sites with so many patients, two images each."""
    rng = np.random.default_rng(seed)
    site = np.repeat(list(sizes), [2 * n for n in sizes.values()])
    patient = np.arange(len(site)) // 2
    is_case = patient % 2 == 0
    own = rng.standard_normal(patient.max() + 1)[patient]
    noise = own[:, None] + rng.standard_normal((len(site), 2))
    signal = is_case[:, None] * [1.5, 0.8] + noise
    names = [f"x{k:04}" for k in range(len(site))]
    scores = pd.DataFrame(
        {
            "image_id": names,
            "patient_id": [f"p{k}" for k in patient],
            "part": "test",
            "is_case": is_case,
            "resnet": signal[:, 0],
            "vit": signal[:, 1],
        }
    )
    return scores, pd.DataFrame({"site": site, "image_id": names})


SIZES = {"A": 30, "B": 40, "C": 24, "tiny": 4}


@pytest.fixture
def pool(reporting, evaluation):
    def run(scores, levels):
        return pool_levels(scores, levels, reporting=reporting, evaluation=evaluation)

    return run


@pytest.fixture
def of_site():
    """Return the estimates of one site, computed without the code under test."""

    def estimate(scores, levels, site):
        rows = scores[scores["image_id"].isin(levels[levels["site"] == site].image_id)]
        return estimate_aucs(
            rows["is_case"].to_numpy(), rows[["resnet", "vit"]], cluster=rows.patient_id
        )

    return estimate


def test_sites_are_pooled_from_their_own_patients(pool, of_site, reporting):
    scores, levels = scored(SIZES)

    pooled, _, _ = pool(scores, levels)

    row = pooled.set_index("classifier").loc["vit"]
    expected = pool_aucs(
        [of_site(scores, levels, site) for site in "ABC"], "vit", level=reporting.level
    )
    assert row["auroc"] == pytest.approx(expected.auc)
    assert (row["lower"], row["upper"]) == pytest.approx(expected.bounds)
    assert (row["prediction_lower"], row["prediction_upper"]) == pytest.approx(
        expected.prediction
    )
    assert row["levels"] == 3
    assert row["left_out"] == "tiny (4 patients)"


def test_two_sites_are_told_apart_by_both_errors(pool, of_site, reporting):
    scores, levels = scored(SIZES)

    _, between, _ = pool(scores, levels)

    assert len(between) == 3 * 2
    row = between.query("classifier == 'vit' and first == 'A' and second == 'C'")
    first, second = (of_site(scores, levels, site) for site in "AC")
    assert row["difference"].item() == pytest.approx(first.auc[1] - second.auc[1])
    variance = first.covariance[1, 1] + second.covariance[1, 1]
    z = row["difference"].item() / np.sqrt(variance)
    assert row["p_value"].item() == pytest.approx(2 * norm.sf(abs(z)), rel=0.1)
    width = 2 * norm.ppf((1 + reporting.level) / 2) * np.sqrt(variance)
    assert (row["upper"] - row["lower"]).item() == pytest.approx(width, rel=0.1)
    smallest = between["p_value"].min()
    assert between["p_holm"].min() == pytest.approx(min(1, 6 * smallest))


def test_an_interaction_of_site_and_classifier_is_found(pool):
    scores, levels = scored({"A": 300, "B": 300, "C": 300}, seed=2)
    at_b = (levels["site"] == "B").to_numpy()
    none, found = scores, scores.copy()
    found.loc[at_b, "vit"] += 2.5 * found.loc[at_b, "is_case"]

    unlike, alike = (pool(one, levels)[2] for one in (found, none))

    assert unlike["p_holm"].item() < 1e-6
    assert alike["p_value"].item() > 0.05
    assert unlike["levels"].item() == 3
    twice = pool(none, levels.assign(scanner=levels["site"]))[2]
    # Holm over both groupings, which say the same.
    assert twice["p_holm"].tolist() == pytest.approx(
        [min(1, 2 * alike["p_value"].item())] * 2
    )


def test_sites_that_differ_say_by_how_much(pool, of_site):
    scores, levels = scored({"A": 100, "B": 100, "C": 100, "D": 100})
    shift = levels["site"].map({"A": 0, "B": 1, "C": 2, "D": 3}).to_numpy()
    scores["vit"] += shift * scores["is_case"]

    row = pool(scores, levels)[0].set_index("classifier").loc["vit"]

    own = [of_site(scores, levels, site) for site in "ABCD"]
    auc = np.array([one.auc[1] for one in own])
    logits = np.log(auc / (1 - auc))
    errors = np.array([one.standard_error[1] for one in own]) / (auc * (1 - auc))
    # Paule and Mandel's variance between sites makes the weighted squares k - 1.
    weights = 1 / (errors**2 + row["between_sd"] ** 2)
    centre = weights @ logits / weights.sum()
    assert weights @ (logits - centre) ** 2 == pytest.approx(3, rel=1e-3)
    weights = 1 / errors**2
    cochran = weights @ (logits - weights @ logits / weights.sum()) ** 2
    assert row["p_heterogeneity"] == pytest.approx(chi2.sf(cochran, 3))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"site": "A"}, "1 of its levels can be judged, and pooling needs 3"),
        ({}, "98 patients are in more than one of its levels"),
    ],
)
def test_what_cannot_be_pooled_says_why(pool, change, why):
    scores, levels = scored(SIZES)
    halves = levels.assign(site=["A", "B"] * (len(levels) // 2))

    pooled, between, interactions = pool(scores, halves.assign(**change))

    assert set(pooled["why_not"]) == {why}
    assert pooled["auroc"].isna().all()
    assert len(between) == len(interactions) == 0


def test_a_perfect_site_is_left_out_of_its_classifier_alone(pool):
    scores, levels = scored({"A": 30, "B": 40, "C": 24, "D": 30})
    at_c = (levels["site"] == "C").to_numpy()
    scores.loc[at_c, "vit"] = scores.loc[at_c, "is_case"].astype(float)

    pooled, between, interactions = pool(scores, levels)

    assert interactions["levels"].tolist() == [3]
    rows = pooled.set_index("classifier")
    assert rows.loc["vit", "left_out"] == "C (an AUROC without a known error)"
    assert rows["levels"].to_dict() == {"resnet": 4, "vit": 3}
    assert "C" not in set(between.query("classifier == 'vit'")["second"])


def test_a_site_where_two_classifiers_say_the_same_is_left_out_of_an_interaction(pool):
    scores, levels = scored({"A": 30, "B": 40, "C": 24})
    at_c = (levels["site"] == "C").to_numpy()
    scores.loc[at_c, "vit"] = scores.loc[at_c, "resnet"]

    assert pool(scores, levels)[2]["levels"].tolist() == [2]


def test_a_site_of_cases_only_and_one_unknown_are_left_out_with_a_reason(pool):
    scores, levels = scored({"A": 30, "B": 40, "C": 24, "D": 30, "unknown": 20})
    scores.loc[(levels["site"] == "D").to_numpy(), "is_case"] = True

    pooled, _, _ = pool(scores, levels)

    assert set(pooled["left_out"]) == {
        "D (no control among 60 radiographs); unknown (no level)"
    }
