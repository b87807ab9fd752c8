"""Several image stores read as one, without a copy of any image."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.radiographs.store import ImageStore


@dataclass(frozen=True, kw_only=True)
class PooledStore:
    """Image stores one after the other: the rows of the second follow the first's.

    Attributes:
        stores: All of one image size.
    """

    stores: tuple[ImageStore, ...]

    def __post_init__(self) -> None:
        """Refuse stores of different image sizes.

        Raises:
            ValueError: If they are.
        """
        sizes = {store.root.name: store.size_px for store in self.stores}
        if len(set(sizes.values())) != 1:
            shown = ", ".join(f"{name} {size} px" for name, size in sizes.items())
            raise ValueError(
                f"Image stores of one size can be pooled, got {shown or 'none'}; "
                "curate all cohorts with the same curation.size_px."
            )

    @property
    def n_images(self) -> int:
        """Rows of all stores."""
        return sum(store.n_images for store in self.stores)

    @property
    def size_px(self) -> int:
        """Height and width of each image."""
        return self.stores[0].size_px

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the stores' fingerprints, in their order."""
        joined = " ".join(store.fingerprint for store in self.stores)
        return hashlib.sha256(joined.encode()).hexdigest()

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return the images of `rows`, shape (n, size_px, size_px), in their order.

        Args:
            rows: Shape (n,), each 0 to n_images - 1, repeated ones allowed.

        Raises:
            ValueError: If a row is outside the stores.
        """
        rows = np.asarray(rows, dtype=np.int64)
        outside = rows[(rows < 0) | (rows >= self.n_images)]
        if outside.size:
            raise ValueError(
                f"Row {outside[0]} is not in the pooled stores, which have the rows 0 "
                f"to {self.n_images - 1}; run the pooled pipeline from its first step."
            )
        images = np.empty((len(rows), self.size_px, self.size_px), dtype=np.uint8)
        first = 0
        for store in self.stores:
            is_here = (rows >= first) & (rows < first + store.n_images)
            images[is_here] = store.read(rows[is_here] - first)
            first += store.n_images
        return images


def pooled(stores: Sequence[ImageStore]) -> ImageStore | PooledStore:
    """Return several stores as one; one store is that itself.

    Raises:
        ValueError: If they have different image sizes.
    """
    return stores[0] if len(stores) == 1 else PooledStore(stores=tuple(stores))


def stores_of(images: Any) -> tuple[ImageStore, ...]:
    """Return the stores that `pooled` was given."""
    return images.stores if isinstance(images, PooledStore) else (images,)


def records_of(images: Any) -> pd.DataFrame:
    """Return what became of each image: a row per row of the stores that it pools."""
    return pd.concat([one.records for one in stores_of(images)], ignore_index=True)
