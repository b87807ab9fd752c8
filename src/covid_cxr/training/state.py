"""A training after some epochs, and the folder that keeps it through a crash.

    <folder>/<fingerprint>/epoch_0007.state   the newest epoch
    <folder>/<fingerprint>/epoch_0006.state   the one before
    <folder>/<fingerprint>/origin.json        what the fingerprint is of

A state file is the SHA-256 of its content and the content, NumPy arrays. It appears
whole or not at all, and the older one stays until the newer one has been read back. The
fingerprint keeps apart what must not be continued with anything else; whoever wants the
disk back may delete the folder of a training that is over.
"""

import hashlib
import io
import json
import logging
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from covid_cxr.durable import write_durably
from covid_cxr.training.recipe import Plateau
from covid_cxr.weights.numpy_archive import read_arrays

logger = logging.getLogger(__name__)

Arrays = tuple[NDArray[np.float32], ...]

SUFFIX = ".state"
ORIGIN = "origin.json"
KEPT = 2  # epochs: the newest, and one more should its file turn out damaged
ARRAYS = ("weights", "velocity", "mean_weights", "best_weights")


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingState:
    """A training after some epochs: all that the next epoch depends on.

    Attributes:
        weights: Of the network, with its moving averages, in the order of Keras.
        velocity: Of the optimiser, one array per trainable weight.
        mean_weights: Running mean of the epochs' weights, which validation takes; none
            where the recipe averages nothing.
        plateau: Counters, and which epoch had the lowest validation loss.
        best_weights: Of that epoch, as validated.
        history: One record per epoch: `epoch` (from 1), `loss` and `validation_loss`
            (cross-entropy, without weight decay) and `learning_rate`.
        seconds: What each epoch took. Apart from the history, since it is a clock's
            reading: nothing depends on it, and no two trainings agree in it.
    """

    weights: Arrays
    velocity: Arrays
    mean_weights: Arrays
    plateau: Plateau
    best_weights: Arrays
    history: tuple[Mapping[str, float], ...]
    seconds: tuple[float, ...]

    @property
    def n_epochs(self) -> int:
        """The number of finished epochs."""
        return len(self.history)

    def to_bytes(self) -> bytes:
        """Return the state as a file's content, the hash of the rest first."""
        record: dict[str, Any] = {
            "plateau": asdict(self.plateau),
            "history": [dict(epoch) for epoch in self.history],
            "seconds": list(self.seconds),
        }
        # A file in the archive for every array would take most of the time.
        arrays = {name: _joined(getattr(self, name)) for name in ARRAYS}
        record["shapes"] = {
            name: [array.shape for array in getattr(self, name)] for name in ARRAYS
        }
        text = np.frombuffer(json.dumps(record).encode(), np.uint8)
        content = io.BytesIO()
        np.savez(content, allow_pickle=False, record=text, **arrays)
        return hashlib.sha256(content.getbuffer()).digest() + content.getvalue()


def state_from_bytes(content: bytes) -> TrainingState:
    """Return the state that `to_bytes` wrote.

    Raises:
        ValueError: If a byte of it is not as it was.
    """
    digest, body = content[:32], content[32:]
    if hashlib.sha256(body).digest() != digest:
        raise ValueError(f"its hash does not fit its {len(content)} bytes")
    arrays = read_arrays(io.BytesIO(body), most_bytes=len(body))
    record = json.loads(arrays["record"].tobytes())
    parts = {name: _parted(arrays[name], record["shapes"][name]) for name in ARRAYS}
    return TrainingState(
        plateau=Plateau(**record["plateau"]),
        history=tuple(record["history"]),
        seconds=tuple(record["seconds"]),
        **parts,
    )


@dataclass(frozen=True)
class StateFolder:
    """Where a training's states are kept: a handle, as the catalog loads it.

    Attributes:
        root: May not exist yet.
    """

    root: Path

    def of(self, origin: Mapping[str, Any]) -> "KeptStates":
        """Return the states of the training that `origin` tells apart.

        Args:
            origin: All that a training depends on, as JSON takes it. States of another
                origin are left where they are, and never continued.
        """
        return KeptStates(root=self.root, origin=origin)


@dataclass(frozen=True, kw_only=True)
class KeptStates:
    """The states of one training, of which the newest two are kept.

    Attributes:
        root: Of the states of all origins.
        origin: Of these.
    """

    root: Path
    origin: Mapping[str, Any]

    @property
    def folder(self) -> Path:
        """Where they are."""
        text = json.dumps(self.origin, sort_keys=True)
        return self.root / hashlib.sha256(text.encode()).hexdigest()[:16]

    def newest(self) -> TrainingState | None:
        """Return the newest state that is whole; None if there is none."""
        for path in reversed(self._files()):
            try:
                state = state_from_bytes(path.read_bytes())
            except ValueError as error:
                logger.warning(
                    "%s is damaged (%s) and not used: the epoch before it is, if it "
                    "was kept",
                    path,
                    error,
                )
            else:
                return state
        self._log_others()
        return None

    def keep(self, state: TrainingState) -> None:
        """Write `state`, then drop the states that are two epochs older.

        Raises:
            OSError: If it cannot be written, such as to a full disk. The states
                before it are as they were.
        """
        path = self.folder / f"epoch_{state.n_epochs:04d}{SUFFIX}"
        content = state.to_bytes()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_durably(self.folder / ORIGIN, _as_text(self.origin).encode())
            write_durably(path, content)
        except OSError as error:
            raise OSError(
                f"The state after epoch {state.n_epochs} cannot be kept in "
                f"{self.folder} ({error}). Make room for {len(content)} bytes and run "
                "again: the training goes on after the last epoch that was kept."
            ) from error
        for older in self._files()[:-KEPT]:
            older.unlink()

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob(f"epoch_*{SUFFIX}"))

    def _log_others(self) -> None:
        """Say why the states that are here of other origins are not used."""
        for path in sorted(self.root.glob(f"*/{ORIGIN}")):
            other = json.loads(path.read_text())
            names = sorted({*self.origin, *other})
            changed = [n for n in names if other.get(n) != self.origin.get(n)]
            logger.info(
                "the state in %s is not used: it is of another %s",
                path.parent,
                ", ".join(changed),
            )


def _joined(arrays: Arrays) -> NDArray[np.float32]:
    return np.concatenate([np.empty(0, np.float32), *map(np.ravel, arrays)])


def _parted(joined: NDArray[np.float32], shapes: list[list[int]]) -> Arrays:
    ends = np.cumsum([math.prod(shape) for shape in shapes], dtype=np.int64)
    parts = np.split(joined, ends)[:-1]  # what is after the last end is nothing
    return tuple(part.reshape(shape) for part, shape in zip(parts, shapes, strict=True))


def _as_text(origin: Mapping[str, Any]) -> str:
    return json.dumps(origin, indent=2, sort_keys=True)
