"""From attenuation to signal: what tube, scatter, quanta and detector make of it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from covid_cxr.synthesis.strokes import FloatImage, soften


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """How one radiograph is taken.

    Attributes:
        photons: Quanta per pixel in air on a 512-pixel side; fewer give more noise.
        scatter: Share of the signal that comes from elsewhere in the body.
        lightness: 0 as intended; positive shows everything whiter.
        contrast: 1 as intended; less leaves out more of the grey scale.
    """

    photons: float
    scatter: float
    lightness: float
    contrast: float


def set_exposure(*, photons: float, rng: np.random.Generator) -> Exposure:
    """Return the settings of one exposure, as they vary from day to day."""
    return Exposure(
        photons=photons * rng.uniform(0.6, 1.4),
        scatter=rng.uniform(0.02, 0.07),
        lightness=rng.normal(0, 0.035),
        contrast=float(np.clip(rng.normal(0.93, 0.06), 0.75, 1.1)),
    )


def expose(
    attenuation: FloatImage,
    *,
    shape: tuple[int, int],
    exposure: Exposure,
    rng: np.random.Generator,
) -> FloatImage:
    """Return the density of a radiograph, 0 where air and 1 where most is absorbed.

    Args:
        attenuation: Exponent of Lambert and Beer's law; of any size.
        shape: Height and width of the detector in pixels.
        exposure: The settings.
        rng: Draws the quanta.
    """
    if attenuation.shape != shape:
        enlarged = cv2.resize(attenuation, shape[::-1], interpolation=cv2.INTER_CUBIC)
        attenuation = np.asarray(enlarged, np.float32)
    primary = np.exp(-attenuation)
    scattered = exposure.scatter * soften(primary, 0.08 * min(shape))
    signal = primary + scattered.astype(np.float32)
    quanta = exposure.photons * (512 / min(shape)) ** 2
    noise = rng.standard_normal(shape, dtype=np.float32) * np.sqrt(signal / quanta)
    log_signal = -np.log(np.maximum(signal + noise, 0.002))
    return _scaled(log_signal, exposure)


def to_grey(density: FloatImage) -> NDArray[np.uint8]:
    """Return `density` as 8-bit display pixels, 0 black, through an S-shaped curve."""
    curve = density * density * (3 - 2 * density)
    shown = 0.5 * density + 0.5 * curve
    return np.asarray(np.rint(255 * np.clip(shown, 0, 1)), np.uint8)


def _scaled(log_signal: FloatImage, exposure: Exposure) -> FloatImage:
    """Fit the grey scale to this body, as automatic exposure control does."""
    low, high = np.percentile(log_signal[::4, ::4], (0.5, 99.7))
    middle = (low + high) / 2
    half = (high - low) / 2 / exposure.contrast
    density = (log_signal - (middle - half)) / (2 * half) + exposure.lightness
    return np.asarray(np.clip(density, 0, 1), np.float32)
