"""A network whose maps are known, and a small one that has learned something."""

import keras
import numpy as np
import pytest


@pytest.fixture(scope="session")
def bright_network():
    """Return a network whose map is the image itself, where it is above 0."""
    image = keras.Input((8, 8, 1))
    bright = keras.layers.Conv2D(1, 1, activation="relu", name="bright")(image)
    pooled = keras.layers.GlobalAveragePooling2D()(bright)
    model = keras.Model(image, keras.layers.Dense(1, activation="sigmoid")(pooled))
    model.set_weights(
        [np.ones((1, 1, 1, 1)), np.zeros(1), np.ones((1, 1)), np.zeros(1)]
    )
    return model


@pytest.fixture(scope="session")
def as_map_table():
    """Return a function that writes maps on [0, 1] as a table of bytes."""

    def write(images, maps):
        maps = np.rint(255 * np.asarray(maps)).astype(np.uint8)
        return images.assign(
            height=maps.shape[1],
            width=maps.shape[2],
            map=[one.ravel() for one in maps],
        )

    return write
