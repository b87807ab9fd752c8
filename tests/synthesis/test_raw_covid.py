import io
from itertools import islice
from pathlib import PurePosixPath

import cv2
import numpy as np
import pandas as pd
import pytest
from pydicom import dcmread
from pydicom.pixels import apply_voi_lut

from covid_cxr.radiographs.files import read
from covid_cxr.synthesis.defects import no_defects
from covid_cxr.synthesis.drawing import draw_radiograph, locate_lungs
from covid_cxr.synthesis.orders import orders_of
from covid_cxr.synthesis.raw_covid import (
    _encode_dicom,
    _frame,
    _letters,
    _look,
    _shut,
    write_covid,
    write_covid_masks,
)
from covid_cxr.synthesis.raw_files import look_of

SIZE = 96


@pytest.fixture(scope="module")
def sized(make_synthesis):
    return make_synthesis(raw_size_px=SIZE)


@pytest.fixture(scope="module")
def written(radiographs, sized):
    return write_covid(radiographs, sized, no_defects())


@pytest.fixture(scope="module")
def files(written):
    return {path: dcmread(io.BytesIO(content)) for path, content in written[0]}


def test_the_manifest_has_its_columns_as_text_and_names_every_file(written, files):
    _, manifest, _ = written

    columns = ["image", "patient", "rt_pcr", "site", "view", "sex", "age"]
    assert manifest.columns.tolist() == columns
    assert all(isinstance(value, str) for value in manifest.to_numpy().ravel())
    assert [f"images/{image}" for image in manifest["image"]] == list(files)
    assert set(manifest["rt_pcr"]) == {"positive", "negative"}
    assert manifest.groupby("patient").size().max() > 1


def test_the_manifest_agrees_with_the_header(written, files):
    for row, image in zip(
        written[1].itertuples(index=False), files.values(), strict=True
    ):
        assert row.patient == image.PatientID
        assert row.sex == image.PatientSex
        assert int(row.age) == int(image.PatientAge[:3])
        assert row.view.split()[0] == image.ViewPosition


def test_files_are_of_every_kind(files):
    images = files.values()

    assert {image.PhotometricInterpretation for image in images} == {
        "MONOCHROME1",
        "MONOCHROME2",
    }
    assert {image.BitsStored for image in images} == {12, 13, 14, 15}
    kinds = {
        "LUT" if "VOILUTSequence" in image else image.VOILUTFunction for image in images
    }
    assert kinds == {"LINEAR", "SIGMOID", "LUT"}
    assert any("PixelPaddingValue" in image for image in images)
    assert len({(image.Rows, image.Columns) for image in images}) > 20


def test_polarity_and_presentation_shape_agree(files):
    shapes = {"MONOCHROME1": "INVERSE", "MONOCHROME2": "IDENTITY"}

    for image in files.values():
        assert image.PresentationLUTShape == shapes[image.PhotometricInterpretation]


def test_stored_values_fit_in_the_bits_and_use_them(files):
    for image in files.values():
        assert image.pixel_array.max() < 2**image.BitsStored
        assert np.ptp(image.pixel_array) > 0.5 * 2**image.BitsStored


def test_air_is_stored_high_in_monochrome1_and_low_in_monochrome2(written):
    for order in written[0].orders:
        image = dcmread(io.BytesIO(written[0].encode(order)))
        field = image.pixel_array[~_shut(_frame(order, SIZE))]
        chest = image.pixel_array[image.Rows // 2, image.Columns // 2]
        is_high = np.median(field) > chest
        assert is_high == (image.PhotometricInterpretation == "MONOCHROME1")


def test_a_viewer_sees_the_drawing(written, sized, tmp_path):
    for order in written[0].orders[:20]:
        drawing = draw_radiograph(
            order.exam, shape=_frame(order, SIZE).shape, look=_look(sized)
        )
        file = tmp_path / order.name
        file.write_bytes(written[0].encode(order))

        shown = read(file).pixels

        is_field = ~_shut(_frame(order, SIZE)) & (_letters(_frame(order, SIZE)) == 0)
        agreement = np.corrcoef(shown[is_field], drawing.density[is_field])[0, 1]
        assert agreement > 0.97
        assert shown[~is_field & _shut(_frame(order, SIZE))].max(initial=0) < 20


def test_pydicom_applies_every_window_and_table(files):
    for image in files.values():
        grey = apply_voi_lut(image.pixel_array, image)

        assert np.ptp(grey) > 0.5 * (
            4095 if "VOILUTSequence" in image else 2**image.BitsStored
        )


def test_letters_are_burned_in_at_a_corner_and_the_header_says_so(written, files):
    orders = written[0].orders
    lettered = [order for order in orders if _frame(order, SIZE).letters]

    assert 0.6 < len(lettered) / len(orders) < 0.95
    for order in orders:
        letters = _letters(_frame(order, SIZE)) > 0
        assert letters.any() == (order in lettered)
        assert letters[letters.shape[0] // 6 :].sum() == 0
        said = files[order.file].BurnedInAnnotation
        assert said == ("YES" if letters.any() else "NO")


def test_letters_change_the_stored_pixels_to_white(written):
    order = next(o for o in written[0].orders if o.site == "site_a" and _has_text(o))
    image = dcmread(io.BytesIO(written[0].encode(order)))

    is_letter = (_letters(_frame(order, SIZE)) > 0) & ~_shut(_frame(order, SIZE))
    white = 0 if image.PhotometricInterpretation == "MONOCHROME1" else 4095
    assert (image.pixel_array[is_letter] == white).all()


def _has_text(order):
    return (_letters(_frame(order, SIZE)) > 0).any()


def test_crops_cut_off_letters_and_shutters_and_keep_the_lungs(written, sized):
    _, _, crops = written

    assert crops.columns.tolist() == ["image", "x0", "y0", "x1", "y1"]
    for order, crop in zip(
        written[0].orders, crops.itertuples(index=False), strict=True
    ):
        frame = _frame(order, SIZE)
        window = np.s_[crop.y0 : crop.y1, crop.x0 : crop.x1]
        assert not _letters(frame)[window].any()
        assert not _shut(frame)[window].any()
        x, y, width, height = locate_lungs(
            order.exam, shape=frame.shape, look=_look(sized)
        )
        kept = (min(x + width, crop.x1) - max(x, crop.x0)) * (
            min(y + height, crop.y1) - max(y, crop.y0)
        )
        assert kept > 0.9 * width * height
        assert (crop.x1 - crop.x0) * (crop.y1 - crop.y0) < 0.9 * np.prod(frame.shape)


def test_files_are_the_same_byte_for_byte(written, radiographs, sized):
    again = write_covid(radiographs, sized, no_defects())[0]

    assert list(islice(written[0], 12)) == list(islice(again, 12))


def test_the_frame_does_not_tell_the_result(large_radiographs, make_synthesis):
    images, manifest, _ = write_covid(
        large_radiographs, make_synthesis(nih_images=4000), no_defects()
    )
    frames = [_frame(order, SIZE) for order in images.orders]
    is_positive = manifest["rt_pcr"] == "positive"
    described = pd.DataFrame(
        {
            "lettered": [bool(frame.letters) for frame in frames],
            "shut": [any(frame.shutters) for frame in frames],
            "inverse": [f.scanner.polarity == "MONOCHROME1" for f in frames],
        }
    )

    shares = described.groupby(is_positive).mean()
    assert (shares.loc[True] - shares.loc[False]).abs().max() < 0.08


def test_one_site_names_one_institution_and_no_date_is_of_today(files):
    for image in files.values():
        assert image.StudyDate.startswith("2020")
        assert image.InstitutionName.startswith("site_")


def test_the_encoder_can_be_sent_to_another_process(written, sized):
    encode = written[0].encode

    assert encode.func is _encode_dicom
    assert encode.keywords == {
        "size_px": SIZE,
        "look": _look(sized),
        "nih_look": look_of(sized),
    }


def decoded(masks):
    return {
        file: cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
        for file, png in masks
    }


def test_every_radiograph_has_a_mask_of_its_lungs(written, radiographs, sized):
    masks = decoded(write_covid_masks(radiographs, sized, no_defects()))

    assert set(masks) == {f"{order.stem}.png" for order in written[0].orders}
    for order in written[0].orders[:12]:
        mask, shape = masks[f"{order.stem}.png"], _frame(order, SIZE).shape
        lungs = draw_radiograph(order.exam, shape=shape, look=_look(sized)).lungs
        assert mask.shape == shape
        assert set(np.unique(mask)) == {0, 255}
        overlap = (lungs & (mask == 255)).sum() / (lungs | (mask == 255)).sum()
        assert overlap > 0.97


def test_what_cannot_be_read_or_shows_somebody_else_has_no_mask(radiographs, sized):
    covid = radiographs[radiographs["cohort"] == "covid"]
    kinds = ["copy", "stored_anew", "missing", "truncated", "inverted", "mixed_labels"]
    defects = pd.DataFrame(
        {"cohort": "covid", "file": covid["file"][: len(kinds)], "defect": kinds}
    )
    masks = write_covid_masks(radiographs, sized, defects)

    without = {order.stem for order in orders_of(radiographs, cohort="covid")} - {
        PurePosixPath(order.file).stem for order in masks.orders
    }
    assert without == {PurePosixPath(file).stem for file in defects["file"][:4]}
