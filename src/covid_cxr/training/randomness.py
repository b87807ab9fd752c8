"""Random numbers as a function of what they are for, never of when they are drawn."""

import zlib

import numpy as np


def random_stream(seed: int, purpose: str, *numbers: int) -> np.random.Generator:
    """Return the generator that belongs to `seed`, `purpose` and `numbers`.

    The same arguments give the same stream in every process and on every machine,
    whichever streams were used before.

    Args:
        seed: The seed in the parameters, 0 or larger.
        purpose: What the numbers are for, as in "phase1 batch order".
        numbers: What they are for more exactly, such as the epoch and the image.
    """
    # The length goes in, since a seed sequence reads a missing number as a zero.
    words = [seed, zlib.crc32(purpose.encode()), len(numbers), *numbers]
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(words)))
