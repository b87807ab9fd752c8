"""Forest plots of subgroups."""

import numpy as np
import pandas as pd
import pytest

from covid_cxr.figures.forest import draw_forest

SUBGROUPS = pd.DataFrame(
    {
        "variable": ["age_band", "sex"],
        "level": ["0-39", "F"],
        "images": [40, 90],
        "patients": [20, 45],
        "auroc": [0.7, 0.9],
        "lower": [0.3, np.nan],
        "upper": [0.85, np.nan],
    }
)


def test_each_subgroup_is_a_point_on_its_interval():
    axes = draw_forest(SUBGROUPS, overall=0.8, colour="#0072b2").axes[0]

    overall, interval, point, no_interval, second, chance = axes.lines
    assert overall.get_xdata() == pytest.approx([0.8, 0.8])
    assert interval.get_xdata().tolist() == [0.3, 0.85]
    assert (point.get_xdata(), point.get_ydata()) == ([0.7], [0])
    assert np.isnan(no_interval.get_xdata()).all()
    assert (second.get_xdata(), second.get_ydata()) == ([0.9], [1])
    assert chance.get_xdata() == pytest.approx([0.5, 0.5])
    assert {point.get_color(), interval.get_color()} == {"#0072b2"}


def test_rows_are_titled_with_their_size_and_nothing_is_cut_off():
    axes = draw_forest(SUBGROUPS, overall=0.8, colour="#0072b2").axes[0]

    titles = [label.get_text() for label in axes.get_yticklabels()]
    assert titles == ["age band: 0-39 (40 of 20)", "sex: F (90 of 45)"]
    assert axes.get_xlim()[0] < 0.3


def test_chance_is_in_sight_where_every_interval_is_high():
    high = SUBGROUPS.assign(auroc=0.95, lower=0.9, upper=0.99)

    axes = draw_forest(high, overall=0.95, colour="#0072b2").axes[0]

    assert axes.get_xlim()[0] < 0.5
