"""How many radiographs does the gate refuse, and does it tell foreign pictures apart?

    python benchmarks/prediction_refusals.py RADIOGRAPHS [--classifier FILE.keras]

Fits the gate of a bundle to half of the radiographs below a folder, many times, and
prints the share of the others that it refuses, beside the share asked for; then the
AUROC of its distance for what is none: pictures that come with packages, radiographs
turned, inverted and cut. Without a classifier the network is drawn, not trained: a
lower bound. A patient is the file's name until the first "-" or "_".
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import sklearn
from matplotlib import get_data_path

from covid_cxr.prediction.gate import fit_gate
from covid_cxr.prediction.network import OnnxNetwork, pooled
from covid_cxr.radiographs.admission import USUAL
from covid_cxr.radiographs.normalisation import Intensity, normalise
from covid_cxr.radiographs.record import curate
from covid_cxr.statistics.auc import normal_quantile
from covid_cxr.statistics.proportion import wilson_bounds
from covid_cxr.statistics.roc import trace_roc

SUFFIXES = {".png", ".jpg", ".jpeg", ".dcm"}
REPLICATES, REFUSED_SHARE = 20, 0.05
CHANGES = {
    "turned by 90 degrees": lambda image: np.ascontiguousarray(np.rot90(image)),
    "upside down": lambda image: np.ascontiguousarray(image[::-1]),
    "inverted": lambda image: 255 - image,
    "upper left quarter": lambda image: cv2.resize(
        image[: len(image) // 2, : len(image) // 2], image.shape
    ),
}


def main():
    """Print shares of refused radiographs, and AUROCs of the distance."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("radiographs", type=Path)
    parser.add_argument("--classifier", type=Path)
    asked = parser.parse_args()
    classifier = load_classifier(asked.classifier)
    size_px = classifier.input_shape[1]
    known = read_images(asked.radiographs, size_px)
    patients = np.array([name.split("-")[0].split("_")[0] for name in known])
    images = np.stack(list(known.values()))
    intensity = Intensity(
        mean=float(images.mean() / 255),
        standard_deviation=float(images.std() / 255),
        n_images=len(images),
    )
    from covid_cxr.training.exported import as_onnx  # noqa: PLC0415

    network = OnnxNetwork(as_onnx(classifier))

    def features(pictures):
        pieces = np.array_split(pictures, max(1, len(pictures) // 8))
        return np.concatenate(
            [pooled(network(normalise(piece, intensity))[1]) for piece in pieces]
        )

    foreign = {
        "pictures of packages": np.stack(list(package_pictures(size_px).values())),
        **{n: np.stack([f(image) for image in images]) for n, f in CHANGES.items()},
    }
    print(f"{len(images)} radiographs of {len(set(patients))} patients, {size_px} px")
    report(features(images), patients, {n: features(f) for n, f in foreign.items()})


def report(usual, patients, foreign):
    """Print what the gates refuse of what they were not fitted to."""
    names = np.unique(patients)
    n_refused, n_seen = 0, 0
    areas = {name: [] for name in foreign}
    caught = {name: [] for name in foreign}
    for seed in range(REPLICATES):
        new = np.random.default_rng(seed).permutation(names)[: len(names) // 3]
        is_new = np.isin(patients, new)
        gate, record = fit_gate(
            usual[~is_new], patients[~is_new], refused_share=REFUSED_SHARE, seed=seed
        )
        known = gate.distance(usual[is_new])
        first = np.unique(patients[is_new], return_index=True)[1]  # one of each patient
        n_refused += int((known[first] > record["limit"]).sum())
        n_seen += len(first)
        for name, features in foreign.items():
            of_new = features[is_new] if len(features) == len(usual) else features
            distance = gate.distance(of_new)
            truth = np.repeat([False, True], [len(known), len(distance)])
            curve = trace_roc(truth, np.r_[known, distance])
            rate, sensitivity = curve.false_positive_rate, curve.sensitivity
            areas[name].append(np.trapezoid(sensitivity, rate))
            caught[name].append((distance > record["limit"]).mean())
    low, high = wilson_bounds(n_refused / n_seen, len(names), normal_quantile(0.95))
    print(
        f"refused of new patients: {n_refused / n_seen:.3f} (asked for: at most "
        f"{REFUSED_SHARE:g}; 95 % interval as of {len(names)} patients {low:.3f} to "
        f"{high:.3f})"
    )
    for name in foreign:
        print(
            f"{name:24} AUROC {np.mean(areas[name]):.3f}  refused "
            f"{np.mean(caught[name]):.2f}"
        )


def load_classifier(file):
    """Return the Keras model of a file, or one whose weights are drawn."""
    from covid_cxr.datasets.keras_model import KerasModelDataset  # noqa: PLC0415
    from covid_cxr.training.network import Network, build_classifier  # noqa: PLC0415

    if file is not None:
        return KerasModelDataset(filepath=str(file)).load()
    drawn = Network(
        size_px=128,
        blocks=[2, 4, 4],
        growth_rate=16,
        initial_filters=32,
        batch_norm_momentum=0.9,
        weights="none",
        seed=1,
    )
    return build_classifier(drawn, 1)


def read_images(folder, size_px):
    """Return curated pixels by the file's name."""
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    told = {
        p.name: curate(p, box=None, size_px=size_px, admission=USUAL) for p in paths
    }
    return {name: pixels for name, (pixels, _) in told.items() if pixels is not None}


def package_pictures(size_px):
    """Return pictures that come with scikit-learn and matplotlib."""
    roots = (Path(sklearn.__file__).parent / "datasets/images", Path(get_data_path()))
    found = {}
    for root in roots:
        found |= read_images(root, size_px)
    return found


if __name__ == "__main__":
    main()
