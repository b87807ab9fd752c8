import io
import os
import pickle

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from PIL import Image

from covid_cxr.radiographs.curation import (
    Curation,
    plan_cropped_store,
    plan_store,
)
from covid_cxr.radiographs.folder import list_folder
from covid_cxr.radiographs.record import fingerprint

USUAL = {
    "size_px": 16,
    "shard_images": 4,
    "compression": "none",
    "workers": 1,
    "cluster": None,
}
CURATION = Curation(**USUAL)


def picture(seed, shape=(32, 32)):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture
def cohort(tmp_path, write_png):
    """Six radiographs: one truncated, one missing, one without a file."""
    for i in range(4):
        write_png(tmp_path / "raw" / f"sub{i % 2}" / f"{i}.png", picture(i))
    broken = tmp_path / "raw" / "sub1" / "3.png"
    broken.write_bytes(broken.read_bytes()[:200])
    radiographs = pd.DataFrame(
        {
            "image_id": [f"image_{i}" for i in range(6)],
            "file": ["0.png", "1.png", "2.png", "3.png", "4.png", None],
        }
    )
    return radiographs, list_folder(tmp_path / "raw")


def test_a_shard_holds_its_images_and_what_became_of_them(cohort):
    plan = plan_store(*cohort, CURATION)

    images, records = plan.shard(0).render()

    means = [picture(i).reshape(16, 2, 16, 2).sum((1, 3), dtype=int) for i in range(3)]
    np.testing.assert_array_equal(images[:3], (np.array(means) + 2) // 4)
    assert not images[3].any()
    assert records["row"].tolist() == [0, 1, 2, 3]
    assert records["is_stored"].tolist() == [True, True, True, False]
    assert records["steps"][0] == "as stored; resized from 32 x 32"
    assert records["mean"][1] == pytest.approx(images[1].mean() / 255)
    assert records["standard_deviation"][1] == pytest.approx(images[1].std() / 255)


def test_one_bad_image_gets_a_reason_and_stops_nothing(cohort):
    plan = plan_store(*cohort, CURATION)

    records = pd.concat(plan.shard(k).render()[1] for k in range(plan.layout.n_shards))

    assert records["reason"].tolist()[3:] == [
        "damaged picture file: truncated, or no PNG or JPEG",
        "file missing: 4.png",
        "file missing: not found in the folder",
    ]
    assert records["reason"].isna().tolist()[:3] == [True] * 3
    rejected = records[~records["is_stored"]]
    columns = ["steps", "mean", "standard_deviation", "fingerprint"]
    assert rejected[columns].isna().all(axis=None)


def test_a_shard_without_one_readable_image_has_the_same_columns(cohort):
    plan = plan_store(*cohort, CURATION)

    dtypes = [plan.shard(k).render()[1].dtypes for k in range(2)]

    assert dtypes[0].equals(dtypes[1])


def test_a_shard_survives_the_way_to_another_process(cohort):
    shard = plan_store(*cohort, CURATION).shard(1)

    theirs = pickle.loads(pickle.dumps(shard))  # noqa: S301 - our own bytes

    assert theirs.fingerprint == shard.fingerprint
    np.testing.assert_array_equal(theirs.render()[0], shard.render()[0])


def test_images_are_cropped_before_they_are_resized(cohort):
    crops = pd.DataFrame(
        {
            "image": ["image_0", "1.png", "image_2"],
            "x0": [8, 0, 0],
            "y0": [0, 16, 0],
            "x1": [24, 16, 33],
            "y1": [16, 32, 32],
        }
    )

    images, records = plan_cropped_store(*cohort, crops, CURATION).shard(0).render()

    np.testing.assert_array_equal(images[0], picture(0)[:16, 8:24])
    np.testing.assert_array_equal(images[1], picture(1)[16:, :16])
    assert "cropped to (8, 0, 24, 16)" in records["steps"][0]
    assert "crop box (0, 0, 33, 32)" in records["reason"][2]


def test_no_crop_table_crops_nothing(cohort):
    cropped = plan_cropped_store(*cohort, None, CURATION)

    assert_frame_equal(cropped.images, plan_store(*cohort, CURATION).images)


def test_two_boxes_for_one_image_are_refused(cohort):
    crops = pd.DataFrame(
        {"image": ["image_0", "0.png"], "x0": 0, "y0": 0, "x1": 9, "y1": 9}
    )

    with pytest.raises(ValueError, match=r"two boxes for '0\.png'"):
        plan_cropped_store(*cohort, crops, CURATION)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop(columns="file"), "lacks file"),
        (lambda table: table.iloc[:0], "no rows"),
        (lambda table: table.assign(image_id="same"), "twice"),
    ],
)
def test_a_radiograph_table_that_cannot_be_planned_is_refused(cohort, change, message):
    radiographs, images = cohort

    with pytest.raises(ValueError, match=message):
        plan_store(change(radiographs), images, CURATION)


def test_a_crop_table_without_its_columns_is_refused(cohort):
    with pytest.raises(ValueError, match="lacks x1, y1"):
        plan_cropped_store(
            *cohort, pd.DataFrame({"image": [], "x0": [], "y0": []}), CURATION
        )


def test_a_box_without_an_edge_is_refused(cohort):
    crops = pd.DataFrame({"image": ["0.png"], "x0": 0, "y0": 0, "x1": 9, "y1": np.nan})

    with pytest.raises(ValueError, match=r"lacks an edge of the box for '0\.png'"):
        plan_cropped_store(*cohort, crops, CURATION)


def fingerprints(plan):
    return [plan.shard(number).fingerprint for number in range(plan.layout.n_shards)]


def cut_first(root):
    (root / "sub0" / "0.png").write_bytes(b"")


@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        (lambda table, root: table, [True, True]),
        (lambda table, root: table.iloc[::-1], [False, False]),
        (lambda table, root: table.iloc[:5], [True, False]),
        (lambda table, root: table.assign(image_id=table.index), [False, False]),
        (lambda table, root: table.replace("4.png", "3.png"), [True, False]),
        (lambda table, root: os.utime(root / "sub0" / "0.png", (1, 1)), [False, True]),
        (lambda table, root: cut_first(root), [False, True]),
        (lambda table, root: (root / "sub1" / "1.png").unlink(), [False, True]),
    ],
)
def test_fingerprints_of_shards_follow_their_images(cohort, change, is_same):
    radiographs, images = cohort
    before = fingerprints(plan_store(radiographs, images, CURATION))

    changed = change(radiographs, images.root)
    changed = radiographs if changed is None else changed
    plan = plan_store(changed, list_folder(images.root), CURATION)

    pairs = zip(before, fingerprints(plan), strict=True)
    assert [first == second for first, second in pairs] == is_same


def test_fingerprints_change_with_crops(cohort):
    crops = pd.DataFrame({"image": ["image_5"], "x0": 0, "y0": 0, "x1": 9, "y1": 9})
    plain = fingerprints(plan_store(*cohort, CURATION))
    cropped = fingerprints(plan_cropped_store(*cohort, crops, CURATION))

    assert plain[0] == cropped[0]
    assert plain[1] != cropped[1]


@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        ({"size_px": 17}, False),
        ({"shard_images": 5}, False),
        ({"compression": "zstd"}, False),
        ({"workers": 8}, True),
        ({"cluster": "tcp://10.0.0.1:8786"}, True),
    ],
)
def test_fingerprints_change_with_sizes_but_not_with_workers(cohort, change, is_same):
    plain = fingerprints(plan_store(*cohort, CURATION))
    changed = fingerprints(plan_store(*cohort, Curation(**{**USUAL, **change})))

    assert (plain[0] == changed[0]) == is_same


@pytest.mark.parametrize("name", ["size_px", "shard_images", "workers"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "2", True])
def test_nonsense_parameters_are_refused(name, value):
    with pytest.raises(ValueError, match=f"curation.{name}"):
        Curation(**{**USUAL, name: value})


def test_an_unknown_compression_is_refused():
    with pytest.raises(ValueError, match="must be one of none, zstd, got 'gzip'"):
        Curation(**{**USUAL, "compression": "gzip"})


def test_the_same_picture_in_another_format_keeps_its_fingerprint_nearly():
    smooth = np.asarray(Image.fromarray(picture(9, (12, 12))).resize((256, 256)))
    jpeg = io.BytesIO()
    Image.fromarray(smooth).save(jpeg, "JPEG", quality=60)
    again = np.asarray(Image.open(jpeg))
    other = np.asarray(Image.fromarray(picture(10, (12, 12))).resize((256, 256)))

    assert _differing_bits(smooth, smooth) == 0
    assert _differing_bits(smooth, again) <= 8
    assert _differing_bits(smooth, other) >= 80


def _differing_bits(first, second):
    return (int(fingerprint(first), 16) ^ int(fingerprint(second), 16)).bit_count()


def test_a_link_that_leads_nowhere_is_one_rejected_row(cohort):
    radiographs, images = cohort
    (images.root / "dangling.png").symlink_to(images.root / "nowhere.png")
    listed = radiographs.assign(
        file=["0.png", "dangling.png", *radiographs["file"][2:]]
    )

    records = (
        plan_store(listed, list_folder(images.root), CURATION).shard(0).render()[1]
    )

    assert records["is_stored"].tolist() == [True, False, True, False]
    assert "cannot be read" in records["reason"][1]
