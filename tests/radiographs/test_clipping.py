"""Grey values that were cut off at both ends leave black and white in the middle."""

import numpy as np
import pytest

from covid_cxr.radiographs.clipping import is_clipped_suspect

PICTURE = np.linspace(20, 235, 96 * 96).reshape(96, 96).T.astype(np.uint8)


def cut(low, high):
    """Return the picture with what is below and above shown black and white."""
    span = 255 * (PICTURE.astype(float) - low) / (high - low)
    return np.clip(span, 0, 255).astype(np.uint8)


def test_both_ends_are_suspect():
    assert is_clipped_suspect(cut(60, 200))


@pytest.mark.parametrize("pixels", [PICTURE, cut(60, 300), cut(-40, 200)])
def test_one_end_is_not(pixels):
    assert not is_clipped_suspect(pixels)


def test_black_and_white_at_the_rim_do_not_count():
    pixels = np.full((96, 96), 128, np.uint8)
    pixels[:10], pixels[-10:] = 0, 255

    assert not is_clipped_suspect(pixels)


@pytest.mark.parametrize(("n_white", "is_suspect"), [(103, False), (104, True)])
def test_two_percent_of_the_middle_are_enough(n_white, is_suspect):
    pixels = np.full((96, 96), 128, np.uint8)
    middle = np.full(72 * 72, 128, np.uint8)  # 5184 pixels, of which 2 % are 103.68
    middle[:200], middle[-n_white:] = 0, 255
    pixels[12:84, 12:84] = middle.reshape(72, 72)

    assert is_clipped_suspect(pixels) == is_suspect
