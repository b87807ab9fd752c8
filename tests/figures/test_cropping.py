"""Figure 2."""

import numpy as np

from covid_cxr.figures.cropping import draw_cropping


def test_what_is_outside_the_crop_cannot_be_read_and_what_is_inside_is_untouched():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 2, (120, 160)).astype(np.uint8) * 255  # fine "text"

    figure = draw_cropping(pixels, [40, 30, 140, 110])

    before, after = (axes.images[0].get_array() for axes in figure.axes)
    assert np.array_equal(before[30:110, 40:140], pixels[30:110, 40:140])
    assert np.array_equal(after, pixels[30:110, 40:140])
    assert np.std(before[:30]) < 0.25 * np.std(pixels[:30])


def test_the_crop_is_drawn_where_it_is():
    figure = draw_cropping(np.zeros((50, 60), np.uint8), [10.0, 5.0, 40.0, 45.0])

    [frame] = figure.axes[0].patches
    assert frame.get_bbox().extents.tolist() == [10, 5, 40, 45]
