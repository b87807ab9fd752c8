"""A name is literal text in every figure, whatever it is."""

import html
import io
import json
import re
from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from covid_cxr.figures import (
    decisions,
    explained_cases,
    flow_diagram,
    forest,
    intervals,
    learning_curves,
    masked_radiographs,
    note,
    reliability,
    roc_curves,
    site_gains,
)
from covid_cxr.figures.names import MOST_CHARACTERS, literals, marked_up
from covid_cxr.figures.palette import classifier_colours, classifier_dashes
from covid_cxr.statistics.roc import trace_roc

NAMES = (
    *("$x^2$", r"lr=$10^{-4}$ \foo", r"a $\foo$ b", "100 $", r"\$5"),
    *("_hidden", "__", "<b>bold</b>", "a&amp;b", "50 %", "{0}", "%s", "%{y}"),
    *("net", "Net", "m" * 200, "m" * 199 + "n", "two\nlines", "tab\tbed"),
)


def drawn_texts(figure):
    """Return every text of a figure as an SVG file has it."""
    file = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": "none"}):
        figure.savefig(file, format="svg")
    texts = re.findall(r"<text[^>]*>(.*?)</text>", file.getvalue().decode(), re.DOTALL)
    return [html.unescape(text) for text in texts]


def make_bins():
    share = [0.1, 0.9]
    return pd.DataFrame(
        {"mean_probability": share, "share_of_cases": share, "lower": 0, "upper": 1}
    )


def make_curve():
    columns = ("threshold", "net_benefit", "net_benefit_of_everybody")
    return pd.DataFrame({name: [0.1, 0.5] for name in columns})


def make_forest(names):
    levels = dict.fromkeys(("images", "patients", "auroc", "lower", "upper"), 0.5)
    return pd.DataFrame({"variable": "site", "level": names, **levels})


def make_sites(names):
    columns = ("auroc", "lower", "upper", "difference")
    bounds = ("difference_lower", "difference_upper")
    return pd.DataFrame({"site": names, **dict.fromkeys((*columns, *bounds), 0.5)})


def make_intervals(names):
    columns = ("auroc", "lower", "upper")
    known = dict.fromkeys((*columns, *(f"paper_{name}" for name in columns)), 0.8)
    return pd.DataFrame({"title": names, "colour": "#000000", **known})


def make_shortcuts(names):
    columns = ("auroc", "lower", "upper", "whole_auroc")
    known = dict.fromkeys(columns, 0.5)
    return pd.DataFrame([{"path": n, "input": "whole", **known} for n in names])


def make_lane(name):
    station = flow_diagram.Station(title=name, images=2, patients=1)
    losses = flow_diagram.Losses(title="Left out", images={name: 1})
    divided = flow_diagram.DividedSet(title=name, left_out=losses, parts=[station])
    return flow_diagram.CohortLane(
        title=name, stations=[station] * 3, losses=[losses] * 2, training_sets=[divided]
    )


CURVE = trace_roc([True, False, True, False], [0.9, 0.1, 0.4, 0.6])
EPOCH = {"epoch": 1, "loss": 1.0, "validation_loss": 1.0, "learning_rate": 0.1}
FORGETTING = pd.DataFrame(
    {"layer": ["head"], "similarity": [0.5], "between_images": [0.2]}
)


def colours_of(names):
    return classifier_colours(names, are_paths=False)


DRAWINGS = {
    "roc": lambda names: roc_curves.draw_roc(
        dict.fromkeys(names, CURVE), bands={}, colours=colours_of(names)
    ),
    "decisions": lambda names: decisions.draw_decisions(
        dict.fromkeys(names, make_curve()), colours=colours_of(names)
    ),
    "reliability": lambda names: reliability.draw_reliability(
        dict.fromkeys(names, make_bins()), recalibrated={}, colours=colours_of(names)
    ),
    "forest": lambda names: forest.draw_forest(
        make_forest(names), overall=0.5, colour="#000000"
    ),
    "sites": lambda names: site_gains.draw_sites(make_sites(names)),
    "intervals": lambda names: intervals.draw_intervals(make_intervals(names)),
    "learning curves": lambda names: learning_curves.draw_learning_curves(
        {name: [EPOCH] for name in names}
    ),
    "randomisation": lambda names: explained_cases.draw_randomisation(
        dict.fromkeys(names, FORGETTING), colours=colours_of(names)
    ),
    "shortcuts": lambda names: masked_radiographs.draw_shortcuts(
        make_shortcuts(names),
        inputs={"whole": names[0]},
        paths={name: name for name in names},
        colours=colours_of(names),
    ),
    "flow": lambda names: flow_diagram.draw_flow([make_lane(name) for name in names]),
    "note": lambda names: note.draw_note(" ".join(names)),
}


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)
def test_a_printed_figure_shows_each_name_as_it_is(draw):
    names = ("$x^2$", "_hidden", r"$\foo$", "<b>bold</b>", "50 %", "{0}", r"\$5")

    texts = " ".join(drawn_texts(draw(names)))

    for name in names:
        assert name in texts


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)
def test_many_strange_names_stop_no_figure(draw):
    texts = drawn_texts(draw(NAMES))

    assert sum("$" in text for text in texts) >= 1


@pytest.mark.parametrize("shown", [literals, marked_up])
def test_different_names_stay_different_and_short(shown):
    texts = shown(NAMES)

    assert len(set(texts)) == len(NAMES)
    longest = max(len(html.unescape(text)) for text in texts)
    assert longest <= MOST_CHARACTERS + len(" (15)")
    assert not re.search(r"[\n\t]", "".join(texts))


def test_the_interactive_legend_shows_each_name_as_it_is():
    figure = roc_curves.draw_interactive_roc(
        dict.fromkeys(NAMES, CURVE), bands={}, first=None, colours=colours_of(NAMES)
    )

    names = [trace["name"] for trace in json.loads(figure.to_json())["data"]]
    assert not re.search(r"[<>$]", "".join(names))
    assert [html.unescape(name) for name in names[:13]] == list(NAMES[:13])


def test_no_two_of_sixty_curves_look_alike():
    names = [f"m{k:02}" for k in range(60)]
    colours = colours_of(names)
    dashes = classifier_dashes(names, are_paths=False)

    assert len({(colours[name], dashes[name]) for name in names}) == 60
    assert all(colours[a] != colours[b] for a, b in pairwise(names))


def test_forty_curves_are_all_in_a_legend_beside_the_diagram():
    names = [f"m{k:02}" for k in range(40)]
    figure = roc_curves.draw_roc(
        dict.fromkeys(names, CURVE),
        bands={},
        colours=colours_of(names),
        dashes=classifier_dashes(names, are_paths=False),
    )

    figure.draw_without_rendering()

    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == names
    (axes,) = figure.axes
    assert axes.get_window_extent().x1 < legend.get_window_extent().x0
    assert legend.get_window_extent().y0 > 0
    assert np.isfinite(axes.get_window_extent().width)


def test_anybodys_classifier_called_like_a_path_has_the_colour_of_its_place():
    named = colours_of(["path_c", "path_a", "resnet"])

    assert list(named.values()) == list(colours_of(["x", "y", "z"]).values())
