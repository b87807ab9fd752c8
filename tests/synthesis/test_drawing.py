import numpy as np
import pytest

from covid_cxr.synthesis.drawing import (
    draw_radiograph,
    locate_lungs,
    read_opacities,
    read_signs,
)

SHAPE = (128, 128)


def test_the_same_exam_is_drawn_the_same(make_exam, look):
    first, second = (
        draw_radiograph(make_exam({"mass": 0.5}), shape=SHAPE, look=look)
        for _ in range(2)
    )

    assert (first.density == second.density).all()


def test_another_day_is_another_picture_of_the_same_chest(make_exam, look):
    today, tomorrow, stranger = (
        draw_radiograph(make_exam(**seeds), shape=SHAPE, look=look).density.ravel()
        for seeds in ({}, {"drawing_seed": 7}, {"anatomy_seed": 9, "drawing_seed": 7})
    )

    assert (today != tomorrow).any()
    assert np.corrcoef(today, tomorrow)[0, 1] > np.corrcoef(today, stranger)[0, 1]


def test_a_radiograph_has_the_shape_asked_for_and_dark_corners(make_exam, look):
    drawing = draw_radiograph(make_exam(), shape=(150, 130), look=look)

    assert drawing.density.shape == drawing.lungs.shape == (150, 130)
    assert drawing.density[:4, :4].mean() < 0.2
    assert 0 <= drawing.density.min() <= drawing.density.max() <= 1


def test_lungs_are_darker_than_what_is_between_them(make_exam, look):
    drawing = draw_radiograph(make_exam(), shape=SHAPE, look=look)

    heart = drawing.density[75:85, 64:74].mean()
    assert drawing.density[drawing.lungs].mean() < heart - 0.15
    assert 0.15 < drawing.lungs.mean() < 0.5


def test_a_second_finding_does_not_move_the_first(make_exam, look):
    boxes = [
        draw_radiograph(make_exam(severities), shape=SHAPE, look=look).opacity_boxes
        for severities in ({"pneumonia": 0.6}, {"pneumonia": 0.6, "nodule": 0.5})
    ]

    assert boxes[0] == boxes[1] != ()


def test_a_box_surrounds_the_opacity(make_exam, look):
    ill, well = (
        draw_radiograph(make_exam(severities), shape=SHAPE, look=look)
        for severities in ({"consolidation": 0.8}, {})
    )
    (x, y, width, height) = ill.opacity_boxes[0]

    added = np.clip(ill.density - well.density, 0, None) * ill.lungs
    inside = added[y : y + height, x : x + width].sum()
    assert inside > 0.6 * added.sum()
    assert well.opacity_boxes == ()


def test_other_findings_are_no_opacities(make_exam, look):
    exam = make_exam({"mass": 0.9, "effusion": 0.9})

    assert draw_radiograph(exam, shape=SHAPE, look=look).opacity_boxes == ()


def test_a_reader_of_the_sketch_draws_the_same_boxes(make_exam, look):
    for seed in range(6):
        exam = make_exam({"pneumonia": 0.7}, drawing_seed=seed)
        drawn = draw_radiograph(exam, shape=(384, 384), look=look).opacity_boxes

        read = read_opacities(exam, shape=(384, 384), look=look)

        assert len(read) == len(drawn)
        assert np.array(read) == pytest.approx(np.array(drawn), abs=12)


@pytest.mark.parametrize(
    "finding", ["mass", "nodule", "pneumothorax", "effusion", "cardiomegaly"]
)
def test_a_finding_is_marked_where_it_changes_the_radiograph(make_exam, look, finding):
    ill, well = (make_exam(severities) for severities in ({finding: 0.9}, {}))
    drawn = [
        draw_radiograph(e, shape=(256, 256), look=look).density for e in (ill, well)
    ]
    changed = np.abs(drawn[0] - drawn[1]) > 0.1

    (marked,) = read_signs(ill, shape=(256, 256), look=look).items()

    x, y, width, height = marked[1]
    assert marked[0] == finding
    inside = changed[y : y + height, x : x + width].sum() / changed.sum()
    assert inside > 0.6
    assert width * height < 0.4 * changed.size
    assert read_signs(well, shape=(256, 256), look=look) == {}


def test_the_lungs_are_where_they_are_said_to_be(make_exam, look):
    shape = (140, 128)
    rows, columns = np.nonzero(
        draw_radiograph(make_exam(), shape=shape, look=look).lungs
    )

    x, y, width, height = locate_lungs(make_exam(), shape=shape, look=look)

    assert (x, y) == pytest.approx((columns.min(), rows.min()), abs=3)
    assert (x + width, y + height) == pytest.approx((columns.max(), rows.max()), abs=3)


def test_a_large_radiograph_shows_the_same_lungs(make_exam, look):
    small, large = (
        draw_radiograph(make_exam(), shape=(size, size), look=look).lungs
        for size in (128, 640)
    )

    assert (large[2::5, 2::5] != small).mean() < 0.02


def test_devices_show(make_exam, look):
    plain, wired = (
        draw_radiograph(make_exam(has_devices=wired), shape=SHAPE, look=look).density
        for wired in (False, True)
    )

    assert (wired - plain).max() > 0.1
