import io

import cv2
import numpy as np
import pydicom
import pytest

from covid_cxr.radiographs.files import read
from covid_cxr.radiographs.rendering import UnreadableRadiograph
from covid_cxr.synthesis.damage import (
    corrupt,
    invert,
    misstate_size,
    store_anew,
    truncate,
)
from covid_cxr.synthesis.defects import no_defects
from covid_cxr.synthesis.orders import orders_of
from covid_cxr.synthesis.raw_covid import write_covid
from covid_cxr.synthesis.raw_files import encode_jpeg, look_of
from covid_cxr.synthesis.raw_nih import write_nih
from covid_cxr.synthesis.raw_rsna import write_rsna

WRITERS = {"png": write_nih, "jpeg": write_rsna, "uncompressed": write_covid}


@pytest.fixture(scope="module", params=[*WRITERS, "jpg"])
def content(request, radiographs, synthesis):
    """Return a file of each cohort."""
    if request.param == "jpg":
        order = orders_of(radiographs, cohort="nih")[0]
        return encode_jpeg(order, size_px=64, look=look_of(synthesis))
    images = WRITERS[request.param](radiographs, synthesis, no_defects())[0]
    return next(iter(images))[1]


@pytest.fixture
def show(tmp_path):
    """Return a function that shows a file's content as a viewer does."""

    def shown(content):
        suffix = "dcm" if content[128:132] == b"DICM" else "png"
        file = tmp_path / f"image.{suffix}"
        file.write_bytes(content)
        return read(file).pixels

    return shown


def test_a_file_stored_anew_shows_the_same_at_twice_the_size(content, show):
    pixels, anew = show(content), show(store_anew(content))

    assert anew.shape == (2 * pixels.shape[0], 2 * pixels.shape[1])
    halved = cv2.resize(anew, pixels.shape[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(halved.astype(int) - pixels).mean() < 6
    assert store_anew(content) != content


def test_a_dicom_file_stored_anew_keeps_its_grey_scale_and_name(radiographs, synthesis):
    content = next(iter(write_covid(radiographs, synthesis, no_defects())[0]))[1]

    before, after = (
        pydicom.dcmread(io.BytesIO(file)) for file in (content, store_anew(content))
    )

    assert after.SOPInstanceUID == before.SOPInstanceUID
    assert after.PhotometricInterpretation == before.PhotometricInterpretation
    assert after.BitsStored == before.BitsStored


def test_an_inverted_file_shows_the_negative(content, show):
    pixels, negative = show(content), show(invert(content))

    assert negative.shape == pixels.shape
    # What shutters hide is black on a negative, too.
    within = np.s_[8:-8, 8:-8]
    assert np.corrcoef(pixels[within].ravel(), negative[within].ravel())[0, 1] < -0.95


@pytest.mark.parametrize("damage", [corrupt, truncate, misstate_size])
def test_a_broken_file_cannot_be_read(damage, content, tmp_path):
    is_dicom = content[128:132] == b"DICM"
    file = tmp_path / ("image.dcm" if is_dicom else "image.png")
    file.write_bytes(damage(content))

    with pytest.raises(UnreadableRadiograph):
        read(file)


@pytest.mark.parametrize("damage", [corrupt, truncate, misstate_size, store_anew])
def test_damage_is_the_same_for_the_same_file(damage, content):
    assert damage(content) == damage(content)
