import multiprocessing
import pickle

import numpy as np
import pandas as pd
import pytest

from covid_cxr.radiographs.store import (
    StoreLayout,
    begin_store,
    finish_store,
    is_finished,
    open_store,
    write_shard,
)

LAYOUT = StoreLayout(n_images=7, size_px=8, shard_images=3, fingerprint="plan one")
IMAGES = np.random.default_rng(0).integers(1, 256, (7, 8, 8), dtype=np.uint8)


def records_of(rows, reason=None):
    return pd.DataFrame(
        {
            "image_id": [f"image {row}" for row in rows],
            "row": list(rows),
            "is_stored": reason is None,
            "reason": pd.Series([reason] * len(rows), dtype="str"),
        }
    )


def write(root, shard, *, images=IMAGES, layout=LAYOUT, reason=None):
    rows = layout.rows(shard)
    write_shard(
        root,
        layout,
        shard,
        images=images[rows.start : rows.stop],
        records=records_of(rows, reason),
    )


@pytest.fixture
def store(tmp_path):
    for shard in begin_store(tmp_path, LAYOUT):
        write(tmp_path, shard)
    return finish_store(tmp_path, LAYOUT)


@pytest.mark.parametrize("rows", [[0], [6, 0, 3], [2, 2, 5, 2], [], range(7)])
def test_images_are_read_in_the_order_of_the_rows(store, rows):
    rows = np.array(list(rows), dtype=np.int64)

    np.testing.assert_array_equal(store.read(rows), IMAGES[rows])


@pytest.mark.parametrize("row", [-1, 7])
def test_a_row_outside_the_store_is_refused(store, row):
    with pytest.raises(ValueError, match=f"Row {row} is not in the image store"):
        store.read(np.array([0, row]))


def test_a_handle_reads_in_another_process(store):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        theirs = pool.apply(store.read, [np.array([5, 1])])

    np.testing.assert_array_equal(theirs, IMAGES[[5, 1]])


def test_a_handle_is_light(store):
    store.read(np.array([0]))

    assert len(pickle.dumps(store)) < 1000
    assert pickle.loads(pickle.dumps(store)) == store  # noqa: S301 - our own bytes


def test_records_come_in_the_order_of_the_rows(store):
    assert store.records["row"].tolist() == list(range(7))
    assert store.records["image_id"].iloc[4] == "image 4"


def test_zarr_reads_what_tensorstore_wrote(store):
    import zarr  # noqa: PLC0415

    array = zarr.open_array(store.root / "images.zarr", mode="r")

    np.testing.assert_array_equal(array[:], IMAGES)
    assert array.shards == (3, 8, 8)
    assert array.chunks == (1, 8, 8)


def test_an_unfinished_store_is_not_opened(tmp_path):
    begin_store(tmp_path, LAYOUT)
    write(tmp_path, 0)

    assert not is_finished(tmp_path)
    with pytest.raises(FileNotFoundError, match="no finished image store"):
        open_store(tmp_path)


def test_what_is_written_of_the_same_plan_is_kept(tmp_path):
    begin_store(tmp_path, LAYOUT)
    write(tmp_path, 1)

    assert begin_store(tmp_path, LAYOUT) == [0, 2]


def test_another_plan_starts_afresh_and_touches_nothing_else(store, tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    other = StoreLayout(n_images=4, size_px=8, shard_images=2, fingerprint="plan two")

    assert begin_store(tmp_path, other) == [0, 1]
    assert not is_finished(tmp_path)
    assert (tmp_path / "note.txt").read_text() == "mine"


def test_a_rewritten_store_is_read_anew(store, tmp_path):
    np.testing.assert_array_equal(store.read(np.array([0])), IMAGES[:1])
    other = StoreLayout(n_images=7, size_px=8, shard_images=7, fingerprint="plan two")
    begin_store(tmp_path, other)
    write(tmp_path, 0, images=255 - IMAGES, layout=other)
    rewritten = finish_store(tmp_path, other)

    np.testing.assert_array_equal(rewritten.read(np.array([6])), 255 - IMAGES[6:])


def test_a_shard_with_a_passing_failure_is_written_again(tmp_path):
    begin_store(tmp_path, LAYOUT)
    write(tmp_path, 0, reason="no decoder installed: transfer syntax 1.2")
    write(tmp_path, 1, reason="file cannot be read: Permission denied")
    write(tmp_path, 2, reason="blank: every pixel has the same value")

    assert begin_store(tmp_path, LAYOUT) == [0, 1]


def test_records_that_break_off_are_written_again(tmp_path):
    begin_store(tmp_path, LAYOUT)
    write(tmp_path, 0)
    path = tmp_path / "records" / "shard-00000.parquet"
    path.write_bytes(path.read_bytes()[:50])

    assert begin_store(tmp_path, LAYOUT) == [0, 1, 2]


def test_a_store_without_one_image_is_refused_with_the_commonest_reasons(tmp_path):
    begin_store(tmp_path, LAYOUT)
    for shard in range(3):
        write(tmp_path, shard, reason=f"file missing: {shard}.png")

    with pytest.raises(ValueError, match=r"None of the 7 .* file missing \(7\)"):
        finish_store(tmp_path, LAYOUT)

    assert not is_finished(tmp_path)


def test_the_fingerprint_follows_the_records(store, tmp_path):
    begin_store(tmp_path, LAYOUT)
    same = finish_store(tmp_path, LAYOUT)
    write(tmp_path, 2, reason="blank")
    other = finish_store(tmp_path, LAYOUT)

    assert same.fingerprint == store.fingerprint != other.fingerprint
