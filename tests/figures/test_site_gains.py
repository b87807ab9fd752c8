"""The forest plot of sites left out."""

import numpy as np
import pandas as pd

from covid_cxr.figures.site_gains import draw_sites


def sites():
    return pd.DataFrame(
        {
            "site": ["north", "south", "mean of sites"],
            "auroc": [0.8, np.nan, 0.7],
            "lower": [0.7, np.nan, 0.6],
            "upper": [0.9, np.nan, 0.8],
            "difference": [0.05, np.nan, np.nan],
            "difference_lower": [-0.1, np.nan, np.nan],
            "difference_upper": [0.2, np.nan, np.nan],
        }
    )


def segments(axes):
    """Return the intervals drawn, as (row, lower, upper)."""
    lines = [line.get_xydata() for line in axes.lines if len(line.get_xdata()) == 2]
    return [
        (left[1], left[0], right[0])
        for left, right in lines
        if left[1] == right[1] and np.isfinite(left[0])
    ]


def test_each_site_has_its_interval_beside_the_gain_of_training_there():
    figure = draw_sites(sites())

    left, right = figure.axes
    assert segments(left) == [(0, 0.7, 0.9), (2, 0.6, 0.8)]
    assert segments(right) == [(0, -0.1, 0.2)]
    names = [label.get_text() for label in left.get_yticklabels()]
    assert names == ["north", "south", "mean of sites"]


def test_a_site_that_was_not_left_out_is_named_so():
    left, _ = draw_sites(sites()).axes

    (note,) = left.texts
    assert (note.get_text(), note.get_position()[1]) == ("not left out", 1)
