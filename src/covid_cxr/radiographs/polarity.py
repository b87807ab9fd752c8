"""Whether a stored frontal radiograph looks like its own negative: by two contrasts.

In a frontal radiograph as it is displayed, the air above the shoulders is darker than
the middle of the chest, and the lungs are darker than the mediastinum between them; in
its negative it is the other way round. PNG and JPEG files do not say which they are,
and a DICOM header may be wrong. A suspicion is recorded and nothing is turned: whether
an image is a negative is for a person to see.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from covid_cxr.radiographs.margins import without_margins

_BORDER = 1 / 64  # of the side, all around: within collimation and most markers
_CENTRE = 3 / 16  # of the side, a square: spine and mediastinum, without the lungs

# Rows and columns of the radiograph without its margins, scaled to 64 x 64.
_GRID = 64
_MIDDLE = np.s_[26:38, 26:38]
_MEDIASTINUM = np.s_[16:44, 29:35]
_LUNGS = (np.s_[16:38, 12:23], np.s_[16:38, 41:52])
_CORNERS = (np.s_[:8, :8], np.s_[:8, -8:])  # the upper ones: air above the shoulders

# What was measured of `Polarity.is_suspect`, for whoever is shown the flag.
ERROR_RATES = (
    "of 222 real radiographs not stated to be lateral 1 was flagged wrongly (0.5 %, "
    "95 % interval 0.1 to 2.5 %), and of their negatives 220 were found (99.1 %, "
    "96.8 to 99.8 %)"
)


@dataclass(frozen=True, kw_only=True)
class Polarity:
    """What tells a stored radiograph from its negative.

    Attributes:
        border_mean: Brightness on [0, 1] of a frame 1/64 of the side wide.
        centre_mean: Of the square in the middle, 3/16 of the side wide.
        air_contrast: By how many standard deviations of the picture its middle is
            brighter than its upper corners, margins cut off.
        lung_contrast: The same for the mediastinum and the lungs.
    """

    border_mean: float
    centre_mean: float
    air_contrast: float
    lung_contrast: float

    @property
    def is_suspect(self) -> bool:
        """Whether both contrasts are the wrong way round.

        One alone errs where a white page or a bright shoulder lies in the corners, or
        where a lung is opaque; `benchmarks/polarity.py` measures how often both do
        (docs/decisions/0026).
        """
        return self.air_contrast < 0 and self.lung_contrast < 0


def measure_polarity(pixels: NDArray[np.uint8]) -> Polarity:
    """Return what tells `pixels`, shape (size, size), from their negative."""
    size = len(pixels)
    frame = max(1, round(_BORDER * size))
    half = max(1, round(_CENTRE * size / 2))
    centre = slice(size // 2 - half, size // 2 + half)
    inside = pixels[frame : size - frame, frame : size - frame]
    border_sum = cv2.sumElems(pixels)[0] - cv2.sumElems(inside)[0]
    air, lung = _contrasts(without_margins(pixels))
    return Polarity(
        border_mean=border_sum / (pixels.size - inside.size) / 255,
        centre_mean=cv2.mean(pixels[centre, centre])[0] / 255,
        air_contrast=air,
        lung_contrast=lung,
    )


def _contrasts(picture: NDArray[np.uint8]) -> tuple[float, float]:
    """Return the contrast of air and that of the lungs; 0 where nothing is seen."""
    small = cv2.resize(picture, (_GRID, _GRID), interpolation=cv2.INTER_AREA)
    grid = np.asarray(small, dtype=np.float64)
    deviation = float(grid.std())
    if deviation == 0:
        return 0.0, 0.0
    corners = np.mean([grid[region].mean() for region in _CORNERS])
    lungs = np.mean([grid[region].mean() for region in _LUNGS])
    return (
        float(grid[_MIDDLE].mean() - corners) / deviation,
        float(grid[_MEDIASTINUM].mean() - lungs) / deviation,
    )
