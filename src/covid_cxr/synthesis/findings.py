"""The visible sign of each finding: what disease changes in a healthy chest.

A finding either reshapes the anatomy before it is drawn (`RESHAPED_BY`) or is laid
over the drawn chest (`LAID_OVER`); emphysema does both. Severity runs from 0 (not
there) to 1 (the worst seen). Airspace opacities are one substance: pneumonia, COVID-19
and tuberculosis differ in where they lie, not in what they are made of.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from covid_cxr.synthesis.anatomy import SIDES, Anatomy
from covid_cxr.synthesis.chest import Chest
from covid_cxr.synthesis.strokes import FloatImage, Points, blobs, clouds, fill, trace

# What a radiologist calls a lung opacity suspicious for pneumonia.
OPACITIES = ("pneumonia", "consolidation", "infiltration", "covid19", "tuberculosis")

# These look the same at every visit of a patient, at the same place.
CHRONIC = ("mass", "nodule", "hernia", "fibrosis", "pleural_thickening", "emphysema")


def enlarge_heart(anatomy: Anatomy, severity: float) -> Anatomy:
    """Return `anatomy` with the wide heart of cardiomegaly."""
    # A normal heart takes up to half the chest's width.
    wide = anatomy.half_width * (0.53 + 0.17 * severity)
    return replace(anatomy, heart_half_width=max(wide, anatomy.heart_half_width))


def inflate_lungs(anatomy: Anatomy, severity: float) -> Anatomy:
    """Return `anatomy` with the long, dark lungs and flat diaphragm of emphysema."""
    return replace(
        anatomy,
        dome=anatomy.dome * (1 - 0.75 * severity),
        base=anatomy.base + 0.04 * severity,
        half_width=anatomy.half_width * (1 + 0.05 * severity),
        heart_half_width=anatomy.heart_half_width * (1 - 0.2 * severity),
        aeration=anatomy.aeration * (1 + 0.1 * severity),
    )


def add_emphysema(chest: Chest, severity: float, rng: np.random.Generator) -> Chest:
    """Return `chest` with sparse vessels and dark bullae in the upper lungs."""
    unit = chest.thorax.unit_px
    dark = np.zeros(chest.thorax.shape, np.float32)
    for side in SIDES:
        places = chest.thorax.in_lung(
            side, rng.uniform(0.3, 0.9, 4), rng.uniform(0.1, 0.55, 4)
        )
        radii = rng.uniform(0.03, 0.07, (4, 1)) * unit * np.ones((4, 2))
        bullae = blobs(chest.thorax.shape, places, radii, sharpness=2)
        dark += chest.lungs[side] * (0.05 + 0.13 * bullae)
    return _changed(chest, added=-severity * dark, markings=1 - 0.65 * severity)


def add_edema(chest: Chest, severity: float, rng: np.random.Generator) -> Chest:
    """Return `chest` with haze around both hila, thick vessels and septal lines."""
    thorax = chest.thorax
    unit = thorax.unit_px
    haze = np.zeros(thorax.shape, np.float32)
    septa = []
    for side in SIDES:
        centre = thorax.in_lung(side, np.array([0.28, 0.35]), np.array([0.45, 0.72]))
        radii = np.array([(0.15, 0.17), (0.16, 0.14)]) * unit
        haze += blobs(thorax.shape, centre, radii, sharpness=1.2) * chest.air[side]
        for down in rng.uniform(0.7, 0.95, 5):
            course = thorax.in_lung(side, np.array([0.86, 0.99]), np.full(2, down))
            septa.append((course, 0.003 * unit, 1.0))
    grain = clouds(thorax.shape, grains=22, rng=rng)
    lines = trace(thorax.shape, septa, softness_px=0.001 * unit + 0.2)
    added = 0.62 * haze * (0.6 + 0.6 * grain) + 0.3 * lines
    return _changed(chest, added=severity * added, markings=1 + 0.9 * severity)


def add_hernia(chest: Chest, severity: float, rng: np.random.Generator) -> Chest:
    """Return `chest` with a stomach behind the heart: a ring with a fluid level."""
    thorax = chest.thorax
    radius = 0.055 + 0.045 * severity
    floor = thorax.lung_frame(1, np.array([0.1]), np.ones(1))[0, 1]
    x, y = rng.uniform(0.03, 0.07), floor - 0.8 * radius
    centre = thorax.place(np.array([(x, y)]))
    size = np.array([[1.15, 1.0]]) * radius * thorax.unit_px
    sac = blobs(thorax.shape, centre, size, sharpness=5)
    turn = np.linspace(np.pi, 2 * np.pi, 20)
    above = np.stack(
        [x + 0.92 * radius * np.cos(turn), y + 0.75 * radius * np.sin(turn)], axis=1
    )
    gas = fill(
        thorax.shape, thorax.place(above), softness_px=0.002 * thorax.unit_px + 0.2
    )
    return _changed(chest, added=(0.4 + 0.2 * severity) * sac - 0.75 * gas)


def add_pneumothorax(chest: Chest, severity: float, rng: np.random.Generator) -> Chest:
    """Return `chest` with one lung fallen away from the wall: black, no vessels."""
    thorax = chest.thorax
    side = int(rng.choice(SIDES))
    down = np.linspace(0.0, 0.45 + 0.5 * severity, 24)
    # Air rises: the gap is widest at the apex of an upright patient.
    edge = 1 - (0.16 + 0.45 * severity) * (1 - down / down[-1]) ** 0.5
    pleura = thorax.in_lung(side, edge, np.maximum(down, 0.07 + 0.08 * severity))
    wall = thorax.in_lung(side, np.ones(24), down)
    apex = thorax.in_lung(side, np.linspace(0, 1, 8), np.zeros(8))
    outline = np.concatenate([pleura, wall[::-1], apex[::-1]])
    soft = 0.002 * thorax.unit_px + 0.2
    gap = fill(thorax.shape, outline, softness_px=soft) * chest.lungs[side]
    line = trace(
        thorax.shape, [(pleura, 0.005 * thorax.unit_px, 1.0)], softness_px=soft
    )
    collapsed = chest.lungs[side] * (1 - gap)
    added = 0.3 * line - (0.25 + 0.1 * severity) * gap + 0.25 * severity * collapsed
    return _changed(chest, added=added, markings=1 - gap)


def add_effusion(chest: Chest, severity: float, rng: np.random.Generator) -> Chest:
    """Return `chest` with fluid in the costophrenic angle, rising along the wall."""
    is_both = rng.random() < 0.25
    sides = SIDES if is_both else (int(rng.choice(SIDES)),)
    fluid = np.zeros(chest.thorax.shape, np.float32)
    across = np.linspace(1.1, 0, 20)
    for side in sides:
        middle = 1.03 - 0.3 * severity * rng.uniform(0.7, 1.0)
        # The meniscus: fluid creeps up the wall.
        level = middle - (0.16 + 0.15 * severity) * across**3
        upper = chest.thorax.in_lung(side, across, level)
        lower = chest.thorax.in_lung(side, across[::-1], np.full(20, 1.06))
        outline = np.concatenate([upper, lower])
        softness_px = 0.006 * chest.thorax.unit_px
        fluid += fill(chest.thorax.shape, outline, softness_px=softness_px)
    fluid *= _air(chest)
    return _changed(chest, added=0.95 * fluid, markings=1 - fluid)


def add_mass(chest: Chest, severity: float, rng: np.random.Generator) -> Chest:
    """Return `chest` with one lobulated round shadow wider than 3 cm."""
    unit = chest.thorax.unit_px
    side = int(rng.choice(SIDES))
    across, down = rng.uniform(0.2, 0.8), rng.uniform(0.15, 0.8)
    centre = chest.thorax.in_lung(side, np.array([across]), np.array([down]))
    radius = (0.042 + 0.04 * severity) * unit
    centres = centre + rng.normal(0, 0.35, (4, 2)) * radius
    radii = radius * rng.uniform(0.7, 1.0, (4, 1)) * np.ones((4, 2))
    shadow = blobs(chest.thorax.shape, centres, radii, sharpness=3)
    return _changed(chest, added=(0.4 + 0.25 * severity) * shadow * _air(chest))


def add_nodule(chest: Chest, severity: float, rng: np.random.Generator) -> Chest:
    """Return `chest` with one to four round shadows narrower than 3 cm."""
    unit = chest.thorax.unit_px
    spots = np.zeros(chest.thorax.shape, np.float32)
    for _ in range(int(rng.integers(1, 3 + round(2 * severity)))):
        side = int(rng.choice(SIDES))
        place = rng.uniform((0.2, 0.12), (0.9, 0.9), (1, 2))
        centre = chest.thorax.in_lung(side, place[:, 0], place[:, 1])
        radius = (0.016 + 0.014 * severity) * unit * np.ones((1, 2))
        spots += blobs(chest.thorax.shape, centre, radius, sharpness=2.5)
    return _changed(
        chest, added=(0.35 + 0.25 * severity) * np.minimum(spots, 1) * _air(chest)
    )


def add_fibrosis(chest: Chest, severity: float, rng: np.random.Generator) -> Chest:
    """Return `chest` with a net of fine lines at the bases and under the pleura."""
    unit = chest.thorax.unit_px
    lines = []
    for side in SIDES:
        n_lines = 40 + round(70 * severity)
        across = 1 - rng.beta(1.0, 2.2, n_lines)
        down = 1 - 0.75 * rng.beta(1.0, 1.6, n_lines)
        begin = chest.thorax.in_lung(side, across, down)
        end = begin + rng.normal(0, 0.022, (n_lines, 2)) * unit
        lines += [
            (np.stack(ends), 0.0045 * unit, 1.0)
            for ends in zip(begin, end, strict=True)
        ]
    net = trace(chest.thorax.shape, lines, softness_px=0.0015 * unit + 0.2)
    return _changed(chest, added=(0.2 + 0.28 * severity) * net * _air(chest))


def add_atelectasis(chest: Chest, severity: float, rng: np.random.Generator) -> Chest:
    """Return `chest` with bands of collapsed lung above one raised diaphragm."""
    thorax = chest.thorax
    unit = thorax.unit_px
    side = int(rng.choice(SIDES))
    bands = []
    for _ in range(1 + round(2 * severity)):
        start, height = rng.uniform(0.15, 0.45), rng.uniform(0.62, 0.9)
        across = np.array([start, start + rng.uniform(0.3, 0.5)])
        course = thorax.in_lung(side, across, height + rng.normal(0, 0.025, 2))
        bands.append((course, (0.010 + 0.012 * severity) * unit, 1.0))
    plates = trace(thorax.shape, bands, softness_px=0.004 * unit + 0.2)
    across = np.linspace(0, 1.05, 12)
    raised = np.concatenate(
        [
            thorax.in_lung(side, across, np.full(12, 0.97 - 0.13 * severity)),
            thorax.in_lung(side, across[::-1], np.full(12, 1.03)),
        ]
    )
    liver = fill(thorax.shape, raised, softness_px=0.008 * unit)
    added = 0.5 * plates + 0.6 * liver
    return _changed(chest, added=added * chest.air[side])


def add_pleural_thickening(
    chest: Chest, severity: float, rng: np.random.Generator
) -> Chest:
    """Return `chest` with an uneven band inside the chest wall, often at the apex."""
    side = int(rng.choice(SIDES))
    first = rng.choice([0.0, 0.25])
    down = np.linspace(first, first + 0.45 + 0.2 * severity, 16)
    depth = (0.10 + 0.13 * severity) * rng.uniform(0.6, 1.0, 16)
    inner = chest.thorax.in_lung(side, 1 - depth, np.maximum(down, 0.05))
    outer = chest.thorax.in_lung(side, np.ones(16), down)
    softness_px = 0.004 * chest.thorax.unit_px
    outline = np.concatenate([inner, outer[::-1]])
    band = fill(chest.thorax.shape, outline, softness_px=softness_px)
    return _changed(chest, added=(0.45 + 0.2 * severity) * band * chest.lungs[side])


def add_consolidation(chest: Chest, severity: float, rng: np.random.Generator) -> Chest:
    """Return `chest` with one dense lobe in which the open bronchi show dark."""
    thorax = chest.thorax
    side = int(rng.choice(SIDES))
    across, down = rng.uniform(0.3, 0.7), rng.choice([0.22, 0.5, 0.78])
    lobe = _airspace(chest, side, (across, down), reach=0.10 + 0.07 * severity, rng=rng)
    course = np.linspace(0, 1, 6)
    bronchi = [
        (
            thorax.in_lung(
                side,
                np.clip(0.05 + course * (across + fan), 0, 1),
                np.clip(0.47 + course * (down - 0.47 + fan / 2), 0, 1),
            ),
            0.008 * thorax.unit_px,
            1.0,
        )
        for fan in (-0.12, 0.05, 0.2)
    ]
    dark = trace(thorax.shape, bronchi, softness_px=0.002 * thorax.unit_px + 0.2)
    dense = np.minimum(1.7 * lobe, 1) * (1 - 0.35 * dark)
    return _changed(chest, added=(0.5 + 0.4 * severity) * dense)


def add_pneumonia(chest: Chest, severity: float, rng: np.random.Generator) -> Chest:
    """Return `chest` with patchy airspace opacity, mostly in one lung."""
    side = int(rng.choice(SIDES))
    added = np.zeros(chest.thorax.shape, np.float32)
    for focus in range(1 + int(rng.random() < 0.4)):
        is_opposite = focus == 1 and rng.random() < 0.35
        centre = (rng.uniform(0.25, 0.8), rng.uniform(0.3, 0.85))
        reach = (0.085 + 0.065 * severity) * (0.75 if focus else 1.0)
        added += _airspace(
            chest, -side if is_opposite else side, centre, reach=reach, rng=rng
        )
    return _changed(chest, added=(0.3 + 0.42 * severity) * np.minimum(added, 1.2))


def add_infiltration(chest: Chest, severity: float, rng: np.random.Generator) -> Chest:
    """Return `chest` with faint, ill-defined, streaky opacity in one or both lungs."""
    sides = SIDES if rng.random() < 0.5 else (int(rng.choice(SIDES)),)
    added = np.zeros(chest.thorax.shape, np.float32)
    for side in sides:
        for _ in range(2):
            centre = (rng.uniform(0.15, 0.65), rng.uniform(0.3, 0.85))
            reach = 0.09 + 0.05 * severity
            added += _airspace(chest, side, centre, reach=reach, rng=rng)
    grain = clouds(chest.thorax.shape, grains=46, rng=rng)
    streaky = np.minimum(added, 1) * (0.35 + grain)
    return _changed(chest, added=(0.14 + 0.28 * severity) * streaky)


def add_covid19(chest: Chest, severity: float, rng: np.random.Generator) -> Chest:
    """Return `chest` with peripheral, basal patches in both lungs."""
    added = np.zeros(chest.thorax.shape, np.float32)
    for side in SIDES:
        # A mild case shows on one side first.
        n_patches = 1 + rng.binomial(4, 0.2 + 0.7 * severity)
        weight = rng.uniform(0.6, 1.0)
        for _ in range(n_patches):
            centre = (rng.uniform(0.6, 0.95), 1 - rng.beta(1.4, 2.6))
            reach = rng.uniform(0.055, 0.08) + 0.025 * severity
            added += weight * _airspace(chest, side, centre, reach=reach, rng=rng)
    ground_glass = np.minimum(added, 1)
    return _changed(chest, added=(0.22 + 0.5 * severity) * ground_glass)


def add_tuberculosis(chest: Chest, severity: float, rng: np.random.Generator) -> Chest:
    """Return `chest` with infiltrates of the upper lobes, the worse ones with a cavity.

    Post-primary tuberculosis: apical and posterior segments, on one side or both, and
    where tissue has died a ring with air in it.
    """
    thorax = chest.thorax
    first = int(rng.choice(SIDES))
    sides = (first, -first) if rng.random() < 0.2 + 0.5 * severity else (first,)
    added = np.zeros(thorax.shape, np.float32)
    for side in sides:
        for _ in range(2):
            centre = (rng.uniform(0.3, 0.8), rng.uniform(0.1, 0.36))
            reach = rng.uniform(0.045, 0.06) + 0.03 * severity
            added += _airspace(chest, side, centre, reach=reach, rng=rng)
    middle = thorax.in_lung(first, rng.uniform(0.4, 0.7, 1), rng.uniform(0.16, 0.3, 1))
    radius = (0.03 + 0.025 * severity) * thorax.unit_px * np.ones((1, 2))
    outside = blobs(thorax.shape, middle, 1.35 * radius, sharpness=4)
    inside = blobs(thorax.shape, middle, radius, sharpness=4)
    is_open = max(0.0, severity - 0.3)
    wall = 0.45 * is_open * (outside - inside) * chest.air[first]
    infiltrate = np.minimum(added, 1.1) * (1 - min(1.0, 1.2 * is_open) * inside)
    return _changed(chest, added=(0.16 + 0.32 * severity) * infiltrate + wall)


def add_crowding(chest: Chest, severity: float, rng: np.random.Generator) -> Chest:
    """Return `chest` with the crowded bases of a shallow breath: no disease at all."""
    thorax = chest.thorax
    haze = np.zeros(thorax.shape, np.float32)
    for side in SIDES:
        across = rng.uniform(0.15, 0.75, 2)
        centres = thorax.in_lung(side, across, rng.uniform(0.75, 0.98, 2))
        radii = rng.uniform((0.07, 0.04), (0.13, 0.09), (2, 2)) * thorax.unit_px
        haze += blobs(thorax.shape, centres, radii) * chest.air[side]
    return _changed(chest, added=0.42 * severity * haze, markings=1 + 0.6 * severity)


Reshape = Callable[[Anatomy, float], Anatomy]
LayOver = Callable[[Chest, float, np.random.Generator], Chest]

RESHAPED_BY: dict[str, Reshape] = {
    "cardiomegaly": enlarge_heart,
    "emphysema": inflate_lungs,
}
LAID_OVER: dict[str, LayOver] = {
    "emphysema": add_emphysema,
    "edema": add_edema,
    "hernia": add_hernia,
    "pneumothorax": add_pneumothorax,
    "effusion": add_effusion,
    "mass": add_mass,
    "fibrosis": add_fibrosis,
    "atelectasis": add_atelectasis,
    "consolidation": add_consolidation,
    "pleural_thickening": add_pleural_thickening,
    "nodule": add_nodule,
    "pneumonia": add_pneumonia,
    "infiltration": add_infiltration,
    "covid19": add_covid19,
    "crowding": add_crowding,
    # Last: the place of each is the seed of its own stream.
    "tuberculosis": add_tuberculosis,
}


def _airspace(
    chest: Chest,
    side: int,
    centre: tuple[float, float],
    *,
    reach: float,
    rng: np.random.Generator,
) -> FloatImage:
    """Return a patch of filled airspace, about 1 at its densest, inside one lung."""
    thorax = chest.thorax
    across, down = centre
    middle = thorax.in_lung(side, np.array([across]), np.array([down]))
    spread = reach * thorax.unit_px
    centres = middle + rng.normal(0, 0.42, (8, 2)) * spread
    radii = rng.uniform(0.4, 0.8, (8, 2)) * spread
    patch = blobs(thorax.shape, centres, radii, sharpness=1.4)
    grain = clouds(thorax.shape, grains=26, rng=rng)
    return patch * (0.6 + 0.5 * grain) * chest.air[side]


def _air(chest: Chest) -> FloatImage:
    return chest.air[-1] + chest.air[1]


def _changed(
    chest: Chest,
    *,
    added: FloatImage | Points,
    markings: FloatImage | float = 1.0,
) -> Chest:
    return replace(
        chest,
        tissue=chest.tissue + np.asarray(added, np.float32),
        markings=chest.markings * np.asarray(markings, np.float32),
    )
