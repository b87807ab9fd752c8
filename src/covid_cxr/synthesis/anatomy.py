"""The shape of a chest: whose it is, how it stands, and where its lungs are.

An `Anatomy` is inherited (same patient, same chest), a `Position` is taken anew for
every exposure, and a `Thorax` is both on the pixels of a frame. Lengths are fractions
of the frame's shorter side, x from the midline (positive to the image's right, the
patient's left), y downwards from the top.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from covid_cxr.synthesis.strokes import Points

View = Literal["PA", "AP", "AP Supine"]

SIDES = (-1, 1)  # the patient's right lung is on the image's left


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """What one patient's chest looks like on any day.

    Attributes:
        half_width: From the midline to the outer wall of a lung.
        apex: Height of the top of the lungs.
        base: Height of the costophrenic angles.
        dome: How far the diaphragm rises above them.
        heart_half_width: Half the heart's width.
        aortic_knob: Radius of the aortic arch.
        girth: Attenuation of the body wall, 1 in a person of average build.
        breast: Attenuation of the breasts.
        lung_markings: Strength of the vessels.
        aeration: 1 in a normal lung; more lets more X-rays through.
        branching_seed: Draws the vessels.
    """

    half_width: float
    apex: float
    base: float
    dome: float
    heart_half_width: float
    aortic_knob: float
    girth: float
    breast: float
    lung_markings: float
    aeration: float
    branching_seed: int


@dataclass(frozen=True, kw_only=True)
class Position:
    """How a patient stands or lies before the detector on one exposure.

    Attributes:
        view: PA is taken standing at 1.8 m; AP is portable or lying.
        scale: Size on the detector, 1 for a chest that fills the frame.
        shift: Displacement of the midline along x and y.
        tilt_radians: Rotation in the image plane.
        inspiration: 1 for a full breath; less raises the diaphragm.
    """

    view: View
    scale: float
    shift: tuple[float, float]
    tilt_radians: float
    inspiration: float


@dataclass(frozen=True, kw_only=True)
class Thorax:
    """An anatomy in its position, on a frame of `shape` (height, width) pixels."""

    anatomy: Anatomy
    position: Position
    shape: tuple[int, int]

    @property
    def unit_px(self) -> float:
        """The number of pixels of one unit of length."""
        return min(self.shape) * self.position.scale

    def place(self, points: Points) -> Points:
        """Return `points` (n, 2) of the body's frame in pixels."""
        height, width = self.shape
        x, y = points[:, 0], points[:, 1] - 0.5
        cosine = np.cos(self.position.tilt_radians)
        sine = np.sin(self.position.tilt_radians)
        turned = np.empty((len(points), 2))
        turned[:, 0] = x * cosine - y * sine
        turned[:, 1] = x * sine + y * cosine
        centre = np.array([width / 2, height / 2])
        shift = np.array(self.position.shift) * min(self.shape)
        return np.asarray(turned * self.unit_px + centre + shift, np.float64)

    def place_all(self, lines: Sequence[Points]) -> list[Points]:
        """Return each of the lines (n, 2) of the body's frame in pixels.

        All at once: a call for each line would take most of the time of a drawing.
        """
        ends = np.cumsum([len(points) for points in lines])[:-1]
        return np.split(self.place(np.concatenate(lines)), ends)

    def in_lung(self, side: int, across: Points, down: Points) -> Points:
        """Return places of one lung in pixels, shape (n, 2).

        Args:
            side: -1 for the patient's right lung, 1 for the left.
            across: 0 at the mediastinum to 1 at the chest wall, shape (n,).
            down: 0 at the apex to 1 at the diaphragm, shape (n,).
        """
        return self.place(self.lung_frame(side, across, down))

    def lung_frame(self, side: int, across: Points, down: Points) -> Points:
        """Return places of one lung in the body's frame; arguments as `in_lung`."""
        chest = self.anatomy
        inner = chest.half_width * (0.36 - 0.20 * np.sqrt(np.minimum(1, down / 0.35)))
        rising = np.sin(np.pi / 2 * np.minimum(1, down * 1.25))
        outer = chest.half_width * (0.42 + 0.58 * np.maximum(rising, 0) ** 0.52)
        # The diaphragm is highest a third of the way out and falls off to the wall.
        hollow = np.where(across > 0.4, (across - 0.4) / 0.6, (0.4 - across) * 1.5)
        breath = self.position.inspiration
        # The liver lifts the right dome.
        lift = chest.dome + (0.02 if side < 0 else 0.0)
        angle = chest.apex + (chest.base - chest.apex) * breath
        floor = angle - lift * (1 - np.clip(hollow, 0, 1) ** 2)
        x = side * (inner + across * (outer - inner))
        y = chest.apex + down * (floor - chest.apex)
        return np.stack([x, y], axis=1)

    def lung_outline(self, side: int) -> Points:
        """Return the edge of one lung in pixels, shape (n, 2)."""
        steps = np.linspace(0, 1, 40) ** 1.5  # closer together in the curved apex
        even = np.linspace(0, 1, 24)
        across = np.concatenate([np.ones(40), even[::-1], np.zeros(40)])
        down = np.concatenate([steps, np.ones(24), steps[::-1]])
        return self.in_lung(side, across, down)


def inherit_anatomy(seed: int, *, sex: str, age_years: int) -> Anatomy:
    """Return the chest of one patient, always the same for the same arguments.

    Args:
        seed: The patient's own.
        sex: "F" or "M".
        age_years: Sets the build of children and the aorta of the old.
    """
    rng = np.random.default_rng([seed, 11])
    is_female = sex == "F"
    growth = min(1.0, 0.7 + 0.3 * age_years / 16)
    half_width = growth * rng.normal(0.36 if is_female else 0.375, 0.014)
    return Anatomy(
        half_width=half_width,
        apex=rng.normal(0.13, 0.012),
        base=0.5 + growth * rng.normal(0.355, 0.02),
        dome=rng.normal(0.085, 0.015),
        heart_half_width=half_width * rng.normal(0.46, 0.028),
        aortic_knob=rng.normal(0.03, 0.004) + 0.012 * max(0, age_years - 45) / 40,
        girth=float(np.clip(rng.normal(1.0, 0.11), 0.75, 1.35)),
        breast=float(rng.uniform(0.1, 0.32)) if is_female and age_years > 13 else 0.0,
        lung_markings=rng.normal(1.0, 0.12),
        aeration=rng.normal(1.0, 0.05),
        branching_seed=int(rng.integers(2**31)),
    )


def take_position(
    view: View, *, magnification: float, rng: np.random.Generator
) -> Position:
    """Return how the patient is placed for one exposure.

    Args:
        view: Portable and lying patients are placed less well and breathe in less.
        magnification: Size on the detector, 1 for a chest that fills the frame.
        rng: Of this exposure.
    """
    unsteadiness = 1.0 if view == "PA" else 1.8
    return Position(
        view=view,
        scale=magnification * rng.normal(1.0, 0.025 * unsteadiness),
        shift=(
            rng.normal(0, 0.012 * unsteadiness),
            rng.normal(0, 0.012 * unsteadiness),
        ),
        tilt_radians=rng.normal(0, 0.018 * unsteadiness),
        inspiration=float(
            np.clip(rng.normal(1.0 if view == "PA" else 0.92, 0.035), 0.8, 1.08)
        ),
    )
