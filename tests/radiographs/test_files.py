import io
import logging
import os
import warnings

import numpy as np
import pytest
from PIL import Image

from covid_cxr.radiographs.files import read, read_shape
from covid_cxr.radiographs.rendering import UnreadableRadiograph

GREY = np.random.default_rng(0).integers(0, 256, (40, 30), dtype=np.uint8)

SMOOTH = np.outer(np.arange(40) * 3, np.linspace(0, 2, 30)).astype(np.uint8)


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def write(tmp_path):
    def to_file(content, name="radiograph.png"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return to_file


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P"])
def test_a_grey_png_gives_the_same_pixels_in_every_mode(write, mode):
    image = Image.fromarray(GREY).convert(mode)

    rendering = read(write(encoded(image, "PNG")))

    np.testing.assert_array_equal(rendering.pixels, GREY)


def test_a_coloured_picture_becomes_luminance_and_says_so(write):
    colour = np.random.default_rng(1).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    expected = colour @ np.array([0.299, 0.587, 0.114])

    rendering = read(write(encoded(Image.fromarray(colour), "PNG")))

    np.testing.assert_allclose(rendering.pixels, expected, atol=1.01)  # rounded down
    assert "colour to luminance" in rendering.steps


def test_transparency_is_ignored(write):
    image = Image.fromarray(GREY).convert("RGBA")
    image.putalpha(Image.fromarray(GREY.T.copy().reshape(GREY.shape)))

    np.testing.assert_array_equal(read(write(encoded(image, "PNG"))).pixels, GREY)


@pytest.mark.parametrize(
    ("mode", "steps"), [("L", ()), ("RGB", ("colour to luminance",))]
)
def test_a_jpeg_gives_the_luminance_that_it_holds(write, mode, steps):
    image = Image.fromarray(SMOOTH).convert(mode)

    rendering = read(write(encoded(image, "JPEG", quality=100), "a.jpg"))

    assert np.abs(rendering.pixels.astype(int) - SMOOTH).max() <= 2
    assert rendering.steps == ("as stored", *steps)


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "GIF", "WEBP"])
def test_another_format_under_the_name_of_a_png_is_refused(write, kind):
    with pytest.raises(UnreadableRadiograph, match="no PNG or JPEG"):
        read(write(encoded(Image.fromarray(SMOOTH), kind)))


def test_a_damaged_png_prints_nothing(write, capfd):
    content = bytearray(encoded(Image.fromarray(GREY), "PNG"))
    content[len(content) // 2] ^= 0xFF

    with pytest.raises(UnreadableRadiograph):
        read(write(bytes(content)))

    assert capfd.readouterr() == ("", "")


def test_16_bits_that_use_their_range_are_divided(write):
    stored = np.random.default_rng(2).integers(0, 2**16, (30, 30), dtype=np.uint16)

    rendering = read(write(encoded(Image.fromarray(stored), "PNG")))

    np.testing.assert_array_equal(rendering.pixels, np.rint(stored / 257))
    assert rendering.steps == ("16 bits divided by 257",)


def test_16_bits_that_hold_12_are_scaled_by_percentiles(write):
    stored = np.random.default_rng(3).integers(0, 4096, (30, 30), dtype=np.uint16)
    low, high = np.percentile(stored, [1, 99], method="inverted_cdf").astype(float)

    rendering = read(write(encoded(Image.fromarray(stored), "PNG")))

    np.testing.assert_array_equal(
        rendering.pixels, np.rint(255 * ((stored - low) / (high - low)).clip(0, 1))
    )
    assert rendering.steps == (f"percentiles 1 to 99: {low:g} to {high:g}",)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_the_orientation_tag_of_cameras_is_ignored(write, kind):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees

    path = write(encoded(Image.fromarray(GREY), kind, exif=exif), f"a.{kind}")

    assert read(path).pixels.shape == GREY.shape


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("kept", [0.0, 0.02, 0.5, 0.99])
def test_a_picture_that_breaks_off_is_refused(write, kind, kept):
    content = encoded(Image.fromarray(GREY), kind)

    with pytest.raises(UnreadableRadiograph, match=r"empty file|damaged picture"):
        read(write(content[: int(kept * len(content))], f"a.{kind.lower()}"))


def with_rows(content, n_rows):
    """Return a JPEG whose frame header states other rows (ISO/IEC 10918-1 B.2.2)."""
    place = max(content.find(bytes((0xFF, 0xC0 + n))) for n in (0, 2)) + 5
    return content[:place] + n_rows.to_bytes(2, "big") + content[place + 2 :]


@pytest.mark.parametrize(
    "options",
    [{}, {"progressive": True}, {"restart_marker_blocks": 2}, {"subsampling": 2}],
    ids=str,
)
@pytest.mark.parametrize("n_rows", [80, 49])
def test_a_jpeg_that_states_more_rows_than_it_has_is_refused(write, n_rows, options):
    image = Image.fromarray(SMOOTH).convert("RGB" if "subsampling" in options else "L")
    content = encoded(image, "JPEG", **options)
    assert read(write(content, "a.jpg")).pixels.shape == (40, 30)
    n_rows = 49 if "subsampling" in options else n_rows  # in blocks of 16

    with pytest.raises(UnreadableRadiograph, match="damaged picture"):
        read(write(with_rows(content, n_rows), "a.jpg"))


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_that_ends_in_middle_grey_is_read(write, mode, progressive, capfd):
    grey = SMOOTH.copy()
    grey[-17:] = 128
    options = {"progressive": progressive, "comment": b"\xff\xd9"}  # a thumbnail's end
    content = encoded(Image.fromarray(grey).convert(mode), "JPEG", **options)

    assert (read(write(content, "a.jpg")).pixels[-8:] == 128).all()
    assert capfd.readouterr() == ("", "")


def test_a_damaged_png_is_refused(write):
    content = bytearray(encoded(Image.fromarray(GREY), "PNG"))
    content[len(content) // 2] ^= 0xFF

    with pytest.raises(UnreadableRadiograph, match="damaged picture"):
        read(write(bytes(content)))


@pytest.mark.parametrize("name", ["note.png", "note.dcm"])
def test_a_file_that_is_no_image_is_refused(write, name):
    with pytest.raises(UnreadableRadiograph):
        read(write(b"<html>404 Not Found</html>" * 20, name))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UnreadableRadiograph, match="file cannot be read: No such file"):
        read(tmp_path / "absent.png")


def test_a_picture_that_the_decoder_throws_out_is_refused(write):
    wide = Image.fromarray(np.arange(1_100_000).reshape(1, -1).astype(np.uint8))

    with pytest.raises(UnreadableRadiograph, match="damaged picture file"):
        read(write(encoded(wide, "PNG")))


def test_a_blank_picture_is_refused(write):
    blank = Image.fromarray(np.full((9, 9), 4, dtype=np.uint8))

    with pytest.raises(UnreadableRadiograph, match="blank"):
        read(write(encoded(blank, "PNG")))


def test_dicom_is_known_by_its_magic_number(make_dicom, write_dicom):
    path = write_dicom(make_dicom(GREY), "no_suffix.png")

    np.testing.assert_array_equal(read(path).pixels, GREY)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_dicom_file_that_breaks_off_is_refused(write, make_dicom, write_dicom, kept):
    content = write_dicom(make_dicom(GREY)).read_bytes()

    with pytest.raises(UnreadableRadiograph):
        read(write(content[: int(kept * len(content))], "broken.dcm"))


def test_headers_against_the_rules_are_read_in_silence(
    make_dicom, write_dicom, caplog, recwarn
):
    dataset = make_dicom(GREY)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.PatientName = "Doe^Jane"
        dataset.add_new("PatientBirthDate", "DA", "born 1950")
        dataset.add_new("StudyInstanceUID", "UI", "1.2.not-a-uid")
        path = write_dicom(dataset)

    caplog.clear()
    with caplog.at_level(logging.DEBUG):
        rendering = read(path)

    np.testing.assert_array_equal(rendering.pixels, GREY)
    assert not caplog.records
    assert not recwarn.list
    assert "Doe" not in " ".join(rendering.steps)


def test_a_malformed_window_is_passed_over_without_quoting_it(make_dicom, write_dicom):
    dataset = make_dicom(GREY)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.add_new("WindowCenter", "LO", "Doe^Jane")
        dataset.WindowWidth = 10
        path = write_dicom(dataset)

    rendering = read(path)

    assert rendering.steps[1:] == ("window LINEAR nan/10 unusable", "as stored")


def test_the_shape_is_known_without_the_pixels(
    make_dicom, write_dicom, write_png, tmp_path
):
    stored = np.arange(12 * 20, dtype=np.uint16).reshape(12, 20)
    dicom = make_dicom(stored)
    dicom.PixelData = stored.tobytes()[:8]  # `read` would refuse it
    picture = write_png(tmp_path / "a.png", stored.astype(np.uint8))

    assert read_shape(write_dicom(dicom)) == (12, 20)
    assert read_shape(picture) == (12, 20)


def test_a_file_without_a_shape_is_refused(tmp_path):
    broken = tmp_path / "a.png"
    broken.write_bytes(b"no picture")
    for path in (broken, tmp_path / "missing.dcm"):
        with pytest.raises(UnreadableRadiograph, match="cannot be read"):
            read_shape(path)


@pytest.mark.parametrize("reader", [read, read_shape])
def test_what_is_no_regular_file_is_refused_and_not_waited_for(tmp_path, reader):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "dangling.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "endless.png").symlink_to("/dev/zero")
    (tmp_path / "circle.png").symlink_to(tmp_path / "circle.png")
    (tmp_path / "folder.png").mkdir()

    for path in sorted(tmp_path.iterdir()):
        with pytest.raises(UnreadableRadiograph, match=r"regular file|cannot be read"):
            reader(path)


def test_a_file_of_a_size_that_no_radiograph_has_is_refused_unread(tmp_path):
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(2**40)

    with pytest.raises(UnreadableRadiograph, match="a file of 1099511627776 bytes"):
        read(path)


def sixteen(top):
    across = np.linspace(0, np.pi, 96)
    return (top * np.outer(np.sin(across), np.sin(across))).astype(np.uint16)


@pytest.mark.parametrize("top", [1000, 4000, 16000, 32000])
@pytest.mark.parametrize("extreme", [33000, 65535])
@pytest.mark.parametrize("n_pixels", [1, 20, 60])
def test_a_few_extreme_pixels_do_not_decide_the_grey_scale(
    tmp_path, write_png, top, extreme, n_pixels
):
    pixels = sixteen(top)
    marked = pixels.copy()
    marked[0, :n_pixels] = extreme
    plain = read(write_png(tmp_path / "plain.png", pixels)).pixels

    shown = read(write_png(tmp_path / "marked.png", marked)).pixels

    difference = np.abs(shown.astype(int) - plain)
    assert difference[1:].max() <= 6
    assert shown[0, 0] == 255


@pytest.mark.parametrize("n_pixels", [1, 40, 92, 100])
@pytest.mark.parametrize("extreme", [0, 33_000, 65_535])
@pytest.mark.parametrize("width", [100, 290])
def test_a_hundredth_of_extreme_pixels_does_not_decide_the_scale_of_16_bits(
    tmp_path, write_png, n_pixels, extreme, width
):
    spread = np.linspace(-0.05, 1.05, 100 * width).clip(0, 1)
    pixels = (4000 + 8000 * spread).round().astype(np.uint16).reshape(100, width)
    pixels[50, : n_pixels * width // 100] = extreme

    shown = read(write_png(tmp_path / "marked.png", pixels))

    assert shown.steps == ("percentiles 1 to 99: 4000 to 12000",)


def test_16_bits_that_are_used_stay_in_proportion(tmp_path, write_png):
    shown = read(write_png(tmp_path / "a.png", sixteen(65000)))

    assert shown.steps == ("16 bits divided by 257",)
