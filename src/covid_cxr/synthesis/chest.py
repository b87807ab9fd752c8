"""A healthy chest between tube and detector, layer by layer.

Attenuation is the exponent of Lambert and Beer's law, summed along the ray: 0 in air,
about 1 through a lung, 2 and more through heart and liver.
"""

from dataclasses import dataclass

import numpy as np

from covid_cxr.synthesis.anatomy import SIDES, Thorax
from covid_cxr.synthesis.strokes import (
    FloatImage,
    Points,
    blobs,
    clouds,
    fill,
    soften,
    trace,
)


@dataclass(frozen=True, kw_only=True)
class Chest:
    """A chest as the X-rays meet it, on the pixels of its thorax.

    Attributes:
        thorax: The geometry.
        tissue: Attenuation of everything but the lungs' markings.
        markings: Attenuation of the lungs' vessels.
        lungs: Right and left lung, 1 inside and 0 outside with a soft edge.
        air: The same where the heart leaves them air to lose.
    """

    thorax: Thorax
    tissue: FloatImage
    markings: FloatImage
    lungs: dict[int, FloatImage]
    air: dict[int, FloatImage]


def draw_chest(thorax: Thorax, *, rng: np.random.Generator) -> Chest:
    """Return the healthy chest of `thorax` as layers of attenuation.

    Args:
        thorax: An anatomy in its position.
        rng: Draws what changes from day to day, such as gas in the stomach.
    """
    unit = thorax.unit_px
    lungs = {
        side: fill(
            thorax.shape, thorax.lung_outline(side), softness_px=0.006 * unit + 0.3
        )
        for side in SIDES
    }
    both = lungs[-1] + lungs[1]
    # The lungs are deepest away from their edges.
    depth = both * (0.62 + 0.38 * soften(both, 0.045 * unit))
    clear = 1 - 0.8 * _draw_heart(thorax)
    tissue = (
        _draw_trunk(thorax)
        - 1.3 * thorax.anatomy.aeration * depth * clear
        + 0.24 * _draw_ribs(thorax)
        + _draw_midline(thorax)
        + 0.22 * _draw_collarbones(thorax)
        + 0.12 * _draw_shoulder_blades(thorax)
        + thorax.anatomy.breast * _draw_breasts(thorax)
        - 0.5 * _draw_stomach_gas(thorax, rng)
    )
    strength = 0.22 * thorax.anatomy.lung_markings
    markings = strength * _draw_vessels(thorax) * both * clear
    return Chest(
        thorax=thorax,
        tissue=np.asarray(np.maximum(tissue, 0), np.float32),
        markings=np.asarray(markings, np.float32),
        lungs=lungs,
        air={side: lung * clear for side, lung in lungs.items()},
    )


def _draw_trunk(thorax: Thorax) -> FloatImage:
    wall = thorax.anatomy.half_width + 0.055 * thorax.anatomy.girth
    neck = [(0.085, -0.5), (0.09, 0.02), (0.14, 0.075)]
    shoulder = [(0.30, 0.11), (0.44, 0.16), (0.53, 0.25), (0.60, 0.42), (0.57, 0.50)]
    armpit = [(wall + 0.075, 0.40), (wall + 0.02, 0.47)]
    flank = [(wall, 0.62), (wall - 0.005, 0.80), (wall + 0.005, 1.6)]
    half = np.array([*neck, *shoulder, *armpit, *flank])
    outline = np.concatenate([half, half[::-1] * [-1, 1]])
    unit = thorax.unit_px
    sharp = fill(thorax.shape, thorax.place(outline), softness_px=0.008 * unit)
    depth = 0.25 * sharp + 0.75 * soften(sharp, 0.06 * unit)
    # The belly is thicker than the shoulders.
    slope = np.linspace(0.84, 1.16, thorax.shape[0], dtype=np.float32)[:, None]
    return np.asarray(1.85 * thorax.anatomy.girth * sharp * depth * slope, np.float32)


def outline_heart(thorax: Thorax) -> Points:
    """Return the outline of the heart without its vessels in pixels, shape (48, 2)."""
    return thorax.place(_heart_outline(*_size_heart(thorax)))


def _size_heart(thorax: Thorax) -> tuple[float, float]:
    """Return half the heart's width, and where the diaphragm is below it."""
    # The tube is closer to the heart in AP, which throws a larger shadow.
    larger = 1.0 if thorax.position.view == "PA" else 1.1
    floor = thorax.lung_frame(1, np.array([0.3]), np.ones(1))[0, 1]
    return thorax.anatomy.heart_half_width * larger, floor


def _draw_heart(thorax: Thorax) -> FloatImage:
    """Return 1 where heart, great vessels and aortic arch take the lungs' place."""
    half, floor = _size_heart(thorax)
    right = [(-0.36 * half, floor - 0.9 * half), (-0.058, 0.34), (-0.04, 0.0)]
    left = [(0.04, 0.0), (0.058, 0.32), (0.75 * half, floor - 0.95 * half)]
    great_vessels = np.array([*right, *left])
    knob = np.array([[0.048, 0.285]])
    radius = np.full((1, 2), thorax.anatomy.aortic_knob * thorax.unit_px)
    soft = 0.007 * thorax.unit_px + 0.3
    return np.maximum(
        np.maximum(
            fill(thorax.shape, outline_heart(thorax), softness_px=soft),
            fill(thorax.shape, thorax.place(great_vessels), softness_px=soft),
        ),
        blobs(thorax.shape, thorax.place(knob), radius, sharpness=3),
    )


def _heart_outline(half: float, floor: float) -> Points:
    """Return an ellipse that leans on the left diaphragm, shape (48, 2)."""
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    lean = np.radians(38)
    along, across = 1.14 * half * np.cos(turn), 0.78 * half * np.sin(turn)
    x = 0.36 * half + along * np.cos(lean) - across * np.sin(lean)
    y = floor - 0.50 * half + along * np.sin(lean) + across * np.cos(lean)
    return np.stack([x, y], axis=1)


def _draw_ribs(thorax: Thorax) -> FloatImage:
    unit = thorax.unit_px
    u = np.linspace(0, 1, 14)
    courses = []
    for side in SIDES:
        for number in range(10):
            down = np.full(14, 0.03 + 0.098 * number)
            wall = thorax.lung_frame(side, np.ones(14), np.clip(down + 0.12, 0, 1))
            x = side * 0.04 + u * (wall[:, 0] * 1.02 - side * 0.04)
            y = wall[:, 1] - 0.05 - 0.045 * np.sin(np.pi * u * 0.8) + 0.05 * u**2
            front_x = wall[:, 0] * (1.02 - 0.5 * u)
            courses.append(np.stack([front_x, y[-1] + 0.115 * u], axis=1))
            courses.append(np.stack([x, y], axis=1))
    placed = thorax.place_all(courses)
    lines = []
    for front, back in zip(placed[::2], placed[1::2], strict=True):
        # Cortical bone at the rim shows brighter than the marrow inside.
        lines += [(front, 0.020 * unit, 0.33), (front, 0.012 * unit, 0.2)]
        lines += [(back, 0.024 * unit, 1.0), (back, 0.014 * unit, 0.62)]
    return trace(thorax.shape, lines, softness_px=0.003 * unit + 0.2)


def _draw_midline(thorax: Thorax) -> FloatImage:
    unit = thorax.unit_px
    y = np.linspace(-0.5, 1.6, 50)
    spine = thorax.place(np.stack([0 * y, y], axis=1))
    windpipe = thorax.place(np.array([(0, -0.5), (0, 0.2), (-0.004, 0.33)]))
    bronchi = [
        thorax.place(np.array([(-0.004, 0.33), (side * 0.06, 0.40)])) for side in SIDES
    ]
    bone = trace(
        thorax.shape, [(spine, 0.085 * unit, 1.0)], softness_px=0.006 * unit + 0.2
    )
    heights = np.arange(-0.48, 1.6, 0.052)
    discs = [
        (disc, 0.006 * unit, 1.0)
        for disc in thorax.place_all(
            [np.array([(-0.035, h), (0.035, h)]) for h in heights]
        )
    ]
    gaps = trace(thorax.shape, discs, softness_px=0.002 * unit + 0.2)
    airway = trace(
        thorax.shape,
        [
            (windpipe, 0.036 * unit, 1.0),
            *((line, 0.02 * unit, 0.6) for line in bronchi),
        ],
        softness_px=0.004 * unit + 0.2,
    )
    return np.asarray(0.2 * bone - 0.07 * gaps - 0.42 * airway, np.float32)


def _draw_collarbones(thorax: Thorax) -> FloatImage:
    unit = thorax.unit_px
    top = thorax.anatomy.apex
    course = np.array([(0.035, 0.105), (0.12, 0.075), (0.24, 0.03), (0.38, 0.015)])
    lines = [
        (thorax.place(course * [side, 1] + [0, top]), 0.024 * unit, 1.0)
        for side in SIDES
    ]
    return trace(thorax.shape, lines, softness_px=0.004 * unit + 0.2)


def _draw_shoulder_blades(thorax: Thorax) -> FloatImage:
    # In PA the arms are turned so that the shoulder blades clear the lungs.
    clearance = 0.95 if thorax.position.view == "PA" else 0.78
    edge = clearance * thorax.anatomy.half_width
    corners = np.array([(edge, 0.22), (edge + 0.15, 0.2), (edge + 0.06, 0.48)])
    softness_px = 0.006 * thorax.unit_px
    right, left = (
        fill(thorax.shape, thorax.place(corners * [side, 1]), softness_px=softness_px)
        for side in SIDES
    )
    return right + left


def _draw_breasts(thorax: Thorax) -> FloatImage:
    centres = thorax.place(np.array([(side * 0.22, 0.66) for side in SIDES]))
    radii = np.tile([0.16 * thorax.unit_px, 0.13 * thorax.unit_px], (2, 1))
    return blobs(thorax.shape, centres, radii, sharpness=2.5)


def _draw_stomach_gas(thorax: Thorax, rng: np.random.Generator) -> FloatImage:
    below = thorax.anatomy.base * thorax.position.inspiration + 0.02
    radii = np.array([[0.07, rng.uniform(0.01, 0.045)]]) * thorax.unit_px
    centre = thorax.place(np.array([(0.15, below)]))
    return blobs(thorax.shape, centre, radii, sharpness=2.5)


def _draw_vessels(thorax: Thorax) -> FloatImage:
    rng = np.random.default_rng(thorax.anatomy.branching_seed)
    unit = thorax.unit_px
    lines = []
    for side in SIDES:
        goals = np.stack([rng.uniform(0.6, 0.98, 11), np.linspace(0.1, 1, 11)], axis=1)
        branches = [line for goal in goals for line in _branch(goal, rng)]
        # All points of a lung at once: a call for each line takes most of the time.
        points = np.clip(np.concatenate([course for course, _, _ in branches]), 0, 1)
        placed = thorax.in_lung(side, points[:, 0], points[:, 1])
        ends = np.cumsum([len(course) for course, _, _ in branches])[:-1]
        lines += [
            (course, width * unit, strength)
            for course, (_, width, strength) in zip(
                np.split(placed, ends), branches, strict=True
            )
        ]
    texture = clouds(thorax.shape, grains=60, rng=rng)
    tree = trace(thorax.shape, lines, softness_px=0.0015 * unit + 0.2)
    hila = np.concatenate(
        [
            thorax.in_lung(side, np.array([0.05, 0.1]), np.array([0.44, 0.54]))
            for side in SIDES
        ]
    )
    radii = np.tile([0.035 * unit, 0.05 * unit], (4, 1))
    root = blobs(thorax.shape, hila, radii)
    return np.asarray(tree + 0.9 * root + 0.35 * texture, np.float32)


def _branch(
    goal: Points, rng: np.random.Generator
) -> list[tuple[Points, float, float]]:
    """Return one vessel from the hilum to `goal` with its twigs, tapering.

    Each line is its places across and down the lung, its width and its strength.
    """
    start = np.array([0.02, 0.47])
    middle = (start + goal) / 2 + rng.normal(0, 0.09, 2)
    steps = np.linspace(0, 1, 9)[:, None]
    course = (
        (1 - steps) ** 2 * start + 2 * steps * (1 - steps) * middle + steps**2 * goal
    )
    ends = course[[3, 4, 5, 6]] + rng.normal(0, 0.13, (4, 2))
    twigs = np.stack([course[2:6], ends], axis=1)  # (4, 2 ends, 2)
    return [
        *((twig, 0.0035, 0.6) for twig in twigs),
        (course[6:], 0.004, 0.7),
        (course[3:7], 0.007, 0.85),
        (course[:4], 0.012, 1.0),
    ]
