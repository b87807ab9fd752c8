"""An image store read with a part of every image hidden, without a copy of any."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from covid_cxr.radiographs.lung_masks import decode_mask
from covid_cxr.radiographs.store import Images


@dataclass(frozen=True, kw_only=True, eq=False)
class MaskedStore:
    """An image store in which one side of a mask is filled with one grey.

    Attributes:
        store: The images.
        masks: PNG of the images' size by row of the store, bright inside; images of
            other rows cannot be read.
        hidden: The side of the mask that is filled.
        fill: 0 is black, 255 white.
    """

    store: Images
    masks: Mapping[int, bytes]
    hidden: Literal["inside", "outside"]
    fill: int

    @property
    def n_images(self) -> int:
        """Rows of the store."""
        return self.store.n_images

    @property
    def size_px(self) -> int:
        """Height and width of each image."""
        return self.store.size_px

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the store's fingerprint, the masks and how they are filled."""
        shown = f"{self.store.fingerprint} {self.hidden} {self.fill}"
        digest = hashlib.sha256(shown.encode())
        for row in sorted(self.masks):
            digest.update(str(row).encode() + self.masks[row])
        return digest.hexdigest()

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return the images of `rows`, shape (n, size_px, size_px), in their order.

        Args:
            rows: Shape (n,), each with a mask.

        Raises:
            ValueError: If an image has no mask.
        """
        unmasked = [int(row) for row in rows if int(row) not in self.masks]
        if unmasked:
            raise ValueError(
                f"{len(unmasked)} of {len(rows)} images have no mask, such as that of "
                f"row {unmasked[0]}; read those with a mask only."
            )
        is_hidden = np.stack([self.is_hidden(int(row)) for row in rows])
        return np.where(is_hidden, np.uint8(self.fill), self.store.read(rows))

    def is_hidden(self, row: int) -> NDArray[np.bool_]:
        """Return where the image of `row` is filled, shape (size_px, size_px)."""
        is_inside = decode_mask(self.masks[row])
        return is_inside if self.hidden == "inside" else ~is_inside
