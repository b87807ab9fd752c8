from dataclasses import replace

import numpy as np
import pytest

from covid_cxr.synthesis.anatomy import Thorax, inherit_anatomy, take_position


@pytest.fixture
def thorax():
    rng = np.random.default_rng(3)
    return Thorax(
        anatomy=inherit_anatomy(1, sex="F", age_years=40),
        position=take_position("PA", magnification=1.0, rng=rng),
        shape=(100, 120),
    )


def test_a_patient_keeps_the_same_anatomy():
    first, second = (inherit_anatomy(4, sex="M", age_years=60) for _ in range(2))

    assert first == second
    assert first != inherit_anatomy(5, sex="M", age_years=60)


def test_only_grown_women_have_breasts():
    assert inherit_anatomy(4, sex="F", age_years=40).breast > 0
    assert inherit_anatomy(4, sex="F", age_years=8).breast == 0
    assert inherit_anatomy(4, sex="M", age_years=40).breast == 0


def test_a_child_has_a_smaller_chest():
    child, adult = (inherit_anatomy(4, sex="F", age_years=age) for age in (3, 30))

    assert child.half_width < 0.85 * adult.half_width


def test_portable_exposures_find_a_shallower_breath():
    breaths = {
        view: np.mean(
            [
                take_position(
                    view, magnification=1.0, rng=np.random.default_rng(seed)
                ).inspiration
                for seed in range(50)
            ]
        )
        for view in ("PA", "AP")
    }

    assert breaths["AP"] < breaths["PA"] - 0.04


def test_the_right_lung_is_on_the_left_of_the_image(thorax):
    middle = np.array([0.5])

    right = thorax.in_lung(-1, middle, middle)[0]
    left = thorax.in_lung(1, middle, middle)[0]

    assert right[0] < 60 < left[0]


def test_down_the_lung_is_down_the_image_and_across_is_outwards(thorax):
    inner, outer = thorax.in_lung(1, np.array([0.0, 1.0]), np.array([0.6, 0.6]))
    top, bottom = thorax.in_lung(1, np.array([0.5, 0.5]), np.array([0.0, 1.0]))

    assert inner[0] < outer[0]
    assert top[1] < bottom[1] - 40


def test_the_diaphragm_is_a_dome_that_is_higher_on_the_right(thorax):
    across = np.array([0.4, 1.0])
    right, left = (
        thorax.lung_frame(side, across, np.ones(2))[:, 1] for side in (-1, 1)
    )

    assert right[0] < right[1] - 0.05
    assert right[0] < left[0]


def test_lines_are_placed_together_as_each_alone(thorax):
    lines = [np.arange(2.0 * n).reshape(n, 2) / 10 for n in (1, 4, 2)]
    placed = thorax.place_all(lines)

    assert [len(line) for line in placed] == [1, 4, 2]
    for line, alone in zip(placed, lines, strict=True):
        np.testing.assert_array_equal(line, thorax.place(alone))


def test_less_breath_means_shorter_lungs(thorax):
    shallow = replace(thorax, position=replace(thorax.position, inspiration=0.8))

    full_height, shallow_height = (
        np.ptp(chest.lung_outline(1)[:, 1]) for chest in (thorax, shallow)
    )
    assert shallow_height < 0.85 * full_height


def test_a_frame_twice_as_large_holds_the_same_chest_twice_as_large(thorax):
    double = replace(thorax, shape=(200, 240))

    assert double.lung_outline(1) == pytest.approx(2 * thorax.lung_outline(1))
