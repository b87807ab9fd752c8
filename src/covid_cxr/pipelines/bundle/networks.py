"""The networks of a bundle: which they are, their scores, and their files."""

import logging
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.datasets.keras_model import KerasModelDataset
from covid_cxr.evaluation.ensembles import known_scores, score_together
from covid_cxr.pipelines.bundle.self_test import LOSSLESS, draw_self_test
from covid_cxr.pipelines.bundle.settings import Bundling
from covid_cxr.prediction.bundle import SELF_TEST
from covid_cxr.prediction.combination import ALONE, ENSEMBLES, MEAN_RANK, combined
from covid_cxr.prediction.members import KERAS, ONNX, WEIGHTS
from covid_cxr.prediction.network import OnnxNetwork
from covid_cxr.radiographs.curation import Curation
from covid_cxr.radiographs.normalisation import normalise
from covid_cxr.radiographs.record import curate, pixels_sha256
from covid_cxr.study.current import current
from covid_cxr.study.design import TrainingPath
from covid_cxr.training.examples import Examples
from covid_cxr.training.exported import KerasNetwork, as_onnx, as_safetensors

logger = logging.getLogger(__name__)

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class StudyMembers:
    """What the study knows of the classifiers that go into a bundle, by path.

    Attributes:
        rule: By which they are combined.
        provenances: How each was trained.
        known: For a rule that ranks, the scores that each is ranked among.
    """

    rule: str
    provenances: Mapping[str, Mapping[str, Any]]
    known: Mapping[str, Floats]


@dataclass(frozen=True, kw_only=True, eq=False)
class Exported:
    """The networks' files, and what the self-test is to give.

    Attributes:
        content: Of the files, by name.
        self_test: For `bundle.json`.
    """

    content: Mapping[str, bytes]
    self_test: Mapping[str, Any]


def take_members(bundle: Bundling, **files: Any) -> tuple[StudyMembers, pd.DataFrame]:
    """Return the classifiers that go into the bundle, and the scores that it gives.

    Args:
        bundle: Says which: one path, or all of them by a rule.
        files: `<path>_provenance` and `<path>_scores` of the study, None where a path
            was not trained.

    Raises:
        FileNotFoundError: If one of them was not trained.
        ValueError: If they were scored on different images.
    """
    rule, paths = _bundled(bundle)
    provenances, scores = (
        {path.name: files[f"{path.name}_{kind}"] for path in paths}
        for kind in ("provenance", "scores")
    )
    for name in provenances:
        if provenances[name] is None or scores[name] is None:
            raise FileNotFoundError(
                f"{name} has no classifier or no scores in data_root, and bundle.path "
                f"is {bundle.path}; run it first: kedro run --pipelines={name}."
            )
    label = current().target_set.label
    known = known_scores(scores, label) if rule == MEAN_RANK else {}
    members = StudyMembers(rule=rule, provenances=provenances, known=known)
    return members, score_together(scores, rule=rule, label=label)


def export_networks(
    members: StudyMembers,
    examples: Examples,
    curation: Curation,
    bundle: Bundling,
    **classifiers: Path | None,
) -> Exported:
    """Return each network in three formats, once ONNX gives what Keras does.

    Args:
        members: Whose they are.
        examples: For the intensity.
        curation: How the self-test becomes pixels.
        bundle: How much they may differ.
        classifiers: Places of the study's files, by path.

    Raises:
        ValueError: If they differ by more on the self-test.
    """
    drawn = draw_self_test()
    pixels = _curated(drawn, curation)
    images = normalise(np.stack(list(pixels.values())), examples.intensity)
    content = {f"{SELF_TEST}/{name}": one for name, one in drawn.items()}
    scores = []
    for name in members.provenances:
        place = classifiers[name]
        if place is None:
            raise FileNotFoundError(
                f"{name} has no classifier in data_root; run it first: kedro run "
                f"--pipelines={name}."
            )
        classifier = KerasModelDataset(filepath=str(place)).load()
        content |= {
            f"{name}/{KERAS}": _as_keras(classifier),
            f"{name}/{ONNX}": as_onnx(classifier),
            f"{name}/{WEIGHTS}": as_safetensors(classifier),
        }
        networks = (KerasNetwork(classifier), OnnxNetwork(content[f"{name}/{ONNX}"]))
        keras, onnx = (1 / (1 + np.exp(-network(images)[0])) for network in networks)
        _refuse_difference(name, float(np.abs(keras - onnx).max()), bundle)
        scores.append(keras)
    told = _self_test(pixels, np.stack(scores, axis=1), members)
    return Exported(
        content=content, self_test={"tolerance": bundle.tolerance, "images": told}
    )


def _bundled(bundle: Bundling) -> tuple[str, tuple[TrainingPath, ...]]:
    """Return the rule by which the paths are combined, and these."""
    paths = {path.letter: path for path in current().paths}
    if bundle.path in paths:
        return ALONE, (paths[bundle.path],)
    if bundle.path in ENSEMBLES and len(paths) > 1:
        return bundle.path, current().paths
    rules = f", or for all together {', '.join(ENSEMBLES)}" if len(paths) > 1 else ""
    raise ValueError(
        f"bundle.path is {bundle.path!r}; the study has the paths "
        f"{', '.join(paths)}{rules}. State one on the command line "
        f"(--params=bundle.path=…) or in parameters_bundle.yml."
    )


def _refuse_difference(name: str, difference: float, bundle: Bundling) -> None:
    if not difference < bundle.max_difference:
        raise ValueError(
            f"The scores of the ONNX network of {name} differ by {difference:.2g} from "
            f"those of Keras on the self-test, at most {bundle.max_difference:g} is "
            f"allowed (bundle.max_difference); no bundle is written."
        )
    logger.info(
        "%s: ONNX differs from Keras by %.1e on the self-test", name, difference
    )


def _self_test(
    pixels: Mapping[str, NDArray[np.uint8]], of_members: Floats, members: StudyMembers
) -> list[dict[str, Any]]:
    """Return what `bundle.json` says of each drawn radiograph."""
    known = list(members.known.values()) or None
    scores = combined(of_members, rule=members.rule, known=known)
    return [
        {
            "file": f"{SELF_TEST}/{name}",
            "score": score,
            "members": own,
            "pixels_sha256": pixels_sha256(pixels[name])
            if name.endswith(LOSSLESS)
            else None,
        }
        for name, score, own in zip(
            pixels, scores.tolist(), of_members.tolist(), strict=True
        )
    ]


def _as_keras(classifier: Any) -> bytes:
    with tempfile.TemporaryDirectory(prefix="covid_cxr_") as folder:
        place = Path(folder) / KERAS
        KerasModelDataset(filepath=str(place)).save(classifier)
        return place.read_bytes()


def _curated(
    drawn: Mapping[str, bytes], curation: Curation
) -> dict[str, NDArray[np.uint8]]:
    found = {}
    with tempfile.TemporaryDirectory(prefix="covid_cxr_") as folder:
        for name, content in drawn.items():
            place = Path(folder) / name
            place.write_bytes(content)
            pixels, record = curate(
                place,
                box=None,
                size_px=curation.size_px,
                admission=curation.admission,
            )
            if pixels is None:
                raise ValueError(f"The self-test's {name}: {record['reason']}")
            found[name] = pixels
    return found
