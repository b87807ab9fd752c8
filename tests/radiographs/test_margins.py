import numpy as np
import pytest

from covid_cxr.radiographs.margins import without_margins

PICTURE = np.random.default_rng(0).integers(0, 256, (256, 256), dtype=np.uint8)


@pytest.mark.parametrize("grey", [0, 128, 255])
@pytest.mark.parametrize(
    "margins", [((30, 0), (0, 0)), ((0, 50), (7, 0)), ((90, 90), (90, 90))]
)
def test_nothing_of_a_plain_margin_is_left_and_hardly_anything_else_is_cut(
    grey, margins
):
    padded = np.pad(PICTURE, margins, constant_values=grey)
    is_picture = np.pad(np.ones_like(PICTURE), margins)

    kept = without_margins(padded)

    # The lines of the grid where margins end: two at each, of 1/128 of the side.
    tolerance = 4 * max(padded.shape) / 128
    assert min(kept.shape) >= 256 - tolerance
    offset = kept.__array_interface__["data"][0] - padded.__array_interface__["data"][0]
    y, x = divmod(offset, padded.shape[1])
    assert is_picture[y : y + kept.shape[0], x : x + kept.shape[1]].all()


@pytest.mark.parametrize(
    "pixels",
    [
        PICTURE,
        np.zeros((64, 64), np.uint8),
        np.pad(PICTURE[:20, :20], ((100, 8), (30, 78))),
        PICTURE[:1, :1],
        PICTURE[:3, :200],
    ],
    ids=["no margin", "one grey", "a small label", "one pixel", "three rows"],
)
def test_what_has_no_margins_or_nothing_else_stays_as_it_is(pixels):
    np.testing.assert_array_equal(without_margins(pixels), pixels)


def test_noise_of_a_scan_is_margin():
    noisy = np.random.default_rng(1).normal(240, 2, (400, 400)).round()
    noisy[60:300, 80:320] = PICTURE[:240, :240]

    kept = without_margins(noisy.astype(np.uint8))

    assert 225 <= kept.shape[0] <= 240
    assert 225 <= kept.shape[1] <= 240
