"""Which pictures a classifier has seen: the hashes of those of all its trainings.

Hashes only: neither a picture nor a patient can be told from them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

TRAINING, VALIDATION = 1, 2  # trained on; chosen and calibrated on
NO, YES, ON_VALIDATION, MAYBE = "no", "yes", "validation", "maybe"

Octets = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True, eq=False)
class SeenPictures:
    """The pictures of the training and validation parts behind a classifier.

    Attributes:
        pixels_sha256: Of the whole pictures, shape (n, 32).
        fingerprints: Of the pictures as curated (`record.fingerprint`), (n, 32).
        part: TRAINING or VALIDATION, shape (n,).
    """

    pixels_sha256: Octets
    fingerprints: Octets
    part: Octets

    def arrays(self) -> Mapping[str, Octets]:
        """Return what `SeenPictures(**arrays)` takes."""
        names = ("pixels_sha256", "fingerprints", "part")
        return {name: getattr(self, name) for name in names}

    def find(self, pixels_sha256: str, fingerprint: str, *, max_distance: int) -> str:
        """Return whether a picture was trained on: one of `NO, YES, …`.

        Args:
            pixels_sha256: Of the whole picture.
            fingerprint: Of it as curated.
            max_distance: Bits of 256 by which the fingerprints of a picture that was
                stored anew may differ; below 0, only the same pixels are looked for.
        """
        part = self._part_of.get(bytes.fromhex(pixels_sha256))
        if part is not None:
            return YES if part == TRAINING else ON_VALIDATION
        distances = self.distances(np.frombuffer(bytes.fromhex(fingerprint), np.uint8))
        return MAYBE if distances.min(initial=257) <= max_distance else NO

    def distances(self, fingerprint: Octets) -> NDArray[np.int64]:
        """Return the bits by which fingerprints of training pictures differ, (m,)."""
        differing = np.bitwise_count(self._trained_words ^ fingerprint.view(np.uint64))
        return np.asarray(differing.sum(axis=1, dtype=np.int64))

    @cached_property
    def _trained_words(self) -> NDArray[np.uint64]:
        trained = np.ascontiguousarray(self.fingerprints[self.part == TRAINING])
        return trained.view(np.uint64)

    @cached_property
    def _part_of(self) -> dict[bytes, int]:
        # Training last: of a picture in both parts it says so.
        order = np.argsort(-self.part.astype(int), kind="stable")
        hashes, parts = self.pixels_sha256[order], self.part[order]
        return {
            one.tobytes(): int(part) for one, part in zip(hashes, parts, strict=True)
        }
