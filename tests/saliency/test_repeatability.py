"""Whether maps of different seeds agree."""

import numpy as np
import pandas as pd
import pytest

from covid_cxr.saliency.repeatability import COLUMNS, tabulate_repeatability
from covid_cxr.saliency.similarity import similarities, similarity_between_images


@pytest.fixture(scope="module")
def maps():
    """Return the maps (image, height, width) of three seeds; the last two agree."""
    rng = np.random.default_rng(4)
    first, second = rng.integers(0, 256, (2, 5, 8, 8)) / 255
    return {2021: first, 2022: second, 2023: second}


@pytest.fixture(scope="module")
def seed_maps(maps, as_map_table):
    images = pd.DataFrame({"image_id": list("abcde"), "patient_index": [1, 1, 2, 3, 4]})
    return pd.concat(
        [as_map_table(images, own).assign(seed=seed) for seed, own in maps.items()],
        ignore_index=True,
    )


def test_every_pair_of_seeds_is_compared(seed_maps, maps):
    table = tabulate_repeatability(seed_maps, 0.95)

    pairs = table[["first_seed", "second_seed"]].to_numpy().tolist()
    assert pairs == [[2021, 2022], [2021, 2023], [2022, 2023]]
    expected = similarities(maps[2021], maps[2022]).mean()
    assert table["similarity"].tolist() == pytest.approx([expected, expected, 1])
    assert (table["n_images"] == 5).all()
    assert (table["n_patients"] == 4).all()
    assert table["lower"][0] < expected < table["upper"][0]
    between = [similarity_between_images(maps[seed]) for seed in (2021, 2022)]
    assert table["between_images"][0] == pytest.approx(np.mean(between))


def test_one_seed_has_no_pair(seed_maps):
    table = tabulate_repeatability(seed_maps[seed_maps["seed"] == 2021], 0.95)

    assert table.empty
    assert table.columns.tolist() == list(COLUMNS)


def test_maps_of_other_images_are_refused(seed_maps):
    with pytest.raises(ValueError, match="seeds 2021 and 2022 are of other images"):
        tabulate_repeatability(seed_maps.iloc[1:], 0.95)
