"""Which AUROC is meant: the table of answers, and what the primary one decides."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from covid_cxr.evaluation.arranged_scores import arrange_parts
from covid_cxr.evaluation.auroc_questions import tabulate_questions
from covid_cxr.evaluation.non_inferiority import tabulate_margins
from covid_cxr.evaluation.scored_part import ScoredPart, ScoredParts
from covid_cxr.statistics.auc import estimate_aucs


def informative_sizes(n_patients=1600):
    """Return a part whose sicker patients have more images and higher scores."""
    rng = np.random.default_rng(1)
    own = rng.standard_normal(n_patients)
    patients = np.repeat(np.arange(n_patients), 1 + rng.poisson(np.exp(own)))
    is_case = (rng.random(n_patients) < 0.5)[patients]
    noise = rng.standard_normal((len(patients), 2))
    scores = (is_case + own[patients])[:, None] + noise
    images = [f"i{k:05d}" for k in range(len(patients))]
    return ScoredPart(
        is_case=is_case,
        scores=pd.DataFrame(scores, columns=["one", "two"], index=images),
        patients=patients.astype(str).astype(object),
    )


@pytest.fixture(scope="module")
def part():
    return informative_sizes()


@pytest.fixture(scope="module")
def scores(part):
    return arrange_parts(ScoredParts(validation=None, test=part))


@pytest.fixture(scope="module")
def tables(scores, reporting, evaluation):
    return tabulate_questions(scores, reporting=reporting, evaluation=evaluation)


def test_every_question_has_its_answer(tables, part):
    answers = tables[0].set_index(["question", "classifier"])
    patients = pd.Series(part.patients)
    one = pd.Series(part.scores["one"].to_numpy())
    has_case = pd.Series(part.is_case).groupby(patients).any()

    for rule in ("max", "mean"):
        expected = roc_auc_score(has_case, one.groupby(patients).agg(rule))
        found = answers.loc[(f"patient_{rule}", "one"), "auroc"]
        assert found == pytest.approx(expected)
    by_image = roc_auc_score(part.is_case, one)
    assert answers.loc[("image", "one"), "auroc"] == pytest.approx(by_image)


def test_the_first_image_by_name_answers_where_it_is_the_primary_question(
    scores, part, reporting, evaluation
):
    asked = replace(evaluation, primary_auroc="patient_first")
    shuffled = scores.sample(frac=1, random_state=1)
    answers, pairs = tabulate_questions(shuffled, reporting=reporting, evaluation=asked)
    patients = pd.Series(part.patients, part.scores.index)
    has_case = pd.Series(part.is_case, part.scores.index).groupby(patients).any()
    first = part.scores["one"].sort_index().groupby(patients).first()

    own = answers[answers["is_primary"]]
    assert own["question"].unique().tolist() == ["patient_first"]
    assert own["auroc"].iloc[0] == pytest.approx(roc_auc_score(has_case, first))
    assert own["from_primary_p_value"].tolist() == [1, 1]
    others = answers[~answers["is_primary"]]
    assert others["from_primary_p_value"].between(0, 1, inclusive="left").all()
    assert "patient_first" in set(pairs["question"])


def test_answers_that_differ_are_told_from_the_primary_one(tables):
    answers = tables[0].set_index(["question", "classifier"])

    row = answers.loc[("patient_mean", "one")]
    assert row["from_primary_difference"] == pytest.approx(
        row["auroc"] - answers.loc[("image", "one"), "auroc"]
    )
    assert row["from_primary_p_value"] < 0.05
    assert answers.loc["image", "from_primary_p_value"].tolist() == [1, 1]


def test_pairs_of_images_are_those_of_the_paired_test(tables, part):
    row = tables[1].set_index("question").loc["image"]

    expected = estimate_aucs(part.is_case, part.scores, cluster=part.patients)
    assert row["p_value"] == pytest.approx(expected.compare(0, 1).p_value)
    assert row["is_primary"]


def test_a_margin_is_of_the_primary_area(
    scores, tables, reporting, evaluation, margins
):
    other = replace(evaluation, primary_auroc="one_image")

    found = tabulate_margins(
        scores, reporting=reporting, evaluation=other, margins=margins
    ).iloc[0]

    expected = tables[1].set_index("question").loc["one_image"]
    assert found["difference"] == pytest.approx(expected["difference"])
    assert found["difference"] != pytest.approx(tables[1].iloc[0]["difference"])


def test_patients_who_all_have_a_case_answer_no_question_about_patients(
    part, reporting, evaluation, margins
):
    mixed = replace(
        part,
        is_case=np.arange(len(part.is_case)) % 2 == 0,
        patients=np.array(
            [f"p{k // 2}" for k in range(len(part.is_case))], dtype=object
        ),
    )
    scores = arrange_parts(ScoredParts(validation=None, test=mixed))
    other = replace(evaluation, primary_auroc="patient_max")
    settings = {"reporting": reporting, "evaluation": other}

    answers, pairs = tabulate_questions(scores, **settings)

    known = answers.groupby("question")["auroc"].count()
    assert known.to_dict() == {
        "image": 2,
        "one_image": 2,
        "patient_max": 0,
        "patient_mean": 0,
    }
    assert answers["from_primary_p_value"].isna().all()
    assert pairs.set_index("question").loc["patient_max", "p_value"] != 1
    within = tabulate_margins(scores, **settings, margins=margins)
    assert within["verdict"].iloc[0] == "unknown"


def test_a_question_that_there_is_not_is_refused(evaluation):
    with pytest.raises(ValueError, match="primary_auroc must be one of image, patient"):
        replace(evaluation, primary_auroc="study")
