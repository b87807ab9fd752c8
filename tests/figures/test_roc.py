"""Figure 3."""

import json

import numpy as np
import pytest

from covid_cxr.figures.roc import draw_interactive_roc, draw_roc
from covid_cxr.statistics.roc import trace_roc

IS_CASE = [True, False, True, False]
CURVES = {
    "Path (a): 0.750": trace_roc(IS_CASE, [0.9, 0.1, 0.4, 0.6]),
    "Path (f): 0.250": trace_roc(IS_CASE, [0.1, 0.9, 0.6, 0.4]),
}
COLOURS = {"Path (a): 0.750": "#0072b2", "Path (f): 0.250": "#d55e00"}


def test_the_printed_figure_has_a_line_per_curve_and_the_diagonal():
    figure = draw_roc(CURVES, colours=COLOURS)

    diagonal, first, _ = figure.axes[0].lines
    assert diagonal.get_xydata().tolist() == [[0, 0], [1, 1]]
    curve = CURVES["Path (a): 0.750"]
    assert first.get_xdata() == pytest.approx(curve.false_positive_rate)
    assert first.get_ydata() == pytest.approx(curve.sensitivity)
    assert first.get_color() == "#0072b2"
    assert first.get_label() == "Path (a): 0.750"


def test_the_interactive_figure_shows_the_threshold_of_every_corner():
    figure = draw_interactive_roc(CURVES, colours=COLOURS)

    traces = json.loads(figure.to_json())["data"]
    assert [trace["name"] for trace in traces] == list(CURVES)
    assert traces[0]["customdata"] == ["above every score", "0.9", "0.6", "0.4", "0.1"]
    assert np.allclose(figure.data[1].y, CURVES["Path (f): 0.250"].sensitivity)
