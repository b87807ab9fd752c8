"""The registered pipelines: their names, their trainings, their datasets."""

import dataclasses
import inspect
import itertools
import re
import subprocess
import sys
import typing

import pytest
from kedro.framework.session import KedroSession
from kedro.validation.type_extractor import TypeExtractor

from covid_cxr.datasets.optional import OptionalDataset
from covid_cxr.datasets.training_state import TrainingStateDataset
from covid_cxr.pipeline_registry import register_pipelines
from covid_cxr.study.current import current

STEPS = [
    *("synthesis", "ingestion", "curation", "audit"),
    *("phase1", "phase2", "phase3"),
]


@pytest.fixture(scope="module")
def pipelines():
    return register_pipelines()


@pytest.fixture(scope="module")
def catalog(project):
    with KedroSession.create(project, env="test") as session:
        return session.load_context().catalog


def trainings(pipeline):
    return sorted(node.name for node in pipeline.nodes if "train" in node.tags)


def needed(pipeline, catalog):
    """Return the datasets without which a pipeline cannot run.

    Not parameters, files that may be absent, or the places of training states.
    """
    names = {name for name in pipeline.inputs() if not name.startswith("params:")}
    spared = (OptionalDataset, TrainingStateDataset)
    return {name for name in names if not isinstance(catalog[name], spared)}


def test_every_step_and_every_path_is_registered(pipelines):
    paths = [path.name for path in current().paths]

    whole = {"evaluation", "reporting", "__default__", "demo"}
    beside = {"pooled", "comparison", "planning", "sites", "bundle"}
    beside |= {"prediction", "external", "external_protocol"}
    assert set(pipelines) == {*STEPS, *paths, *whole, *beside}


def test_the_whole_study_is_one_and_four_and_six_trainings(pipelines):
    names = trainings(pipelines["__default__"])
    by_phase = [len([n for n in names if f"phase{phase}" in n]) for phase in (1, 2, 3)]

    assert (len(names), by_phase) == (11, [1, 4, 6])


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a", 3), ("b", 3), ("c", 2), ("d", 2), ("e", 2), ("f", 1)],
)
def test_a_path_holds_its_own_trainings_only(pipelines, path, expected):
    names = trainings(pipelines[f"path_{path}"])

    assert len(names) == expected
    assert all("phase1" in name or f"path_{path}" in name for name in names)


def test_two_paths_together_train_phase_one_once(pipelines):
    together = pipelines["path_a"] + pipelines["path_b"]

    assert len(trainings(together)) == 1 + 2 + 2


def test_all_six_paths_together_are_eleven_trainings(pipelines):
    together = sum(
        (pipelines[path.name] for path in current().paths[1:]), pipelines["path_a"]
    )

    assert len(trainings(together)) == 11


def test_the_audit_may_stop_the_study_before_the_first_training(pipelines):
    for whole in ("__default__", "demo"):
        order = [node.name for node in pipelines[whole].nodes]
        first = min(order.index(name) for name in trainings(pipelines[whole]))

        assert order.index("audit.judge") < first, whole


def test_a_path_alone_is_not_audited_for_leaks(pipelines):
    """Its lineage may be clean while that of another path is not."""
    for path in current().paths:
        names = {node.name for node in pipelines[path.name].nodes}

        audited = {name for name in names if name.startswith("audit.")}
        assert audited == {"audit.predict_from_intensity"}, path.name


def test_a_path_starts_from_raw_files_and_parameters(pipelines, catalog):
    raw = pipelines["synthesis"].outputs()
    for path in current().paths:
        assert needed(pipelines[path.name], catalog) <= raw, path.name


def test_the_control_path_needs_neither_nih_nor_rsna_files(pipelines, catalog):
    free = needed(pipelines["path_f"], catalog)

    assert not {name for name in free if name.startswith(("nih", "rsna"))}


def test_the_demo_needs_parameters_only(pipelines, catalog):
    assert needed(pipelines["demo"], catalog) == set()


def test_every_dataset_of_every_pipeline_is_in_the_catalog(pipelines, catalog):
    names = set(itertools.chain(*(p.datasets() for p in pipelines.values())))
    data = {name for name in names if not name.startswith("params:")}

    assert {name for name in data if name not in catalog} == set()


def test_every_dataset_carries_a_layer(pipelines, catalog):
    names = {n for n in pipelines["demo"].datasets() if not n.startswith("params:")}
    without = {
        name
        for name in names
        if "layer" not in ((catalog[name].metadata or {}).get("kedro-viz") or {})
    }

    assert without == set()


# Datasets with a row, a picture or a name of each image or patient.
PER_IMAGE = re.compile(
    r"(nih|rsna|covid)_(entries|labels|class_info|manifest|additions|crops|radiographs|"
    r"boxes|listed|lists_unmatched|crops_unmatched|ingestion_rejected|rejected|curated|"
    r"duplicates|lungs|lungs_rejected|mixed_results)|synthetic_defects|"
    r"duplicates_across|leaks|arranged_scores|"
    r"subgroup_levels|.*_(split|left_out|scores|maps|saliency)|(.*\.)?gallery"
)


def test_nothing_with_a_row_per_image_or_patient_is_previewed(pipelines, catalog):
    names = set(itertools.chain(*(p.datasets() for p in pipelines.values())))
    held = {name for name in names if PER_IMAGE.fullmatch(name)}
    shown = {
        name
        for name in held
        if hasattr(catalog[name], "preview")
        and (catalog[name].metadata or {})["kedro-viz"].get("preview") is not False
    }

    assert len(held) > 60
    assert shown == set()


def test_every_dataset_lies_under_the_data_root(project, pipelines, tmp_path):
    with KedroSession.create(
        project, env="test", runtime_params={"data_root": str(tmp_path)}
    ) as session:
        catalog = session.load_context().catalog
    for name in pipelines["demo"].datasets():
        if not name.startswith("params:"):
            described = str(catalog[name])

            assert str(tmp_path) in described, name


def test_the_registry_is_read_without_tensorflow():
    code = (
        "import sys; from covid_cxr.pipeline_registry import register_pipelines; "
        "register_pipelines(); "
        "heavy = {'tensorflow', 'keras', 'matplotlib', 'plotly', 'onnxruntime'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert finished.stdout.splitlines()[-1] == "[]"


def test_an_unknown_path_is_refused_with_the_nearest_names(run_kedro, tmp_path):
    with pytest.raises(ValueError, match=r"(?s)path_x.*path_f"):
        run_kedro("path_x", data_root=tmp_path)


def test_no_function_wired_as_a_node_has_default_arguments(pipelines):
    """A default before a typed parameter would silently receive a raw dict."""
    for node in pipelines["demo"].nodes:
        signature = inspect.signature(node.func)
        bound = getattr(node.func, "keywords", {})  # by a partial, when it was wired
        defaults = [
            p.name
            for p in signature.parameters.values()
            if p.default is not p.empty and p.name not in bound
        ]

        assert defaults == [], node.name


def test_every_record_of_parameters_arrives_as_a_dataclass(pipelines):
    """Kedro converts a record only where the node's argument is annotated with one."""
    records = {
        *("recipe", "network", "curation", "synthesis", "saliency", "reporting"),
        *("evaluation", "on_leak", "masked_inputs", "pointing"),
    }
    checked = set()
    for node in pipelines["demo"].nodes:
        hints = typing.get_type_hints(node.func)
        for argument, source in _bindings(node):
            last = source.removeprefix("params:").rsplit(".", 1)[-1]
            if source.startswith("params:") and last in records:
                assert dataclasses.is_dataclass(hints[argument]), (node.name, source)
                checked.add(last)

    assert checked == records


def _bindings(node):
    bound = inspect.signature(node.func).bind(*_positional(node), **_named(node))
    return [
        (name, value)
        for name, value in bound.arguments.items()
        if isinstance(value, str)
    ]


def _positional(node):
    return [] if isinstance(node._inputs, dict) else node.inputs


def _named(node):
    return node._inputs if isinstance(node._inputs, dict) else {}


def test_kedro_takes_every_parameter_for_the_argument_it_is_given_as(pipelines):
    nodes = {node for one in pipelines.values() for node in one.nodes}
    taken = [
        (node.name, argument, as_kedro_has_it.get(value))
        for node in nodes
        if isinstance(node._inputs, dict)
        for arguments in [inspect.signature(node.func)]
        for as_kedro_has_it in [
            TypeExtractor._build_dataset_to_arg_mapping(node, arguments)
        ]
        for argument, value in node._inputs.items()
        if value.startswith("params:") and argument in arguments.parameters
    ]

    assert len(taken) > 100
    assert [one for one in taken if one[1] != one[2]] == []
