"""The structural similarity of maps."""

import numpy as np
import pytest

from covid_cxr.saliency.similarity import similarities, similarity_between_images


def test_similarity_is_one_for_the_same_map_and_less_for_noise():
    rng = np.random.default_rng(2)
    maps = rng.random((2, 32, 32))
    noisy = np.clip(maps + rng.normal(0, [[[0.05]], [[0.5]]], maps.shape), 0, 1)

    little, much = similarities(maps, noisy)

    assert similarities(maps, maps) == pytest.approx([1, 1])
    assert 1 > little > much > -1


def test_maps_of_different_images_are_compared_each_with_the_next():
    maps = np.random.default_rng(2).random((3, 16, 16))
    pairs = [maps[[0, 1, 2]], maps[[2, 0, 1]]]

    expected = similarities(*pairs).mean()
    assert similarity_between_images(maps) == pytest.approx(expected)
    assert similarity_between_images(maps[[0, 0]]) == pytest.approx(1)
    assert np.isnan(similarity_between_images(maps[:1]))
