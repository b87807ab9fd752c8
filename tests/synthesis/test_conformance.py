"""DICOM files of the hospital keep to the standard, as dciodvfy knows it."""

import io
from dataclasses import replace
from functools import partial

import pytest
from pydicom import dcmread

from covid_cxr.synthesis.damage import DAMAGES
from covid_cxr.synthesis.defects import no_defects
from covid_cxr.synthesis.orders import orders_of
from covid_cxr.synthesis.raw_commons import IDC_SITES
from covid_cxr.synthesis.raw_commons import _encode as encode_of_commons
from covid_cxr.synthesis.raw_covid import SCANNERS, write_covid
from covid_cxr.synthesis.raw_files import encode_jpeg_dicom, look_of
from covid_cxr.synthesis.raw_rsna import write_rsna

# What is wrong on purpose: what dciodvfy must find, and why it is there.
WRONG = {
    ("rsna", "corrupt"): "Information Object Not found",  # no DICOM at all
    ("covid", "corrupt"): "Information Object Not found",
    ("rsna", "truncated"): "Dicom dataset read failed",  # ends in its pixels
    ("covid", "truncated"): "Dicom dataset read failed",
    # States twice the rows. Of a JPEG in DICOM, dciodvfy does not count them.
    ("covid", "wrong_size"): "PixelData has incorrect value length",
}


@pytest.fixture
def errors_of(dicom_errors, tmp_path):
    """Return a function from the content of a file to its errors."""

    def errors(content):
        place = tmp_path / "image.dcm"
        place.write_bytes(content)
        return dicom_errors(place)

    return errors


@pytest.fixture(scope="module")
def written(radiographs, synthesis):
    """Return the files of the cohorts that have DICOM, without defects."""
    writers = {"rsna": write_rsna, "covid": write_covid}
    return {
        cohort: [
            content for _, content in write(radiographs, synthesis, no_defects())[0]
        ]
        for cohort, write in writers.items()
    }


def test_files_of_every_scanner_conform(written, errors_of):
    kinds = {}
    for content in written["covid"]:
        image = dcmread(io.BytesIO(content))
        scanner = (
            image.PhotometricInterpretation,
            image.BitsStored,
            image.get("VOILUTFunction", "LUT"),
        )
        kinds.setdefault((*scanner, image.ViewPosition), content)

    scanners = {
        (one.polarity, one.bits_stored, one.voi)
        for of_site in SCANNERS.values()
        for one in of_site
    }
    assert {kind[:3] for kind in kinds} == scanners
    assert [errors_of(content) for content in kinds.values()] == [[]] * len(kinds)


def test_jpeg_in_dicom_conforms(written, errors_of):
    assert [errors_of(content) for content in written["rsna"][:5]] == 5 * [[]]


@pytest.mark.parametrize("series", ["/CR_", "/CT_"])
def test_files_of_the_commons_and_of_siim_conform(
    radiographs, synthesis, errors_of, series
):
    order = orders_of(radiographs, cohort="rsna")[0]
    look = look_of(synthesis)
    inside = f"covid_19_ny_sbu/p/1.2.3{series}1.2.4/1.2.5.dcm"
    of_commons = replace(order, file=inside, site=next(iter(IDC_SITES)))
    encoders = [
        partial(encode_of_commons, of_commons),
        partial(encode_jpeg_dicom, order, published_px=128),  # as SIIM publishes
    ]

    for encode in encoders:
        assert errors_of(encode(size_px=64, look=look)) == []


@pytest.mark.parametrize("defect", DAMAGES)
@pytest.mark.parametrize("cohort", ["rsna", "covid"])
def test_a_planted_defect_breaks_the_standard_only_where_it_should(
    written, errors_of, cohort, defect
):
    errors = errors_of(DAMAGES[defect](written[cohort][0]))

    expected = WRONG.get((cohort, defect))
    if expected is None:
        assert errors == []
    else:
        assert any(expected in error for error in errors)
