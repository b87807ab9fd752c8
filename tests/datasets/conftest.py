"""A small cohort of PNG files, built in code."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from covid_cxr.radiographs.curation import Curation, plan_store
from covid_cxr.radiographs.folder import list_folder


@pytest.fixture
def make_plan(tmp_path):
    """Return a function that writes PNG files and plans their store.

    What is given beyond the images is given to `Curation`.
    """

    def make(n_images=10, *, side=32, **curation):
        raw = tmp_path / "raw"
        raw.mkdir(exist_ok=True)
        rng = np.random.default_rng(0)
        names = [f"{i:03d}.png" for i in range(n_images)]
        for name in names:
            pixels = rng.integers(0, 256, (side, side), dtype=np.uint8)
            if not (raw / name).exists():
                Image.fromarray(pixels).save(raw / name)
        radiographs = pd.DataFrame({"image_id": names, "file": names})
        usual = {
            "size_px": 16,
            "shard_images": 3,
            "compression": "none",
            "workers": 1,
            "cluster": None,
        }
        return plan_store(
            radiographs, list_folder(raw), Curation(**{**usual, **curation})
        )

    return make
