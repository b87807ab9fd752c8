"""A turned radiograph is told from an upright one by what drawn ones look like."""

from importlib.resources import files

import cv2
import numpy as np
import pytest

from covid_cxr.radiographs.orientation import is_turned_suspect
from covid_cxr.synthesis.drawing import Exam, Look, draw_radiograph
from covid_cxr.synthesis.exposure import to_grey

LOOK = Look(sign_contrast=1.0, photons=20_000, magnification=1.0)


@pytest.fixture(scope="module", params=[(101, "F", "PA"), (102, "M", "AP")])
def chest(request):
    """Return a drawn radiograph that is not in the mean."""
    seed, sex, view = request.param
    exam = Exam(
        anatomy_seed=seed,
        drawing_seed=seed,
        sex=sex,
        age_years=64,
        view=view,
        severities={},
        has_devices=True,
    )
    return to_grey(draw_radiograph(exam, shape=(160, 128), look=LOOK).density)


def test_an_upright_radiograph_is_no_suspect(chest):
    assert not is_turned_suspect(chest)
    assert not is_turned_suspect(chest[:, ::-1])


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_radiograph_is_suspect(chest, quarters):
    assert is_turned_suspect(np.rot90(chest, quarters))


def test_margins_do_not_hide_a_turn(chest):
    page = cv2.copyMakeBorder(chest, 40, 10, 5, 60, cv2.BORDER_CONSTANT, value=255)

    assert not is_turned_suspect(page)
    assert is_turned_suspect(np.rot90(page))


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_nothing_is_said_of_an_empty_picture(grey):
    assert not is_turned_suspect(np.full((64, 64), grey, np.uint8))


def test_the_packaged_mean_shows_a_chest():
    text = files("covid_cxr.radiographs").joinpath("upright.csv").read_text("utf-8")
    mean = np.array([line.split(",") for line in text.splitlines()], int)

    assert mean.shape == (16, 16)
    assert (mean == mean[:, ::-1]).all()
    lungs, mediastinum = mean[6:9, 3:6].mean(), mean[6:9, 7:9].mean()
    assert lungs < mediastinum
    assert mean[0, 0] < mean[8, 8]
