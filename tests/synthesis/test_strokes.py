import numpy as np
import pytest

from covid_cxr.synthesis.strokes import blobs, clouds, fill, soften, trace

SQUARE = np.array([(10.0, 10.0), (30.0, 10.0), (30.0, 20.0), (10.0, 20.0)])


def test_a_filled_outline_is_1_inside_and_0_outside():
    canvas = fill((40, 50), SQUARE)

    assert canvas.shape == (40, 50)
    assert canvas[15, 20] == pytest.approx(1)
    assert canvas[15, 40] == pytest.approx(0)
    assert canvas.sum() == pytest.approx(21 * 11, rel=0.05)


def test_a_thin_line_is_faint_instead_of_wide():
    line = np.array([(5.0, 20.0), (45.0, 20.0)])

    thick = trace((40, 50), [(line, 4, 1.0)], softness_px=0)
    thin = trace((40, 50), [(line, 0.25, 1.0)], softness_px=0)

    assert thick.max() == 1
    assert thin.max() == pytest.approx(0.25, abs=0.03)


def test_a_later_line_covers_an_earlier_one():
    line = np.array([(5.0, 20.0), (45.0, 20.0)])

    canvas = trace((40, 50), [(line, 9, 1.0), (line, 3, 0.5)], softness_px=0)

    assert canvas[20, 25] == pytest.approx(0.5, abs=0.01)
    assert canvas[17, 25] > 0.85


def test_a_blob_is_1_at_its_centre_and_falls_off_with_its_radii():
    canvas = blobs((60, 60), np.array([(20.0, 30.0)]), np.array([(4.0, 8.0)]))

    assert canvas[30, 20] == pytest.approx(1)
    assert canvas[30, 24] == pytest.approx(np.exp(-1), rel=1e-3)
    assert canvas[38, 20] == pytest.approx(np.exp(-1), rel=1e-3)


def test_a_blob_beyond_the_canvas_leaves_it_empty():
    canvas = blobs((60, 60), np.array([(-90.0, 300.0)]), np.array([(4.0, 8.0)]))

    assert not canvas.any()


def test_a_wide_blur_of_the_coarse_copy_agrees_with_a_plain_one():
    canvas = fill((200, 200), 5 * SQUARE)

    plain, coarse = (soften(canvas, sigma) for sigma in (5.99, 6.01))

    assert coarse.sum() == pytest.approx(plain.sum(), rel=0.01)
    assert np.abs(coarse - plain).max() < 0.06


def test_clouds_are_the_same_at_two_sizes():
    small, large = (
        clouds((size, size), grains=8, rng=np.random.default_rng(1))
        for size in (40, 80)
    )

    halved = large.reshape(40, 2, 40, 2).mean(axis=(1, 3))
    assert halved == pytest.approx(small, abs=0.05)
    assert 0 <= large.min() < 0.2
    assert 0.8 < large.max() <= 1
