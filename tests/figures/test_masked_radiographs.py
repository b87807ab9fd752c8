"""Figures of radiographs with a part hidden, and of the AUROCs that are left."""

import numpy as np
import pandas as pd
import pytest

from covid_cxr.figures.masked_radiographs import draw_masked_radiograph, draw_shortcuts

INPUTS = {"whole": "Whole", "lungs_only": "Lungs only"}
PATHS = {"path_a": "Path (a)", "path_b": "Path (b)"}


@pytest.fixture
def figure():
    results = pd.DataFrame(
        [
            ("path_a", "whole", 0.8, 0.7, 0.9, 0.8),
            ("path_a", "lungs_only", 0.7, 0.6, 0.8, 0.75),
            ("path_b", "whole", 0.85, 0.8, 0.9, 0.85),
            ("path_b", "lungs_only", np.nan, np.nan, np.nan, np.nan),
        ],
        columns=["path", "input", "auroc", "lower", "upper", "whole_auroc"],
    )
    return draw_shortcuts(
        results, inputs=INPUTS, paths=PATHS, colours=dict.fromkeys(PATHS, "#0072b2")
    )


def test_every_input_has_a_panel_with_a_row_for_each_path(figure):
    assert [axes.get_title() for axes in figure.axes] == list(INPUTS.values())
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == list(PATHS.values())


def test_the_auroc_its_interval_and_that_of_the_whole_are_drawn(figure):
    ring, interval, auroc, *_ = figure.axes[1].lines

    assert ring.get_xdata().tolist() == [0.75]
    assert ring.get_fillstyle() == "none"
    assert interval.get_xdata().tolist() == [0.6, 0.8]
    assert auroc.get_xdata().tolist() == [0.7]


def test_what_is_not_known_is_not_drawn_and_no_error(figure, tmp_path):
    figure.savefig(tmp_path / "figure.png")

    assert (tmp_path / "figure.png").stat().st_size > 0


def test_a_radiograph_is_shown_once_for_each_input():
    shown = {title: np.full((8, 8), grey, np.uint8) for grey, title in enumerate("abc")}
    figure = draw_masked_radiograph(shown)

    assert [axes.get_title() for axes in figure.axes] == ["a", "b", "c"]
    greys = [axes.images[0].get_array().max() for axes in figure.axes]
    assert greys == [0, 1, 2]
