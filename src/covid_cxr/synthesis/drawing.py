"""One exam → one drawn radiograph, with where its lungs and its opacities are."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from covid_cxr.synthesis.anatomy import (
    SIDES,
    Thorax,
    View,
    inherit_anatomy,
    take_position,
)
from covid_cxr.synthesis.chest import Chest, draw_chest, outline_heart
from covid_cxr.synthesis.devices import add_devices
from covid_cxr.synthesis.exposure import expose, set_exposure
from covid_cxr.synthesis.findings import CHRONIC, LAID_OVER, OPACITIES, RESHAPED_BY
from covid_cxr.synthesis.strokes import FloatImage, fill

# Nothing drawn is finer than this many pixels to a side can show.
_FINEST_PX = 512
# An opacity fainter than this is not called one.
_READABLE = 0.12

Box = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Exam:
    """What has to be known to draw one radiograph.

    Attributes:
        anatomy_seed: The patient's own.
        drawing_seed: This exposure's own.
        sex: "F" or "M".
        age_years: At this exposure.
        view: How the patient stands or lies.
        severities: Severity from 0 to 1 of each finding drawn.
        has_devices: Whether lines and leads lie on the chest.
    """

    anatomy_seed: int
    drawing_seed: int
    sex: str
    age_years: int
    view: View
    severities: Mapping[str, float]
    has_devices: bool


@dataclass(frozen=True, kw_only=True)
class Look:
    """What the hospital's radiographs have in common.

    Attributes:
        sign_contrast: Multiplies the attenuation of every sign laid over a chest.
        photons: Quanta per pixel in air; fewer give more noise.
        magnification: Size on the detector, 1 for a chest that fills the frame.
    """

    sign_contrast: float
    photons: float
    magnification: float


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A radiograph and what is known about it because it was drawn.

    Attributes:
        density: 0 black (air) to 1 white, shape (height, width).
        lungs: True inside the lungs, shape (height, width).
        opacity_boxes: x, y, width and height in pixels, one per lung with opacities.
    """

    density: FloatImage
    lungs: NDArray[np.bool_]
    opacity_boxes: tuple[Box, ...]


def draw_radiograph(exam: Exam, *, shape: tuple[int, int], look: Look) -> Drawing:
    """Return the radiograph of `exam`, always the same for the same arguments.

    Args:
        exam: Who is drawn with what.
        shape: Height and width in pixels.
        look: What the hospital's radiographs have in common.
    """
    chest, signs = _draw_patient(exam, _coarse(shape), look)
    rng = np.random.default_rng([exam.drawing_seed, 3])
    density = expose(
        chest.tissue + chest.markings,
        shape=shape,
        exposure=set_exposure(photons=look.photons, rng=rng),
        rng=rng,
    )
    both = cv2.resize(chest.lungs[-1] + chest.lungs[1], shape[::-1])
    return Drawing(
        density=density,
        lungs=np.asarray(both > 0.5),
        opacity_boxes=_boxes(chest, signs, shape),
    )


def read_opacities(
    exam: Exam, *, shape: tuple[int, int], look: Look
) -> tuple[Box, ...]:
    """Return the boxes that a reader draws around the opacities of `exam`.

    As `Drawing.opacity_boxes`, but from a sketch: much faster than the radiograph.
    """
    chest, signs = _draw_patient(exam, _sketch(shape), look)
    return _boxes(chest, signs, shape)


def read_signs(exam: Exam, *, shape: tuple[int, int], look: Look) -> dict[str, Box]:
    """Return the box that a reader draws around each finding of `exam`, by finding.

    From a sketch, as `read_opacities`. A large heart is marked as a whole, another sign
    where it is at least half as strong as at its strongest. What is too faint to be
    called is not marked.
    """
    marked = mark_signs(exam, shape=shape, look=look)
    return {finding: _box(is_marked, shape) for finding, is_marked in marked.items()}


def mark_signs(
    exam: Exam, *, shape: tuple[int, int], look: Look
) -> dict[str, NDArray[np.bool_]]:
    """Return where each finding of `exam` is marked, in the pixels of the sketch.

    As `read_signs`, which draws boxes around it.
    """
    chest, signs = _draw_patient(exam, _sketch(shape), look)
    strengths = {finding: np.abs(added) for finding, added in signs.items()}
    marked = {
        finding: strength >= strength.max() / 2
        for finding, strength in strengths.items()
        if strength.max() > _READABLE
    }
    if exam.severities.get("cardiomegaly", 0) > 0:
        heart = fill(chest.thorax.shape, outline_heart(chest.thorax))
        marked["cardiomegaly"] = np.asarray(heart > 0.5)
    return marked


def locate_lungs(exam: Exam, *, shape: tuple[int, int], look: Look) -> Box:
    """Return the box around both lungs: x, y, width and height in pixels."""
    thorax = _place_patient(exam, shape, look)
    edge = np.concatenate([thorax.lung_outline(side) for side in SIDES])
    height, width = shape
    left, top = np.clip(np.floor(edge.min(axis=0)), 0, (width - 1, height - 1))
    right, bottom = np.clip(
        np.ceil(edge.max(axis=0)), (left + 1, top + 1), (width, height)
    )
    return int(left), int(top), int(right - left), int(bottom - top)


def outline_lungs(
    exam: Exam, *, shape: tuple[int, int], look: Look
) -> NDArray[np.bool_]:
    """Return where the lungs are, shape (height, width), without drawing the rest.

    As `Drawing.lungs`, but for a pixel here and there on their edge.
    """
    thorax = _place_patient(exam, shape, look)
    both = sum(fill(shape, thorax.lung_outline(side)) for side in SIDES)
    return np.asarray(both > 0.5)


def _place_patient(exam: Exam, shape: tuple[int, int], look: Look) -> Thorax:
    anatomy = inherit_anatomy(exam.anatomy_seed, sex=exam.sex, age_years=exam.age_years)
    for finding, reshape in RESHAPED_BY.items():
        if exam.severities.get(finding, 0) > 0:
            anatomy = reshape(anatomy, exam.severities[finding])
    position = take_position(
        exam.view,
        magnification=look.magnification,
        rng=np.random.default_rng([exam.drawing_seed, 1]),
    )
    shallow = 0.1 * exam.severities.get("crowding", 0)
    position = replace(position, inspiration=position.inspiration - shallow)
    return Thorax(anatomy=anatomy, position=position, shape=shape)


def _draw_patient(
    exam: Exam, shape: tuple[int, int], look: Look
) -> tuple[Chest, dict[str, FloatImage]]:
    """Return the chest with every sign on it, and what each adds to its attenuation."""
    thorax = _place_patient(exam, shape, look)
    chest = draw_chest(thorax, rng=np.random.default_rng([exam.drawing_seed, 2]))
    signs = {}
    for number, (finding, lay_over) in enumerate(LAID_OVER.items()):
        severity = exam.severities.get(finding, 0)
        if severity <= 0:
            continue
        # A stream of its own: a second finding does not move the first.
        seed = exam.anatomy_seed if finding in CHRONIC else exam.drawing_seed
        ill = lay_over(chest, severity, np.random.default_rng([seed, 100 + number]))
        signs[finding] = look.sign_contrast * (ill.tissue - chest.tissue)
        chest = replace(ill, tissue=np.maximum(chest.tissue + signs[finding], 0))
    if exam.has_devices:
        chest = add_devices(chest, np.random.default_rng([exam.drawing_seed, 4]))
    return chest, signs


def _boxes(
    chest: Chest, signs: Mapping[str, FloatImage], shape: tuple[int, int]
) -> tuple[Box, ...]:
    opacity = np.zeros(chest.thorax.shape, np.float32)
    for finding, added in signs.items():
        if finding in OPACITIES:
            opacity = opacity + added
    sides = [(opacity > _READABLE) & (chest.lungs[side] > 0.5) for side in SIDES]
    return tuple(_box(is_opaque, shape) for is_opaque in sides if is_opaque.any())


def _box(is_marked: NDArray[np.bool_], shape: tuple[int, int]) -> Box:
    """Return the box around what is marked in a drawing, in pixels of `shape`."""
    drawn = is_marked.shape
    scale = np.array([shape[1] / drawn[1], shape[0] / drawn[0]])
    x, y, width, height = cv2.boundingRect(is_marked.astype(np.uint8))
    corner = np.rint(np.array([x, y]) * scale).astype(int)
    size = np.maximum(np.rint(np.array([width, height]) * scale), 1).astype(int)
    return int(corner[0]), int(corner[1]), int(size[0]), int(size[1])


def _sketch(shape: tuple[int, int]) -> tuple[int, int]:
    return 128 * shape[0] // min(shape), 128 * shape[1] // min(shape)


def _coarse(shape: tuple[int, int]) -> tuple[int, int]:
    shrink = max(1.0, min(shape) / _FINEST_PX)
    return round(shape[0] / shrink), round(shape[1] / shrink)
