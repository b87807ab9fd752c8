"""The section on margins: what a reader sees follows from the table."""

import io
import re

import numpy as np
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
    scores = arrange_parts(ScoredParts(validation=validation, test=test_part))

    def table_and_section(margins):
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
    assert shown["verdict"].nunique() > 1
    assert "95 % intervals" in main
    assert "each at 0.025" in main
    assert "PPV at 10 %" in main  # asked for
    assert "NPV at 10 %" not in main


def test_without_a_margin_the_page_says_so_and_has_no_verdict(make):
    _, section = make(NO_MARGINS)

    assert "None was stated, so there is no verdict here" in section
    assert "not inferior" not in section.split("<thead>")[1]
    assert "dashed" not in section


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
