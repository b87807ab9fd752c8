"""The tables of saliency in the report."""

import pandas as pd
import pytest

from covid_cxr.evaluation.inference_settings import Reporting
from covid_cxr.report.map_tests import (
    SaliencyTables,
    explained_path,
    gather_by_path,
    list_explanations,
)
from covid_cxr.saliency.repeatability import COLUMNS


@pytest.fixture
def tables():
    """Return the tables of a path with everything, and of one with maps only."""
    return SaliencyTables(
        explanation_results=pd.DataFrame(
            {
                "path": ["path_a", "path_c"],
                "method": ["grad_cam", "grad_cam_plus_plus"],
                "layer": ["relu", "pool3_relu"],
                "threshold": 0.5,
            }
        ),
        randomisation_results=pd.DataFrame(
            {
                "path": "path_a",
                "layer": ["findings", "conv1"],
                "n_randomised": [1, 8],
                "similarity": [0.7, 0.2],
            }
        ),
        region_results=pd.DataFrame(
            {
                "path": "path_a",
                "region": ["corners", "lungs", "lungs"],
                "outcome": ["all", "all", "true_positive"],
                "energy": [0.1, 0.6, 0.8],
            }
        ),
        repeatability_results=pd.DataFrame(
            {"path": "path_a", "similarity": [0.5, 0.7], "between_images": [0.2, 0.4]}
        ),
        pointing_results=pd.DataFrame(
            {
                "path": "path_a",
                "finding": ["mass", "nodule"],
                "n_images": [30, 10],
                "hits": [0.2, 0.6],
                "hits_of_other_images": [0.1, 0.1],
            }
        ),
    )


def test_a_path_is_summed_up_in_a_row(tables):
    first, second = tables.summaries

    assert first["forgetful"]["layer"] == "conv1"
    assert {name: row["energy"] for name, row in first["regions"].items()} == {
        "corners": 0.1,
        "lungs": 0.6,
    }
    assert (first["pairs"], first["repeated"]) == (2, pytest.approx(0.6))
    assert first["repeated_between"] == pytest.approx(0.3)
    assert first["pointing"]["hits"] == pytest.approx(0.3)  # of 12 in 40
    assert (second["path"], second["pairs"], second["regions"]) == ("path_c", 0, {})
    assert second["forgetful"] is second["pointing"] is None


def test_regions_are_those_that_were_measured_the_lungs_first(tables):
    assert tables.regions == ["lungs", "corners"]


def test_the_method_has_its_name_for_readers(tables):
    assert tables.method_of("path_c") == "Grad-CAM++"
    assert tables.layer_of("path_c") == "pool3_relu"


def test_a_table_of_all_paths_names_the_path_first():
    table = gather_by_path(
        path_a=pd.DataFrame({"x": [1, 2]}), path_b=pd.DataFrame({"x": [3]})
    )

    assert table.columns.tolist() == ["path", "x"]
    assert table.to_numpy().tolist() == [["path_a", 1], ["path_a", 2], ["path_b", 3]]


def test_a_table_of_nothing_keeps_its_columns():
    empty = pd.DataFrame(columns=list(COLUMNS))
    filled = pd.DataFrame([range(len(COLUMNS))], columns=list(COLUMNS))

    assert gather_by_path(path_a=empty).columns.tolist() == ["path", *COLUMNS]
    assert len(gather_by_path(path_a=empty, path_b=filled)) == 1


def test_how_each_path_was_explained_is_listed():
    explanation = {"method": "grad_cam", "layer": "relu", "threshold": 0.4, "cases": []}

    table = list_explanations(path_b=explanation)

    assert table.to_dict("records") == [
        {"path": "path_b", "method": "grad_cam", "layer": "relu", "threshold": 0.4}
    ]


@pytest.mark.parametrize(
    ("asked", "shown"), [(None, "path_b"), ("path_a", "path_a"), ("path_f", "path_b")]
)
def test_the_path_shown_is_the_one_asked_for_if_the_report_has_it(asked, shown):
    table3 = pd.DataFrame(
        {"path": ["path_a", "path_b"], "validation_auroc": [0.7, 0.8]}
    )
    reporting = Reporting(level=0.95, significance=0.05, seed=1, saliency_path=asked)

    assert explained_path(table3, reporting).name == shown


def test_the_full_tables_have_a_row_per_block_and_per_outcome(tables):
    assert tables.falls.columns.tolist() == ["layer", "n_randomised", "path_a"]
    assert tables.falls["path_a"].tolist() == [0.7, 0.2]
    everything, positive = tables.energies
    assert (everything["path"], everything["outcome"]) == ("path_a", "all")
    assert set(everything["regions"]) == {"corners", "lungs"}
    assert positive["regions"]["lungs"]["energy"] == 0.8
