"""The section on margins: what a reader sees follows from the table."""

import io
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from covid_cxr.evaluation.arranged_scores import arrange_parts
from covid_cxr.evaluation.inference_settings import Margins
from covid_cxr.evaluation.non_inferiority import tabulate_margins
from covid_cxr.evaluation.scored_part import ScoredParts
from covid_cxr.report import wording
from covid_cxr.report.html import make_environment
from covid_cxr.report.margin_tables import (
    MarginTables,
    draw_margin_figure,
    main_rows,
    measure_title,
)

NO_MARGINS = Margins(auroc=None, sensitivity=None, specificity=None, ppv=None, npv=None)


@pytest.fixture(scope="module")
def make(validation, test_part, reporting, evaluation):
    """Return a function that makes the section for some margins."""
    both = ScoredParts(validation=validation, test=test_part)

    def table_and_section(margins, parts=both):
        scores = arrange_parts(parts)
        table = tabulate_margins(
            scores, reporting=reporting, evaluation=evaluation, margins=margins
        )
        stream = io.BytesIO()
        draw_margin_figure(table, are_paths=False).savefig(stream, dpi=30)
        shown = MarginTables(margin_results=table, margin_figure=stream.getvalue())
        template = make_environment().get_template("margins.html.jinja")
        module = template.make_module({"wording": wording})
        return table, str(module.whole(shown, 0.05))

    return table_and_section


def test_a_stated_margin_has_its_verdict_and_another_measure_a_dash(make, margins):
    table, section = make(margins)

    main = section.split('id="margins-all"')[0]
    rows = re.findall(r"<tr><td.*?</tr>", main, re.DOTALL)
    words = {
        "equivalent": ">equivalent<",
        "first not inferior": ">sharp is not inferior to dull<",
        "second not inferior": ">dull is not inferior to sharp<",
        "not shown": ">not shown<",
    }
    shown = main_rows(table)
    assert len(rows) == len(shown) == 5
    for row, verdict in zip(rows, shown["verdict"], strict=True):
        assert sum(told in row for told in words.values()) == (verdict in words)
        assert verdict not in words or words[verdict] in row
    assert len(set(shown["verdict"])) > 1
    assert "95 % intervals" in main
    assert "each at 0.025" in main
    assert "PPV at 10 %" in main  # asked for
    assert "NPV at 10 %" not in main


def test_without_a_margin_the_page_says_so_and_has_no_verdict(make):
    _, section = make(NO_MARGINS)

    assert "None was stated of what is compared here, so there is no verdict" in section
    assert "not inferior" not in section.split("<thead>")[1]
    assert "dashed" not in section


def test_a_margin_that_thresholds_would_need_is_said_not_to_be_judged(
    make, margins, test_part
):
    only_shares = replace(margins, auroc=None)

    _, section = make(only_shares, ScoredParts(validation=None, test=test_part))
    _, with_both = make(only_shares)

    told = "Without thresholds, which a validation part chooses, only AUROCs are"
    assert told in section
    assert "None was stated of what is compared here" in section
    assert "own threshold" not in section
    assert told not in with_both
    assert "own threshold" in with_both


def test_one_classifier_is_told_that_nothing_is_compared(make, margins, test_part):
    alone = replace(test_part, scores=test_part.scores[["sharp"]])

    _, section = make(margins, ScoredParts(validation=alone, test=alone))

    assert "There is one classifier, so nothing is compared" in section
    assert "was stated" not in section


@pytest.mark.parametrize(("n_classifiers", "n_left_out"), [(6, 0), (7, 6)])
def test_pairs_that_the_figure_leaves_out_are_counted(
    make, margins, test_part, n_classifiers, n_left_out
):
    column = test_part.scores["sharp"]
    scores = pd.DataFrame(
        {f"m{k}": column.to_numpy()[:: (-1) ** k] ** k for k in range(n_classifiers)}
    )
    many = replace(test_part, scores=scores)

    table, section = make(margins, ScoredParts(validation=None, test=many))

    first = draw_margin_figure(table, are_paths=False).axes[0]
    assert len(first.get_yticklabels()) == len(table) - n_left_out
    told = f"The other {n_left_out} pairs stand in the table alone"
    assert (told in section) == (n_left_out > 0)
    assert ("stand in the table alone" in section) == (n_left_out > 0)


def test_the_figure_draws_a_line_for_each_pair_and_both_margins(make, margins):
    table, _ = make(margins)

    first, *others = draw_margin_figure(table, are_paths=False).axes

    assert [label.get_text() for label in first.get_yticklabels()] == [
        "sharp \N{MINUS SIGN} dull"
    ]
    vertical = [
        line.get_xdata()[0] for line in first.lines if len(line.get_xdata()) == 2
    ]
    assert {-0.1, 0, 0.1} <= set(vertical)
    row = table.iloc[0]
    ends = [tuple(line.get_xdata()) for line in first.lines]
    assert (row["lower"], row["upper"]) in ends
    assert [axes.get_title() for axes in (first, *others)] == [
        *("AUROC", "Sensitivity", "Specificity", "PPV at 10 %", "PPV at 50 %"),
    ]


@pytest.mark.parametrize(
    ("measure", "prevalence", "title"),
    [("auroc", np.nan, "AUROC"), ("npv", 0.05, "NPV at 5 %")],
)
def test_a_measure_is_named_with_its_prevalence(measure, prevalence, title):
    assert measure_title(measure, prevalence) == title
