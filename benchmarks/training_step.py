"""A training step and an inference beside plain PyTorch: DenseNet121, batch 16.

Both compute in float32 on the same cores with the same number of threads, PyTorch in
its channels-last layout; they take turns step by step. Printed are the medians in
milliseconds per image, and how many times as fast as PyTorch we are.

    python benchmarks/training_step.py [--sizes 128 224] [--threads 1 2] [--steps 7]

Needs PyTorch: pip install -e '.[benchmarks]'.
"""

import argparse
import os
import statistics
from functools import cache
from pathlib import Path

import numpy as np
from turns import Program, serve

BATCH_IMAGES = 16
TASKS = ("training step", "inference")
MOMENTUM, LEARNING_RATE, WEIGHT_DECAY = 0.9, 5e-4, 1e-4


def main():
    """Print one line per size, number of threads and task."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 224])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--steps", type=int, default=7)
    parser.add_argument("--side", choices=["tensorflow", "pytorch"])
    options = parser.parse_args()
    if options.side:
        side = {"tensorflow": tasks_here, "pytorch": tasks_in_pytorch}[options.side]
        serve(side(options.sizes[0], options.threads[0]))
        return
    for size in options.sizes:
        for n_threads in options.threads:
            compare(size, n_threads, n_steps=options.steps)


def compare(size, n_threads, *, n_steps):
    """Let both sides take turns at each task, and print the medians."""
    arguments = [Path(__file__), "--sizes", size, "--threads", n_threads, "--side"]
    sides = {
        side: Program([*arguments, side], n_cores=n_threads)
        for side in ("tensorflow", "pytorch")
    }
    for task in TASKS:
        first = {name: side.seconds(task) for name, side in sides.items()}
        rounds = [
            {name: side.seconds(task) for name, side in sides.items()}
            for _ in range(n_steps)
        ]
        ours, theirs = (
            statistics.median(taken[name] for taken in rounds) * 1000 / BATCH_IMAGES
            for name in sides
        )
        print(
            f"{size} px, {n_threads} thread(s), {task:13s}: ours {ours:6.1f}, PyTorch "
            f"{theirs:6.1f} ms/image, {theirs / ours:.2f} x as fast "
            f"(first time {first['tensorflow']:.0f} and {first['pytorch']:.0f} s)",
            flush=True,
        )
    for side in sides.values():
        side.end()


def tasks_here(size, n_threads):
    """Return the step and the inference of this project."""
    descent = descent_here(size, n_threads)
    batch = one_batch(size)
    return {
        "training step": lambda: descent.step(*batch),
        "inference": lambda: descent.network.predict([batch]),
    }


def descent_here(size, n_threads):
    """Return the project's descent in a DenseNet121 for one label, ready to step."""
    from covid_cxr.devices.backend import deterministic_tensorflow  # noqa: PLC0415
    from covid_cxr.training.network import Network, build_classifier  # noqa: PLC0415
    from covid_cxr.training.recipe import Recipe  # noqa: PLC0415
    from covid_cxr.training.traced import traced_descent  # noqa: PLC0415

    tf = deterministic_tensorflow()
    tf.config.threading.set_intra_op_parallelism_threads(n_threads)
    tf.config.threading.set_inter_op_parallelism_threads(n_threads)
    network = parameters("network") | {"size_px": size, "weights": "none"}
    classifier = build_classifier(Network(**network), 1)
    recipe = Recipe(**parameters("phase3")["recipe"])
    descent = traced_descent(classifier, recipe)
    descent.put(
        weights=classifier.get_weights(),
        velocity=[np.zeros_like(array) for array in descent.velocity()],
        learning_rate=LEARNING_RATE,
    )
    return descent


def tasks_in_pytorch(size, n_threads):
    """Return the same step and inference in plain PyTorch."""
    os.environ["OMP_NUM_THREADS"] = str(n_threads)
    import torch  # noqa: PLC0415
    from torch_densenet import DenseNet121  # noqa: PLC0415

    torch.set_num_threads(n_threads)
    model = DenseNet121(1, 1).to(memory_format=torch.channels_last)
    descent = torch.optim.SGD(
        model.parameters(), LEARNING_RATE, MOMENTUM, weight_decay=WEIGHT_DECAY
    )
    images, is_case = map(torch.from_numpy, one_batch(size))
    images = images.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
    loss_of = torch.nn.BCEWithLogitsLoss()

    def step():
        model.train()
        descent.zero_grad()
        loss = loss_of(model(images), is_case)
        loss.backward()
        descent.step()
        loss.item()

    def infer():
        model.eval()
        with torch.inference_mode():
            model(images).numpy()

    return {"training step": step, "inference": infer}


@cache
def parameters(name):
    """Return a part of the project's parameters, as in conf/base."""
    from kedro.config import OmegaConfigLoader  # noqa: PLC0415

    conf = Path(__file__).parents[1] / "conf"
    return OmegaConfigLoader(str(conf), base_env="base", default_run_env="base")[
        "parameters"
    ][name]


def one_batch(size):
    """Return normal images (n, size, size, 1) and labels (n, 1)."""
    rng = np.random.default_rng(1)
    images = rng.normal(size=(BATCH_IMAGES, size, size, 1)).astype(np.float32)
    return images, rng.integers(0, 2, (BATCH_IMAGES, 1)).astype(np.float32)


if __name__ == "__main__":
    main()
