"""The notebooks run from top to bottom on a finished study and end in a figure."""

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient

from covid_cxr.statistics.auc import estimate_aucs

NOTEBOOKS = ["01_reuse_a_node", "02_from_dicom_to_heat_map"]
SCORES = "03_compare_scores"  # needs no study


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
# nbclient's kernel manager leaves its event loop and sockets to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_a_notebook_runs_and_ends_in_a_figure(name, project, study, monkeypatch):
    monkeypatch.setenv("COVID_CXR_ENV", "test")
    monkeypatch.setenv("COVID_CXR_DATA_ROOT", str(study))
    notebook = nbformat.read(project / f"notebooks/{name}.ipynb", as_version=4)

    NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(project)}}
    ).execute()

    last = notebook.cells[-1].outputs[-1]
    assert "image/png" in last["data"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_the_notebook_of_scores_says_what_the_pipeline_does(
    project, tmp_path, monkeypatch, scores_of_two
):
    scores_of_two.to_csv(tmp_path / "mine.csv", index=False)
    monkeypatch.setenv("COVID_CXR_SCORES", str(tmp_path / "mine.csv"))
    notebook = nbformat.read(project / f"notebooks/{SCORES}.ipynb", as_version=4)

    NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(project)}}
    ).execute()

    shown = [
        str(output["data"])
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "data" in output
    ]
    expected = estimate_aucs(
        scores_of_two["label"] == 1,
        scores_of_two[["a", "b"]],
        cluster=scores_of_two["patient"],
    ).compare("a", "b")
    assert any(f"{abs(expected.estimate):.3f} above" in text for text in shown)
    assert "image/png" in notebook.cells[-1].outputs[-1]["data"]


@pytest.fixture
def scores_of_two():
    """Return a table of two classifiers, two images of each patient."""
    rng = np.random.default_rng(1)
    label = np.repeat(np.arange(80) % 2, 2)
    noise = rng.standard_normal((160, 2))
    return pd.DataFrame(
        {
            "image": [f"x{k}.png" for k in range(160)],
            "patient": np.repeat(np.arange(80), 2),
            "label": label,
            "a": noise[:, 0] + 1.5 * label,
            "b": noise[:, 1] + label,
        }
    )


@pytest.mark.parametrize("name", [*NOTEBOOKS, SCORES])
def test_a_notebook_is_kept_without_outputs_and_functions(name, project):
    notebook = nbformat.read(project / f"notebooks/{name}.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]

    assert code
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert not any("def " in cell.source for cell in code)
