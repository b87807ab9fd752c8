"""A bundle of a network that is arithmetic, so that every score is known."""

import json

import cv2
import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    generate_uid,
)
from safetensors.numpy import save

from covid_cxr.prediction import open_bundle
from covid_cxr.prediction.files import sha256_of
from covid_cxr.prediction.gate import UsualFeatures
from covid_cxr.prediction.seen import TRAINING, VALIDATION, SeenPictures
from covid_cxr.radiographs.curation import Curation
from covid_cxr.radiographs.record import RENDERING_VERSION, curate, pixels_sha256

SIZE_PX = 32
SLOPE, OFFSET = 3.0, 0.5  # of the log odds in the mean of the normalised pixels


def _drawn_chest(seed=0, size_px=64):
    """Return grey levels that pass for a chest: dark air and lungs, bright middle."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0 : 1 : size_px * 1j, 0 : 1 : size_px * 1j]
    trunk = 170 * np.exp(-(((x - 0.5) / 0.42) ** 6))
    lungs = sum(
        120 * np.exp(-(((x - c) / 0.13) ** 2) - ((y - 0.45) / 0.28) ** 2)
        for c in (0.28, 0.72)
    )
    shoulders = np.clip((y - 0.12) * 8, 0, 1)
    noise = cv2.GaussianBlur(rng.normal(0, 25, y.shape), (0, 0), 3) * 3
    image = (trunk - lungs) * shoulders + 30 + noise
    return np.clip(image, 0, 255).astype(np.uint8)


def arithmetic_network(*, share_of_batch=0.0, offset=OFFSET):
    """Return ONNX whose feature maps are the image and log odds of its mean.

    A share of that mean is taken of all images of the batch.
    """
    shape = ["n_images", SIZE_PX, SIZE_PX, 1]
    nodes = [
        helper.make_node("Identity", ["radiograph"], ["feature_maps"]),
        helper.make_node(
            "ReduceMean", ["radiograph"], ["mean"], axes=[1, 2], keepdims=0
        ),
        helper.make_node("ReduceMean", ["mean"], ["of_batch"], axes=[0], keepdims=1),
        helper.make_node("Sub", ["of_batch", "mean"], ["apart"]),
        helper.make_node("Mul", ["apart", "share"], ["moved"]),
        helper.make_node("Add", ["mean", "moved"], ["mixed"]),
        helper.make_node("Mul", ["mixed", "slope"], ["scaled"]),
        helper.make_node("Add", ["scaled", "offset"], ["log_odds"]),
    ]
    constants = [
        helper.make_tensor("share", TensorProto.FLOAT, [1, 1], [share_of_batch]),
        helper.make_tensor("slope", TensorProto.FLOAT, [1, 1], [SLOPE]),
        helper.make_tensor("offset", TensorProto.FLOAT, [1], [offset]),
    ]
    graph = helper.make_graph(
        nodes,
        "arithmetic",
        [helper.make_tensor_value_info("radiograph", TensorProto.FLOAT, shape)],
        [
            helper.make_tensor_value_info(
                "log_odds", TensorProto.FLOAT, ["n_images", 1]
            ),
            helper.make_tensor_value_info("feature_maps", TensorProto.FLOAT, shape),
        ],
        constants,
    )
    opset = [helper.make_opsetid("", 13)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def _score_of(pixels):
    """Return what the network says of 8-bit pixels, by a definition of its own."""
    mean = (pixels.astype(np.float64).mean() / 255 - 0.4) / 0.25
    return 1 / (1 + np.exp(-(SLOPE * mean + OFFSET)))


def _curated(path, box=None):
    return curate(
        path,
        box=box,
        size_px=SIZE_PX,
        admission=Curation(
            size_px=SIZE_PX, shard_images=1, compression="none", workers=1, cluster=None
        ).admission,
    )


@pytest.fixture(scope="session")
def drawn_chest():
    return _drawn_chest


@pytest.fixture(scope="session")
def score_of():
    return _score_of


@pytest.fixture(scope="session")
def curated():
    return _curated


@pytest.fixture
def chests(tmp_path):
    """Return a folder of six PNG files, no two alike."""
    folder = tmp_path / "chests"
    folder.mkdir()
    for seed in range(6):
        cv2.imwrite(str(folder / f"chest_{seed}.png"), _drawn_chest(seed))
    return folder


HEADER = {
    "SpecificCharacterSet": "ISO_IR 100",
    "SOPClassUID": DigitalXRayImageStorageForPresentation,
    "StudyInstanceUID": generate_uid(entropy_srcs=["study"]),
    "SeriesInstanceUID": generate_uid(entropy_srcs=["series"]),
    "Modality": "DX",
    "PatientName": "Müller^Jörg",
    "PatientID": "P-17",
    "PatientBirthDate": "19600102",
    "PatientSex": "M",
    "PatientAge": "061Y",
    "StudyDate": "20210304",
    "StudyTime": "101112",
    "StudyID": "S1",
    "AccessionNumber": "A1",
    "ReferringPhysicianName": "",
    "BodyPartExamined": "CHEST",
    "ViewPosition": "PA",
    "PatientOrientation": ["L", "F"],
    "PhotometricInterpretation": "MONOCHROME2",
    "SamplesPerPixel": 1,
    "BitsAllocated": 8,
    "BitsStored": 8,
    "HighBit": 7,
    "PixelRepresentation": 0,
}


@pytest.fixture
def radiograph(tmp_path):
    """Return a function that writes a DX image and returns its place."""

    def write(name="chest.dcm", *, pixels=None, **changes):
        pixels = _drawn_chest() if pixels is None else pixels
        image = Dataset()
        image.file_meta = FileMetaDataset()
        image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        image.SOPInstanceUID = generate_uid(entropy_srcs=["image", name])
        for keyword, value in (HEADER | changes).items():
            if value is not None:
                setattr(image, keyword, value)
        image.Rows, image.Columns = pixels.shape
        image.PixelData = pixels.tobytes()
        image["PixelData"].VR = "OW"
        image.save_as(tmp_path / name, enforce_file_format=True)
        return tmp_path / name

    return write


@pytest.fixture
def write_bundle(tmp_path, make_bundle):
    """Return a function that writes a bundle, with what a test wants otherwise."""

    def write(place="bundle", **changes):
        return make_bundle(tmp_path / place, **changes)

    return write


@pytest.fixture(scope="session")
def make_bundle():
    """Return a function that writes a bundle into a folder."""

    def write(folder, *, trained=(), validated=(), share_of_batch=0.0, **changes):
        (folder / "selftest").mkdir(parents=True)
        cv2.imwrite(str(folder / "selftest/chest.png"), _drawn_chest(99))
        pixels, _ = _curated(folder / "selftest/chest.png")
        usual = UsualFeatures(
            mean=np.zeros(1),
            directions=np.ones((1, 1)),
            variances=np.ones(1),
            floor=np.ones(1),
        )
        content = {
            "path_t/model.keras": b"none",
            "path_t/model.onnx": arithmetic_network(share_of_batch=share_of_batch),
            "path_t/model.safetensors": save(
                {"findings/kernel": np.ones((1, 1), np.float32)}
            ),
            "gate.safetensors": save(dict(usual.arrays())),
            "seen.safetensors": save(dict(_seen(trained, validated).arrays())),
            "selftest/chest.png": (folder / "selftest/chest.png").read_bytes(),
        }
        (folder / "path_t").mkdir()
        for file, data in content.items():
            (folder / file).write_bytes(data)
        record = _record(pixels) | changes
        record["files"] = {file: sha256_of(data) for file, data in content.items()}
        (folder / "bundle.json").write_text(json.dumps(record))
        return folder

    return write


@pytest.fixture
def bundle(write_bundle):
    return open_bundle(write_bundle())


def _seen(trained, validated):
    records = [_curated(path)[1] for path in (*trained, *validated)]
    parts = [TRAINING] * len(trained) + [VALIDATION] * len(validated)
    kinds = ("pixels_sha256", "fingerprint")
    hashes, fingerprints = (
        np.frombuffer(bytes.fromhex("".join(r[k] for r in records)), np.uint8).reshape(
            -1, 32
        )
        for k in kinds
    )
    return SeenPictures(
        pixels_sha256=hashes, fingerprints=fingerprints, part=np.array(parts, np.uint8)
    )


def _record(pixels):
    return {
        "schema_version": 2,
        "name": "covid_cxr-path_t-00000000",
        "intended_use": "Research only.",
        "label": {"name": "covid19", "words": "COVID-19", "reference": "RT-PCR"},
        "origin": {
            "classifier": "path_t",
            "rule": "alone",
            "weights_sha256": "0" * 64,
            "members": [
                {
                    "path": "path_t",
                    "stage": "path_t.phase3",
                    "weights_sha256": "0" * 64,
                    "trainings": ["path_t.phase3"],
                }
            ],
        },
        "software": {"covid_cxr": "0.1.0"},
        "preprocessing": {
            "rendering_version": RENDERING_VERSION,
            "size_px": SIZE_PX,
            "body_part": "fields",
            "view_not_understood": "admit",
            "cropped_share": 0.0,
        },
        "intensity": {"mean": 0.4, "standard_deviation": 0.25, "n_images": 6},
        "batch_images": 4,
        "operating_points": [
            {"rule": "youden", "target_sensitivity": None, "threshold": 0.5},
            {"rule": "sensitivity", "target_sensitivity": 0.9, "threshold": 0.1},
        ],
        "prevalence": 0.5,
        "calibration": {"map": "platt", "slope": 2.0, "intercept": -1.0},
        "prediction_sets": {
            "coverage": 0.9,
            "n_cases": 20,
            "n_controls": 20,
            "least_case_score": 0.3,
            "greatest_control_score": 0.7,
        },
        "gate": {"refused_share": 0.01, "n_patients": 200, "limit": 5.0},
        "youngest_years": 18.0,
        "seen": {"n_training": 0, "n_validation": 0, "max_distance": 20},
        "self_test": {
            "tolerance": 0.0001,
            "images": [
                {
                    "file": "selftest/chest.png",
                    "score": float(_score_of(pixels)),
                    "members": [float(_score_of(pixels))],
                    "pixels_sha256": pixels_sha256(pixels),
                }
            ],
        },
    }


@pytest.fixture(scope="session")
def network_of():
    return arithmetic_network


@pytest.fixture(scope="session")
def make_scores():
    """Return a function that draws a table of scores; one label is unknown."""

    def make(seed):
        drawn = np.random.default_rng(seed).random(12)
        labels = [True, False, pd.NA, *[True, False] * 4, True]
        return pd.DataFrame(
            {
                "image_id": [f"i{k}" for k in range(12)],
                "patient_id": [f"p{k}" for k in range(12)],
                "part": ["validation"] * 7 + ["test"] * 5,
                "covid19": pd.array(labels, dtype="boolean"),
                "covid19_score": drawn,
            }
        )

    return make
