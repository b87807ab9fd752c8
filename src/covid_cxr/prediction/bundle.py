"""A bundle that is open: files of radiographs to a table of predictions."""

import json
import math
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors.numpy import load

from covid_cxr.prediction.files import (
    InvalidBundleError,
    read_bundle,
    sha256_of,
)
from covid_cxr.prediction.gate import UsualFeatures
from covid_cxr.prediction.members import Members, read_members
from covid_cxr.prediction.network import Network
from covid_cxr.prediction.refusals import caution, refuse_before
from covid_cxr.prediction.seen import SeenPictures
from covid_cxr.prediction.sources import InputFile
from covid_cxr.radiographs.admission import Admission
from covid_cxr.radiographs.geometry import Box
from covid_cxr.radiographs.normalisation import Intensity, normalise
from covid_cxr.radiographs.record import (
    RENDERING_VERSION,
    curate,
    pixels_sha256,
    rejected,
)
from covid_cxr.radiographs.rendering import UnreadableRadiograph

GATE, SEEN, SELF_TEST = "gate.safetensors", "seen.safetensors", "selftest"

PREDICTED, FLAGGED, REFUSED = "predicted", "flagged", "refused"
COLUMNS = {
    "file": "str",
    "status": "str",
    "reason": "str",
    "score": "float64",
    "probability": "float64",
    "prevalence": "float64",
    "prediction_set": "str",
    "gate_distance": "float64",
    "was_trained_on": "str",
    "steps": "str",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """What becomes of one file.

    Attributes:
        row: Of the table: `COLUMNS`, and a decision for each operating point.
        pixels: As the network took them, shape (size, size); None of what it did not.
        heat_map: What spoke for a case, on [0, 1], shape (height, width); likewise.
    """

    row: Mapping[str, Any]
    pixels: NDArray[np.uint8] | None = None
    heat_map: NDArray[np.float64] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class _Admitted:
    """A file that the network is to see, or the reason why not."""

    name: str
    record: Mapping[str, Any]
    pixels: NDArray[np.uint8] | None
    was_trained_on: str
    reason: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Bundle:
    """A classifier with all that its predictions need.

    Attributes:
        record: What `bundle.json` says.
        members: Images to scores, features and heat maps.
        usual: Features that it knows.
        seen: Pictures that it knows.
        self_test: Content of the drawn radiographs, by file.
    """

    record: Mapping[str, Any]
    members: Members
    usual: UsualFeatures
    seen: SeenPictures
    self_test: Mapping[str, bytes] = field(default_factory=dict)

    def predict(
        self,
        files: Iterable[Path | str | InputFile],
        *,
        prevalence: float | None = None,
        boxes: Mapping[str, Box] | None = None,
    ) -> pd.DataFrame:
        """Return a row per file, in their order; one that is refused has no score.

        Columns: `COLUMNS`, and one for each operating point ("positive", "negative").

        Args:
            files: DICOM, PNG or JPEG.
            prevalence: Of cases where the radiographs are from, which probabilities
                depend on; that of the validation part if it is not stated.
            boxes: What to cut out, by the file's name: pixels of the raw image.

        Raises:
            ValueError: If the prevalence is not between 0 and 1, or a box is of no
                file, or of several.
        """
        found = self.predictions(files, prevalence=prevalence, boxes=boxes)
        table = pd.DataFrame([one.row for one in found], columns=self.columns)
        return table.astype(COLUMNS)

    def predictions(
        self,
        files: Iterable[Path | str | InputFile],
        *,
        prevalence: float | None = None,
        boxes: Mapping[str, Box] | None = None,
    ) -> Iterator[Prediction]:
        """Yield what `predict` tabulates, with pixels and heat maps, batch by batch."""
        stated = self.stated(prevalence)
        named = [_as_input(file) for file in files]
        _refuse_boxes_of_others(boxes or {}, named)
        n_images = self.record["batch_images"]
        for first in range(0, len(named), n_images):
            batch = named[first : first + n_images]
            looked = [self._look(one, boxes or {}) for one in batch]
            yield from self._judge(looked, stated)

    def stated(self, prevalence: float | None) -> float:
        """Return `prevalence`, or that of the validation part if it is None.

        Raises:
            ValueError: If it is not between 0 and 1.
        """
        stated: float = self.record["prevalence"] if prevalence is None else prevalence
        if not 0 < stated < 1:
            raise ValueError(f"A prevalence lies between 0 and 1, got {stated}.")
        return stated

    @property
    def columns(self) -> list[str]:
        """The columns of the table."""
        return [*COLUMNS, *(point["rule"] for point in self.record["operating_points"])]

    @property
    def sha256(self) -> str:
        """Hash of `bundle.json`, which holds those of all other files."""
        return sha256_of(json.dumps(self.record, sort_keys=True).encode())

    def check(self) -> float:
        """Return by how much the self-test's scores differ from those of the makers.

        Raises:
            InvalidBundleError: If it is more than the bundle allows, or the pixels of
                a lossless file are others.
        """
        known = self.record["self_test"]
        differences = []
        for image in known["images"]:
            pixels, expected = self._self_tested(image), np.array([image["members"]])
            judged = self.members(normalise(pixels[np.newaxis], self._intensity))
            differences.append(np.abs(judged.of_members - expected).max())
            # Ranks may jump at the last bit of a score: the rule is tested by itself.
            together = self.members.together(expected)
            differences.append(np.abs(together - image["score"]).max())
        largest = float(np.max(differences))  # NaN where one is, unlike max()
        if not largest < known["tolerance"]:
            raise InvalidBundleError(
                f"The self-test's scores differ by {largest:.2g} from those of the "
                f"machine that wrote the bundle, at most {known['tolerance']:g} is "
                f"allowed; nothing is predicted here. Say so to its makers."
            )
        return largest

    @property
    def _intensity(self) -> Intensity:
        return Intensity(**self.record["intensity"])

    def _self_tested(self, image: Mapping[str, Any]) -> NDArray[np.uint8]:
        name = image["file"]
        with tempfile.TemporaryDirectory(prefix="covid_cxr_") as folder:
            place = Path(folder) / Path(name).name
            place.write_bytes(self.self_test[name])
            pixels, record = self._curate(place, None)
        expected = image["pixels_sha256"]
        if pixels is None or (expected and pixels_sha256(pixels) != expected):
            raise InvalidBundleError(
                f"The self-test's {name} does not become the pixels that it became "
                f"where the bundle was written ({record['reason'] or 'others'}); "
                f"nothing is predicted here. Say so to its makers."
            )
        return pixels

    def _curate(
        self, path: Path, box: Box | None
    ) -> tuple[NDArray[np.uint8] | None, dict[str, Any]]:
        preprocessing = self.record["preprocessing"]
        return curate(
            path,
            box=box,
            size_px=preprocessing["size_px"],
            admission=Admission(
                body_part=preprocessing["body_part"],
                view_not_understood=preprocessing["view_not_understood"],
            ),
        )

    def _look(self, file: InputFile, boxes: Mapping[str, Box]) -> _Admitted:
        """Return the pixels of a file, and what is known before the network sees it."""
        try:
            with file.opened() as path:
                pixels, record = self._curate(path, boxes.get(file.name))
                if pixels is None:
                    return _not_admitted(file.name, record)
                seen = self.seen.find(
                    record["pixels_sha256"],
                    record["fingerprint"],
                    max_distance=self.record["seen"]["max_distance"],
                )
                reason = refuse_before(
                    record,
                    pixels,
                    youngest_years=self.record["youngest_years"],
                    seen=seen,
                )
        except UnreadableRadiograph as error:
            return _not_admitted(file.name, rejected(error.reason))
        return _Admitted(
            name=file.name,
            record=record,
            pixels=pixels,
            was_trained_on=seen,
            reason=reason,
        )

    def _judge(
        self, looked: Sequence[_Admitted], prevalence: float
    ) -> list[Prediction]:
        images = [
            one.pixels for one in looked if not one.reason and one.pixels is not None
        ]
        if not images:
            return [_refused(one) for one in looked]
        judged = self.members(normalise(np.stack(images), self._intensity))
        distances = self.usual.distance(judged.features)
        told = zip(
            judged.scores.tolist(), distances.tolist(), judged.heat_maps, strict=True
        )
        return [
            _refused(one) if one.reason else self._told(one, prevalence, *next(told))
            for one in looked
        ]

    def _told(
        self,
        one: _Admitted,
        prevalence: float,
        score: float,
        distance: float,
        heat_map: NDArray[np.float64],
    ) -> Prediction:
        if math.isnan(score) or math.isnan(distance):  # no limit refuses NaN
            return _refused(one, "the network gives no number for this picture")
        limit = self.record["gate"]["limit"]
        if limit is not None and distance > limit:
            return _refused(one, self._far(), distance)
        cautioned = caution(one.record, one.was_trained_on)
        row = {
            "file": one.name,
            "status": FLAGGED if cautioned else PREDICTED,
            "reason": cautioned or None,
            "score": score,
            "probability": self._probability(score, prevalence),
            "prevalence": prevalence,
            "prediction_set": self._prediction_set(score),
            "gate_distance": distance,
            "was_trained_on": one.was_trained_on,
            "steps": one.record["steps"],
            **{
                point["rule"]: "positive" if score >= point["threshold"] else "negative"
                for point in self.record["operating_points"]
            },
        }
        return Prediction(row=row, pixels=one.pixels, heat_map=heat_map)

    def _far(self) -> str:
        gate = self.record["gate"]
        return (
            f"unlike the radiographs that this model was chosen on: further from them "
            f"than all but {100 * gate['refused_share']:g} % of patients like theirs"
        )

    def _probability(self, score: float, prevalence: float) -> float:
        """Return the calibrated probability where so many are cases; NaN without map.

        A prevalence multiplies the odds (Saerens et al., Neural Comput 2002;14:21).
        """
        line = self.record["calibration"]
        if line is None:
            return float("nan")
        shift = _log_odds(prevalence) - _log_odds(self.record["prevalence"])
        return _logistic(line["intercept"] + line["slope"] * _log_odds(score) + shift)

    def _prediction_set(self, score: float) -> str:
        sets = self.record["prediction_sets"]
        members = {
            "case": score >= sets["least_case_score"],
            "control": score <= sets["greatest_control_score"],
        }
        return (
            " or ".join(name for name, is_in in members.items() if is_in) or "neither"
        )


def open_bundle(
    path: Path | str, *, networks: Mapping[str, Network] | None = None
) -> Bundle:
    """Return the bundle in a folder or a zip, once all of it is as it was written.

    Args:
        path: Of the folder or the zip.
        networks: By the names of members (as "path_b"), in the place of the bundle's
            own, which onnxruntime computes.

    Raises:
        FileNotFoundError: If there is none.
        InvalidBundleError: If it is none, of another version, has changed, or wants
            radiographs that are rendered otherwise than this software does.
    """
    record, files = read_bundle(Path(path))
    version = record["preprocessing"]["rendering_version"]
    if version != RENDERING_VERSION:
        raise InvalidBundleError(
            f"{path} wants radiographs of rendering version {version}; this software "
            f"has {RENDERING_VERSION}, which gives other pixels. Install covid-cxr "
            f"{record['software']['covid_cxr']}."
        )
    folder = f"{SELF_TEST}/"
    return Bundle(
        record=record,
        members=read_members(record["origin"], files, networks),
        usual=UsualFeatures(**load(files[GATE])),
        seen=SeenPictures(**load(files[SEEN])),
        self_test={name: files[name] for name in files if name.startswith(folder)},
    )


def _as_input(file: Path | str | InputFile) -> InputFile:
    if isinstance(file, InputFile):
        return file
    return InputFile(name=Path(file).name, path=Path(file))


def _refuse_boxes_of_others(
    boxes: Mapping[str, Box], files: Sequence[InputFile]
) -> None:
    """Refuse a box that would be passed over, or taken for several files."""
    numbers = Counter(one.name for one in files)
    for name in boxes:
        if numbers[name] != 1:
            raise ValueError(
                f"A box is stated for {name!r}, which is the name of {numbers[name]} "
                f"of the {len(files)} files; state it for one, by its name in the "
                f"column `file`."
            )


def _not_admitted(name: str, record: Mapping[str, Any]) -> _Admitted:
    return _Admitted(
        name=name,
        record=record,
        pixels=None,
        was_trained_on="unknown",
        reason=record["reason"],
    )


def _refused(
    one: _Admitted, reason: str | None = None, distance: float = float("nan")
) -> Prediction:
    row = {
        "file": one.name,
        "status": REFUSED,
        "reason": reason or one.reason,
        "gate_distance": distance,
        "was_trained_on": one.was_trained_on,
        "steps": one.record.get("steps"),
    }
    return Prediction(row=row, pixels=one.pixels)


def _logistic(log_odds: float) -> float:
    return 1 / (1 + math.exp(-max(log_odds, -700.0)))


def _log_odds(probability: float) -> float:
    held = min(max(probability, 1e-12), 1 - 1e-12)  # as the map was fitted
    return math.log(held / (1 - held))
