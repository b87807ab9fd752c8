"""Augmentation: mirror, rotate, crop (paper, Section 2.1), in one resampling.

The three steps are three changes of coordinates; composed into one affine map from the
augmented image back to the radiograph, they blur it once instead of three times. What
happens to an image is a function of the seed, the phase, the epoch and the image's row
in the store: the same for every training path, every batch size and every thread.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from covid_cxr.training.randomness import random_stream
from covid_cxr.training.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Distortion:
    """What happens to one image in one epoch, in this order.

    Attributes:
        is_mirrored: Whether left and right are exchanged.
        rotation_degrees: Counter-clockwise, about the centre; what comes in is black.
        height_share: Share of the height that the crop keeps, in (0, 1].
        width_share: Share of the width that the crop keeps, in (0, 1].
        top: Where the crop begins: 0 at the top edge, 1 as low as it can.
        left: Where the crop begins: 0 at the left edge, 1 as far right as it can.
    """

    is_mirrored: bool
    rotation_degrees: float
    height_share: float
    width_share: float
    top: float
    left: float


def draw_distortion(recipe: Recipe, phase: str, *, epoch: int, row: int) -> Distortion:
    """Return what happens to the image in `row` of the store in `epoch`."""
    stream = random_stream(recipe.seed, f"{phase} augmentation", epoch, row)
    mirror, turn, height, width, top, left = stream.random(6)
    return Distortion(
        is_mirrored=recipe.flip and bool(mirror < 0.5),
        rotation_degrees=float((2 * turn - 1) * recipe.rotation_degrees),
        height_share=float(1 - height * recipe.crop_share),
        width_share=float(1 - width * recipe.crop_share),
        top=float(top),
        left=float(left),
    )


def distort(image: NDArray[np.uint8], distortion: Distortion) -> NDArray[np.uint8]:
    """Return `image`, shape (size, size), mirrored, rotated, cropped and resized."""
    size = image.shape[0]
    back = (
        _mirror(size, is_mirrored=distortion.is_mirrored)
        @ _rotation(size, degrees=distortion.rotation_degrees)
        @ _crop(size, distortion)
    )
    distorted = cv2.warpAffine(
        image,
        back[:2],
        (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    return distorted.astype(np.uint8, copy=False)


# Each matrix takes the coordinates (x, y, 1) of a pixel centre after a step to those
# before it; the first pixel's centre is at 0, the image's edges at -0.5 and size - 0.5.


def _mirror(size: int, *, is_mirrored: bool) -> NDArray[np.float64]:
    if not is_mirrored:
        return np.eye(3)
    return np.array([[-1.0, 0.0, size - 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])


def _rotation(size: int, *, degrees: float) -> NDArray[np.float64]:
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    centre = (size - 1) / 2
    shift_x = centre - cosine * centre + sine * centre
    shift_y = centre - sine * centre - cosine * centre
    return np.array(
        [[cosine, -sine, shift_x], [sine, cosine, shift_y], [0.0, 0.0, 1.0]]
    )


def _crop(size: int, distortion: Distortion) -> NDArray[np.float64]:
    width, height = distortion.width_share, distortion.height_share
    first_x = size * (1 - width) * distortion.left
    first_y = size * (1 - height) * distortion.top
    return np.array(
        [
            [width, 0.0, first_x + width / 2 - 0.5],
            [0.0, height, first_y + height / 2 - 0.5],
            [0.0, 0.0, 1.0],
        ]
    )
