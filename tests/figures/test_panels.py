"""Panels: what draws one figure draws a part of a larger one."""

import numpy as np
import pandas as pd

from covid_cxr.figures.forest import draw_forest
from covid_cxr.figures.panels import MOST_PANELS, draw_panels


def forest(auroc):
    rows = {
        "variable": "site",
        "level": "a",
        "images": 9,
        "patients": 3,
        "auroc": auroc,
    }
    table = pd.DataFrame([{**rows, "lower": auroc - 0.2, "upper": auroc + 0.1}])
    return lambda: draw_forest(table, overall=auroc, colour="#0072b2")


def test_each_finding_has_a_panel_with_its_title_and_all_one_scale():
    figure, _ = draw_panels({"Effusion": forest(0.4), "Nodule": forest(0.9)})

    assert [one._suptitle.get_text() for one in figure.subfigs] == [
        "Effusion",
        "Nodule",
    ]
    first, second = figure.axes
    assert first.get_xlim() == second.get_xlim()
    width, height = figure.get_size_inches()
    alone = forest(0.4)()
    assert width == alone.get_size_inches()[0]
    assert height > 2 * alone.get_size_inches()[1]
    figure.canvas.draw()


def test_a_figure_alone_is_not_touched_by_panels_before_it():
    draw_panels({"Effusion": forest(0.4)})

    assert forest(0.4)().subfigs == []


def test_of_many_findings_the_first_are_seen_and_the_rest_is_named():
    draws = {f"finding {k}": forest(a) for k, a in enumerate(np.linspace(0.3, 0.9, 9))}
    figure, made = draw_panels(draws)

    assert len(figure.subfigs) == MOST_PANELS
    assert len(made) == 9
    assert figure._supxlabel.get_text() == "3 more findings stand in the tables."
