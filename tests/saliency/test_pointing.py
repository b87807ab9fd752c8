"""The pointing game."""

import numpy as np
import pytest

from covid_cxr.saliency.pointing import (
    COLUMNS,
    largest_elements,
    points_into,
    tabulate_pointing,
)


@pytest.fixture
def maps():
    """Return three maps whose largest elements are at known places."""
    maps = np.zeros((3, 4, 4))
    maps[0, 1, 2] = maps[1, 3, 0] = maps[2, 0, 0] = 1
    return maps


BOXES = [
    np.array([[0, 0, 0.02, 0.02], [0.5, 0.25, 0.25, 0.25]]),
    np.array([[0, 0, 1, 0.5]]),
    np.array([[0.5, 0.75, 0.5, 0.25], [0.75, 0.5, 0.25, 0.5]]),
]


def test_a_map_points_with_the_centre_of_its_largest_element(maps):
    expected = [[0.625, 0.375], [0.125, 0.875], [0.125, 0.125]]

    assert largest_elements(maps).tolist() == expected


def test_a_map_of_nothing_points_nowhere_and_hits_nothing(maps):
    points = largest_elements(np.zeros((1, 4, 4)))

    assert np.isnan(points).all()
    assert not points_into(points, [np.array([[0, 0, 1, 1]])]).any()


def test_any_box_of_the_image_may_be_hit():
    points = [[0.6, 0.3], [0.6, 0.6], [0.74, 0.9], [0.5, 0.5]]
    boxes = [*BOXES, np.zeros((0, 4))]

    assert points_into(points, boxes).tolist() == [True, False, True, False]


def test_the_table_holds_hits_and_what_chance_would_hit(maps):
    [row] = tabulate_pointing(
        maps, BOXES, patients=np.array(["p", "p", "q"]), level=0.95
    ).to_dict("records")

    assert (row["n_images"], row["n_patients"], row["n_hits"]) == (3, 2, 1)
    assert row["hits"] == pytest.approx(1 / 3)
    assert row["hits_lower"] < 1 / 3 < row["hits_upper"]
    # Of the six pairs, the points of images 1 and 3 lie in the box of image 2.
    assert row["hits_of_other_images"] == pytest.approx(2 / 6)
    # Boxes that overlap are counted once.
    assert row["area"] == pytest.approx((1 / 16 + 1 / 2 + 3 / 16) / 3, abs=0.005)


def test_the_interval_is_clustered_by_patient(maps):
    many = np.concatenate([maps] * 4)
    boxes = BOXES * 4
    each = tabulate_pointing(
        many, boxes, patients=np.arange(12).astype(str), level=0.95
    )
    shared = tabulate_pointing(
        many, boxes, patients=np.tile(["p", "q", "r"], 4), level=0.95
    )

    assert shared["hits_lower"][0] < each["hits_lower"][0]


def test_without_an_image_there_is_an_empty_table():
    table = tabulate_pointing(
        np.zeros((0, 1, 1)), [], patients=np.array([], str), level=0.95
    )

    assert table.empty
    assert table.columns.tolist() == list(COLUMNS)
