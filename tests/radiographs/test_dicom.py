import io

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    JPEG2000,
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    DigitalXRayImageStorageForProcessing,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from covid_cxr.radiographs.dicom import render
from covid_cxr.radiographs.files import read
from covid_cxr.radiographs.rendering import UnreadableRadiograph

PIXELS = np.arange(256, dtype=np.uint8).reshape(16, 16)


def smooth_radiograph():
    across = np.linspace(0, np.pi, 64)
    return (200 * np.outer(np.sin(across), np.sin(across)) + 20).astype(np.uint8)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"PresentationIntentType": "FOR PROCESSING"}, "FOR PROCESSING"),
        ({"ViewPosition": "LL"}, "not frontal: ViewPosition lateral"),
        ({"ViewPosition": "RL"}, "not frontal: ViewPosition lateral"),
        ({"ViewPosition": "LATERAL"}, "not frontal: ViewPosition lateral"),
        ({"BodyPartExamined": "EXTREMITY"}, "not a chest: BodyPartExamined EXTREMITY"),
        ({"NumberOfFrames": 2}, "not one image: 2 frames"),
        ({"PhotometricInterpretation": "RGB"}, "not grey"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "not grey: .* PALETTE COLOR"),
        ({"Modality": "CT"}, "not a radiograph: Modality CT"),
        ({"SOPClassUID": DigitalXRayImageStorageForProcessing}, "FOR PROCESSING"),
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


@pytest.mark.parametrize(
    ("meaning", "is_accepted"), [("left lateral", False), ("postero-anterior", True)]
)
def test_a_coded_view_counts_as_well(make_dicom, meaning, is_accepted):
    code = Dataset()
    code.CodeMeaning = meaning
    dataset = make_dicom(PIXELS, ViewCodeSequence=[code])

    if is_accepted:
        np.testing.assert_array_equal(render(dataset).pixels, PIXELS)
        return
    with pytest.raises(UnreadableRadiograph, match="not frontal: ViewCodeSequence"):
        render(dataset)


@pytest.mark.parametrize("keyword", ["BodyPartExamined", "PhotometricInterpretation"])
def test_what_is_no_code_string_is_not_quoted(make_dicom, keyword):
    dataset = make_dicom(PIXELS)
    dataset.add_new(keyword, "LO", "Doe^Jane")

    with pytest.raises(UnreadableRadiograph, match="not a code") as refusal:
        render(dataset)

    assert "DOE" not in refusal.value.reason.upper()


def test_a_dataset_without_pixels_is_refused(make_dicom):
    dataset = make_dicom(PIXELS)
    del dataset.PixelData

    with pytest.raises(UnreadableRadiograph, match="no pixel data"):
        render(dataset)


def test_pixels_that_break_off_are_refused(make_dicom):
    dataset = make_dicom(PIXELS, PixelData=PIXELS.tobytes()[:100])

    with pytest.raises(UnreadableRadiograph, match="cannot be decoded"):
        render(dataset)


def deep_radiograph():
    rng = np.random.default_rng(5)
    noise = rng.integers(0, 9, (64, 64), dtype=np.uint16)
    return 14 * smooth_radiograph().astype(np.uint16) + noise


@pytest.mark.parametrize(
    ("syntax", "plugin", "largest_error"),
    [
        (ImplicitVRLittleEndian, None, 0),
        (ExplicitVRLittleEndian, None, 0),
        (ExplicitVRBigEndian, None, 0),
        (DeflatedExplicitVRLittleEndian, None, 0),
        (RLELossless, None, 0),
        (JPEGLSLossless, "pyjpegls", 0),
        (JPEGLSNearLossless, "pyjpegls", 2),
        (JPEG2000Lossless, "pylibjpeg", 0),
        (JPEG2000, "pylibjpeg", 40),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_every_open_transfer_syntax_gives_the_pixels_that_were_encoded(
    make_dicom, tmp_path, syntax, plugin, largest_error
):
    if plugin and plugin not in get_decoder(syntax).available_plugins:
        pytest.skip('needs pip install "covid-cxr[codecs]"')
    stored = deep_radiograph()
    dataset = make_dicom(stored, BitsStored=12, WindowCenter=2048, WindowWidth=4096)
    expected = render(dataset).pixels
    path = save_as(dataset, syntax, tmp_path / "radiograph.dcm")

    rendering = read(path)

    # A step of the stored 12 bits is a sixteenth of a grey.
    difference = np.abs(rendering.pixels.astype(int) - expected).max()
    assert difference <= (largest_error / 16 + 1 if largest_error else 0)
    assert rendering.steps[0] == f"transfer syntax {syntax}"


def save_as(dataset, syntax, path):
    options = {
        JPEG2000: {"j2k_cr": [4]},
        JPEGLSNearLossless: {"jls_error": 2},
    }.get(syntax, {})
    if syntax.is_encapsulated:
        dataset.compress(syntax, generate_instance_uid=False, **options)
    elif syntax == ExplicitVRBigEndian:
        dataset.PixelData = dataset.pixel_array.byteswap().tobytes()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset["PixelData"].VR = "OW" if not syntax.is_encapsulated else "OB"
    dataset.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize(
    ("stored", "allocated"),
    [
        (np.array([[-30000, -5], [7, 30000]], dtype=np.int16), 16),
        (np.array([[-128, -5], [7, 127]], dtype=np.int8), 8),
        (np.array([[0, 5], [700, 60000]], dtype=np.uint32), 32),
    ],
)
def test_stored_values_of_any_width_and_sign_keep_their_order(
    make_dicom, stored, allocated
):
    bits = min(allocated, 16)
    low, high = int(stored.min()), int(stored.max())
    dataset = make_dicom(
        stored,
        BitsStored=bits,
        WindowCenter=(low + high) / 2,
        WindowWidth=high - low,
        VOILUTFunction="LINEAR_EXACT",
    )
    expected = np.rint(255 * (stored.astype(float) - low) / (high - low))

    np.testing.assert_array_equal(render(dataset).pixels, expected)


@pytest.mark.parametrize("keyword", ["Rows", "Columns"])
def test_compressed_pixels_of_another_size_than_the_headers_are_refused(
    make_jpeg_dicom, keyword
):
    dataset = make_jpeg_dicom(smooth_radiograph())
    setattr(dataset, keyword, 32)

    with pytest.raises(UnreadableRadiograph, match="64 x 64 compressed pixels"):
        render(dataset)


def test_colours_behind_a_grey_header_are_refused(make_jpeg_dicom):
    jpeg = io.BytesIO()
    Image.fromarray(smooth_radiograph()).convert("RGB").save(jpeg, "JPEG")
    dataset = make_jpeg_dicom(smooth_radiograph())
    dataset.PixelData = encapsulate([jpeg.getvalue()])

    with pytest.raises(UnreadableRadiograph, match="3 colour components"):
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


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless, HTJ2KLossless])
def test_a_missing_decoder_is_named_with_its_remedy(
    make_jpeg_dicom, monkeypatch, syntax
):
    dataset = make_jpeg_dicom(smooth_radiograph())
    dataset.file_meta.TransferSyntaxUID = syntax
    decoder = get_decoder(syntax)
    monkeypatch.setattr(decoder, "_available", {})
    monkeypatch.setattr(decoder, "_unavailable", {"absent": ("absent>=1.0",)})

    with pytest.raises(UnreadableRadiograph) as refusal:
        render(dataset)

    assert refusal.value.reason == (
        f"no decoder installed: transfer syntax {syntax}; "
        f'pip install "covid-cxr[codecs]"'
    )


@pytest.mark.parametrize(
    "syntax", [JPEGLSLossless, JPEGLSNearLossless, JPEG2000Lossless, JPEG2000]
)
def test_gdcm_is_never_asked_as_it_ends_the_process_on_damaged_files(
    make_jpeg_dicom, monkeypatch, syntax
):
    dataset = make_jpeg_dicom(smooth_radiograph())
    dataset.file_meta.TransferSyntaxUID = syntax
    asked = []
    available = {"gdcm": lambda *_: asked.append("gdcm")}
    monkeypatch.setattr(get_decoder(syntax), "_available", available)

    with pytest.raises(UnreadableRadiograph, match="no decoder installed"):
        render(dataset)

    assert asked == []


def test_a_film_is_no_radiograph(make_dicom):
    dataset = make_dicom(PIXELS)
    dataset.file_meta.TransferSyntaxUID = MPEG2MPML

    with pytest.raises(UnreadableRadiograph, match=f"transfer syntax: {MPEG2MPML}"):
        render(dataset)


def test_an_unknown_transfer_syntax_is_named(make_dicom):
    dataset = make_dicom(PIXELS)
    dataset.file_meta.TransferSyntaxUID = "1.2.3.4.5"

    with pytest.raises(UnreadableRadiograph, match=r"1\.2\.3\.4\.5"):
        render(dataset)


def test_a_transfer_syntax_that_is_no_uid_is_not_quoted(make_dicom):
    dataset = make_dicom(PIXELS)
    dataset.file_meta.add_new("TransferSyntaxUID", "LO", "Doe^Jane")

    with pytest.raises(UnreadableRadiograph, match="not a UID"):
        render(dataset)


def test_the_rendering_says_what_the_header_holds_but_no_values(make_dicom):
    dataset = make_dicom(PIXELS, PatientName="Doe^Jane", BurnedInAnnotation="YES")

    rendering = render(dataset)

    assert rendering.identifying == ("PatientName",)
    assert rendering.burned_in == "YES"


def of_left_lateral(value, meaning=""):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = value, "SCT"
    item.CodeMeaning = meaning
    return [item]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"ViewPosition": "LLO"}, "ViewPosition oblique"),
        ({"ViewPosition": "RLD"}, "ViewPosition decubitus"),
        ({"ViewPosition": "XTABLE LATERAL"}, "ViewPosition lateral"),
        ({"ViewCodeSequence": of_left_lateral("R-10236")}, "ViewCodeSequence lateral"),
        (
            {"ViewCodeSequence": of_left_lateral("399173006")},
            "ViewCodeSequence lateral",
        ),
        (
            {"ViewCodeSequence": of_left_lateral("?", "perfil")},
            "ViewCodeSequence lateral",
        ),
        ({"PatientOrientation": ["A", "F"]}, "PatientOrientation lateral"),
        ({"PatientOrientation": ["P", "F"]}, "PatientOrientation lateral"),
        ({"PatientOrientation": ["AL", "F"]}, "PatientOrientation oblique"),
    ],
)
def test_views_from_the_side_are_refused_wherever_they_are_stated(
    make_dicom, header, reason
):
    with pytest.raises(UnreadableRadiograph, match=f"not frontal: {reason}"):
        render(make_dicom(PIXELS, **header))


@pytest.mark.parametrize("rows", [["L", "F"], ["R", "F"], [], None])
def test_rows_from_side_to_side_are_of_a_frontal_view(make_dicom, rows):
    render(make_dicom(PIXELS, PatientOrientation=rows, ViewPosition="AP"))
