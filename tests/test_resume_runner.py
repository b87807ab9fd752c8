"""What runs again after a change or a kill, and what does not."""

import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from kedro.framework.hooks import hook_impl
from kedro.framework.hooks.manager import _create_hook_manager
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline
from kedro_datasets.json import JSONDataset
from kedro_datasets.text import TextDataset

from covid_cxr.console.run_console import LOG
from covid_cxr.data_root import LOCK
from covid_cxr.datasets.node_records import NodeRecordsDataset
from covid_cxr.datasets.optional import OptionalDataset
from covid_cxr.datasets.radiograph_folder import RadiographFolderDataset
from covid_cxr.resume import NodeRecordHooks, stale_nodes
from covid_cxr.runners import DaskResumeRunner, ResumeRunner
from covid_cxr.source_code import code_sha256, imported_modules

SLOW = pytest.mark.slow
STEPS = ["count", "crop", "read", "tell", "weigh"]
WARD = {
    "__init__": "",
    "steps": """
        from ward import scales

        def count(images):
            return len(images.files)

        def read(manifest):
            return sorted(manifest)

        def weigh(n_images, patients, factor):
            return scales.weigh(n_images * len(patients), factor), {"factor": factor}

        def tell(weight):
            return f"{weight} g"

        def crop(crops, patients):
            return crops or patients
    """,
    "scales": """
        def weigh(number, factor):
            from ward.units import GRAM
            return number * factor * GRAM
    """,
    "units": "GRAM = 1",
    "unused": "STONE = 14",
}


@pytest.fixture
def ward(tmp_path, monkeypatch):
    """Return a folder with a small package of node functions, and raw data."""
    (tmp_path / "ward").mkdir()
    for name, source in WARD.items():
        (tmp_path / f"ward/{name}.py").write_text(textwrap.dedent(source))
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/one.png").write_bytes(b"pixels")
    (tmp_path / "manifest.json").write_text('["b", "a"]')
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "ward"]:
        del sys.modules[name]


def pipeline():
    steps = importlib.import_module("ward.steps")
    return Pipeline(
        [
            Node(steps.count, "images", "n_images", name="count"),
            Node(steps.read, "manifest", "patients", name="read"),
            Node(
                steps.weigh,
                ["n_images", "patients", "params:factor"],
                ["weight", "scale"],
                name="weigh",
            ),
            Node(steps.tell, "weight", "told", name="tell"),
            Node(steps.crop, ["crops", "patients"], "cropped", name="crop"),
        ]
    )


def catalog(folder, factor=2):
    names = ("manifest", "n_images", "patients", "weight", "scale", "cropped")
    tables = {
        name: JSONDataset(filepath=str(folder / f"{name}.json")) for name in names
    }
    crops = {"type": "json.JSONDataset", "filepath": str(folder / "crops.json")}
    filled = DataCatalog(
        {
            **tables,
            "images": RadiographFolderDataset(filepath=str(folder / "raw")),
            "told": TextDataset(filepath=str(folder / "told.txt")),
            "crops": OptionalDataset(dataset=crops),
            "node_records": NodeRecordsDataset(filepath=str(folder / "records")),
        }
    )
    filled["params:factor"] = factor
    return filled


class Witness:
    """Write down which nodes run."""

    def __init__(self):
        self.nodes = []

    @hook_impl
    def before_node_run(self, node):
        self.nodes.append(node.name)


def resume(folder, sliced=None, **changes):
    """Run what must run, as a new process would, and return its names."""
    code_sha256.cache_clear()
    witness, hooks = Witness(), _create_hook_manager()
    hooks.register(NodeRecordHooks())
    hooks.register(witness)
    ResumeRunner().run(sliced or pipeline(), catalog(folder, **changes), hooks)
    return sorted(witness.nodes)


def test_a_second_run_has_nothing_to_do(ward, caplog):
    caplog.set_level("INFO", logger="covid_cxr")

    assert resume(ward) == STEPS
    assert resume(ward) == []
    assert "5 of 5 nodes are up to date" in caplog.text


def test_a_changed_parameter_reruns_what_takes_it_and_what_depends_on_it(ward):
    resume(ward)

    assert resume(ward, factor=3) == ["tell", "weigh"]
    assert (ward / "told.txt").read_text() == "6 g"


def test_a_parameter_that_goes_back_is_not_taken_for_what_it_was(ward):
    resume(ward)
    resume(ward, factor=3)

    assert resume(ward, factor=2) == ["tell", "weigh"]
    assert (ward / "told.txt").read_text() == "4 g"


def test_a_touched_raw_image_reruns_what_depends_on_its_folder(ward):
    resume(ward)
    os.utime(ward / "raw/one.png", (1, 1))

    assert resume(ward) == ["count", "tell", "weigh"]


def test_an_added_raw_image_is_seen(ward):
    resume(ward)
    (ward / "raw/two.png").write_bytes(b"pixels")

    assert resume(ward) == ["count", "tell", "weigh"]


def test_an_edited_raw_table_is_seen_and_a_touched_one_is_the_same(ward):
    resume(ward)
    os.utime(ward / "manifest.json", (1, 1))
    assert resume(ward) == []

    (ward / "manifest.json").write_text('["a", "b", "c"]')
    assert resume(ward) == ["crop", "read", "tell", "weigh"]


def test_an_optional_table_that_appears_is_seen(ward):
    resume(ward)
    (ward / "crops.json").write_text("[1]")

    assert resume(ward) == ["crop"]


@pytest.mark.parametrize("output", ["scale.json", "weight.json"])
def test_a_deleted_output_reruns_its_node_and_what_depends_on_it(ward, output):
    resume(ward)
    (ward / output).unlink()

    assert resume(ward) == ["tell", "weigh"]


def test_an_output_edited_by_hand_is_made_again(ward):
    resume(ward)
    (ward / "patients.json").write_text('["z"]')

    assert resume(ward) == ["crop", "read", "tell", "weigh"]


def test_edited_code_reruns_what_imports_it_however_deep(ward):
    resume(ward)
    (ward / "ward/units.py").write_text("GRAM = 1000")

    assert resume(ward) == STEPS  # all five functions stand in one module


def test_a_node_reads_what_a_part_of_the_pipeline_made_before(ward):
    resume(ward)
    assert resume(ward, sliced=pipeline().to_nodes("count"), factor=3) == []

    assert resume(ward, sliced=pipeline().only_nodes("weigh"), factor=3) == ["weigh"]
    assert resume(ward, factor=3) == ["tell"]


def test_other_wiring_reruns_the_node(ward):
    resume(ward)
    steps = importlib.import_module("ward.steps")
    nodes = [node for node in pipeline().nodes if node.name != "crop"]
    turned = Node(steps.crop, ["patients", "crops"], "cropped", name="crop")

    assert resume(ward, sliced=Pipeline([*nodes, turned])) == ["crop"]


def test_a_record_that_cannot_be_read_counts_as_none(ward):
    resume(ward)
    (ward / "records/tell.json").write_text('{"ingred')

    assert resume(ward) == ["tell"]


def test_only_missing_outputs_is_refused(ward):
    with pytest.raises(ValueError, match="Give one of the two"):
        ResumeRunner().run(pipeline(), catalog(ward), only_missing_outputs=True)


@pytest.mark.parametrize(
    ("moment", "unfinished"),
    [
        ("after_dataset_saved weight", ["tell", "weigh"]),  # its other output is old
        pytest.param("before_node_run weigh", ["tell", "weigh"], marks=SLOW),
        pytest.param("before_dataset_saved weight", ["tell", "weigh"], marks=SLOW),
        pytest.param("before_dataset_saved told", ["tell"], marks=SLOW),
    ],
)
def test_after_a_kill_the_unfinished_nodes_run_and_no_others(ward, moment, unfinished):
    resume(ward, factor=7)  # leaves outputs of another generation behind
    code = f"""
        import os, signal, sys
        sys.path[:0] = [{str(Path(__file__).parent)!r}, {str(ward)!r}]
        import test_resume_runner as tests
        from kedro.framework.hooks import hook_impl

        moment, name = {moment.split()}

        class Killer:
            @hook_impl
            def before_node_run(self, node):
                self.at("before_node_run", node.name)

            @hook_impl
            def before_dataset_saved(self, dataset_name):
                self.at("before_dataset_saved", dataset_name)

            @hook_impl
            def after_dataset_saved(self, dataset_name):
                self.at("after_dataset_saved", dataset_name)

            def at(self, *here):
                if here == (moment, name):
                    os.kill(os.getpid(), signal.SIGKILL)

        tests.Witness = lambda: Killer()
        tests.resume(tests.Path({str(ward)!r}))
    """
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, check=False
    )

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert resume(ward) == unfinished
    assert (ward / "told.txt").read_text() == "4 g"
    assert json.loads((ward / "scale.json").read_text()) == {"factor": 2}


def test_imports_inside_functions_and_of_modules_by_name_are_found(ward):
    assert imported_modules("ward.steps") == {"ward", "ward.scales"}
    assert imported_modules("ward.scales") == {"ward.units"}


@pytest.mark.parametrize(
    ("module", "source", "is_same"),
    [
        ("units", "GRAM = 2", False),
        ("unused", "STONE = 15", True),
        ("units", '"""Units."""\n\nGRAM = 1  # the smallest\n', True),
    ],
)
def test_the_codes_hash_covers_what_the_code_does(ward, module, source, is_same):
    code_sha256.cache_clear()
    before = code_sha256("ward.steps")
    (ward / f"ward/{module}.py").write_text(source)
    code_sha256.cache_clear()

    assert (code_sha256("ward.steps") == before) is is_same


def test_a_template_beside_the_code_is_part_of_it(ward):
    (ward / "ward/templates").mkdir()
    (ward / "ward/templates/letter.html").write_text("Dear")
    code_sha256.cache_clear()
    before = code_sha256("ward.steps")
    (ward / "ward/templates/letter.html").write_text("Dear all")
    code_sha256.cache_clear()

    assert code_sha256("ward.steps") != before


def test_a_function_outside_any_package_is_refused():
    with pytest.raises(ModuleNotFoundError, match="textwrap is in no package"):
        code_sha256("textwrap")


@pytest.fixture(scope="module")
def finished_study(study, run_kedro, tmp_path_factory):
    """Return a copy of the study in which every node is up to date."""
    data_root = tmp_path_factory.mktemp("resumed") / "data"
    shutil.copytree(study, data_root)
    # Other tests may have run parts of the study again.
    run_kedro("__default__", data_root=data_root, runner=ResumeRunner())
    return data_root


def checks():
    """Return the nodes that make nothing: they may stop a run, and always run."""
    return {node.name for node in pipelines["__default__"].nodes if not node.outputs}


def stale_in_study(project, data_root, **params):
    runtime_params = {"data_root": str(data_root), **params}
    with KedroSession.create(
        project, env="test", runtime_params=runtime_params
    ) as session:
        catalog = session.load_context().catalog
    return set(stale_nodes(pipelines["__default__"], catalog))


def times_of_change(data_root):
    files = [path for path in data_root.rglob("*") if path.is_file()]
    return {p: p.stat().st_mtime_ns for p in files if p.name not in {LOCK, LOG}}


def test_a_finished_study_has_nothing_to_do(run_kedro, finished_study, caplog, capsys):
    caplog.set_level("INFO", logger="covid_cxr")
    before = times_of_change(finished_study)
    run_kedro("__default__", data_root=finished_study, runner=ResumeRunner())

    assert times_of_change(finished_study) == before
    n_nodes, n_checks = len(pipelines["__default__"].nodes), len(checks())
    assert f"{n_nodes - n_checks} of {n_nodes} nodes are up to date" in caplog.text
    assert "report.html" in capsys.readouterr().out


def test_the_learning_rate_of_one_paths_phase_3_concerns_that_training_only(
    project, run_kedro, finished_study
):
    slower = {"path_b": {"phase3": {"recipe": {"learning_rate": 0.02}}}}
    concerned = pipelines["__default__"].from_nodes("path_b.phase3.train")

    stale = stale_in_study(project, finished_study, **slower)

    assert stale == {node.name for node in concerned.nodes} | checks()
    assert {name for name in stale if name.endswith(".train")} == {
        "path_b.phase3.train"
    }


def test_a_raw_radiograph_that_changes_concerns_its_cohort_only(
    project, finished_study
):
    image = next((finished_study / "01_raw/covid").rglob("*.dcm"))
    times = image.stat()
    os.utime(image, (1, 1))
    try:
        stale = stale_in_study(project, finished_study)
    finally:
        os.utime(image, ns=(times.st_atime_ns, times.st_mtime_ns))

    assert {"path_f.phase3.train", "reporting.write_report"} <= stale
    assert not {"phase1.train", "path_a.phase2.train", "path_d.phase2.train"} & stale


def test_a_store_that_lost_a_byte_in_silence_is_made_again(project, finished_study):
    shard = finished_study / "03_primary/covid_store/images.zarr/c/0/0/0"
    times, content = shard.stat(), shard.read_bytes()
    shard.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    os.utime(shard, ns=(times.st_atime_ns, times.st_mtime_ns))
    try:
        stale = stale_in_study(project, finished_study)
    finally:
        shard.write_bytes(content)
        os.utime(shard, ns=(times.st_atime_ns, times.st_mtime_ns))

    assert {"curation.curate_covid", "path_f.phase3.train"} <= stale
    assert "phase1.train" not in stale


def test_what_a_cluster_ran_is_up_to_date_too(project, run_kedro, hospital, tmp_path):
    shutil.copytree(hospital / "01_raw", tmp_path / "01_raw")
    run_kedro("ingestion", data_root=tmp_path, runner=DaskResumeRunner(n_workers=1))

    params = {"data_root": str(tmp_path)}
    with KedroSession.create(project, env="test", runtime_params=params) as session:
        catalog = session.load_context().catalog
    assert stale_nodes(pipelines["ingestion"], catalog) == []
