"""A store read with a part of every image hidden."""

from dataclasses import dataclass

import numpy as np
import pytest

from covid_cxr.radiographs.lung_masks import encode_mask
from covid_cxr.radiographs.masked_store import MaskedStore

IMAGES = np.arange(3 * 16, dtype=np.uint8).reshape(3, 4, 4)


@dataclass(frozen=True)
class MemoryStore:
    fingerprint = "abc"
    n_images = 3
    size_px = 4

    def read(self, rows):
        return IMAGES[rows]


@pytest.fixture
def upper_half():
    is_inside = np.zeros((4, 4), bool)
    is_inside[:2] = True
    return encode_mask(is_inside)


def masked(masks, hidden="inside", fill=200):
    return MaskedStore(store=MemoryStore(), masks=masks, hidden=hidden, fill=fill)


def test_one_side_of_the_mask_is_filled_and_the_other_is_as_it_was(upper_half):
    inside = masked({0: upper_half, 2: upper_half}).read(np.array([2, 0]))
    outside = masked({2: upper_half}, "outside").read(np.array([2]))

    assert (inside[:, :2] == 200).all()
    np.testing.assert_array_equal(inside[:, 2:], IMAGES[[2, 0], 2:])
    assert (outside[:, 2:] == 200).all()
    np.testing.assert_array_equal(outside[:, :2], IMAGES[[2], :2])


def test_the_store_itself_stays_as_it_is(upper_half):
    before = IMAGES.copy()
    masked({0: upper_half}).read(np.array([0]))

    np.testing.assert_array_equal(IMAGES, before)


def test_an_image_without_a_mask_is_refused(upper_half):
    with pytest.raises(ValueError, match=r"1 of 2 images have no mask.*row 1"):
        masked({0: upper_half}).read(np.array([0, 1]))


def test_what_is_read_decides_the_fingerprint(upper_half):
    first = masked({0: upper_half})
    others = [
        masked({0: upper_half}, "outside"),
        masked({0: upper_half}, fill=3),
        masked({1: upper_half}),
        masked({0: encode_mask(np.ones((4, 4), bool))}),
    ]

    assert first.fingerprint == masked({0: upper_half}).fingerprint
    assert first.fingerprint not in {other.fingerprint for other in others}
