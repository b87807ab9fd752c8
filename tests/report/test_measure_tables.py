"""The section on further measures, and its figure."""

import io

import numpy as np
import pytest

from covid_cxr.evaluation.arranged_scores import arrange_parts
from covid_cxr.evaluation.further_measures import tabulate_measures
from covid_cxr.evaluation.scored_part import ScoredParts
from covid_cxr.evaluation.thresholds import tabulate_threshold_uncertainty
from covid_cxr.report import wording
from covid_cxr.report.html import make_environment
from covid_cxr.report.measure_tables import (
    MeasureTables,
    draw_smooth_calibration,
    measure_in_words,
)


@pytest.fixture(scope="module")
def curves(validation, test_part, reporting, evaluation):
    scores = arrange_parts(ScoredParts(validation=validation, test=test_part))
    return tabulate_measures(scores, reporting=reporting, evaluation=evaluation)[2]


@pytest.fixture(scope="module")
def tables(validation, test_part, reporting, evaluation, curves):
    scores = arrange_parts(ScoredParts(validation=validation, test=test_part))
    settings = {"reporting": reporting, "evaluation": evaluation}
    measured, pairs, _ = tabulate_measures(scores, **settings)
    stream = io.BytesIO()
    draw_smooth_calibration(curves, are_paths=False).savefig(stream, dpi=30)
    return MeasureTables(
        measure_results=measured,
        measure_pair_results=pairs,
        threshold_results=tabulate_threshold_uncertainty(scores, **settings),
        smooth_figure=stream.getvalue(),
    )


def render(tables):
    template = make_environment().get_template("measures.html.jinja")
    module = template.make_module({"wording": wording})
    return str(module.whole(tables, "95 %", 0.05))


def test_every_row_says_what_it_is_and_where_it_is_told(tables):
    section = render(tables)

    assert section.count("<tr") - section.count("<thead") == len(
        tables.measure_results
    ) + len(tables.measure_pair_results) + len(tables.threshold_results)
    for words in (
        "Partial AUROC, false-positive rate 0 to 0.2, corrected (chance 0.5)",
        "Partial AUROC, sensitivity 0.8 to 1: mean specificity",
        "Sensitivity at a specificity of 0.9",
        "Net benefit at a threshold of 0.2, as it is",
        "ECE, 4 bins, after Platt&#39;s map",
    ):
        assert words in section


def test_a_threshold_without_a_bound_is_none(tables):
    table = tables.threshold_results
    unbounded = table.assign(
        threshold=table["threshold"].where(table["end"] != "lower", -np.inf)
    )
    section = render(MeasureTables(**vars(tables) | {"threshold_results": unbounded}))

    assert section.count("<td>none</td>") == 2 * 2
    assert "<td>none</td>" not in render(tables)


def test_the_figure_has_a_curve_with_a_band_for_each_classifier(curves):
    figure = draw_smooth_calibration(curves, are_paths=False)

    assert [axes.get_title() for axes in figure.axes] == ["sharp", "dull"]
    own = curves[(curves["classifier"] == "dull") & (curves["recalibration"] == "none")]
    (line,) = [one for one in figure.axes[1].lines if len(one.get_xdata()) > 2]
    assert line.get_ydata().tolist() == own["share"].tolist()
    assert len(figure.axes[1].collections) == 1


def test_without_a_curve_the_figure_says_why(curves):
    figure = draw_smooth_calibration(curves.iloc[:0], are_paths=False)

    assert "needs probabilities" in figure.texts[0].get_text()


def test_a_measure_without_a_place_has_none():
    assert measure_in_words(
        {"measure": "ici", "at": np.nan, "recalibration": "none"}
    ) == ("ICI, as it is")
