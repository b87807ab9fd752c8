"""Figures 4 to 7 and the tests of the maps, gathered from all paths."""

import numpy as np
import pandas as pd
import pytest

from covid_cxr.evaluation.inference_settings import Reporting
from covid_cxr.pipelines.reporting.nodes import (
    draw_forgetting,
    draw_outcomes,
)
from covid_cxr.pipelines.reporting.pipeline import create_path_pipeline
from covid_cxr.study.current import current

REPORTING = {"level": 0.95, "significance": 0.05, "seed": 1}
TABLE3 = pd.DataFrame(
    {
        "path": ["path_a", "path_b"],
        "auroc": [0.9, 0.7],
        "validation_auroc": [0.7, 0.8],
    }
)
CURATED = pd.DataFrame({"image_id": ["x"], "row": [0]})
NO_CASES = {"method": "grad_cam", "cases": []}


class OneImage:
    """A store of one grey image."""

    def read(self, rows):
        return np.full((len(rows), 8, 8), 90, np.uint8)


def explained(*, score, method="grad_cam"):
    """Return a record of one true positive."""
    case = {
        "image_id": "x",
        "patient_index": 7,
        "outcome": "true_positive",
        "score": score,
        "map": [[0.0, 1.0], [0.5, 0.0]],
    }
    return {"method": method, "layer": "relu", "threshold": 0.5, "cases": [case]}


def draw(**options):
    return draw_outcomes(
        TABLE3,
        OneImage(),
        CURATED,
        Reporting(**REPORTING, **options),
        path_a=explained(score=0.111, method="hires_cam"),
        path_b=explained(score=0.222),
    )


@pytest.mark.parametrize(
    ("asked", "output", "method"),
    [(None, "22.2 %", "Grad-CAM"), ("path_a", "11.1 %", "HiResCAM")],
)
def test_the_figures_are_of_the_path_asked_for_or_chosen_on_validation(
    asked, output, method
):
    radiograph, heat_map, *_ = draw(saliency_path=asked)[0].axes

    assert radiograph.get_title(loc="left") == f"Patient 7: output {output}"
    assert heat_map.get_title() == method


def test_a_path_that_the_report_does_not_have_is_no_reason_to_fail():
    """A path alone is reported on with its own figures."""
    radiograph = draw(saliency_path="path_f")[0].axes[0]

    assert "22.2 %" in radiograph.get_title(loc="left")


def test_a_path_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match=r"saliency_path .* path_f, .* got 'path_x'"):
        Reporting(**REPORTING, saliency_path="path_x")


def test_an_outcome_without_a_case_has_a_figure_that_says_so():
    figures = draw()

    assert "no false negative" in figures[3].texts[0].get_text()


def test_maps_of_radiographs_that_are_not_curated_are_refused():
    with pytest.raises(ValueError, match="such as x; run phase 3"):
        draw_outcomes(
            TABLE3,
            OneImage(),
            CURATED.assign(image_id="y"),
            Reporting(**REPORTING),
            path_a=NO_CASES,
            path_b=explained(score=0.5),
        )


def test_a_report_without_boxes_has_no_pointing_game():
    path_a, path_c = current().paths[0], current().paths[2]

    def outputs(path):
        made = create_path_pipeline(path, made=()).all_outputs()
        return {name.rpartition(".")[2] for name in made}

    assert outputs(path_a) - outputs(path_c) == {"pointing_results", "table2"}


def test_without_a_randomisation_test_its_figure_says_so():
    figure = draw_forgetting(pd.DataFrame({"path": []}))

    assert "randomised_images is 0" in figure.texts[0].get_text()
