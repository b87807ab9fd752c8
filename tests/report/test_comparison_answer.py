"""The question of a comparison and its answer, from its tables."""

from dataclasses import replace

import pandas as pd
import pytest

from covid_cxr.evaluation.arranged_scores import arrange_parts
from covid_cxr.evaluation.auroc_questions import tabulate_questions
from covid_cxr.evaluation.aurocs import tabulate_aurocs
from covid_cxr.evaluation.comparisons import adjust_comparisons, compare_classifiers
from covid_cxr.evaluation.scored_part import ScoredParts
from covid_cxr.report.comparison_answer import answer, answer_primary, ask
from covid_cxr.report.question_tables import QuestionTables


@pytest.fixture(scope="module")
def make(test_part, reporting, evaluation):
    """Return a function that makes the tables of some of the classifiers."""

    def tables(names):
        scores = test_part.scores.assign(third=test_part.scores["dull"] ** 2)
        part = replace(test_part, scores=scores[names])
        arranged = arrange_parts(ScoredParts(validation=None, test=part))
        settings = {"reporting": reporting, "evaluation": evaluation}
        return (
            tabulate_aurocs(arranged, **settings),
            compare_classifiers(arranged, **settings),
            adjust_comparisons(arranged, reporting=reporting),
        )

    return tables


def test_one_classifier_is_told_with_its_interval(make, reporting):
    tables = make(["sharp"])

    assert ask(tables[0]) == "How well does sharp tell cases from controls?"
    row = tables[0].iloc[0]
    assert f"was {row['auroc']:.3f} (95 % interval by patient: {row['lower']:.3f}" in (
        answer(*tables, reporting)
    )


@pytest.mark.parametrize("names", [["sharp", "dull"], ["dull", "sharp"]])
def test_of_two_the_better_one_comes_first_whatever_the_order(make, reporting, names):
    tables = make(names)
    told = answer(*tables, reporting)

    better, worse = tables[0].sort_values("auroc", ascending=False)["classifier"]
    gap = tables[0]["auroc"].max() - tables[0]["auroc"].min()
    assert ask(tables[0]) == (
        f"Does {names[0]} or {names[1]} tell cases from controls better?"
    )
    assert told.startswith(
        f"The AUROC of {better} was {gap:.3f} above that of {worse} (95 % interval"
    )


def test_what_is_not_told_apart_is_not_said_to_be_alike(make, reporting):
    tables = make(["sharp", "dull"])

    for p_value, words in (
        (0.2, "does not show that they are alike"),
        (0.01, "The test part tells them apart."),
        (float("nan"), "Nothing is known of the error"),
    ):
        adjusted = tables[2].assign(p_holm=p_value)
        assert words in answer(*tables[:2], adjusted, reporting)


def test_of_several_the_pairs_are_counted_after_holms_adjustment(make, reporting):
    tables = make(["sharp", "dull", "third"])
    adjusted = tables[2].assign(p_holm=[0.01, 0.04, 0.06])

    told = answer(*tables[:2], adjusted, reporting)

    assert told.startswith("2 of 3 pairs are told apart at 0.05")
    widest = tables[1]["difference"].abs().max()
    assert f"was {widest:.3f} above" in told


def test_a_primary_question_of_patients_has_its_own_gap(
    test_part, reporting, evaluation
):
    scores = arrange_parts(ScoredParts(validation=None, test=test_part))
    told = {}
    for question in ("image", "patient_mean"):
        answers, pairs = tabulate_questions(
            scores,
            reporting=reporting,
            evaluation=replace(evaluation, primary_auroc=question),
        )
        tables = QuestionTables(question_results=answers, question_pair_results=pairs)
        told[question] = answer_primary(tables, reporting)

    row = pairs.set_index("question").loc["patient_mean"]
    assert isinstance(row, pd.Series)
    assert told["image"] == ""
    assert "that of patients, by the mean score, not adjusted" in told["patient_mean"]
    assert f"{abs(row['difference']):.3f} above" in told["patient_mean"]
