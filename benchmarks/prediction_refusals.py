"""How many radiographs does the gate refuse, and does it tell foreign pictures apart?

    python benchmarks/prediction_refusals.py RADIOGRAPHS [--metadata metadata.csv]
        [--classifier FILE.keras --split phase3_split.parquet] [--foreign DICOM]

Fits the gate of a bundle to two thirds of the patients, many times, and prints the
share of the others that it refuses, beside the share asked for; then the AUROC of its
distance for what is none: laterals (`view` L in the metadata), DICOM files of other
kinds, pictures that come with packages, radiographs turned, inverted and cut. Images
that the classifier was trained on, by its split, are left out. Without a classifier the
network is drawn, not trained. A patient is that of the metadata (`filename, patientid,
view`, as in covid-chestxray-dataset), or the file's name until the first "-" or "_".
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pydicom
import sklearn
from matplotlib import get_data_path

from covid_cxr.prediction.gate import fit_gate
from covid_cxr.prediction.network import OnnxNetwork, pooled
from covid_cxr.radiographs.admission import USUAL
from covid_cxr.radiographs.geometry import resize
from covid_cxr.radiographs.normalisation import Intensity, normalise
from covid_cxr.radiographs.record import curate
from covid_cxr.statistics.auc import normal_quantile
from covid_cxr.statistics.proportion import wilson_bounds
from covid_cxr.statistics.roc import trace_roc

SUFFIXES = {".png", ".jpg", ".jpeg", ".dcm"}
REPLICATES, REFUSED_SHARES = 20, (0.01, 0.05)
RADIOGRAPHS = {"CR", "DX"}
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
    for name in ("--metadata", "--classifier", "--split", "--foreign"):
        parser.add_argument(name, type=Path)
    asked = parser.parse_args()
    classifier = load_classifier(asked.classifier)
    size_px = classifier.input_shape[1]
    known, laterals, patients = choose(asked, read_images(asked.radiographs, size_px))
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
        **({"laterals": np.stack(laterals)} if laterals else {}),
        "DICOM of other kinds": np.stack(foreign_dicom(asked.foreign, size_px)),
        "pictures of packages": np.stack(list(package_pictures(size_px).values())),
        **{n: np.stack([f(image) for image in images]) for n, f in CHANGES.items()},
    }
    print(f"{len(images)} radiographs of {len(set(patients))} patients, {size_px} px")
    report(features(images), patients, {n: features(f) for n, f in foreign.items()})


def choose(asked, found):
    """Return frontals by name, laterals, and the patient of each frontal.

    What the classifier was trained on is in none of them.
    """
    trained = set()
    if asked.split is not None:
        split = pd.read_parquet(asked.split)
        trained = set(split.loc[split["part"] == "train", "image_id"])
    table = pd.DataFrame(index=[*found], columns=["patientid", "view"])
    if asked.metadata is not None:
        told = pd.read_csv(asked.metadata, dtype=str).drop_duplicates("filename")
        table = told.set_index("filename").reindex(table.index)
    short = [name.split("-")[0].split("_")[0] for name in found]
    table = table.assign(patient=table["patientid"].fillna(pd.Series(short, [*found])))
    known = {
        name: pixels
        for name, pixels in found.items()
        if name not in trained and table.loc[name, "view"] != "L"
    }
    laterals = [found[name] for name in table.index[table["view"] == "L"]]
    return known, laterals, table.loc[[*known], "patient"].to_numpy(str)


def report(usual, patients, foreign):
    """Print what the gates refuse of what they were not fitted to."""
    fitted = [one_fit(usual, patients, foreign, seed) for seed in range(REPLICATES)]
    n_patients = len(np.unique(patients))
    for share in REFUSED_SHARES:
        refused = [one["usual"][share] for one in fitted if share in one["usual"]]
        if not refused:
            needed = round(1 / share) - 1
            print(f"asked for {share:g}: too few patients, {needed} must set the limit")
            continue
        mean = np.mean(refused)
        low, high = wilson_bounds(mean, n_patients, normal_quantile(0.95))
        print(
            f"asked for {share:g}: {mean:.3f} of new patients refused (95 % interval "
            f"as of {n_patients} patients {low:.3f} to {high:.3f})"
        )
    for name in foreign:
        caught = [one[name][1] for one in fitted if one[name][1] is not None]
        told = f"refused {np.mean(caught):.2f}" if caught else "nothing refused"
        area = np.mean([one[name][0] for one in fitted])
        print(f"{name:24} n {len(foreign[name]):4}  AUROC {area:.3f}  {told}")


def one_fit(usual, patients, foreign, seed):
    """Return what one gate refuses of new patients, and of each kind of picture."""
    names = np.unique(patients)
    new = np.random.default_rng(seed).permutation(names)[: len(names) // 3]
    is_new = np.isin(patients, new)
    found = {"usual": {}}
    for share in REFUSED_SHARES:
        gate, record = fit_gate(
            usual[~is_new], patients[~is_new], refused_share=share, seed=seed
        )
        known = gate.distance(usual[is_new])
        first = np.unique(patients[is_new], return_index=True)[1]  # one of each patient
        limit = record["limit"]
        if limit is not None:
            found["usual"][share] = (known[first] > limit).mean()
    for name, features in foreign.items():
        of_new = features[is_new] if len(features) == len(usual) else features
        distance = gate.distance(of_new)
        truth = np.repeat([False, True], [len(known), len(distance)])
        curve = trace_roc(truth, np.r_[known, distance])
        area = np.trapezoid(curve.sensitivity, curve.false_positive_rate)
        caught = None if limit is None else (distance > limit).mean()
        found[name] = area, caught
    return found


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


def foreign_dicom(folder, size_px):
    """Return pictures of DICOM files that are no chest radiographs, once each.

    Those of other modalities that come with pydicom; and files of `folder`.
    """
    others = sorted((Path(pydicom.__file__).parent / "data/test_files").glob("*.dcm"))
    found = {}
    for place in [*others, *(sorted(folder.glob("*.dcm")) if folder else [])]:
        try:
            header = pydicom.dcmread(place)
            pixels = header.pixel_array.astype(float)
        except Exception:  # noqa: S112 - test files, some damaged
            continue
        if place in others and header.get("Modality") in RADIOGRAPHS:
            continue
        while pixels.ndim > 2:  # the middle frame, the mean of colours
            is_colour = pixels.shape[-1] in {3, 4}
            pixels = pixels.mean(axis=-1) if is_colour else pixels[len(pixels) // 2]
        if min(pixels.shape) >= 32 and np.ptp(pixels) > 0:
            grey = (255 * (pixels - pixels.min()) / np.ptp(pixels)).astype(np.uint8)
            small = resize(grey, size_px=size_px)
            found[small.tobytes()] = small
    return list(found.values())


if __name__ == "__main__":
    main()
