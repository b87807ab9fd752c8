"""The section on questions: which is the primary one, and where answers differ."""

import pytest

from covid_cxr.evaluation.arranged_scores import arrange_parts
from covid_cxr.evaluation.auroc_questions import tabulate_questions
from covid_cxr.evaluation.scored_part import ScoredParts
from covid_cxr.report import wording
from covid_cxr.report.html import make_environment
from covid_cxr.report.question_tables import QuestionTables


@pytest.fixture(scope="module")
def tables(validation, test_part, reporting, evaluation):
    scores = arrange_parts(ScoredParts(validation=validation, test=test_part))
    answers, pairs = tabulate_questions(
        scores, reporting=reporting, evaluation=evaluation
    )
    return QuestionTables(question_results=answers, question_pair_results=pairs)


def render(tables):
    template = make_environment().get_template("questions.html.jinja")
    module = template.make_module({"wording": wording})
    return str(module.whole(tables, "95 %", 0.05))


def test_the_primary_question_is_named_and_marked(tables):
    section = render(tables)

    assert "is that of <strong>all images</strong>" in section.replace("\n", " ")
    assert section.count('<span class="badge">primary</span>') == 2 + 1
    assert section.count("<tr") == 1 + 4 * 2 + 1 + 4


def test_answers_that_differ_are_named_and_others_are_not(tables):
    p_values = tables.question_results["from_primary_p_value"]
    apart = tables.question_results.assign(
        from_primary_p_value=p_values.where(p_values.index != 2, 0.001)
    )
    told = render(QuestionTables(**vars(tables) | {"question_results": apart}))
    alike = render(
        QuestionTables(
            **vars(tables)
            | {"question_results": apart.assign(from_primary_p_value=0.5)}
        )
    )

    assert "patients, by the highest score (sharp:" in told
    assert "The answers differ" not in alike
    assert "No answer here is" in alike
