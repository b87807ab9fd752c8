import json
import logging

import pytest

from covid_cxr.sources.tbx11k import list_tbx11k, list_unmatched_tbx11k
from covid_cxr.user_csv import read_user_csv

TRAIN = "health/h0001.png\nsick/s0002.png\ntb/tb0005.png\n"
VAL = "tb/tb0135.png\ntb/tb1199.png\n"
CATEGORIES = [
    {"id": 1, "name": "ActiveTuberculosis"},
    {"id": 2, "name": "ObsoletePulmonaryTuberculosis"},
    {"id": 3, "name": "PulmonaryTuberculosis"},
]
DATA = (
    "fname,image_height,image_width,source,bbox,target,tb_type,image_type\n"
    "h0001.png,512,512,train,none,no_tb,none,healthy\n"
    "s0002.png,512,512,val,none,no_tb,none,sick_but_no_tb\n"
    "tb0005.png,512,512,train,\"{'xmin': 10.5, 'ymin': 20, 'width': 30, 'height': 40}\""
    ",tb,active_tb,tb\n"
    "tb0135.png,512,512,val,\"{'xmin': 1, 'ymin': 2, 'width': 3, 'height': 4}\","
    "tb,active_tb,tb\n"
    "tb0135.png,512,512,val,\"{'xmin': 5, 'ymin': 6, 'width': 7, 'height': 8}\","
    "tb,latent_tb,tb\n"
)


def coco(boxes, names):
    """Return a file of boxes: file name, category and box of each."""
    ids = {name: number for number, name in enumerate(names, start=1)}
    return json.dumps(
        {
            "images": [{"id": ids[n], "file_name": n} for n in names],
            "categories": CATEGORIES,
            "annotations": [
                {"image_id": ids[name], "category_id": category, "bbox": box}
                for name, category, box in boxes
            ],
        }
    )


TRAIN_BOXES = coco([("tb/tb0005.png", 1, [10.5, 20, 30, 40])], TRAIN.split())
VAL_BOXES = coco(
    [("tb/tb0135.png", 1, [1, 2, 3, 4]), ("tb/tb0135.png", 2, [5, 6, 7, 8])],
    VAL.split(),
)


@pytest.fixture
def images(unpacked):
    listed = [f"imgs/{name}" for name in (TRAIN + VAL).split()]
    unlisted = ["imgs/test/test_0001.png", "imgs/extra/da+db/train/h0001.png"]
    return unpacked(dict.fromkeys([*listed, *unlisted], ""))


def read(images, *, train=TRAIN, val=VAL, train_boxes=TRAIN_BOXES, val_boxes=VAL_BOXES,
         data=None):  # fmt: skip
    return list_tbx11k(train, val, train_boxes, val_boxes, data, images)


def test_the_lists_give_the_classes_and_the_boxes_the_types(images):
    radiographs, boxes, rejected = read(images)
    by_image = radiographs.set_index("image_id")

    assert rejected.empty
    assert by_image["tuberculosis"].to_dict() == {
        "h0001": False,
        "s0002": False,
        "tb0005": True,
        "tb0135": True,
        "tb1199": True,
    }
    assert by_image["tb_type"].fillna("-").tolist() == [
        "-",
        "-",
        "active",
        "active, latent",
        "-",
    ]
    assert by_image["patient_id"]["tb0005"] == "tbx11k:tb0005"
    assert boxes.to_numpy().tolist() == [
        ["tb0005", 10.5, 20, 30, 40],
        ["tb0135", 1, 2, 3, 4],
        ["tb0135", 5, 6, 7, 8],
    ]


def test_an_image_is_found_beside_another_one_of_the_same_name(images):
    radiographs, _, _ = read(images)

    assert radiographs.set_index("image_id")["file"]["h0001"] == "imgs/health/h0001.png"


def test_test_images_and_those_of_other_collections_are_not_listed(images):
    radiographs, _, rejected = read(images)

    named = [*radiographs["file"], *rejected["image_id"]]
    assert not any("test" in name or "extra" in name for name in named)


@pytest.fixture
def copied(unpacked):
    """Return the folder of the simplified copy."""
    names = ("h0001", "s0002", "tb0005", "tb0135", "x1")
    return unpacked({f"images/{name}.png": "" for name in names})


def test_the_simplified_copy_says_the_same(copied):
    of_lists, boxes, _ = read(copied)
    data = read_user_csv(DATA.encode(), name="data.csv")

    radiographs, of_data, rejected = list_tbx11k(None, None, None, None, data, copied)

    assert rejected.empty
    columns = ["image_id", "tuberculosis", "tb_class", "tb_type"]
    assert radiographs[columns].equals(of_lists.loc[:3, columns])
    assert radiographs["file"].notna().all()
    assert of_data.equals(boxes)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("x1.png,512,512,train,none,no_tb,none,tb", "target and image_type contradict"),
        (
            "x1.png,512,512,train,none,tb,none,healthy",
            "target and image_type contradict",
        ),
        ("x1.png,512,512,train,none,,none,healthy", "target and image_type contradict"),
        ("x1.png,512,512,train,none,no_tb,none,odd", "its folder or type is none of"),
        ("h0001.png,512,512,train,none,tb,none,tb", "listed with different labels"),
    ],
)
def test_a_row_that_contradicts_itself_is_rejected(copied, row, reason):
    data = read_user_csv(f"{DATA}{row}\n".encode(), name="data.csv")

    _, _, rejected = list_tbx11k(None, None, None, None, data, copied)

    assert len(rejected) == (2 if row.startswith("h0001") else 1)
    assert rejected["reason"].str.startswith(reason).all()


@pytest.mark.parametrize(
    "cell", ["\"{'xmin': 1}\"", '"[1, 2, 3, 4]"', "12", "\"__import__('os')\""]
)
def test_a_cell_that_is_no_box_stops_with_what_came(images, cell):
    row = f"tb0005.png,512,512,train,{cell},tb,active_tb,tb\n"
    data = read_user_csv(f"{DATA}{row}".encode(), name="data.csv")

    with pytest.raises(ValueError, match="which is no box such as"):
        list_tbx11k(None, None, None, None, data, images)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("test/test_0001.png", "its folder or type is none of"),
        ("extra/da+db/train/h0009.png", "its folder or type is none of"),
        ("health/tb0005.png", "listed with different labels"),
    ],
)
def test_a_line_that_says_no_class_is_rejected(images, line, reason):
    _, _, rejected = read(images, train=f"{TRAIN}{line}\n")

    assert rejected["reason"].str.startswith(reason).any()


def test_a_box_in_a_healthy_image_rejects_the_image(images):
    boxes = coco([("health/h0001.png", 1, [1, 1, 9, 9])], TRAIN.split())

    _, kept, rejected = read(images, train_boxes=boxes)

    assert rejected["image_id"].tolist() == ["h0001"]
    assert "h0001" not in kept["image_id"].tolist()


@pytest.mark.parametrize(
    ("box", "kept"),
    [
        ([-0.8, 3, 10, 10], [[0, 3, 9.2, 10]]),
        ([500, 500, 20, 20], [[500, 500, 12, 12]]),
        ([5, 5, 0, 9], []),
        ([600, 5, 9, 9], []),
    ],
)
def test_boxes_are_cut_at_the_edges_of_the_image(images, box, kept):
    boxes = coco([("tb/tb0005.png", 1, box)], TRAIN.split())

    _, found, _ = read(images, val=None, train_boxes=boxes)

    assert found.drop(columns="image_id").to_numpy().tolist() == [
        pytest.approx(one) for one in kept
    ]


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"images": 3}', "null"])
def test_boxes_that_cannot_be_read_stop_with_the_file(images, text):
    with pytest.raises(ValueError, match=r"TBX11K_train\.json is no file of boxes"):
        read(images, train_boxes=text)


def test_one_list_is_enough_and_is_said(images, caplog):
    caplog.set_level(logging.INFO)

    radiographs, _, _ = read(images, val=None, val_boxes=None)

    assert radiographs["image_id"].tolist() == ["h0001", "s0002", "tb0005"]
    assert "TBX11K_val.txt is absent; its images are left out" in caplog.text


def test_a_list_without_its_boxes_and_nothing_at_all_stop(images):
    with pytest.raises(ValueError, match=r"TBX11K_val\.json is absent, but its list"):
        read(images, val_boxes=None)
    with pytest.raises(
        ValueError, match=r"neither lists/TBX11K_train\.txt nor data\.c"
    ):
        list_tbx11k(None, None, None, None, None, images)


def test_a_listed_image_without_a_file_finds_nothing(images):
    radiographs, _, _ = read(images, train=f"{TRAIN}sick/s9999.png\n")

    assert list_unmatched_tbx11k(radiographs)["image"].tolist() == ["s9999"]
