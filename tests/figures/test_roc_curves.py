"""Figure 3."""

import json

import numpy as np
import pytest

from covid_cxr.figures.roc_curves import (
    draw_interactive_roc,
    draw_roc,
    join_interactive,
)
from covid_cxr.statistics.roc import trace_roc
from covid_cxr.statistics.roc_band import RocBand, roc_band

IS_CASE = [True, False, True, False]
CURVES = {
    "Path (a): 0.750": trace_roc(IS_CASE, [0.9, 0.1, 0.4, 0.6]),
    "Path (f): 0.250": trace_roc(IS_CASE, [0.1, 0.9, 0.6, 0.4]),
}
COLOURS = {"Path (a): 0.750": "#0072b2", "Path (f): 0.250": "#d55e00"}
BAND = RocBand(
    false_positive_rate=np.array([0, 0.5, 1]),
    lower=np.array([0, 0.2, 0.9]),
    upper=np.array([0.5, 0.8, 1]),
)


def test_the_printed_figure_has_a_line_per_curve_and_the_diagonal():
    figure = draw_roc(CURVES, bands={}, colours=COLOURS)

    diagonal, first, _ = figure.axes[0].lines
    assert diagonal.get_xydata().tolist() == [[0, 0], [1, 1]]
    curve = CURVES["Path (a): 0.750"]
    assert first.get_xdata() == pytest.approx(curve.false_positive_rate)
    assert first.get_ydata() == pytest.approx(curve.sensitivity)
    assert first.get_color() == "#0072b2"
    assert first.get_label() == "Path (a): 0.750"


def test_the_interactive_figure_shows_the_threshold_of_every_corner():
    figure = draw_interactive_roc(CURVES, bands={}, first=None, colours=COLOURS)

    traces = json.loads(figure.to_json())["data"]
    assert [trace["name"] for trace in traces] == list(CURVES)
    assert traces[0]["customdata"] == ["above every score", "0.9", "0.6", "0.4", "0.1"]
    assert np.allclose(figure.data[1].y, CURVES["Path (f): 0.250"].sensitivity)


def test_a_printed_band_lies_between_its_bounds():
    bands = {"Path (f): 0.250": BAND}

    figure = draw_roc(CURVES, bands=bands, colours=COLOURS)

    (band,) = figure.axes[0].collections
    corners = band.get_paths()[0].vertices
    assert [0.5, 0.2] in corners.tolist()
    assert [0.5, 0.8] in corners.tolist()
    assert band.get_facecolor()[0] == pytest.approx((0xD5 / 255, 0x5E / 255, 0, 0.14))


def test_an_interactive_band_follows_the_legend_of_its_curve():
    title = "Path (f): 0.250"

    figure = draw_interactive_roc(
        CURVES, bands={title: BAND}, first=title, colours=COLOURS
    )

    assert not figure.layout.updatemenus
    band, _, curve = figure.data
    assert band.legendgroup == curve.legendgroup == "Path (f): 0.250"
    assert band.showlegend is False
    assert band.opacity > 0
    assert band.fillcolor == curve.line.color
    assert band.x.tolist() == [0, 0.5, 1, 1, 0.5, 0]
    assert band.y.tolist() == [0.5, 0.8, 1, 0.9, 0.2, 0]


@pytest.mark.parametrize(
    ("first", "labels", "seen"),
    [
        ("Path (f): 0.250", ["One band", "No band", "All bands"], [0, 0.14]),
        (None, ["No band", "All bands"], [0, 0]),
    ],
)
def test_buttons_show_one_band_or_all_or_none(first, labels, seen):
    bands = dict.fromkeys(CURVES, BAND)

    figure = draw_interactive_roc(CURVES, bands=bands, first=first, colours=COLOURS)

    assert [band.opacity for band in figure.data[:2]] == seen
    buttons = figure.layout.updatemenus[0].buttons
    assert [button.label for button in buttons] == labels
    change, traces = buttons[0].args
    assert (list(change["opacity"]), list(traces)) == (seen, [0, 1])
    assert list(buttons[-1].args[0]["opacity"]) == [0.14, 0.14]


def test_a_long_interactive_curve_is_thinned_without_changing_its_look():
    rng = np.random.default_rng(1)
    is_case = rng.random(20_000) < 0.3
    whole = trace_roc(is_case, rng.normal(size=20_000) + is_case)

    figure = draw_interactive_roc(
        {"x": whole}, bands={}, first=None, colours={"x": "#0072b2"}
    )

    assert figure.layout.showlegend  # plotly leaves it out for one curve
    (drawn,) = figure.data
    assert len(drawn.x) <= 200 < len(whole.thresholds)
    assert (drawn.x[0], drawn.y[0], drawn.x[-1], drawn.y[-1]) == (0, 0, 1, 1)
    at = np.linspace(0, 1, 1001)
    shift = np.interp(at, drawn.x, drawn.y) - np.interp(
        at, whole.false_positive_rate, whole.sensitivity
    )
    assert np.abs(shift).max() < 0.005


def bounds_of(polygon_x, polygon_y, rate):
    """Return the lowest and the highest point of a step polygon at a rate."""
    near = polygon_y[np.abs(polygon_x - rate) < 0.0051]
    return near.min(), near.max()


@pytest.mark.parametrize(("seed", "n"), [(1, 20), (2, 300), (3, 100_000)])
def test_a_drawn_curve_stays_inside_its_drawn_band(seed, n):
    rng = np.random.default_rng(seed)
    is_case = np.arange(n) % 5 > 1
    scores = np.round(rng.normal(size=n) + is_case, 2)
    curves, colours = {"x": trace_roc(is_case, scores)}, {"x": "#0072b2"}
    bands = {"x": roc_band(is_case, scores, cluster=np.arange(n) // 2)}

    printed = draw_roc(curves, bands=bands, colours=colours).axes[0]
    interactive = draw_interactive_roc(
        curves, bands=bands, first="x", colours=colours
    ).data

    line = printed.lines[1]
    polygon = printed.collections[0].get_paths()[0].vertices.T
    for (x, y), (around, bound) in (
        (line.get_data(), polygon),
        ((interactive[1].x, interactive[1].y), (interactive[0].x, interactive[0].y)),
    ):
        for rate in np.linspace(0.005, 0.995, 100):  # within a step of a hundredth
            low, high = bounds_of(around, bound, rate)
            drawn = np.interp(rate, x, y)
            assert low - 1e-9 <= drawn <= high + 1e-9


def test_a_printed_curve_of_many_scores_stays_within_a_printers_dot_of_itself():
    rng = np.random.default_rng(1)
    is_case = rng.random(60_000) < 0.3
    whole = trace_roc(is_case, rng.standard_normal(60_000) + is_case)

    figure = draw_roc({"x": whole}, bands={}, colours={"x": "#0072b2"})

    drawn = figure.axes[0].lines[1].get_xydata()
    assert len(drawn) <= 2000
    assert drawn[0].tolist() == [0, 0]
    assert drawn[-1].tolist() == [1, 1]
    corners = whole.corners
    found = np.interp(
        corners.false_positive_rate + corners.sensitivity,
        drawn.sum(axis=1),
        drawn[:, 0],
    )
    assert np.abs(found - corners.false_positive_rate).max() < 0.002


def test_of_several_findings_the_menu_shows_the_curves_of_one():
    alone = {title: curve for title, curve in CURVES.items() if "(f)" in title}
    figures = {
        finding: draw_interactive_roc(curves, bands={}, first=None, colours=COLOURS)
        for finding, curves in {"Effusion": CURVES, "Nodule <x>": alone}.items()
    }

    drawn = json.loads(join_interactive(figures).to_json())

    assert [one["name"] for one in drawn["data"]] == [*CURVES, *alone]
    assert [one["visible"] for one in drawn["data"]] == [True, True, False]
    (menu,) = drawn["layout"]["updatemenus"]
    assert [one["label"] for one in menu["buttons"]] == ["Effusion", "Nodule &lt;x&gt;"]
    assert [one["args"][0]["visible"] for one in menu["buttons"]] == [
        [True, True, False],
        [False, False, True],
    ]
