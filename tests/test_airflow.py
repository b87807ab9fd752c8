"""The Airflow DAG that docs/how-to/scale.md tells how to write."""

import ast

import pytest

from covid_cxr.study.current import current

PATHS = {path.name.replace("_", "-"): path for path in current().paths}


@pytest.fixture(scope="module")
def dag(kedro_command, tmp_path_factory):
    """Return the syntax tree of the DAG file that the plugin writes."""
    folder = tmp_path_factory.mktemp("dags")
    made = kedro_command(
        "airflow",
        "create",
        "--env=test",
        "--group-by=namespace",
        f"--target-dir={folder}",
    )
    assert made.exit_code == 0, made.output
    (written,) = folder.glob("*.py")
    return ast.parse(written.read_text())


@pytest.fixture(scope="module")
def edges(dag):
    """Return the pairs of tasks that `>>` joins."""
    return {
        (line.left.slice.value, line.right.slice.value)
        for line in ast.walk(dag)
        if isinstance(line, ast.BinOp) and isinstance(line.op, ast.RShift)
    }


def downstream(edges, task):
    reached, waiting = set(), {task}
    while waiting:
        here = waiting.pop()
        later = {end for start, end in edges if start == here} - reached
        reached |= later
        waiting |= later
    return reached


def test_the_dag_is_python_with_a_task_for_every_path(dag):
    tasks = {
        keyword.value.value
        for call in ast.walk(dag)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "task"
        for keyword in call.keywords
    }

    assert {"ingestion", "curation", "phase1", *PATHS, "reporting"} <= tasks


def test_cohorts_are_read_then_curated_before_anything_is_trained(edges):
    assert ("ingestion", "curation") in edges
    assert {("curation", name) for name in PATHS} <= edges
    assert {"phase1", *PATHS} <= downstream(edges, "curation")


def test_phase_1_is_one_task_and_comes_before_the_paths_that_have_it(edges):
    after_phase1 = {name for name in PATHS if name in downstream(edges, "phase1")}

    assert after_phase1 == {name for name, path in PATHS.items() if path.has_phase1}


def test_no_path_waits_for_another(edges):
    assert not {(a, b) for a, b in edges if a in PATHS and b in PATHS}


def test_the_report_comes_last(edges):
    assert {(name, "reporting") for name in PATHS} <= edges
    assert downstream(edges, "reporting") == set()
