import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pydicom.uid import RLELossless

from covid_cxr.radiographs.record import as_frame, curate, original_size, rejected

ACROSS = np.sin(np.linspace(0, np.pi, 48))
LUNGS = np.sin(np.linspace(0, 3 * np.pi, 48)) ** 2  # between them the mediastinum
PIXELS = (20 + 200 * np.outer(ACROSS, ACROSS * LUNGS)).astype(np.uint8)


def record_of(path, *, box=None):
    return curate(path, box=box, size_px=32)[1]


@pytest.fixture
def png(tmp_path, write_png):
    return write_png(tmp_path / "radiograph.png", PIXELS)


def test_the_same_pixels_in_other_containers_have_the_same_hash(
    png, tmp_path, make_dicom, write_dicom
):
    rle = make_dicom(PIXELS)
    rle.compress(RLELossless, generate_instance_uid=False)
    colour = tmp_path / "colour.png"
    Image.fromarray(PIXELS).convert("RGBA").save(colour, optimize=True)
    paths = [png, colour, write_dicom(make_dicom(PIXELS)), write_dicom(rle, "rle.dcm")]

    hashes = {record_of(path)["pixels_sha256"] for path in paths}

    assert len(hashes) == 1
    assert len(hashes.pop()) == 64


@pytest.mark.parametrize(
    "other",
    [PIXELS ^ (np.arange(48) == 7), PIXELS.reshape(36, 64), PIXELS[:-1]],
    ids=["last bit of a column", "other shape", "one row less"],
)
def test_other_pixels_have_another_hash(png, tmp_path, write_png, other):
    path = write_png(tmp_path / "other.png", other.astype(np.uint8))

    assert record_of(path)["pixels_sha256"] != record_of(png)["pixels_sha256"]


def test_the_hash_is_of_the_image_before_it_is_cut(png):
    assert (
        record_of(png, box=(4, 4, 40, 40))["pixels_sha256"]
        == record_of(png)["pixels_sha256"]
    )


def test_mean_and_deviation_are_of_the_stored_image(png):
    stored, record = curate(png, box=(4, 4, 40, 40), size_px=32)

    assert record["mean"] == pytest.approx(stored.mean() / 255)
    assert record["standard_deviation"] == pytest.approx(stored.std() / 255)


def test_a_negative_is_flagged_and_left_as_it_is(tmp_path, write_png):
    stored, record = curate(
        write_png(tmp_path / "negative.png", 255 - PIXELS), box=None, size_px=48
    )

    assert record["is_polarity_suspect"]
    assert record["border_mean"] > record["centre_mean"]
    assert record["air_contrast"] < 0
    assert record["lung_contrast"] < 0
    np.testing.assert_array_equal(stored, 255 - PIXELS)


@pytest.mark.parametrize(
    ("pixels", "is_suspect"),
    [
        (PIXELS, False),
        (100 + PIXELS // 16, True),
        (np.where(PIXELS > 60, 255, 0), True),
        (np.where(np.eye(48) > 0, PIXELS, 255), True),
    ],
    ids=["whole range", "few levels", "black and white", "nearly white"],
)
def test_hardly_any_contrast_is_flagged_and_stored_all_the_same(
    tmp_path, write_png, pixels, is_suspect
):
    path = write_png(tmp_path / "faint.png", pixels.astype(np.uint8))

    stored, record = curate(path, box=None, size_px=48)

    assert record["is_contrast_suspect"] is is_suspect
    assert record["is_stored"]
    np.testing.assert_array_equal(stored, pixels)


def test_a_dicom_header_is_recorded_by_keyword(make_dicom, write_dicom):
    dataset = make_dicom(
        PIXELS, PatientName="Doe^Jane", PatientID="4711", BurnedInAnnotation="NO"
    )

    record = record_of(write_dicom(dataset))

    assert record["identifying_attributes"] == "PatientID; PatientName"
    assert record["burned_in_annotation"] == "NO"
    assert not any("Doe" in str(value) for value in record.values())


def test_a_png_states_nothing_of_burned_in_text(png):
    record = record_of(png)

    assert record["burned_in_annotation"] is None
    assert record["identifying_attributes"] is None


def test_stored_and_rejected_records_have_the_same_columns(png):
    records = [
        {"image_id": "a", "row": 0, **record_of(png)},
        {"image_id": "b", "row": 1, **rejected("file missing")},
    ]

    frame = as_frame(records)

    of_predictions = {"age_years", "is_photograph"}  # of which a store keeps nothing
    assert set(records[0]) - of_predictions == set(frame.columns) > set(records[1])
    assert frame["is_polarity_suspect"].tolist() == [False, pd.NA]
    assert frame["is_contrast_suspect"].tolist() == [False, pd.NA]
    assert (
        frame.drop(columns=["image_id", "row", "is_stored", "reason"])
        .loc[1]
        .isna()
        .all()
    )
    for some in (records[:1], records[1:]):
        pd.testing.assert_series_equal(as_frame(some).dtypes, frame.dtypes)


def test_the_size_before_resizing_is_read_from_the_steps(tmp_path, write_png):
    path = write_png(tmp_path / "wide.png", PIXELS[:40])

    assert original_size(record_of(path)["steps"]) == (48, 40)
    assert original_size(record_of(path, box=(2, 3, 12, 33))["steps"]) == (10, 30)


def test_steps_that_do_not_say_the_size_are_refused():
    with pytest.raises(ValueError, match=r"'window 1' .* curation pipeline again"):
        original_size("window 1")
