"""What a difference of case mix explains, against sums over pairs of radiographs."""

import numpy as np
import pandas as pd
import pytest

from covid_cxr.evaluation.case_mix import (
    split_halves,
    tabulate_case_mix,
    tabulate_membership,
    tabulate_standardised,
)
from covid_cxr.evaluation.external_scores import ExternalValidation

PRIMARY = {"cohort": "clinic", "classifiers": {"net": {"label": {"name": "covid19"}}}}


def cohort(seed, n_images, *, share_ap, prefix):
    """Return the radiograph table and the scores of one classifier."""
    rng = np.random.default_rng(seed)
    is_case = rng.random(n_images) < 0.5
    is_ap = rng.random(n_images) < np.where(is_case, share_ap, 0.3)
    score = 0.3 * is_case - 0.25 * is_ap + rng.normal(0, 0.2, n_images)
    listed = pd.DataFrame(
        {
            "image_id": [f"{prefix}{i}" for i in range(n_images)],
            "patient_id": [f"{prefix}:{i // 2}" for i in range(n_images)],
            "site": prefix,
            "view": np.where(is_ap, "AP", "PA"),
            "sex": np.where(rng.random(n_images) < 0.5, "F", "M"),
            "age_years": rng.uniform(45, 55, n_images),
            "covid19": is_case,
        }
    )
    scores = listed[["image_id", "patient_id"]].assign(
        classifier="net", is_case=is_case, score=score
    )
    return listed, scores


@pytest.fixture
def here():
    return cohort(1, 300, share_ap=0.8, prefix="here")


@pytest.fixture
def there():
    return cohort(2, 200, share_ap=0.2, prefix="there")


def test_standardising_weighs_pairs_by_the_internal_share_of_their_strata(
    here, there, reporting, evaluation
):
    (radiographs, scores), (described, internal) = here, there

    (row,) = tabulate_standardised(
        scores,
        internal,
        radiographs,
        described,
        reporting=reporting,
        evaluation=evaluation,
    ).to_dict("records")

    def strata(table):
        return list(zip(table["covid19"], table["view"], table["sex"], strict=True))

    own, inner = strata(radiographs), strata(described)
    n_own = {c: sum(s[0] == c for s in own) for c in (True, False)}
    n_inner = {c: sum(s[0] == c for s in inner) for c in (True, False)}
    weight = [
        (inner.count(s) / n_inner[s[0]]) / (own.count(s) / n_own[s[0]]) for s in own
    ]
    won = total = 0.0
    for i, first in enumerate(own):
        for j, second in enumerate(own):
            if first[0] and not second[0]:
                pair = weight[i] * weight[j]
                total += pair
                won += pair * (scores["score"][i] > scores["score"][j])
    assert row["standardised_auroc"] == pytest.approx(won / total)
    assert row["lower"] < row["standardised_auroc"] < row["upper"]
    # Cases are AP here and PA there, which costs them score: that is the difference.
    assert row["auroc"] < row["internal_auroc"]
    assert abs(row["difference"]) < abs(row["auroc"] - row["internal_auroc"])
    assert row["explained"] == pytest.approx(row["standardised_auroc"] - row["auroc"])
    effective = 0.0
    for is_case in (True, False):
        of_class = np.array(
            [w for w, s in zip(weight, own, strict=True) if s[0] == is_case]
        )
        effective += of_class.sum() ** 2 / (of_class**2).sum()
    assert row["effective_images"] == pytest.approx(effective)


def test_what_the_cohort_lacks_is_told_and_not_invented(
    here, there, reporting, evaluation
):
    (radiographs, scores), (described, internal) = here, there
    is_pa = radiographs["view"] == "PA"

    (row,) = tabulate_standardised(
        scores[is_pa],
        internal,
        radiographs[is_pa],
        described,
        reporting=reporting,
        evaluation=evaluation,
    ).to_dict("records")

    is_ap = described["view"] == "AP"
    for word, is_case in (("cases", True), ("controls", False)):
        of_class = described["covid19"] == is_case
        assert row[f"uncovered_{word}"] == pytest.approx(is_ap[of_class].mean())


def test_strata_that_only_the_cohort_has_count_for_nothing(
    here, there, reporting, evaluation
):
    (radiographs, scores), (described, internal) = here, there
    is_inner, is_outer = described["view"] == "PA", radiographs["view"] == "PA"
    study = (internal[is_inner], described[is_inner])
    settings = {"reporting": reporting, "evaluation": evaluation}

    def standardise(kept):
        return tabulate_standardised(
            scores[kept], study[0], radiographs[kept], study[1], **settings
        ).iloc[0]

    found, expected = standardise(is_outer | ~is_outer), standardise(is_outer)

    counted = ["standardised_auroc", "lower", "upper", "effective_images"]
    assert found[counted].tolist() == pytest.approx(expected[counted].tolist())
    assert found["uncovered_cases"] == found["uncovered_controls"] == 0
    nothing = standardise(~is_outer)
    assert np.isnan(nothing["standardised_auroc"])
    assert nothing["reason"] == "no stratum of a class is in both cohorts"
    assert nothing["uncovered_cases"] == nothing["uncovered_controls"] == 1


def test_cohorts_are_told_apart_by_patients_and_not_by_their_site(
    here, there, reporting
):
    asked = ExternalValidation(name="clinic", least_patients=2, least_cell=5, seed=1)
    radiographs, described = (
        one.assign(source=one["site"]) for one, _ in (here, there)
    )

    found = tabulate_membership(
        radiographs, described, PRIMARY, reporting=reporting, external=asked
    ).set_index("predictors")

    assert set(found.index) == {"view", "sex", "age", "age, sex and view"}
    assert 0.5 < found.loc["view", "auroc"] < 0.9  # a site would tell them all


def test_without_a_study_there_is_no_standardised_auroc(here, reporting, evaluation):
    radiographs, scores = here

    (row,) = tabulate_standardised(
        scores,
        scores.iloc[:0],
        radiographs,
        pd.DataFrame(),
        reporting=reporting,
        evaluation=evaluation,
    ).to_dict("records")

    assert np.isnan(row["standardised_auroc"])
    assert row["reason"] == "the internal test is not at hand"


def test_the_case_mix_counts_each_level_in_both_cohorts(here, there, evaluation):
    (radiographs, _), (described, _) = here, there

    table = tabulate_case_mix(radiographs, described, PRIMARY, evaluation=evaluation)

    found = table.set_index(["cohort", "variable", "level"])
    for name, listed in (("external", radiographs), ("internal", described)):
        row = found.loc[(name, "view", "AP")]
        assert row["images"] == (listed["view"] == "AP").sum()
        assert row["cases"] == (listed["covid19"] & (listed["view"] == "AP")).sum()
        whole = found.loc[(name, "all", "all")]
        assert whole["prevalence"] == pytest.approx(listed["covid19"].mean())


def test_a_patient_with_both_outcomes_is_drawn_as_a_case():
    patients = np.repeat([f"p{i}" for i in range(8)], 2).astype(object)
    is_case = np.arange(16) % 2 == 0
    is_case[4:] = False  # p0 and p1 have both, and p2 to p7 are controls

    for seed in range(20):
        fitted = split_halves(patients, is_case, seed=seed)
        assert len(set(patients[fitted & is_case])) == 1
        assert len(set(patients[fitted])) == 4


def test_no_patient_is_in_both_halves_and_both_have_both_classes():
    patients = np.repeat([f"p{i}" for i in range(30)], 3).astype(object)
    is_case = np.repeat(np.arange(30) < 6, 3)

    fitted = split_halves(patients, is_case, seed=3)

    assert not set(patients[fitted]) & set(patients[~fitted])
    assert len(set(patients[fitted & is_case])) == 3
    assert len(set(patients[fitted & ~is_case])) == 12
    assert (fitted == split_halves(patients, is_case, seed=3)).all()
    assert (fitted != split_halves(patients, is_case, seed=4)).any()
