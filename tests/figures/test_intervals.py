"""AUROCs with their intervals."""

import math

from covid_cxr.figures.intervals import Interval, IntervalRow, draw_intervals

UNKNOWN = Interval(auroc=math.nan, lower=math.nan, upper=math.nan)


def lines(row):
    figure = draw_intervals([row])
    return [line.get_xdata().tolist() for line in figure.axes[0].lines[:-1]]


def test_a_row_shows_our_interval_and_the_papers():
    row = IntervalRow(
        title="Path (b)",
        colour="#d55e00",
        ours=Interval(auroc=0.8, lower=0.7, upper=0.9),
        paper=Interval(auroc=0.857, lower=0.794, upper=0.92),
    )

    assert lines(row) == [[0.7, 0.9], [0.8], [0.794, 0.92], [0.857]]


def test_what_is_not_known_is_not_drawn():
    row = IntervalRow(
        title="Path (g)",
        colour="#d55e00",
        ours=Interval(auroc=1.0, lower=math.nan, upper=math.nan),
        paper=UNKNOWN,
    )

    assert lines(row) == [[1.0]]
