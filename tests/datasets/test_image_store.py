import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from kedro.io import DatasetError

from covid_cxr.datasets.image_store import ImageStoreDataset

SOURCE = Path(__file__).parents[2] / "src"


@pytest.fixture
def dataset(tmp_path):
    return ImageStoreDataset(filepath=str(tmp_path / "store"))


def contents(root):
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def times_of_change(root):
    return {path.name: path.stat().st_mtime_ns for path in root.glob("records/*")}


def test_a_saved_plan_is_loaded_as_a_store(dataset, make_plan):
    plan = make_plan()

    assert not dataset.exists()
    dataset.save(plan)

    assert dataset.exists()
    store = dataset.load()
    np.testing.assert_array_equal(
        store.read(np.arange(3, 6)), plan.shard(1).render()[0]
    )
    assert (store.n_images, store.size_px) == (10, 16)
    assert store.records["is_stored"].all()


def test_several_processes_write_the_same_bytes_as_one(tmp_path, make_plan):
    roots = [tmp_path / "one", tmp_path / "two"]

    for workers, root in enumerate(roots, start=1):
        ImageStoreDataset(filepath=str(root)).save(make_plan(workers=workers))

    assert contents(roots[0]) == contents(roots[1])


def test_only_missing_shards_are_written_again(dataset, make_plan, tmp_path):
    dataset.save(make_plan())
    whole = contents(tmp_path / "store")
    before = times_of_change(tmp_path / "store")
    (tmp_path / "store" / "records" / "shard-00002.parquet").unlink()

    dataset.save(make_plan())

    after = times_of_change(tmp_path / "store")
    assert {name for name in before if after[name] != before[name]} == {
        "shard-00002.parquet"
    }
    assert contents(tmp_path / "store") == whole


def test_a_changed_file_changes_its_shard_only(dataset, make_plan, tmp_path):
    dataset.save(make_plan())
    before = times_of_change(tmp_path / "store")
    os.utime(tmp_path / "raw" / "004.png", (1, 1))

    dataset.save(make_plan())

    after = times_of_change(tmp_path / "store")
    assert {name for name in before if after[name] != before[name]} == {
        "shard-00001.parquet"
    }


def test_added_files_change_the_last_shard_and_add_more(dataset, make_plan, tmp_path):
    dataset.save(make_plan(10))
    before = times_of_change(tmp_path / "store")

    dataset.save(make_plan(14))

    after = times_of_change(tmp_path / "store")
    assert {name for name in after if after[name] != before.get(name)} == {
        "shard-00003.parquet",
        "shard-00004.parquet",
    }
    ImageStoreDataset(filepath=str(tmp_path / "new")).save(make_plan(14))
    assert contents(tmp_path / "store") == contents(tmp_path / "new")


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_in_the_same_bytes(tmp_path, make_plan):
    plan = make_plan(40, side=700, workers=2, shard_images=1)
    (tmp_path / "plan").write_bytes(pickle.dumps(plan))
    script = tmp_path / "save.py"
    script.write_text(
        "import pickle, pathlib, sys\n"
        "from covid_cxr.datasets.image_store import ImageStoreDataset\n"
        "if __name__ == '__main__':\n"
        "    plan = pickle.loads(pathlib.Path(sys.argv[1]).read_bytes())\n"
        "    ImageStoreDataset(filepath=sys.argv[2]).save(plan)\n"
    )
    killed = tmp_path / "killed"
    n_written = []
    for moment in ("images.zarr/c/*/0/*", "records/*7.parquet"):
        process = subprocess.Popen(
            [sys.executable, str(script), str(tmp_path / "plan"), str(killed)],
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        while process.poll() is None and not any(killed.glob(moment)):
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        # Returns once the last process that holds the pipe has ended.
        process.communicate(timeout=30)
        n_written.append(len(list(killed.glob("records/shard-*.parquet"))))

    alone = make_plan(40, side=700, shard_images=1)
    ImageStoreDataset(filepath=str(killed)).save(alone)
    ImageStoreDataset(filepath=str(tmp_path / "whole")).save(alone)

    assert n_written == sorted(n_written)
    assert 0 < n_written[-1] < plan.layout.n_shards
    assert contents(killed) == contents(tmp_path / "whole")


def test_a_wrong_folder_is_told_from_the_reasons(dataset, make_plan, tmp_path):
    plan = make_plan()
    for path in (tmp_path / "raw").iterdir():
        path.write_bytes(b"")

    with pytest.raises(DatasetError, match=r"None of the 10 .*empty file \(10\)"):
        dataset.save(plan)

    assert not dataset.exists()


def test_loading_what_was_never_saved_says_what_to_run(dataset):
    with pytest.raises(DatasetError, match="run the curation pipeline"):
        dataset.load()
