"""Does a killed training end as if nothing had been? Kill it again and again, and look.

A small training runs in a process of its own, is killed (SIGKILL) while it takes steps,
validates or saves, in turn, each time at a random moment, and started again until it is
through; then its weights, history, provenance and scores are compared, bit for bit,
with those of a training that nobody killed. Prints how many kills fell where.

    python benchmarks/crash_soak.py [--kills 50] [--seed 0]
"""

import argparse
import contextlib
import hashlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import keras  # noqa: F401 - imported once, before the processes that train are forked
import numpy as np
import pandas as pd

from covid_cxr.devices.strategy import Compute
from covid_cxr.radiographs.normalisation import Intensity
from covid_cxr.training.examples import Examples
from covid_cxr.training.network import Network, initialise
from covid_cxr.training.recipe import Recipe
from covid_cxr.training.scores import score
from covid_cxr.training.stage import Stage
from covid_cxr.training.state import StateFolder

N_IMAGES, SIZE_PX = 160, 32
N_BATCHES = 12  # of 8 of the 96 training images
PARTS = ["train"] * 96 + ["validation"] * 48 + ["test"] * 16
NETWORK = Network(
    size_px=SIZE_PX,
    blocks=[1, 1],
    growth_rate=4,
    initial_filters=8,
    batch_norm_momentum=0.9,
    weights="none",
    seed=3,
)
RECIPE = Recipe(
    learning_rate=0.05,
    momentum=0.9,
    weight_decay=1e-4,
    decay="coupled_l2",
    batch_images=8,
    max_epochs=12,
    plateau_epochs=2,
    plateau_factor=0.1,
    stop_epochs=10,
    flip=True,
    rotation_degrees=8.0,
    crop_share=0.1,
    seed=5,
)
MOMENTS = ("saving", "training", "validation")


class TellingStore:
    """Images in memory that tell through a pipe which part is being read."""

    size_px, n_images, fingerprint = SIZE_PX, N_IMAGES, "drawn with seed 0"

    def __init__(self, pipe):
        """Draw the images."""
        self.pipe = pipe
        rng = np.random.default_rng(0)
        self.images = rng.integers(0, 255, (N_IMAGES, SIZE_PX, SIZE_PX), np.uint8)

    def read(self, rows):
        """Return images, as an image store does."""
        os.write(self.pipe, b"t" if PARTS[rows[0]] == "train" else b"v")
        return self.images[rows]


def train(folder, pipe):
    """Train, score, and write what came out."""
    ids = [f"image_{number:03d}" for number in range(N_IMAGES)]
    is_case = np.random.default_rng(1).random(N_IMAGES) < 0.4
    examples = Examples(
        store=TellingStore(pipe),
        radiographs=pd.DataFrame(
            {
                "image_id": ids,
                "patient_id": ids,
                "part": PARTS,
                "row": range(N_IMAGES),
                "pneumonia": is_case,
            }
        ),
        labels=("pneumonia",),
        intensity=Intensity(mean=0.5, standard_deviation=0.25, n_images=96),
    )
    parent, parent_provenance = initialise(NETWORK)
    classifier, history, provenance, _ = Stage("phase1").train(
        parent=parent,
        parent_provenance=parent_provenance,
        examples=examples,
        recipe=RECIPE,
        compute=Compute(),
        states=StateFolder(folder / "state"),
    )
    scores = score(classifier, examples)
    weights = b"".join(array.tobytes() for array in classifier.get_weights())
    result = {
        "weights": hashlib.sha256(weights).hexdigest(),
        "history": history,
        "provenance": provenance,
        "scores": scores.to_dict("list"),
    }
    (folder / "result.json").write_text(json.dumps(result))


class Run:
    """A training in a process of its own."""

    def __init__(self, folder):
        """Start it."""
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.heard = ""
        self.pipe, of_child = os.pipe()
        os.set_blocking(self.pipe, False)
        fork = multiprocessing.get_context("fork")
        self.process = fork.Process(target=train, args=(folder, of_child))
        self.process.start()
        os.close(of_child)

    def listen(self):
        """Take in what the store told; return whether the process still runs."""
        with contextlib.suppress(BlockingIOError):
            self.heard += os.read(self.pipe, 65536).decode()
        return self.process.is_alive()

    def kill(self):
        """Kill it; return where it was."""
        self.process.kill()
        self.process.join()
        self.listen()
        if list(self.folder.glob("state/*/*.part")):
            return "saving"
        if not self.heard:
            return "starting"
        return {"t": "training", "v": "validation"}[self.heard[-1]]

    def is_caught_saving(self):
        """Stop it if it is saving; let it go on if it was faster."""
        if not list(self.folder.glob("state/*/epoch_*.part")):
            return False
        os.kill(self.process.pid, signal.SIGSTOP)
        if list(self.folder.glob("state/*/epoch_*.part")):
            return True
        os.kill(self.process.pid, signal.SIGCONT)
        return False

    def kill_at(self, moment, n_reads):
        """Kill it at a moment, after so many reads; return where it was, if alive."""
        letter = moment[0]
        while self.listen():
            if moment == "saving":
                is_time = len(self.heard) > n_reads and self.is_caught_saving()
            else:
                is_time = len(self.heard) > n_reads and self.heard[-1] == letter
            if is_time:
                return self.kill()
        return None


def epochs_kept(folder):
    """Return the epoch of the newest whole state, 0 if there is none."""
    files = sorted(folder.glob("state/*/epoch_*.state"))
    return int(files[-1].stem.removeprefix("epoch_")) if files else 0


def check(run, n_kept, expected):
    """Stop unless the run went on after what was kept, and ended as expected."""
    run.process.join()
    run.listen()
    n_epochs = run.heard.count("t") / N_BATCHES
    if n_kept + n_epochs != len(expected["history"]):
        sys.exit(f"with {n_kept} epochs kept, {n_epochs:.1f} were trained to the end")
    found = json.loads((run.folder / "result.json").read_text())
    for name, value in expected.items():
        if found[name] != value:
            sys.exit(f"{name} differ from those of a training that nobody killed")


def main():
    """Kill, start again, compare; print the tally."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)  # noqa: S311 - no secret
    started = time.monotonic()
    tally, n_finished = Counter(), 0
    with tempfile.TemporaryDirectory() as scratch:
        whole, killed = Path(scratch, "whole"), Path(scratch, "killed")
        Run(whole).process.join()
        expected = json.loads((whole / "result.json").read_text())
        while tally.total() < arguments.kills:
            moment = MOMENTS[tally.total() % len(MOMENTS)]
            n_kept = epochs_kept(killed)
            run = Run(killed)
            place = run.kill_at(moment, rng.randrange(1, 60))
            if place is None:
                check(run, n_kept, expected)
                n_finished += 1
                shutil.rmtree(killed)
                continue
            tally[place] += 1
            print(f"killed {place}, {epochs_kept(killed)} epochs kept", flush=True)
        n_kept = epochs_kept(killed)
        check(Run(killed), n_kept, expected)
    places = ", ".join(f"{count} {place}" for place, count in sorted(tally.items()))
    print(
        f"{tally.total()} kills ({places}) in {n_finished + 1} trainings of "
        f"{len(expected['history'])} epochs: weights, history, provenance and scores "
        f"bit-identical; {time.monotonic() - started:.0f} s"
    )


if __name__ == "__main__":
    main()
