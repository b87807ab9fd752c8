"""A tiny hospital in memory, and a tiny network."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from covid_cxr.cohorts.intensity import IntensitySample
from covid_cxr.radiographs.normalisation import Intensity
from covid_cxr.training.examples import assemble
from covid_cxr.training.network import Network, initialise

SIZE_PX = 32
INTENSITY = Intensity(mean=0.4, standard_deviation=0.2, n_images=40)
SAMPLE = IntensitySample(images=40, seed=1)


@dataclass(frozen=True)
class MemoryStore:
    """What training needs of an image store."""

    images: np.ndarray

    @property
    def size_px(self):
        return self.images.shape[1]

    @property
    def n_images(self):
        return len(self.images)

    @property
    def fingerprint(self):
        return hashlib.sha256(self.images.tobytes()).hexdigest()

    def read(self, rows):
        return self.images[rows]


@dataclass(frozen=True)
class Cohort:
    """What examples are made of."""

    store: MemoryStore
    curated: pd.DataFrame
    split: pd.DataFrame

    def examples(self, labels=("pneumonia",), **changes):
        """Return the examples of some labels, all with one intensity."""
        whole = {**vars(self), "labels": list(labels), "sample": SAMPLE, **changes}
        return replace(assemble(**whole), intensity=INTENSITY)


@pytest.fixture(scope="session")
def network():
    return Network(
        size_px=SIZE_PX,
        blocks=[1, 1],
        growth_rate=4,
        initial_filters=8,
        batch_norm_momentum=0.99,
        weights="none",
        seed=7,
    )


@pytest.fixture(scope="session")
def initial(network):
    """Return the tiny initial classifier and its provenance."""
    return initialise(network)


@pytest.fixture(scope="session")
def cohort():
    """Return 40 images whose cases of pneumonia have a bright upper half.

    The table's rows run against the store's, so that mixing them up is seen.
    """
    rng = np.random.default_rng(0)
    is_case = np.arange(40) % 3 == 0
    images = rng.integers(0, 120, (40, SIZE_PX, SIZE_PX), dtype=np.uint8)
    images[is_case, : SIZE_PX // 2] += 100
    ids = [f"image_{number:02d}" for number in range(40)]
    parts = ["train"] * 21 + ["validation"] * 10 + ["test"] * 9
    return Cohort(
        store=MemoryStore(images[::-1].copy()),
        curated=pd.DataFrame(
            {
                "image_id": ids,
                "row": np.arange(40)[::-1],
                "pneumonia": pd.array(is_case, dtype="boolean"),
                "effusion": pd.array(rng.random(40) < 0.4, dtype="boolean"),
            }
        ),
        split=pd.DataFrame(
            {
                "image_id": ids,
                "patient_id": [f"patient_{number // 2:02d}" for number in range(40)],
                "part": parts,
            }
        ),
    )


@pytest.fixture(scope="session")
def examples(cohort):
    """Return the cohort's examples with two labels."""
    return cohort.examples(["pneumonia", "effusion"])
