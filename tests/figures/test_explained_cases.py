"""Figures 4 to 7."""

import numpy as np
import pandas as pd

from covid_cxr.figures.explained_cases import (
    ExplainedCase,
    draw_explained_cases,
    draw_randomisation,
)
from covid_cxr.figures.note import draw_note


def made_up_case(**changes):
    values = {
        "patient_index": 30,
        "score": 0.954,
        "pixels": np.full((32, 48), 100, np.uint8),
        "saliency": np.array([[0.0, 0.0], [0.0, 1.0]]),
    }
    return ExplainedCase(**{**values, **changes})


def test_a_case_is_shown_as_radiograph_map_and_overlay():
    figure = draw_explained_cases([made_up_case()], method="Grad-CAM++")

    radiograph, saliency, overlay = figure.axes[:3]
    assert np.array_equal(radiograph.images[0].get_array(), made_up_case().pixels)
    assert saliency.images[0].get_cmap().name == "jet"
    assert len(overlay.images) == 2
    assert 0 < overlay.images[1].get_alpha() < 1


def test_the_map_is_brought_to_the_size_of_the_radiograph():
    figure = draw_explained_cases([made_up_case()], method="Grad-CAM++")

    shown = figure.axes[1].images[0].get_array()
    assert shown.shape == (32, 48)
    assert shown[31, 47] == 1  # the lower right corner carries the weight
    assert shown[0, 0] == 0


def test_the_title_gives_the_patient_and_the_output_in_per_cent():
    figure = draw_explained_cases([made_up_case()], method="Grad-CAM++")

    assert figure.axes[0].get_title(loc="left") == "Patient 30: output 95.4 %"


def test_every_case_has_a_row():
    figure = draw_explained_cases(
        [made_up_case(), made_up_case(patient_index=31)], method="Grad-CAM"
    )

    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert [title for title in titles if "Patient 31" in title]


def test_a_note_holds_its_sentence():
    figure = draw_note("The test part has no false negative at this threshold.")

    assert figure.texts[0].get_text().startswith("The test part has no false neg")


def test_similarity_is_drawn_from_the_trained_network_down():
    table = pd.DataFrame(
        {
            "layer": ["findings", "conv3", "pool2", "conv1"],
            "similarity": [0.7, 0.5, 0.4, 0.3],
            "between_images": 0.25,
        }
    )

    axes = draw_randomisation({"Path (b)": table}, colours={"Path (b)": "red"}).axes[0]

    fall, reference = axes.lines[:2]
    assert fall.get_ydata().tolist() == [1.0, 0.7, 0.5, 0.4, 0.3]
    assert set(reference.get_ydata()) == {0.25}
    assert [label.get_text() for label in axes.get_xticklabels()] == [
        *("trained", "head", "dense block 2", "transition 1", "first convolution"),
    ]
