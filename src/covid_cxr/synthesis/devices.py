"""Lines and leads on the very ill: they say who is sick, not what with."""

from dataclasses import replace

import numpy as np

from covid_cxr.synthesis.anatomy import SIDES
from covid_cxr.synthesis.chest import Chest
from covid_cxr.synthesis.strokes import Points, blobs, trace


def add_devices(chest: Chest, rng: np.random.Generator) -> Chest:
    """Return `chest` with monitoring leads and, by chance, a tube and a line."""
    lines = [_lead(rng) for _ in range(int(rng.integers(1, 4)))]
    if rng.random() < 0.5:
        lines.append(np.array([(0.01, -0.2), (0.004, 0.1), (0.0, 0.27)]))
    if rng.random() < 0.5:
        lines.append(_central_line(rng))
    thorax = chest.thorax
    unit = thorax.unit_px
    wires = trace(
        thorax.shape,
        [(thorax.place(line), 0.006 * unit, 1.0) for line in lines],
        softness_px=0.001 * unit + 0.2,
    )
    pads = blobs(
        thorax.shape,
        thorax.place(rng.uniform((-0.3, 0.2), (0.3, 0.8), (2, 2))),
        np.full((2, 2), 0.014 * unit),
        sharpness=4,
    )
    added = 0.55 * wires + 0.4 * pads
    return replace(chest, tissue=chest.tissue + added)


def _lead(rng: np.random.Generator) -> Points:
    """Return a slack wire across the chest, shape (16, 2) in the body's frame."""
    along = np.linspace(0, 1, 16)
    start, end = rng.uniform(-0.4, 0.4, 2)
    sag = rng.normal(0, 0.08) * np.sin(np.pi * along)
    height = rng.uniform(-0.1, 0.4)
    fall = rng.uniform(0.3, 0.8)
    return np.stack(
        [start + (end - start) * along + sag, height + fall * along], axis=1
    )


def _central_line(rng: np.random.Generator) -> Points:
    side = int(rng.choice(SIDES))
    return np.array(
        [(side * 0.22, 0.17), (side * 0.1, 0.19), (-0.035, 0.28), (-0.045, 0.44)]
    )
