"""The notebooks run from top to bottom on a finished study and end in a figure."""

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = ["01_reuse_a_node", "02_from_dicom_to_heat_map"]


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


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_kept_without_outputs_and_functions(name, project):
    notebook = nbformat.read(project / f"notebooks/{name}.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]

    assert code
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert not any("def " in cell.source for cell in code)
