import numpy as np
import pytest

from covid_cxr.synthesis.exposure import Exposure, expose, to_grey

STEPS = np.repeat(np.linspace(0, 2.5, 8, dtype=np.float32), 8)[None, :].repeat(64, 0)


def take(photons=1e6, shape=(64, 64), **changed):
    settings = {"scatter": 0.03, "lightness": 0.0, "contrast": 1.0}
    exposure = Exposure(photons=photons, **{**settings, **changed})
    rng = np.random.default_rng(0)
    return expose(STEPS, shape=shape, exposure=exposure, rng=rng)


def columns(density):
    return density.reshape(64, 8, 8).mean(axis=(0, 2))


def test_what_absorbs_more_is_whiter():
    assert (np.diff(columns(take())) > 0.02).all()
    assert columns(take())[0] < 0.05
    assert columns(take())[-1] > 0.95


def test_fewer_photons_give_more_noise_most_where_little_gets_through():
    def noise(photons):
        return take(photons=photons, contrast=0.7)[:, 2::8].std(axis=0)

    assert (noise(20)[1:] > 3 * noise(2000)[1:]).all()
    assert noise(200)[5] > noise(200)[1]


def test_lightness_and_contrast_change_the_whole_image():
    assert columns(take(lightness=0.1))[3] > columns(take())[3] + 0.08
    assert np.ptp(columns(take(contrast=0.7))) < 0.8 * np.ptp(columns(take()))


def test_the_detector_may_be_finer_than_the_drawing():
    assert take(shape=(128, 256)).shape == (128, 256)


def test_grey_rises_from_black_to_white():
    grey = to_grey(np.linspace(0, 1, 50, dtype=np.float32)[None])

    assert grey.dtype == np.uint8
    assert (np.diff(grey[0].astype(int)) > 0).all()
    assert (grey[0, 0], grey[0, -1]) == (0, 255)


def test_settings_outside_the_scale_are_cut_not_wrapped():
    assert take(lightness=5.0).max() == pytest.approx(1)
