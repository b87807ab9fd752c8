"""Several stores read as one."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from covid_cxr.radiographs.pooled_store import PooledStore


@dataclass(frozen=True)
class MemoryStore:
    """A store whose images are all of one grey level: 10 times the store, plus row."""

    number: int
    n_images: int
    size_px: int = 4

    @property
    def root(self):
        return Path(f"store_{self.number}")

    @property
    def fingerprint(self):
        return f"{self.number}"

    def read(self, rows):
        assert ((rows >= 0) & (rows < self.n_images)).all()
        levels = (10 * self.number + rows).astype(np.uint8)
        return np.repeat(levels, self.size_px**2).reshape(
            -1, self.size_px, self.size_px
        )


@pytest.fixture
def pooled():
    return PooledStore(stores=(MemoryStore(1, 3), MemoryStore(2, 2), MemoryStore(3, 4)))


def test_rows_of_all_stores_are_read_in_the_asked_order(pooled):
    images = pooled.read(np.array([8, 0, 4, 3, 2, 0]))

    assert images.shape == (6, 4, 4)
    assert images[:, 0, 0].tolist() == [33, 10, 21, 20, 12, 10]
    assert (images == images[:, :1, :1]).all()


def test_no_rows_are_no_images(pooled):
    assert pooled.read(np.array([], dtype=int)).shape == (0, 4, 4)


@pytest.mark.parametrize("row", [-1, 9])
def test_a_row_outside_all_stores_is_refused(pooled, row):
    with pytest.raises(ValueError, match=f"Row {row} .* rows 0 to 8"):
        pooled.read(np.array([0, row]))


def test_the_fingerprint_tells_the_stores_and_their_order_apart(pooled):
    turned = PooledStore(stores=pooled.stores[::-1])

    assert pooled.n_images == turned.n_images == 9
    assert pooled.fingerprint != turned.fingerprint


def test_stores_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match="store_1 4 px, store_2 8 px"):
        PooledStore(stores=(MemoryStore(1, 1), MemoryStore(2, 1, size_px=8)))
