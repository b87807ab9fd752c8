"""Lung masks: found by name, brought into the geometry of the store, or listed."""

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from covid_cxr.radiographs.curation import Curation
from covid_cxr.radiographs.folder import list_folder
from covid_cxr.radiographs.lung_masks import curate_lungs, decode_masks
from covid_cxr.radiographs.record import curate

SIZE_PX = 16
HEIGHT, WIDTH = 48, 40
CURATION = Curation(
    size_px=SIZE_PX, shard_images=8, compression="none", workers=1, cluster=None
)


def a_lung():
    """Return True in a crooked lung, shape (HEIGHT, WIDTH)."""
    down, across = np.indices((HEIGHT, WIDTH))
    return (down > 10 + across / 4) & (down < 40) & (across > 8) & (across < 30)


def picture_of(is_inside, *, inside=255):
    return (is_inside * inside).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    """Return a function that writes radiographs and masks, and curates the masks."""

    def curate_masks(radiographs, masks, crops=None):
        rng = np.random.default_rng(1)
        for file in radiographs.values():
            path = tmp_path / file
            path.parent.mkdir(parents=True, exist_ok=True)
            grey = rng.integers(0, 255, (HEIGHT, WIDTH), dtype=np.uint8)
            Image.fromarray(grey).save(path)
        for file, pixels in masks.items():
            path = tmp_path / "masks" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(pixels, bytes):
                path.write_bytes(pixels)
            else:
                Image.fromarray(pixels).save(path)
        table = pd.DataFrame(
            {"image_id": list(radiographs), "file": list(radiographs.values())},
            dtype="str",
        )
        return curate_lungs(
            list_folder(tmp_path / "masks") if masks else None,
            list_folder(tmp_path),
            table,
            table,
            crops,
            CURATION,
        )

    return curate_masks


def reason_of(rejected, file):
    return rejected.set_index("file").loc[file, "reason"]


@pytest.mark.parametrize("box", [None, (4, 9, 35, 41)])
def test_a_mask_goes_the_way_of_its_radiograph(folder, tmp_path, box):
    edges = dict(zip(["x0", "y0", "x1", "y1"], box or (), strict=False))
    crops = pd.DataFrame([{"image": "a.png", **edges}]) if box else None
    lungs, _ = folder({"a.png": "a.png"}, {"a.png": picture_of(a_lung())}, crops)

    pixels, _ = curate(tmp_path / "masks/a.png", box=box, size_px=SIZE_PX)
    np.testing.assert_array_equal(decode_masks(lungs, ["a.png"])[0], pixels >= 128)
    assert 0 < (pixels >= 128).mean() < 1


def test_a_cohort_without_masks_has_no_rows_and_no_error(folder):
    lungs, rejected = folder({"a.png": "a.png"}, {})

    assert lungs.empty
    assert rejected.empty
    assert list(lungs.columns) == ["image_id", "png"]


def test_no_rows_survive_parquet(folder, tmp_path):
    lungs, _ = folder({"a.png": "a.png"}, {})
    lungs.to_parquet(tmp_path / "lungs.parquet")

    read = pd.read_parquet(tmp_path / "lungs.parquet")
    assert decode_masks(read, []).shape == (0, 0, 0)


def test_a_radiograph_without_a_mask_is_left_out_in_silence(folder):
    both = {"a.png": "a.png", "b.png": "b.png"}
    lungs, rejected = folder(both, {"b.png": picture_of(a_lung())})

    assert lungs["image_id"].tolist() == ["b.png"]
    assert rejected.empty


@pytest.mark.parametrize(
    ("image_id", "file", "mask"),
    [
        ("a.dcm.png", "deep/a.dcm.png", "a.dcm.png"),
        ("a.png", "site_a/images/a.png", "site_a/images/a.png"),
        ("a.png", "site_a/images/a.png", "elsewhere/a.png"),
        ("a.png", "a.png", "a_mask.png"),
        ("a.png", "a.png", "a.jpg"),
        ("1.3.12.2.1107", "series/1.png", "1.3.12.2.1107.png"),
    ],
)
def test_a_mask_is_found_by_its_radiographs_path_name_or_id(
    folder, image_id, file, mask
):
    lungs, rejected = folder({image_id: file}, {mask: picture_of(a_lung())})

    assert rejected.empty, rejected
    assert lungs["image_id"].tolist() == [image_id]


def test_a_name_that_two_radiographs_have_needs_their_folder(folder):
    mask = picture_of(a_lung())
    two = {"s1/1.png": "s1/1.png", "s2/1.png": "s2/1.png"}
    lungs, rejected = folder(two, {"s2/1.png": mask, "1.png": mask})

    assert lungs["image_id"].tolist() == ["s2/1.png"]
    assert "2 radiographs have its name" in reason_of(rejected, "1.png")


def test_a_second_mask_of_a_radiograph_is_listed(folder):
    mask = picture_of(a_lung())
    lungs, rejected = folder({"a.png": "a.png"}, {"a.png": mask, "a_mask.png": mask})

    assert len(lungs) == 1
    assert reason_of(rejected, "a_mask.png") == "its radiograph has another mask"


def test_masks_that_are_no_use_are_listed_with_their_reason_and_stop_nothing(folder):
    whole = picture_of(a_lung())
    masks = {
        "a.png": whole[:40],
        "b.png": 0 * whole,
        "c.png": b"no picture",
        "nobody.png": whole,
        "e.png": whole,
        "f.png": picture_of(np.indices((HEIGHT, WIDTH))[0] < 2),
    }
    images = {f"{letter}.png": f"{letter}.png" for letter in "abcef"}
    crops = pd.DataFrame({"image": ["f.png"], "x0": 0, "y0": 8, "x1": 40, "y1": 48})
    lungs, rejected = folder(images, masks, crops)

    assert lungs["image_id"].tolist() == ["e.png"]
    assert reason_of(rejected, "a.png") == (
        "40 x 40 pixels, but its radiograph has 40 x 48"
    )
    assert reason_of(rejected, "b.png").startswith("blank")
    assert reason_of(rejected, "c.png").startswith("damaged")
    assert reason_of(rejected, "nobody.png") == "no curated radiograph has its name"
    assert reason_of(rejected, "f.png").startswith("no lung inside the crop")
    named = rejected.set_index("file")["image_id"]
    assert named["a.png"] == "a.png"
    assert pd.isna(named["nobody.png"])


def test_a_raw_radiograph_that_is_gone_stops_nothing(tmp_path):
    (tmp_path / "masks").mkdir()
    Image.fromarray(picture_of(a_lung())).save(tmp_path / "masks/a.png")
    table = pd.DataFrame({"image_id": ["a.png"], "file": ["a.png"]}, dtype="str")
    masks, images = list_folder(tmp_path / "masks"), list_folder(tmp_path)

    lungs, rejected = curate_lungs(masks, images, table, table, None, CURATION)
    assert lungs.empty
    assert rejected["file"].tolist() == ["a.png"]


def test_a_mask_of_the_crop_is_no_mask_of_the_radiograph(folder):
    crops = pd.DataFrame({"image": ["a.png"], "x0": 4, "y0": 9, "x1": 35, "y1": 41})
    lungs, rejected = folder(
        {"a.png": "a.png"}, {"a.png": picture_of(a_lung())[9:41, 4:35]}, crops
    )

    assert lungs.empty
    assert "its radiograph has 40 x 48" in reason_of(rejected, "a.png")


def test_any_way_to_say_inside_is_understood(folder):
    expected, _ = folder({"a.png": "a.png"}, {"a.png": picture_of(a_lung())})
    halves = picture_of(a_lung(), inside=1)
    halves[:, WIDTH // 2 :] *= 2
    red = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    red[a_lung(), 0] = 255
    for mask in (picture_of(a_lung(), inside=1), halves, red):
        lungs, _ = folder({"a.png": "a.png"}, {"a.png": mask})

        assert lungs["png"].tolist() == expected["png"].tolist()


def test_masks_are_decoded_in_the_order_asked_for(folder):
    first, second = a_lung(), a_lung()[:, ::-1]
    masks = {"a.png": picture_of(first), "b.png": picture_of(second)}
    lungs, _ = folder({"a.png": "a.png", "b.png": "b.png"}, masks)

    ordered = decode_masks(lungs, ["b.png", "a.png"])
    assert ordered.dtype == bool
    assert ordered.shape == (2, SIZE_PX, SIZE_PX)
    small = cv2.resize(picture_of(second), (SIZE_PX, SIZE_PX))
    assert (ordered[0] == (small > 127)).mean() > 0.95


def test_an_image_without_a_mask_is_refused_by_name(folder):
    lungs, _ = folder({"a.png": "a.png"}, {"a.png": picture_of(a_lung())})

    with pytest.raises(ValueError, match=r"1 of 2 images have no lung mask.*b\.png"):
        decode_masks(lungs, ["a.png", "b.png"])


@pytest.mark.parametrize("inside", [1, 2, 100])
@pytest.mark.parametrize("n_bright", [1, 3])
def test_a_few_brighter_pixels_do_not_decide_what_is_inside_a_mask(
    folder, inside, n_bright
):
    mask = picture_of(a_lung(), inside=inside)
    marked = mask.copy()
    marked[0, :n_bright] = 255
    assert n_bright <= np.count_nonzero(mask) / 100

    lungs, rejected = folder({"a": "a.png", "b": "b.png"}, {"a.png": mask})
    marked_lungs, marked_rejected = folder({"a": "a.png"}, {"a.png": marked})

    assert rejected.empty
    assert marked_rejected.empty
    np.testing.assert_array_equal(
        decode_masks(marked_lungs, ["a"])[:, 2:], decode_masks(lungs, ["a"])[:, 2:]
    )
