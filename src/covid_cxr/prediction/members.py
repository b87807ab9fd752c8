"""The networks of a bundle: images to the score of one, or of several together."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

from covid_cxr.prediction.combination import MEAN_RANK, combined
from covid_cxr.prediction.files import InvalidBundleError
from covid_cxr.prediction.network import (
    Network,
    OnnxNetwork,
    activation_maps,
    pooled,
)

Floats = NDArray[np.float64]
KERAS, ONNX, WEIGHTS = "model.keras", "model.onnx", "model.safetensors"
RANKS = "ranks.safetensors"
_HEAD_KERNEL = "findings/kernel"


@dataclass(frozen=True, kw_only=True, eq=False)
class Member:
    """One network.

    Attributes:
        network: Images to log odds and feature maps.
        head_kernel: Of its last layer, shape (channels, 1).
    """

    network: Network
    head_kernel: NDArray[np.floating]


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """What the networks say of n images.

    Attributes:
        scores: Of all together, shape (n,).
        of_members: Of each, shape (n, members).
        features: Of all, one after the other, shape (n, channels).
        heat_maps: The mean of theirs, on [0, 1], shape (n, height, width).
    """

    scores: Floats
    of_members: Floats
    features: Floats
    heat_maps: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class Members:
    """One network or several, and the rule by which they speak with one voice.

    Attributes:
        rule: As of `combined`.
        by_name: Each, as "path_b".
        known: For a rule that ranks, ascending scores of validation by name.
    """

    rule: str
    by_name: Mapping[str, Member]
    known: Mapping[str, Floats] = field(default_factory=dict)

    def __call__(self, images: NDArray[np.float32]) -> Judged:
        """Return what the networks say of their input (n, size, size, 1)."""
        scores, features, heat_maps = [], [], []
        for member in self.by_name.values():
            log_odds, maps = member.network(images)
            scores.append(_logistic(log_odds))
            features.append(pooled(maps))
            heat_maps.append(activation_maps(maps, member.head_kernel))
        of_members = np.stack(scores, axis=1)
        return Judged(
            scores=self.together(of_members),
            of_members=of_members,
            features=np.concatenate(features, axis=1),
            heat_maps=_mean_map(heat_maps),
        )

    def together(self, of_members: Floats) -> Floats:
        """Return the scores (n,) of all from those of each (n, members)."""
        known = [self.known[name] for name in self.by_name] if self.known else None
        return combined(of_members, rule=self.rule, known=known)


def read_members(
    origin: Mapping[str, Any],
    files: Mapping[str, bytes],
    networks: Mapping[str, Network] | None = None,
) -> Members:
    """Return the networks in the files of a bundle.

    Args:
        origin: What `bundle.json` says of them.
        files: Their content by name.
        networks: By the name of the member, in the place of the bundle's own.

    Raises:
        InvalidBundleError: If one of the files is not there.
    """
    names = [one["path"] for one in origin["members"]]
    _refuse_lacking(origin["rule"], names, files)
    given = networks or {name: OnnxNetwork(files[f"{name}/{ONNX}"]) for name in names}
    return Members(
        rule=origin["rule"],
        by_name={
            name: Member(
                network=given[name],
                head_kernel=load(files[f"{name}/{WEIGHTS}"])[_HEAD_KERNEL],
            )
            for name in names
        },
        known=load(files[RANKS]) if RANKS in files else {},
    )


def _refuse_lacking(rule: str, names: list[str], files: Mapping[str, bytes]) -> None:
    needed = {f"{name}/{file}" for name in names for file in (KERAS, ONNX, WEIGHTS)}
    needed |= {RANKS} if rule == MEAN_RANK else set()
    if missing := sorted(needed - set(files)):
        raise InvalidBundleError(
            f"The bundle says that it holds {', '.join(names)} ({rule}), but lists no "
            f"{', '.join(missing)}; nothing is predicted with it."
        )


def _logistic(log_odds: Floats) -> Floats:
    # As scipy.special.expit, by which a study's own scores are made.
    held = np.maximum(log_odds, -700.0).tolist()
    return np.array([1 / (1 + math.exp(-one)) for one in held])


def _mean_map(heat_maps: list[Floats]) -> Floats:
    """Return the mean of maps (n, height, width); coarse ones are made as fine."""
    height, width = max(maps.shape[1:] for maps in heat_maps)
    alike = [
        maps
        if maps.shape[1:] == (height, width)
        else np.stack([cv2.resize(one, (width, height)) for one in maps])
        for maps in heat_maps
    ]
    return np.asarray(np.mean(alike, axis=0))
