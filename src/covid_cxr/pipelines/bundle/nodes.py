"""From a study's results to the files of a bundle."""

import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.pipelines.bundle.networks import Exported, StudyMembers
from covid_cxr.pipelines.bundle.settings import Bundling
from covid_cxr.prediction.conformal import prediction_sets
from covid_cxr.prediction.gate import fit_gate
from covid_cxr.prediction.members import ONNX
from covid_cxr.prediction.network import OnnxNetwork, pooled
from covid_cxr.prediction.seen import TRAINING, VALIDATION, SeenPictures
from covid_cxr.statistics.calibration import fit_platt, fit_temperature
from covid_cxr.study.current import current
from covid_cxr.study.design import Training
from covid_cxr.training.batches import input_batches
from covid_cxr.training.examples import Examples
from covid_cxr.training.provenance import split_sha256

logger = logging.getLogger(__name__)


def remember_pictures(members: StudyMembers, **tables: Any) -> SeenPictures:
    """Return the hashes of all pictures that the classifiers were made with.

    Args:
        members: The classifiers.
        tables: `<training set>_examples` of the study, and `<origin>_curated`, None
            where there is none.

    Raises:
        FileNotFoundError: If there is none that a training used.
        ValueError: If a split is not the one that a training used, or a picture of it
            has no hash.
    """
    # Those of a shared training once per path: each may be of another run of it.
    found = [
        _pictures(training, provenance, tables)
        for name, provenance in members.provenances.items()
        for training in current().path(name).trainings
    ]
    pictures = pd.concat(found).sort_values(["pixels_sha256", "part", "fingerprint"])
    once = pictures.drop_duplicates(["pixels_sha256", "fingerprint"])
    return SeenPictures(
        pixels_sha256=_octets(once["pixels_sha256"]),
        fingerprints=_octets(once["fingerprint"]),
        part=np.where(once["part"] == "train", TRAINING, VALIDATION).astype(np.uint8),
    )


def fit_to_validation(  # noqa: PLR0913 - one argument per dataset of the catalog
    *,
    members: StudyMembers,
    exported: Exported,
    seen: SeenPictures,
    scores: pd.DataFrame,
    examples: Examples,
    curated: pd.DataFrame,
    bundle: Bundling,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the validation part says: for `bundle.json`, and the gate's arrays.

    `curated` has `image_id`, `fingerprint` and `age_years` of the same images.

    Raises:
        ValueError: If the validation part does not have both classes.
    """
    label = current().target_set.label
    part = _labelled(scores, label).merge(
        curated[["image_id", "fingerprint"]], on="image_id"
    )
    is_case, score = part[label].to_numpy(bool), part[f"{label}_score"].to_numpy(float)
    if is_case.all() or not is_case.any():
        raise ValueError(
            f"The validation part has {is_case.sum()} images with {label} and "
            f"{(~is_case).sum()} without; thresholds and calibration of a bundle need "
            f"both. Draw a larger part."
        )
    patients = part["patient_id"].to_numpy(object)
    draws = {"seed": bundle.seed}
    features = _features(exported, members, examples.of(part["image_id"]))
    usual, gate = fit_gate(
        features, patients, refused_share=bundle.refused_share, **draws
    )
    if gate["limit"] is None:
        logger.warning(
            "%d validation patients are too few to refuse a share of %g: the gate of "
            "this bundle refuses nothing",
            gate["n_patients"],
            gate["refused_share"],
        )
    return {
        "prevalence": float(is_case.mean()),
        "calibration": _calibration(is_case, score),
        "prediction_sets": prediction_sets(
            score, is_case, patients, coverage=bundle.coverage, **draws
        ),
        "gate": gate,
        "youngest_years": _youngest(examples, curated),
        "seen": {
            "n_training": int((seen.part == TRAINING).sum()),
            "n_validation": int((seen.part == VALIDATION).sum()),
            "max_distance": _max_distance(seen, part["fingerprint"], bundle),
        },
    }, dict(usual.arrays())


def _labelled(scores: pd.DataFrame, label: str) -> pd.DataFrame:
    """Return the validation part, as far as its label is known."""
    part = scores[scores["part"] == "validation"]
    is_known = part[label].notna()
    if not is_known.all():
        logger.warning(
            "%d of %d validation images do not count: %s is unknown of them",
            (~is_known).sum(),
            len(part),
            label,
        )
    known: pd.DataFrame = part[is_known]
    return known


def _pictures(
    training: Training, provenance: Mapping[str, Any], tables: Mapping[str, Any]
) -> pd.DataFrame:
    """Return part and hashes of the pictures of a training."""
    records = {one["stage"]: one for one in (*provenance["parents"], provenance)}
    origin = current().origin_of[training.training_set]
    needed = (f"{training.training_set}_examples", f"{origin}_curated")
    _refuse_absent(training, [name for name in needed if tables[name] is None])
    split = tables[needed[0]].radiographs
    _refuse_other_split(split, records[training.name])
    curated: pd.DataFrame = tables[needed[1]]
    hashes = curated[["image_id", "pixels_sha256", "fingerprint"]]
    drawn: pd.DataFrame = split.loc[split["part"] != "test", ["image_id", "part"]]
    known = drawn.merge(hashes, how="left", on="image_id")
    _refuse_unhashed(known, needed[1])
    return known


def _refuse_absent(training: Training, absent: list[str]) -> None:
    if absent:
        raise FileNotFoundError(
            f"{training.name} was trained on {', '.join(absent)}, not in data_root: "
            f"the bundle would not know its pictures again. Restore what is missing, "
            f"or run curation again."
        )


def _refuse_other_split(split: pd.DataFrame, record: Mapping[str, Any]) -> None:
    if split_sha256(split) != record["split_sha256"]:
        raise ValueError(
            f"The split on disk is not the one that {record['stage']} was trained "
            f"with, so that it cannot be said what the classifier has seen. Run the "
            f"study again, or restore its splits."
        )


def _octets(hashes: pd.Series) -> NDArray[np.uint8]:
    octets = bytes.fromhex("".join(hashes))
    return np.frombuffer(octets, np.uint8).reshape(len(hashes), -1)


def _features(
    exported: Exported, members: StudyMembers, examples: Examples
) -> NDArray[np.float64]:
    """Return the features of the images by all networks, shape (n, channels)."""
    features = []
    for name in members.provenances:
        network = OnnxNetwork(exported.content[f"{name}/{ONNX}"])
        maps = (network(images)[1] for images in input_batches(examples))
        features.append(np.concatenate([pooled(one) for one in maps]))
    return np.concatenate(features, axis=1)


def _calibration(
    is_case: NDArray[np.bool_], score: NDArray[np.float64]
) -> dict[str, Any] | None:
    for name, fit in (("platt", fit_platt), ("temperature", fit_temperature)):
        try:
            line = fit(is_case, score)
        except ValueError as error:
            logger.warning("no %s calibration: %s", name, error)
            continue
        if line.slope > 0:
            return {"map": name, **asdict(line)}
        logger.warning("no %s calibration: it would turn the scores' order", name)
    return None


def _refuse_unhashed(pictures: pd.DataFrame, table: str) -> None:
    unhashed = pictures.loc[pictures["pixels_sha256"].isna(), "image_id"]
    if len(unhashed):
        raise ValueError(
            f"{len(unhashed)} of {len(pictures)} radiographs that were trained or "
            f"chosen on are not in {table}, such as {unhashed.iloc[0]}: the bundle "
            f"would not know them again. Run curation and the path again."
        )


def _youngest(examples: Examples, curated: pd.DataFrame) -> float | None:
    """Return the least age in the training and validation part; None if unknown."""
    known = examples.part("train", "validation").radiographs["image_id"]
    ages = curated.loc[curated["image_id"].isin(known), "age_years"].dropna()
    return None if ages.empty else float(ages.min())


def _max_distance(seen: SeenPictures, fingerprints: pd.Series, bundle: Bundling) -> int:
    """Return the bits by which copies may differ: fewer than other patients' pictures.

    No validation picture is a copy of a training picture, since a split keeps copies
    together; where they are nearer than `bundle.max_distance`, that would name them.
    """
    octets = _octets(fingerprints)
    nearest = min(int(seen.distances(one).min(initial=257)) for one in octets)
    return min(bundle.max_distance, nearest - 1)
