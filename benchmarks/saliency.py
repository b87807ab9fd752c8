"""What maps cost: seconds and memory per radiograph, by way of making them.

Maps of a DenseNet121 with random weights, by one forward pass ("grad_cam"), by
gradients ("hires_cam"), and by one forward pass that is traced first ("traced").
Each way runs in a process of its own. Printed are the seconds until the first map (the
tracing among them), seconds per radiograph after that, and the peak of memory above
that of the loaded network.

    python benchmarks/saliency.py [--size 512] [--images 8] [--blocks 6 12 24 16]
"""

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from covid_cxr.saliency.grad_cam import explainer
from covid_cxr.training.batches import CALLED_PX
from covid_cxr.training.network import Network, build_classifier

WAYS = ("grad_cam", "hires_cam", "traced")


def main():
    """Print one line per way."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--blocks", type=int, nargs="+", default=[6, 12, 24, 16])
    parser.add_argument("--growth-rate", type=int, default=32)
    parser.add_argument("--initial-filters", type=int, default=64)
    parser.add_argument("--way", choices=WAYS)
    options = parser.parse_args()
    if options.way:
        print(measure(options))
        return
    for way in WAYS:
        command = [sys.executable, Path(__file__), *sys.argv[1:], "--way", way]
        print(
            subprocess.run(command, check=True, capture_output=True, text=True).stdout
        )


def measure(options):
    """Return a line about one way, taken in this process."""
    network = Network(
        size_px=options.size,
        blocks=options.blocks,
        growth_rate=options.growth_rate,
        initial_filters=options.initial_filters,
        batch_norm_momentum=0.99,
        weights="none",
        seed=1,
    )
    classifier = build_classifier(network, 1)
    before = peak_bytes()
    images = np.random.default_rng(0).normal(
        size=(options.images, options.size, options.size, 1)
    )
    n_called = max(1, CALLED_PX // options.size**2)
    firsts = range(0, options.images, n_called)
    batches = [images[n : n + n_called].astype(np.float32) for n in firsts]
    start = time.perf_counter()
    explain = explainer_of(classifier, options)
    explain(batches[0])
    first = time.perf_counter()
    for batch in batches:
        explain(batch)
    seconds = (time.perf_counter() - first) / options.images
    return (
        f"{options.way}: {len(batches[0])} at a time, {first - start:.1f} s until the "
        f"first maps, {seconds:.3f} s per radiograph after that, "
        f"{(peak_bytes() - before) / 1e9:.1f} GB"
    )


def explainer_of(classifier, options):
    """Return the function from images to maps, for one way."""
    if options.way != "traced":
        return explainer(classifier, method=options.way, layer=None)
    features = keras.Model(classifier.input, classifier.get_layer("relu").output)
    shape = (None, options.size, options.size, 1)
    return tf.function(
        lambda images: features(images, training=False),
        input_signature=[tf.TensorSpec(shape, tf.float32)],
    )


def peak_bytes():
    """Return the largest amount of memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
