"""Which radiographs the gallery shows, and what of them."""

import base64
import json

import cv2
import numpy as np
import pandas as pd
import pytest

from covid_cxr.report.gallery import Gallery, draw_images, gather_cases

OUTCOMES = ["true_positive"] * 20 + ["false_positive"] * 3 + ["true_negative"] * 7


def made_up_maps(outcomes=OUTCOMES, size=2):
    n = len(outcomes)
    return pd.DataFrame(
        {
            "image_id": [f"secret_{i:02d}.png" for i in range(n)],
            "patient_index": np.arange(n) + 1,
            "outcome": outcomes,
            "score": np.linspace(0, 1, n),
            "height": size,
            "width": size,
            "map": [[0, 255, 128, 0] if size == 2 else [9] * size**2] * n,
        }
    )


def gather(maps, **paths):
    images = draw_images(maps, Gallery(images=4, seed=1))
    radiographs = pd.DataFrame(
        {"image_id": maps["image_id"], "site": "north", "view": "PA"}
    )
    pixels = np.tile(np.arange(0, 250, dtype=np.uint8), (len(images), 300, 2))
    return gather_cases(images, pixels, radiographs, paths or {"path_b": maps})


def decode(address):
    data = np.frombuffer(base64.b64decode(address.split(",")[1]), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_UNCHANGED)


def test_outcomes_are_drawn_in_turn_as_far_as_they_go():
    maps = made_up_maps()

    drawn = draw_images(maps, Gallery(images=14, seed=1))

    outcomes = maps.set_index("image_id").loc[drawn, "outcome"].value_counts()
    assert outcomes.to_dict() == {
        "true_positive": 6,
        "true_negative": 5,
        "false_positive": 3,
    }


def test_the_draw_follows_the_seed_and_not_the_order_of_the_rows():
    maps = made_up_maps()
    one, other = (Gallery(images=9, seed=seed) for seed in (1, 2))

    assert draw_images(maps, one) == draw_images(maps[::-1], one)
    assert draw_images(maps, one) != draw_images(maps, other)


def test_no_more_than_there_are_and_none_if_none_are_wanted():
    maps = made_up_maps()

    assert len(draw_images(maps, Gallery(images=99, seed=1))) == len(maps)
    assert draw_images(maps, Gallery(images=0, seed=1)) == []


@pytest.mark.parametrize("images", [-1, 2.5, True])
def test_what_is_no_number_of_images_is_refused(images):
    with pytest.raises(ValueError, match=r"gallery\.images must be a whole number"):
        Gallery(images=images, seed=1)


def test_a_case_has_what_every_path_says_of_it():
    first = made_up_maps()
    second = first.assign(outcome="false_negative", score=1 - first["score"])[::-1]

    cases = gather(first, path_a=first, path_b=second)

    assert {case["paths"]["path_b"]["outcome"] for case in cases} == {"false_negative"}
    for case in cases:
        said = case["paths"]["path_a"]
        row = first.loc[case["patient"] - 1]
        assert said["outcome"] == row["outcome"]
        assert said["score"] == pytest.approx(row["score"], abs=1e-4)
        other = case["paths"]["path_b"]["score"]
        assert other == pytest.approx(1 - row["score"], abs=1e-4)


def test_a_map_is_red_where_it_is_high_and_blue_where_it_is_low():
    case = gather(made_up_maps())[0]

    blue, green, red = np.moveaxis(decode(case["paths"]["path_b"]["map"]), -1, 0)
    assert blue[0, 0] > 100 > red[0, 0]
    assert red[0, 1] > 100 > blue[0, 1]
    assert green[1, 0] > 200


def test_pictures_are_small():
    case = gather(made_up_maps(size=200))[0]

    assert decode(case["radiograph"]).shape == (154, 256)  # of 300 x 500 pixels
    assert decode(case["paths"]["path_b"]["map"]).shape == (64, 64, 3)


def test_no_image_is_named():
    assert "secret" not in json.dumps(gather(made_up_maps()))


def test_a_radiograph_without_a_map_is_refused_by_name():
    maps = made_up_maps()

    with pytest.raises(ValueError, match=r"no map of path_c, such as secret_"):
        gather(maps, path_b=maps, path_c=maps.tail(1))
