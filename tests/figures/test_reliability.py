"""Reliability curves."""

import pandas as pd

from covid_cxr.figures.palette import MUTED
from covid_cxr.figures.reliability import draw_reliability

BINS = pd.DataFrame(
    {
        "mean_probability": [0.1, 0.8],
        "share_of_cases": [0.3, 0.6],
        "lower": [0.2, 0.5],
        "upper": [0.4, 0.7],
    }
)
CURVES = {f"net {k}": BINS for k in range(4)}
COLOURS = dict.fromkeys(CURVES, "#0072b2")


def test_each_classifier_has_a_diagram_and_the_grid_no_empty_one():
    figure = draw_reliability(CURVES, recalibrated={}, colours=COLOURS)

    drawn = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title() for axes in drawn] == list(CURVES)
    assert len(figure.axes) == 6


def test_a_bin_is_a_point_with_its_interval():
    figure = draw_reliability({"net 0": BINS}, recalibrated={}, colours=COLOURS)

    (axes,) = figure.axes
    diagonal, curve = axes.lines
    assert diagonal.get_xydata().tolist() == [[0, 0], [1, 1]]
    assert curve.get_xydata().tolist() == [[0.1, 0.3], [0.8, 0.6]]
    first, second = axes.collections[0].get_segments()
    assert first.tolist() == [[0.1, 0.2], [0.1, 0.4]]
    assert second.tolist() == [[0.8, 0.5], [0.8, 0.7]]


def test_the_recalibrated_curve_stands_behind_in_grey():
    moved = BINS.assign(mean_probability=[0.3, 0.6])

    figure = draw_reliability(CURVES, recalibrated={"net 1": moved}, colours=COLOURS)

    without, with_map = figure.axes[0], figure.axes[1]
    assert len(without.lines) == 2  # the diagonal and the curve
    grey, _, curve = with_map.lines
    assert grey.get_color() == MUTED
    assert grey.get_xydata().tolist() == [[0.3, 0.3], [0.6, 0.6]]
    assert curve.get_color() == "#0072b2"
