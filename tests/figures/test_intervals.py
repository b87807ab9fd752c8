"""AUROCs with their intervals."""

import math

import pandas as pd

from covid_cxr.figures.intervals import draw_intervals

KEYS = ("auroc", "lower", "upper")


def lines(ours, paper):
    row = {
        "title": "Path (b)",
        "colour": "#d55e00",
        **dict(zip(KEYS, ours, strict=True)),
        **{f"paper_{key}": value for key, value in zip(KEYS, paper, strict=True)},
    }
    figure = draw_intervals(pd.DataFrame([row]))
    return [line.get_xdata().tolist() for line in figure.axes[0].lines[:-1]]


def test_a_row_shows_our_interval_and_the_papers():
    drawn = lines(ours=(0.8, 0.7, 0.9), paper=(0.857, 0.794, 0.92))

    assert drawn == [[0.7, 0.9], [0.8], [0.794, 0.92], [0.857]]


def test_what_is_not_known_is_not_drawn():
    assert lines(ours=(1.0, math.nan, math.nan), paper=(math.nan,) * 3) == [[1.0]]
