"""How fast is a bundle from file to score, beside plain loops on the same files?

    python benchmarks/prediction_speed.py [FOLDER] [--files 24] [--size 224]
        [--torchxrayvision /its/venv/bin/python]

DenseNet121 with drawn weights, one core each, in turn, on the PNG and JPEG files of a
folder (its first ones), or on drawn ones of 2000 x 1800 pixels. Ours is all that
`Bundle.predictions` does: decoding, hashes, fingerprints, flags, resizing, score, gate,
map. The plain loop of Keras is that of most scripts: read, resize, scale,
`predict_on_batch` of one image. The loop of torchxrayvision is that of its
documentation, in an environment where it is installed (it is no dependency here): read
by scikit-image, `normalize`, XRayCenterCrop, XRayResizer, its DenseNet. Prints medians
of the seconds of the processor, which other work on the core does not move, ratios, and
of ours what goes where.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from turns import Program, serve

RUNS = 5
SUFFIXES = {".png", ".jpg", ".jpeg"}
DRAWN_PX = (2000, 1800)


def main():
    """Print the seconds per file of each loop, and the ratios to ours."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--files", type=int, default=24)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--torchxrayvision", metavar="PYTHON")
    parser.add_argument("--serve", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        kind, folder, size_px = asked.serve
        loop = {"ours": ours, "keras": keras_loop, "torchxrayvision": xrv_loop}[kind]
        task = {"predict": loop(Path(folder), int(size_px))}
        serve(task, clock=time.process_time)
        return
    with tempfile.TemporaryDirectory() as folder:
        n_files = prepare(Path(folder), asked)
        report(measure(folder, asked, n_files))
        where_time_goes(Path(folder), asked.size)


def prepare(folder, asked):
    """Write the bundle, and beside it the files; return how many there are."""
    from drawn_bundle import write_bundle  # noqa: PLC0415

    write_bundle(folder / "bundle", size_px=asked.size)
    (folder / "files").mkdir()
    if asked.folder is not None:
        found = sorted(
            path for path in asked.folder.rglob("*") if path.suffix.lower() in SUFFIXES
        )
        for number, path in enumerate(found[: asked.files]):
            (folder / f"files/{number:04d}{path.suffix}").symlink_to(path.resolve())
        return len(found[: asked.files])
    draw_files(folder / "files", asked.files)
    return asked.files


def draw_files(folder, n_files):
    """Write drawn radiographs, half PNG, half JPEG."""
    import cv2  # noqa: PLC0415

    from covid_cxr.pipelines.bundle.self_test import draw_self_test  # noqa: PLC0415

    chest = cv2.imdecode(
        np.frombuffer(draw_self_test()["chest_1.png"], np.uint8), cv2.IMREAD_GRAYSCALE
    )
    large = cv2.resize(chest, DRAWN_PX[::-1], interpolation=cv2.INTER_CUBIC)
    rng = np.random.default_rng(0)
    for number in range(n_files):
        noise = rng.normal(0, 3, large.shape)
        pixels = np.clip(large + noise, 0, 255).astype(np.uint8)
        suffix = (".png", ".jpg")[number % 2]
        cv2.imwrite(str(folder / f"{number:04d}{suffix}"), pixels)


def measure(folder, asked, n_files):
    """Return the seconds per file of each loop in each run."""
    pythons = {"ours": sys.executable, "keras": sys.executable}
    if asked.torchxrayvision:
        pythons["torchxrayvision"] = asked.torchxrayvision
    programs = {
        kind: Program(
            [__file__, "--serve", kind, folder, asked.size], n_cores=1, python=python
        )
        for kind, python in pythons.items()
    }
    for program in programs.values():
        program.seconds("predict")  # starts up
    taken = {kind: [] for kind in programs}
    for _ in range(RUNS):
        for kind, program in programs.items():
            taken[kind].append(program.seconds("predict") / n_files)
    for program in programs.values():
        program.end()
    return taken


def report(taken):
    """Print medians, ranges and ratios."""
    middle = {kind: statistics.median(seconds) for kind, seconds in taken.items()}
    for kind, seconds in taken.items():
        low, each, high = (
            1000 * one for one in (min(seconds), middle[kind], max(seconds))
        )
        print(f"{kind:16} {each:7.1f} ms per file ({low:.1f} to {high:.1f})")
    for kind in middle.keys() - {"ours"}:
        print(f"ours is {middle[kind] / middle['ours']:.2f} times as fast as {kind}")


def where_time_goes(folder, size_px):
    """Print what the steps of ours take by themselves."""
    from drawn_bundle import INTENSITY  # noqa: PLC0415

    from covid_cxr.prediction import open_bundle  # noqa: PLC0415
    from covid_cxr.radiographs import record  # noqa: PLC0415
    from covid_cxr.radiographs.files import read  # noqa: PLC0415
    from covid_cxr.radiographs.geometry import resize  # noqa: PLC0415
    from covid_cxr.radiographs.normalisation import normalise  # noqa: PLC0415

    files = sorted((folder / "files").iterdir())
    bundle = open_bundle(folder / "bundle")
    raw = [read(path).pixels for path in files]
    stored = [resize(pixels, size_px=size_px) for pixels in raw]
    inputs = [normalise(one[np.newaxis], INTENSITY) for one in stored]
    judged = [bundle.members(one) for one in inputs]
    steps = {
        "reading": (read, files),
        "hash of the pixels": (record.pixels_sha256, raw),
        "resizing": (lambda pixels: resize(pixels, size_px=size_px), raw),
        "fingerprint": (record.fingerprint, stored),
        "network and map": (bundle.members, inputs),
        "gate": (lambda one: bundle.usual.distance(one.features), judged),
    }
    for step, (work, things) in steps.items():
        started = time.process_time()
        for thing in things:
            work(thing)
        each = 1000 * (time.process_time() - started) / len(things)
        print(f"  {step:20} {each:6.1f} ms")


def ours(folder, size_px):
    """Return the task of predicting the files with the bundle."""
    import cv2  # noqa: PLC0415

    from covid_cxr.prediction import open_bundle  # noqa: PLC0415

    cv2.setNumThreads(1)
    bundle = open_bundle(folder / "bundle")
    files = sorted((folder / "files").iterdir())

    def predict():
        rows = [one.row for one in bundle.predictions(files)]
        scored = [row for row in rows if row["status"] != "refused"]
        if not scored:
            raise SystemExit(f"all are refused: {rows[0]['reason']}")

    return predict


def keras_loop(folder, size_px):
    """Return the task of reading and scoring the files in a plain loop of Keras."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import cv2  # noqa: PLC0415
    import keras  # noqa: PLC0415

    cv2.setNumThreads(1)
    classifier = keras.saving.load_model(
        folder / "bundle/path_b/model.keras", compile=False
    )

    def predict():
        for file in sorted((folder / "files").iterdir()):
            pixels = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
            scaled = cv2.resize(pixels, (size_px, size_px)).astype(np.float32) / 255
            batch = ((scaled - 0.5) / 0.25)[np.newaxis, ..., np.newaxis]
            classifier.predict_on_batch(batch)

    return predict


def xrv_loop(folder, size_px):
    """Return the task of reading and scoring the files as torchxrayvision says."""
    import skimage.io  # noqa: PLC0415
    import torch  # noqa: PLC0415
    import torchvision  # noqa: PLC0415
    import torchxrayvision as xrv  # noqa: PLC0415

    torch.set_num_threads(1)
    model = xrv.models.DenseNet(weights=None).eval()
    transform = torchvision.transforms.Compose(
        [xrv.datasets.XRayCenterCrop(), xrv.datasets.XRayResizer(size_px)]
    )

    def predict():
        for file in sorted((folder / "files").iterdir()):
            image = xrv.datasets.normalize(skimage.io.imread(file), 255)
            if image.ndim > 2:
                image = image[:, :, 0]
            batch = torch.from_numpy(transform(image[None, :, :])[None]).float()
            with torch.no_grad():
                model(batch)

    return predict


if __name__ == "__main__":
    sys.exit(main())
