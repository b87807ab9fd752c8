"""A bundle of DenseNet121 with drawn weights: as large and slow as a trained one."""

import json
from dataclasses import asdict

import numpy as np
from safetensors.numpy import save

from covid_cxr import __version__
from covid_cxr.pipelines.bundle.self_test import LOSSLESS, draw_self_test
from covid_cxr.prediction.bundle import GATE, SEEN, SELF_TEST
from covid_cxr.prediction.files import RECORD, SCHEMA_VERSION, sha256_of
from covid_cxr.prediction.gate import UsualFeatures
from covid_cxr.prediction.members import KERAS, ONNX, WEIGHTS
from covid_cxr.prediction.network import OnnxNetwork
from covid_cxr.prediction.seen import TRAINING, SeenPictures
from covid_cxr.radiographs.normalisation import Intensity, normalise
from covid_cxr.radiographs.record import RENDERING_VERSION, curate, pixels_sha256
from covid_cxr.training.exported import as_onnx, as_safetensors
from covid_cxr.training.network import Network, build_classifier

CHANNELS, N_USUAL, N_SEEN = 1024, 500, 5000
INTENSITY = Intensity(mean=0.5, standard_deviation=0.25, n_images=1)
MEMBER = "path_b"


def write_bundle(folder, *, size_px):
    """Write a bundle whose images are of so many pixels to a side."""
    drawn = Network(
        size_px=size_px,
        blocks=[6, 12, 24, 16],
        growth_rate=32,
        initial_filters=64,
        batch_norm_momentum=0.99,
        weights="none",
        seed=1,
    )
    classifier = build_classifier(drawn, 1)
    for part in (SELF_TEST, MEMBER):
        (folder / part).mkdir(parents=True)
    classifier.save(folder / MEMBER / KERAS)
    rng = np.random.default_rng(1)
    usual = UsualFeatures.of(rng.normal(size=(N_USUAL, CHANNELS)))
    octets = rng.integers(0, 256, (2, N_SEEN, 32), np.uint8)
    seen = SeenPictures(
        pixels_sha256=octets[0],
        fingerprints=octets[1],
        part=np.full(N_SEEN, TRAINING, np.uint8),
    )
    content = {
        f"{MEMBER}/{ONNX}": as_onnx(classifier),
        f"{MEMBER}/{WEIGHTS}": as_safetensors(classifier),
        GATE: save(dict(usual.arrays())),
        SEEN: save(dict(seen.arrays())),
        **{f"{SELF_TEST}/{name}": one for name, one in draw_self_test().items()},
    }
    for name, one in content.items():
        (folder / name).write_bytes(one)
    record = _record(folder, OnnxNetwork(content[f"{MEMBER}/{ONNX}"]), size_px)
    content[f"{MEMBER}/{KERAS}"] = (folder / MEMBER / KERAS).read_bytes()
    record["files"] = {name: sha256_of(one) for name, one in content.items()}
    (folder / RECORD).write_text(json.dumps(record))


def _record(folder, network, size_px):
    """Return what `bundle.json` says; the gate has no limit, so that all is scored."""
    member = {
        "path": MEMBER,
        "stage": f"{MEMBER}.phase3",
        "weights_sha256": "0" * 64,
        "trainings": [f"{MEMBER}.phase3"],
    }
    sets = {"least_case_score": 0.3, "greatest_control_score": 0.7}
    return {
        "schema_version": SCHEMA_VERSION,
        "name": "drawn",
        "intended_use": "Measuring.",
        "label": {"name": "covid19", "words": "COVID-19", "reference": "none"},
        "origin": {
            "classifier": MEMBER,
            "rule": "alone",
            "weights_sha256": "0" * 64,
            "members": [member],
        },
        "software": {"covid_cxr": __version__},
        "preprocessing": {
            "rendering_version": RENDERING_VERSION,
            "size_px": size_px,
            "body_part": "fields",
            "view_not_understood": "admit",
            "cropped_share": 0.0,
        },
        "intensity": asdict(INTENSITY),
        "batch_images": 32,
        "operating_points": [
            {"rule": "youden", "target_sensitivity": None, "threshold": 0.5}
        ],
        "prevalence": 0.5,
        "calibration": {"map": "platt", "slope": 1.0, "intercept": 0.0},
        "prediction_sets": {"coverage": 0.9, "n_cases": 9, "n_controls": 9, **sets},
        "gate": {"refused_share": 0.01, "n_patients": 9, "limit": None},
        "youngest_years": None,
        "seen": {"n_training": N_SEEN, "n_validation": 0, "max_distance": 20},
        "self_test": {
            "tolerance": 1e-4,
            "images": [
                _self_tested(place, network, size_px)
                for place in sorted((folder / SELF_TEST).iterdir())
            ],
        },
    }


def _self_tested(place, network, size_px):
    pixels, _ = curate(place, box=None, size_px=size_px)
    log_odds, _ = network(normalise(pixels[np.newaxis], INTENSITY))
    score = float(1 / (1 + np.exp(-log_odds[0])))
    is_lossless = place.suffix in LOSSLESS
    return {
        "file": f"{SELF_TEST}/{place.name}",
        "score": score,
        "members": [score],
        "pixels_sha256": pixels_sha256(pixels) if is_lossless else None,
    }
