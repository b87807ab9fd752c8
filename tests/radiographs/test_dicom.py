import numpy as np
import pytest
from pydicom.uid import (
    HTJ2KLossless,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
)

from covid_cxr.radiographs.dicom import render
from covid_cxr.radiographs.rendering import UnreadableRadiograph

PIXELS = np.arange(256, dtype=np.uint8).reshape(16, 16)


def smooth_radiograph():
    across = np.linspace(0, np.pi, 64)
    return (200 * np.outer(np.sin(across), np.sin(across)) + 20).astype(np.uint8)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"PresentationIntentType": "FOR PROCESSING"}, "FOR PROCESSING"),
        ({"ViewPosition": "LL"}, "not frontal: ViewPosition LL"),
        ({"ViewPosition": "RL"}, "not frontal: ViewPosition RL"),
        ({"ViewPosition": "LATERAL"}, "not frontal: ViewPosition LATERAL"),
        ({"BodyPartExamined": "EXTREMITY"}, "not a chest: BodyPartExamined EXTREMITY"),
        ({"NumberOfFrames": 2}, "not one image: 2 frames"),
        ({"PhotometricInterpretation": "RGB"}, "not grey"),
        ({"Modality": "CT"}, "not a radiograph: Modality CT"),
    ],
)
def test_what_is_no_frontal_chest_radiograph_is_refused(make_dicom, header, reason):
    with pytest.raises(UnreadableRadiograph, match=reason):
        render(make_dicom(PIXELS, **header))


@pytest.mark.parametrize(
    "header",
    [
        {"PresentationIntentType": "FOR PRESENTATION"},
        {"ViewPosition": "PA", "BodyPartExamined": "CHEST"},
        {"ViewPosition": "AP", "BodyPartExamined": "PORT CHEST"},
        {"ViewPosition": "", "BodyPartExamined": ""},
        {"NumberOfFrames": 1, "Modality": "DX"},
    ],
)
def test_a_frontal_chest_radiograph_is_accepted(make_dicom, header):
    np.testing.assert_array_equal(render(make_dicom(PIXELS, **header)).pixels, PIXELS)


def test_a_dataset_without_pixels_is_refused(make_dicom):
    dataset = make_dicom(PIXELS)
    del dataset.PixelData

    with pytest.raises(UnreadableRadiograph, match="no pixel data"):
        render(dataset)


def test_pixels_that_break_off_are_refused(make_dicom):
    dataset = make_dicom(PIXELS, PixelData=PIXELS.tobytes()[:100])

    with pytest.raises(UnreadableRadiograph, match="cannot be decoded"):
        render(dataset)


def test_jpeg_baseline_is_decoded(make_jpeg_dicom):
    pixels = smooth_radiograph()

    rendering = render(make_jpeg_dicom(pixels))

    assert np.abs(rendering.pixels.astype(int) - pixels).max() <= 4
    assert rendering.steps == ("transfer syntax 1.2.840.10008.1.2.4.50", "as stored")


def test_a_jpeg_that_breaks_off_is_refused(make_jpeg_dicom):
    dataset = make_jpeg_dicom(smooth_radiograph())
    dataset.PixelData = dataset.PixelData[: len(dataset.PixelData) // 2]

    with pytest.raises(UnreadableRadiograph, match="cannot be decoded"):
        render(dataset)


@pytest.mark.parametrize(
    ("syntax", "extras"),
    [
        (JPEGLosslessSV1, "codecs,codecs-gpl"),
        (JPEGExtended12Bit, "codecs,codecs-gpl"),
        (JPEGLSLossless, "codecs"),
        (HTJ2KLossless, "codecs"),
    ],
)
def test_a_missing_decoder_is_named_with_its_remedy(
    make_jpeg_dicom, monkeypatch, syntax, extras
):
    dataset = make_jpeg_dicom(smooth_radiograph())
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    decoder = __import__("pydicom").pixels.get_decoder(syntax)
    # Other plug-ins may be installed where the tests run.
    kept = {k: v for k, v in decoder._available.items() if k == "pillow"}
    monkeypatch.setattr(decoder, "_available", kept)
    monkeypatch.setattr(decoder, "_unavailable", {"absent": ("absent>=1.0",)})

    with pytest.raises(UnreadableRadiograph) as refusal:
        render(dataset)

    assert syntax in refusal.value.reason
    assert f'pip install "covid-cxr[{extras}]"' in refusal.value.reason


def test_an_unknown_transfer_syntax_is_named(make_dicom):
    dataset = make_dicom(PIXELS)
    dataset.file_meta.TransferSyntaxUID = "1.2.3.4.5"

    with pytest.raises(UnreadableRadiograph, match=r"1\.2\.3\.4\.5"):
        render(dataset)
