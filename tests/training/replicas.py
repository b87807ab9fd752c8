"""Trainings on two replicas, each as a process of its own: `python replicas.py …`.

    mirrored FOLDER       on two logical devices, beside one device and a calculation
    worker FOLDER         as one of the workers in TF_CONFIG

Writes arrays to FOLDER; `test_strategy.py` looks at them.
"""

import hashlib
import logging
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from covid_cxr.devices.strategy import Compute
from covid_cxr.radiographs.normalisation import Intensity
from covid_cxr.training.examples import Examples
from covid_cxr.training.loop import fit
from covid_cxr.training.network import Network, build_classifier
from covid_cxr.training.recipe import Recipe
from covid_cxr.training.state import StateFolder
from covid_cxr.training.traced import traced_descent

NETWORK = Network(
    size_px=32,
    blocks=[1, 1],
    growth_rate=4,
    initial_filters=8,
    batch_norm_momentum=0.9,
    weights="none",
    seed=7,
)
RECIPE = {
    "learning_rate": 0.05,
    "momentum": 0.9,
    "weight_decay": 0.01,
    "decay": "coupled_l2",
    "max_epochs": 6,
    "plateau_epochs": 3,
    "plateau_factor": 0.1,
    "stop_epochs": 10,
    "flip": True,
    "rotation_degrees": 8.0,
    "crop_share": 0.1,
    "seed": 11,
}
N_IMAGES = 70
PARTS = ["train"] * 45 + ["validation"] * 25


class Store:
    """Random images; reading them can be slowed down."""

    size_px, n_images, fingerprint = 32, N_IMAGES, "drawn with seed 0"
    seconds = 0.0
    images = np.random.default_rng(0).integers(0, 255, (N_IMAGES, 32, 32), np.uint8)

    def read(self, rows):
        time.sleep(self.seconds)
        return self.images[rows]


def examples_of(store):
    ids = [f"image_{number:02d}" for number in range(N_IMAGES)]
    is_case = np.random.default_rng(1).random(N_IMAGES) < 0.4
    table = {"image_id": ids, "patient_id": ids, "part": PARTS}
    return Examples(
        store=store,
        radiographs=pd.DataFrame({**table, "row": range(N_IMAGES), "sign": is_case}),
        labels=("sign",),
        intensity=Intensity(mean=0.5, standard_deviation=0.25, n_images=45),
    )


def mirrored(folder):
    """Write what two replicas and one device make of the same training."""
    devices = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], devices
    )
    classifier = build_classifier(NETWORK, 1)
    two = Compute(strategy="mirrored")
    one = Compute()
    # Frozen batch normalisation looks at no other image, so nothing but the order of
    # summation tells two replicas of 8 images from one device with 16.
    head = {**RECIPE, "trainable": "head"}
    for name, compute, batch_images in [("two", two, 8), ("one", one, 16)]:
        recipe = Recipe(**head, batch_images=batch_images)
        state = fit(
            classifier, examples_of(Store()), recipe, stage="phase1", compute=compute
        )
        np.savez(folder / f"head_on_{name}.npz", *state.weights)
    recipe = Recipe(**RECIPE, batch_images=8)
    for number in (1, 2):
        state = fit(
            classifier, examples_of(Store()), recipe, stage="phase1", compute=two
        )
        write_result(state, folder / f"result_{number}.txt")
    take_one_step(classifier, recipe, two, folder)


def take_one_step(classifier, recipe, compute, folder):
    """Write the weights after a step on two replicas, and the calculated ones."""
    rng = np.random.default_rng(4)
    images = rng.normal(size=(16, 32, 32, 1)).astype(np.float32)
    is_case = (rng.random((16, 1)) < 0.5).astype(np.float32)
    is_case[3] = np.nan  # unknown: the replicas then know 7 and 8 labels
    descent = traced_descent(classifier, recipe, compute)
    strategy = descent.network.strategy
    zeros = [np.zeros_like(array) for array in descent.velocity()]
    descent.put(weights=classifier.get_weights(), velocity=zeros, learning_rate=0.05)
    values = [
        strategy.experimental_distribute_values_from_function(
            lambda context, array=array: tf.constant(
                np.split(array, 2)[context.replica_id_in_sync_group]
            )
        )
        for array in (images, is_case)
    ]
    descent.step(*values)
    descent.network.average_replicas()
    np.savez(folder / "step.npz", *descent.network.model.get_weights())
    calculated = two_halves(classifier, images, is_case)
    np.savez(folder / "calculated.npz", *calculated)


def two_halves(classifier, images, is_case):
    """Return the weights after one step, from two halves, without our code."""
    halves = []
    for half, labels in zip(np.split(images, 2), np.split(is_case, 2), strict=True):
        copy = keras.models.clone_model(classifier)
        copy.set_weights(classifier.get_weights())
        known = ~np.isnan(labels)
        with tf.GradientTape() as tape:
            probability = copy(half, training=True)[known]
            loss = tf.reduce_sum(
                keras.losses.binary_crossentropy(labels[known], probability)
                * known.sum()
            )
        variables = copy.trainable_variables
        gradients = tape.gradient(loss, [v.value for v in variables])
        halves.append((copy, [gradient.numpy() for gradient in gradients]))
    (first, ours), (second, theirs) = halves
    for variable, a, b in zip(first.trainable_variables, ours, theirs, strict=True):
        gradient = (a + b) / np.isfinite(is_case).sum()
        if variable.name == "kernel":
            gradient = gradient + 0.01 * variable.numpy()
        variable.assign(variable.numpy() - 0.05 * gradient)
    pairs = zip(
        first.non_trainable_variables, second.non_trainable_variables, strict=True
    )
    for variable, other in pairs:
        variable.assign((variable.numpy() + other.numpy()) / 2)
    return first.get_weights()


def worker(folder):
    """Train with the other workers; write the weights' hash and the history."""
    store = Store()
    store.seconds = 0.05
    state = fit(
        build_classifier(NETWORK, 1),
        examples_of(store),
        Recipe(**RECIPE, batch_images=8),
        stage="phase1",
        compute=Compute(strategy="multi_worker"),
        states=StateFolder(folder / "state"),
    )
    write_result(state, folder / "result.txt")


def write_result(state, path):
    """Write the hash of the weights, and the history."""
    digest = hashlib.sha256(b"".join(array.tobytes() for array in state.weights))
    path.write_text(f"{digest.hexdigest()}\n{list(state.history)}")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    {"mirrored": mirrored, "worker": worker}[sys.argv[1]](Path(sys.argv[2]))
