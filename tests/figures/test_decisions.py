"""Decision curves."""

import pandas as pd

from covid_cxr.figures.decisions import draw_decisions

CURVE = pd.DataFrame(
    {
        "threshold": [0.1, 0.5, 0.9],
        "net_benefit": [0.5, 0.4, 0.1],
        "net_benefit_of_everybody": [0.45, 0.0, -4.0],
    }
)
CURVES = {"net": CURVE, "other": CURVE.assign(net_benefit=[0.6, 0.2, -0.1])}
COLOURS = {"net": "#0072b2", "other": "#d55e00"}


def test_each_classifier_stands_beside_everybody_and_nobody():
    axes = draw_decisions(CURVES, colours=COLOURS).axes[0]

    nobody, everybody, net, other = axes.lines
    assert list(nobody.get_ydata()) == [0, 0]
    assert everybody.get_ydata().tolist() == [0.45, 0.0, -4.0]
    assert net.get_ydata().tolist() == [0.5, 0.4, 0.1]
    assert other.get_color() == "#d55e00"
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == ["nobody", "everybody", "net", "other"]


def test_the_fall_of_everybody_does_not_flatten_the_curves():
    low, high = draw_decisions(CURVES, colours=COLOURS).axes[0].get_ylim()

    assert -0.2 < low < 0
    assert 0.6 < high < 0.8
