"""Is the input faster than the network? Beside a PyTorch DataLoader, and with a step.

The same images lie in an image store and as PNG files of the same size. First both
sides read, distort and normalise all of them, in turn: ours with two threads, PyTorch
with two worker processes that decode with PIL and distort with grid_sample. Then, for
DenseNet121: our input alone, training steps alone on a batch that stays in memory, and
steps that the input feeds. Printed are images per second.

    python benchmarks/input_pipeline.py [--images FOLDER] [--number 512] [--rounds 3]

FOLDER holds PNG files, which are resized and repeated; without it, images are drawn
that compress like radiographs. Needs PyTorch: pip install -e '.[benchmarks]'.
"""

import argparse
import itertools
import json
import statistics
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from training_step import BATCH_IMAGES, descent_here, parameters
from turns import Program, serve

WORKERS = 2
GOAL_TO_PYTORCH, GOAL_TO_SLOWER = 5.0, 0.95
INTENSITY = {"mean": 0.5, "standard_deviation": 0.25}


def main():
    """Print images per second, and the two ratios beside their goals."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=Path, help="a folder of PNG files")
    parser.add_argument("--number", type=int, default=512, help="of images")
    parser.add_argument("--size", type=int, default=512, help="of the input alone")
    parser.add_argument("--step-size", type=int, default=128, help="with the network")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--side", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        side, folder = options.side
        sides = {"pytorch": epoch_in_pytorch, "input": epoch_here, "step": steps_here}
        serve(sides[side](Path(folder)))
        return
    with tempfile.TemporaryDirectory() as folder:
        large, small = Path(folder, "large"), Path(folder, "small")
        write_images(large, options.images, options.number, options.size)
        compare_with_pytorch(large, options.number, options.rounds)
        n_images = 8 * BATCH_IMAGES
        write_images(small, options.images, n_images, options.step_size)
        compare_with_step(small, n_images, options.rounds)


def compare_with_pytorch(folder, n_images, n_rounds):
    """Print both sides' images per second, and how many times as fast we are."""
    script = Path(__file__)
    sides = {
        side: Program([script, "--side", side, folder], n_cores=WORKERS)
        for side in ("input", "pytorch")
    }
    speeds = {
        name: n_images / seconds["epoch"]
        for name, seconds in medians(sides, ["epoch"], n_rounds).items()
    }
    ratio = speeds["input"] / speeds["pytorch"]
    print(
        f"input alone: ours {speeds['input']:.0f}, DataLoader {speeds['pytorch']:.0f} "
        f"images/s, {ratio:.1f} x as fast (goal {GOAL_TO_PYTORCH:.0f})",
        flush=True,
    )


def compare_with_step(folder, n_images, n_rounds):
    """Print images per second of the input, of the step, and of both together."""
    program = Program([Path(__file__), "--side", "step", folder], n_cores=WORKERS)
    tasks = ["input", "step", "together"]
    seconds = medians({"step": program}, tasks, n_rounds)["step"]
    speeds = {task: n_images / seconds[task] for task in tasks}
    ratio = speeds["together"] / min(speeds["input"], speeds["step"])
    print(
        f"DenseNet121: input alone {speeds['input']:.0f}, step alone "
        f"{speeds['step']:.1f}, together {speeds['together']:.1f} images/s, "
        f"{ratio:.3f} of the slower one (goal {GOAL_TO_SLOWER})",
        flush=True,
    )


def medians(sides, tasks, n_rounds):
    """Return the median seconds of each side's tasks, done in turn, after one try."""
    turns = [(name, task) for task in tasks for name in sides]
    rounds = [
        {(name, task): sides[name].seconds(task) for name, task in turns}
        for _ in range(n_rounds + 1)
    ][1:]
    for side in sides.values():
        side.end()
    return {
        name: {task: statistics.median(r[name, task] for r in rounds) for task in tasks}
        for name in sides
    }


def write_images(folder, source, n_images, size):
    """Write an image store and PNG files of the same images."""
    from covid_cxr.radiographs.pixels import (  # noqa: PLC0415
        StoreLayout,
        create_array,
        write_images,
    )
    from covid_cxr.radiographs.store import IMAGES  # noqa: PLC0415

    (folder / "png").mkdir(parents=True)
    originals = itertools.cycle(drawn(size) if source is None else stored(source, size))
    images = np.stack(list(itertools.islice(originals, n_images)))
    layout = {
        "n_images": n_images,
        "size_px": size,
        "shard_images": 64,
        "compression": "none",
    }
    (folder / "layout.json").write_text(json.dumps(layout))
    create_array(folder / IMAGES, StoreLayout(**layout))
    write_images(folder / IMAGES, 0, images)
    for number, image in enumerate(images):
        cv2.imwrite(str(folder / "png" / f"{number:05d}.png"), image)


def stored(source, size):
    """Return the PNG files of a folder as images (size, size)."""
    files = sorted(source.rglob("*.png"))
    grey = (cv2.imread(str(file), cv2.IMREAD_GRAYSCALE) for file in files)
    return [
        cv2.resize(image, (size, size), None, 0, 0, cv2.INTER_AREA) for image in grey
    ]


def drawn(size):
    """Return images (size, size) that are smooth but for a little noise."""
    rng = np.random.default_rng(1)
    coarse = rng.uniform(20, 230, (32, 8, 8)).astype(np.float32)
    smooth = [
        cv2.resize(image, (size, size), None, 0, 0, cv2.INTER_CUBIC) for image in coarse
    ]
    noisy = smooth + rng.normal(0, 2, (32, size, size))
    return list(np.clip(noisy, 0, 255).astype(np.uint8))


def epoch_here(folder):
    """Return one epoch of our input."""
    return {"epoch": lambda: [None for _ in batches_here(folder)]}


def steps_here(folder):
    """Return an epoch of the input, as many steps alone, and both together."""
    layout = json.loads((folder / "layout.json").read_text())
    descent = descent_here(layout["size_px"], WORKERS)
    n_steps = layout["n_images"] // BATCH_IMAGES
    resident = next(iter(batches_here(folder)))
    return {
        "input": lambda: [None for _ in batches_here(folder)],
        "step": lambda: [descent.step(*resident) for _ in range(n_steps)],
        "together": lambda: [descent.step(*batch) for batch in batches_here(folder)],
    }


def batches_here(folder):
    """Return the batches of an epoch, as a training reads them."""
    from covid_cxr.radiographs.normalisation import Intensity  # noqa: PLC0415
    from covid_cxr.radiographs.pixels import StoreLayout  # noqa: PLC0415
    from covid_cxr.radiographs.store import ImageStore  # noqa: PLC0415
    from covid_cxr.training.batches import training_batches  # noqa: PLC0415
    from covid_cxr.training.examples import Examples  # noqa: PLC0415
    from covid_cxr.training.recipe import Recipe  # noqa: PLC0415

    layout = StoreLayout(**json.loads((folder / "layout.json").read_text()))
    rows = np.arange(layout.n_images)
    part = Examples(
        store=ImageStore(root=folder, layout=layout, fingerprint="benchmark"),
        radiographs=pd.DataFrame({"row": rows, "sign": False}),
        labels=("sign",),
        intensity=Intensity(**INTENSITY, n_images=layout.n_images),
    )
    recipe = Recipe(**parameters("phase3")["recipe"])
    return training_batches(part, recipe, "phase3", epoch=1, n_threads=WORKERS)


def epoch_in_pytorch(folder):
    """Return one epoch of a DataLoader whose workers stay between epochs."""
    import torch  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415
    from torch.nn import functional  # noqa: PLC0415

    files = sorted((folder / "png").iterdir())
    recipe = parameters("phase3")["recipe"]

    class Radiographs(torch.utils.data.Dataset):
        def __len__(self):
            return len(files)

        def __getitem__(self, index):
            grey = np.asarray(Image.open(files[index]), dtype=np.float32) / 255
            image = torch.from_numpy(grey)[None, None]
            grid = functional.affine_grid(self.draw(), image.shape, align_corners=False)
            turned = functional.grid_sample(image, grid, align_corners=False)
            mean, deviation = INTENSITY["mean"], INTENSITY["standard_deviation"]
            return (turned[0] - mean) / deviation, torch.zeros(1)

        def draw(self):
            """Return a random mirror, turn and crop as one affine map (1, 2, 3)."""
            mirror, turn, height, width, top, left = torch.rand(6)
            angle = torch.deg2rad((2 * turn - 1) * recipe["rotation_degrees"])
            sign = 1 - 2 * (mirror < 0.5)
            x, y = 1 - recipe["crop_share"] * torch.stack([width, height])
            cosine, sine = torch.cos(angle), torch.sin(angle)
            rows = [
                sign * torch.stack([cosine * x, -sine * y, (2 * left - 1) * (1 - x)]),
                torch.stack([sine * x, cosine * y, (2 * top - 1) * (1 - y)]),
            ]
            return torch.stack(rows)[None]

    loader = torch.utils.data.DataLoader(
        Radiographs(),
        batch_size=BATCH_IMAGES,
        shuffle=True,
        num_workers=WORKERS,
        persistent_workers=True,
    )
    return {"epoch": lambda: [None for _ in loader]}


if __name__ == "__main__":
    main()
