"""How fast is a bundle from file to score, beside a plain loop on the same files?

    python benchmarks/prediction_speed.py [--files 24] [--size 224]

DenseNet121 with drawn weights, one core each, in turn. The plain loop is that of most
scripts: read, scale to [0, 1], resize, `predict_on_batch` of one image, in Keras (with
torchxrayvision it is the same in PyTorch, which is not a dependency here). Ours does
what `Bundle.predict` does to pixels and scores, and the map; not timed are the gate's
distance and the search among the pictures seen. Prints the ratio of medians.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
from turns import Program, serve

RUNS = 5


def main():
    """Print the seconds per file of both, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=24)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        kind, folder = asked.serve
        serve({"predict": {"ours": ours, "plain": plain}[kind](Path(folder))})
        return
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder), asked)
        programs = {
            kind: Program([__file__, "--serve", kind, folder], n_cores=1)
            for kind in ("ours", "plain")
        }
        for program in programs.values():
            program.seconds("predict")  # starts up
        taken = {kind: [] for kind in programs}
        for _ in range(RUNS):
            for kind, program in programs.items():
                taken[kind].append(program.seconds("predict") / asked.files)
        for program in programs.values():
            program.end()
    middle = {kind: statistics.median(seconds) for kind, seconds in taken.items()}
    for kind, seconds in middle.items():
        print(f"{kind:6} {1000 * seconds:7.1f} ms per file")
    print(f"ours is {middle['plain'] / middle['ours']:.2f} times as fast")


def prepare(folder, asked):
    """Write the files, and the network in both formats."""
    from covid_cxr.pipelines.bundle.self_test import draw_self_test  # noqa: PLC0415
    from covid_cxr.training.exported import as_onnx  # noqa: PLC0415
    from covid_cxr.training.network import Network, build_classifier  # noqa: PLC0415

    drawn = Network(
        size_px=asked.size,
        blocks=[6, 12, 24, 16],
        growth_rate=32,
        initial_filters=64,
        batch_norm_momentum=0.99,
        weights="none",
        seed=1,
    )
    classifier = build_classifier(drawn, 1)
    classifier.save(folder / "model.keras")
    (folder / "model.onnx").write_bytes(as_onnx(classifier))
    (folder / "size.json").write_text(json.dumps(asked.size))
    chests = [c for name, c in draw_self_test().items() if name.endswith(".png")]
    (folder / "files").mkdir()
    for number in range(asked.files):
        content = chests[number % len(chests)]
        (folder / f"files/{number:03d}.png").write_bytes(content)


def ours(folder):
    """Return the task of reading and scoring the files as a bundle does."""
    from covid_cxr.prediction.network import (  # noqa: PLC0415
        OnnxNetwork,
        activation_maps,
        pooled,
    )
    from covid_cxr.radiographs.normalisation import (  # noqa: PLC0415
        Intensity,
        normalise,
    )
    from covid_cxr.radiographs.record import curate  # noqa: PLC0415

    network = OnnxNetwork((folder / "model.onnx").read_bytes())
    size_px = json.loads((folder / "size.json").read_text())
    intensity = Intensity(mean=0.5, standard_deviation=0.25, n_images=1)
    kernel = np.ones((1024, 1), np.float32)

    def predict():
        for file in sorted((folder / "files").iterdir()):
            pixels, _ = curate(file, box=None, size_px=size_px)
            _, maps = network(normalise(pixels[np.newaxis], intensity))
            pooled(maps)
            activation_maps(maps, kernel)

    return predict


def plain(folder):
    """Return the task of reading and scoring the files in a plain loop of Keras."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import cv2  # noqa: PLC0415
    import keras  # noqa: PLC0415

    classifier = keras.saving.load_model(folder / "model.keras", compile=False)
    size_px = json.loads((folder / "size.json").read_text())

    def predict():
        for file in sorted((folder / "files").iterdir()):
            pixels = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
            scaled = cv2.resize(pixels, (size_px, size_px)).astype(np.float32) / 255
            batch = ((scaled - 0.5) / 0.25)[np.newaxis, ..., np.newaxis]
            classifier.predict_on_batch(batch)

    return predict


if __name__ == "__main__":
    sys.exit(main())
