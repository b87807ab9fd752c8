import multiprocessing
import pickle
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from covid_cxr.radiographs.pixels import DamagedStoreError, StoreLayout
from covid_cxr.radiographs.store import (
    begin_store,
    finish_store,
    is_finished,
    open_store,
    write_shard,
)

LAYOUT = StoreLayout(n_images=7, size_px=8, shard_images=3, compression="none")
MADE_FROM = ["first", "second", "third"]
IMAGES = np.random.default_rng(0).integers(1, 256, (7, 8, 8), dtype=np.uint8)


def records_of(rows, images, reason=None):
    return pd.DataFrame(
        {
            "image_id": [f"image {row}" for row in rows],
            "row": list(rows),
            "is_stored": images.any(axis=(1, 2)),
            "mean": images.mean(axis=(1, 2)) / 255,
            "reason": pd.Series([reason] * len(rows), dtype="str"),
        }
    )


def write(root, shard, *, images=IMAGES, layout=LAYOUT, made_from=None, reason=None):
    rows = layout.rows(shard)
    written = images[rows.start : rows.stop] * (reason is None)
    write_shard(
        root,
        shard,
        first_row=rows.start,
        images=written,
        records=records_of(rows, written, reason),
        fingerprint=made_from or MADE_FROM[shard],
    )


def make_store(root, *, images=IMAGES, layout=LAYOUT, made_from=MADE_FROM):
    """Write what is missing of a store; return it and the shards that were missing."""
    missing = begin_store(root, layout, made_from)
    for shard in missing:
        made_of = made_from[shard]
        write(root, shard, images=images, layout=layout, made_from=made_of)
    return finish_store(root, layout), missing


def contents(root):
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def store(tmp_path):
    return make_store(tmp_path / "store")[0]


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


@pytest.mark.parametrize("compression", ["none", "zstd"])
@pytest.mark.parametrize("black", [[4], [3, 4, 5], [6]])
def test_black_images_are_read_black(tmp_path, compression, black):
    images = IMAGES.copy()
    images[black] = 0
    layout = replace(LAYOUT, compression=compression)

    store, _ = make_store(tmp_path, images=images, layout=layout)

    np.testing.assert_array_equal(store.read(np.arange(7)), images)


def test_a_compressed_store_is_smaller_and_the_same_to_read(tmp_path):
    images = np.tile(np.arange(0, 64, 8, dtype=np.uint8), (7, 8, 1))
    stores = [
        make_store(
            tmp_path / compression,
            images=images,
            layout=replace(LAYOUT, compression=compression),
        )[0]
        for compression in ("none", "zstd")
    ]

    shards = [store.root / "images.zarr" / "c" / "0" / "0" / "0" for store in stores]
    rows = np.array([6, 0, 3])
    np.testing.assert_array_equal(stores[0].read(rows), stores[1].read(rows))
    assert shards[0].stat().st_size > shards[1].stat().st_size


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
    begin_store(tmp_path, LAYOUT, MADE_FROM)
    write(tmp_path, 0)

    assert not is_finished(tmp_path)
    with pytest.raises(FileNotFoundError, match="no finished image store"):
        open_store(tmp_path)


def test_shards_that_are_there_are_kept(tmp_path):
    begin_store(tmp_path, LAYOUT, MADE_FROM)
    write(tmp_path, 1)

    assert begin_store(tmp_path, LAYOUT, MADE_FROM) == [0, 2]


STORES = {
    "as it was": (7, MADE_FROM),
    "another second shard": (7, ["first", "SECOND", "third"]),
    "one image more in the last shard": (8, ["first", "second", "third and 7"]),
    "a shard more": (10, ["first", "second", "third and 7, 8", "fourth"]),
    "an image less in the second shard": (5, ["first", "second less 5"]),
    "all other": (7, ["FIRST", "SECOND", "THIRD"]),
}


@pytest.mark.parametrize("change", list(pairwise([*STORES, *reversed(STORES)])))
def test_only_changed_shards_are_written_and_the_store_is_as_if_new(tmp_path, change):
    images = np.random.default_rng(1).integers(0, 256, (10, 8, 8), dtype=np.uint8)
    before, after = (STORES[name] for name in change)
    layouts = [replace(LAYOUT, n_images=n) for n, _ in (before, after)]
    root = tmp_path / "changed"
    make_store(root, images=images, layout=layouts[0], made_from=before[1])

    store, written = make_store(
        root, images=255 - images, layout=layouts[1], made_from=after[1]
    )

    kept = set(range(layouts[1].n_shards)) - set(written)
    same = [a == b for a, b in zip(before[1], after[1], strict=False)]
    assert kept == {shard for shard, is_same in enumerate(same) if is_same}
    expected = 255 - images
    for shard in kept:
        rows = layouts[1].rows(shard)
        expected[rows.start : rows.stop] = images[rows.start : rows.stop]
    new, _ = make_store(
        tmp_path / "new", images=expected, layout=layouts[1], made_from=after[1]
    )
    assert contents(root) == contents(new.root)
    np.testing.assert_array_equal(
        store.read(np.arange(store.n_images)), expected[: store.n_images]
    )


def test_a_store_touches_no_file_but_its_own(store):
    (store.root / "note.txt").write_text("mine")

    make_store(store.root, made_from=["other", "other", "other"])

    assert (store.root / "note.txt").read_text() == "mine"


def test_a_rewritten_store_is_read_anew(store):
    np.testing.assert_array_equal(store.read(np.array([0])), IMAGES[:1])
    for shard in begin_store(store.root, LAYOUT, ["other", "other", "other"]):
        reason = "blank" if shard == 2 else None
        write(store.root, shard, images=255 - IMAGES, reason=reason)
    rewritten = finish_store(store.root, LAYOUT)

    np.testing.assert_array_equal(rewritten.read(np.array([0])), 255 - IMAGES[:1])


def test_a_shard_with_a_passing_failure_is_written_again(tmp_path):
    begin_store(tmp_path, LAYOUT, MADE_FROM)
    write(tmp_path, 0, reason="no decoder installed: transfer syntax 1.2")
    write(tmp_path, 1, reason="file cannot be read: Permission denied")
    write(tmp_path, 2, reason="blank: every pixel has the same value")

    assert begin_store(tmp_path, LAYOUT, MADE_FROM) == [0, 1]


def test_records_that_break_off_are_written_again(tmp_path):
    begin_store(tmp_path, LAYOUT, MADE_FROM)
    write(tmp_path, 0)
    path = tmp_path / "records" / "shard-00000.parquet"
    path.write_bytes(path.read_bytes()[:50])

    assert begin_store(tmp_path, LAYOUT, MADE_FROM) == [0, 1, 2]


def test_a_shard_whose_pixels_are_gone_is_written_again(tmp_path):
    begin_store(tmp_path, LAYOUT, MADE_FROM)
    write(tmp_path, 0)
    (tmp_path / "images.zarr" / "c" / "0" / "0" / "0").unlink()

    assert begin_store(tmp_path, LAYOUT, MADE_FROM) == [0, 1, 2]


def test_a_store_that_the_disk_cannot_hold_is_refused_before_it_is_written(tmp_path):
    layout = replace(LAYOUT, size_px=10**6, n_images=10**6, shard_images=10**6)

    with pytest.raises(OSError, match=r"needs 1,000,000,000,000,000,000 bytes .* free"):
        begin_store(tmp_path, layout, ["enormous"])

    assert begin_store(tmp_path, replace(layout, compression="zstd"), ["unknown"])


@pytest.fixture
def limit_file_size():
    """Return a function that lets this process write files of so many bytes at most.

    To a program it is what a full disk is: a write that breaks off.
    """
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(n_bytes):
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, limits[1]))

    yield limit
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("n_bytes", [100, 1000])  # a shard takes 244, its records 4,000
def test_a_full_disk_is_told_and_leaves_nothing_half_written(
    tmp_path, limit_file_size, n_bytes
):
    begin_store(tmp_path, LAYOUT, MADE_FROM)
    write(tmp_path, 0)

    limit_file_size(n_bytes)
    with pytest.raises(OSError, match=r"Shard 1 .* 192 bytes of pixels, .* are free"):
        write(tmp_path, 1)
    limit_file_size(-1)

    assert not list(tmp_path.rglob("*.part"))
    assert make_store(tmp_path)[1] == [1, 2]
    assert contents(tmp_path) == contents(make_store(tmp_path / "new")[0].root)


def test_a_store_without_one_image_is_refused_with_the_commonest_reasons(tmp_path):
    begin_store(tmp_path, LAYOUT, MADE_FROM)
    for shard in range(3):
        write(tmp_path, shard, reason=f"file missing: {shard}.png")

    with pytest.raises(ValueError, match=r"None of the 7 .* file missing \(7\)"):
        finish_store(tmp_path, LAYOUT)

    assert not is_finished(tmp_path)


def test_the_fingerprint_follows_the_records_and_not_the_files(store, tmp_path):
    elsewhere = ["made", "on another", "day"]
    same, _ = make_store(tmp_path / "same", made_from=elsewhere)
    begin_store(tmp_path / "same", LAYOUT, elsewhere)
    write(tmp_path / "same", 2, reason="blank")
    other = finish_store(tmp_path / "same", LAYOUT)

    assert same.fingerprint == store.fingerprint != other.fingerprint


def cut(content):
    return content[: len(content) // 2]


def cut_index(content):
    return content[:-30]


def flip_pixels(content):
    return bytes([content[0] ^ 1]) + content[1:]


def flip_index(content):
    return content[:-20] + bytes([content[-20] ^ 1]) + content[-19:]


def empty(content):
    return b""


DAMAGES = [cut, cut_index, flip_pixels, flip_index, empty, None]


@pytest.fixture(params=["none", "zstd"])
def damage(request, tmp_path):
    """Return a store and a function that damages the file of its first shard."""
    layout = replace(LAYOUT, compression=request.param)
    make_store(tmp_path, layout=layout)
    file = tmp_path / "images.zarr" / "c" / "0" / "0" / "0"

    def spoil(change):
        content = file.read_bytes()
        file.unlink()
        if change is not None:
            file.write_bytes(change(content))
        return layout, file

    return spoil


@pytest.mark.parametrize("change", DAMAGES)
def test_a_damaged_shard_is_never_read_as_pictures(damage, tmp_path, change):
    _, file = damage(change)

    with pytest.raises(DamagedStoreError, match="pipelines=curation") as error:
        open_store(tmp_path).read(np.arange(7))

    assert str(file) in str(error.value) or "images.zarr" in str(error.value)


@pytest.mark.parametrize("change", DAMAGES)
def test_only_a_damaged_shard_is_named_and_written_again(
    damage, tmp_path, change, caplog
):
    layout, _ = damage(change)

    store, written = make_store(tmp_path, layout=layout)

    assert written == [0]
    assert "images.zarr" in caplog.text
    np.testing.assert_array_equal(store.read(np.arange(7)), IMAGES)


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_shards_that_changed_places_are_written_again(tmp_path, compression, caplog):
    layout = replace(LAYOUT, compression=compression)
    make_store(tmp_path, layout=layout)
    first, second = (
        tmp_path / "images.zarr" / "c" / str(n) / "0" / "0" for n in (0, 1)
    )
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)

    store, written = make_store(tmp_path, layout=layout)

    assert written == [0, 1]
    assert "images of other records" in caplog.text
    np.testing.assert_array_equal(store.read(np.arange(7)), IMAGES)


@pytest.mark.parametrize("n_bytes", [0, 3, 200, -1])
def test_a_damaged_table_of_records_is_named(store, n_bytes):
    file = store.root / "records.parquet"
    file.write_bytes(file.read_bytes()[:n_bytes])

    for read in (lambda: open_store(store.root), lambda: store.records):
        with pytest.raises(DamagedStoreError, match=r"records\.parquet cannot be read"):
            read()


def test_a_store_from_before_checksums_is_refused(store):
    manifest = store.root / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"version": 2,', ""))

    with pytest.raises(DamagedStoreError, match="without checksums"):
        open_store(store.root)
