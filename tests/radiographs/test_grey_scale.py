import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi, apply_windowing

from covid_cxr.radiographs.dicom import render
from covid_cxr.radiographs.files import read
from covid_cxr.radiographs.grey_scale import apply_window
from covid_cxr.radiographs.rendering import UnreadableRadiograph

RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)


def window_by_the_standard(x, c, w, function):
    """One value at a time, as printed in PS3.3 C.11.2.1.2 and C.11.2.1.3."""
    if function == "SIGMOID":
        return 1 / (1 + math.exp(min(-4 * (x - c) / w, 700)))
    if function == "LINEAR_EXACT":
        if x <= c - w / 2:
            return 0
        return 1 if x > c + w / 2 else (x - c) / w + 0.5
    if x <= c - 0.5 - (w - 1) / 2:
        return 0
    if x > c - 0.5 + (w - 1) / 2:
        return 1
    return (x - (c - 0.5)) / (w - 1) + 0.5


def lut(first, values, *, bits=16, keyword="LUTData"):
    item = Dataset()
    item.LUTDescriptor = [len(values), first, bits]
    item.add_new("LUTData", "US", [int(value) for value in values])
    return [item]


@given(
    center=st.integers(-500, 500),
    width=st.integers(1, 600),
    function=st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID"]),
)
def test_windows_follow_the_formulas_of_the_standard(center, width, function):
    values = np.arange(-300.0, 300.0, 7)
    expected = [window_by_the_standard(x, center, width, function) for x in values]

    brightness = apply_window(values, center=center, width=width, function=function)

    np.testing.assert_allclose(brightness, expected, atol=1e-12)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_a_window_gives_the_grey_of_pydicom(make_dicom, function):
    dataset = make_dicom(
        RAMP, BitsStored=12, WindowCenter=1500, WindowWidth=900, VOILUTFunction=function
    )
    theirs = apply_windowing(RAMP, dataset) / 4095

    rendering = render(dataset)

    np.testing.assert_array_equal(rendering.pixels, np.rint(255 * theirs))
    assert rendering.steps[1:] == (f"window {function} 1500/900",)


def test_monochrome1_with_a_window_equals_values_worked_out_by_hand(make_dicom):
    stored = np.array([[0, 100, 200], [300, 400, 1000]], dtype=np.uint16)
    dataset = make_dicom(
        stored,
        BitsStored=10,
        PhotometricInterpretation="MONOCHROME1",
        WindowCenter=200.5,
        WindowWidth=201,
    )
    # (x - 200) / 200 + 0.5 clipped to 0..1, times 255, subtracted from 255.
    expected = [[255, 255, 128], [0, 0, 0]]

    np.testing.assert_array_equal(render(dataset).pixels, expected)


@pytest.mark.parametrize(
    ("photometric", "shape", "is_inverted"),
    [
        ("MONOCHROME2", "IDENTITY", False),
        ("MONOCHROME2", "INVERSE", True),
        ("MONOCHROME1", "IDENTITY", True),
        ("MONOCHROME1", "INVERSE", True),
    ],
)
def test_polarity_is_turned_once(make_dicom, photometric, shape, is_inverted):
    stored = np.arange(256, dtype=np.uint8).reshape(16, 16)
    dataset = make_dicom(
        stored, PhotometricInterpretation=photometric, PresentationLUTShape=shape
    )

    pixels = render(dataset).pixels

    np.testing.assert_array_equal(pixels, 255 - stored if is_inverted else stored)


def test_a_voi_lut_comes_before_a_window_and_its_own_maximum_is_white(make_dicom):
    values = np.rint(4095 * np.sqrt(np.arange(4096) / 4095)).astype(int)
    dataset = make_dicom(
        RAMP,
        BitsStored=12,
        VOILUTSequence=lut(0, values),  # says 16 bits, holds 12
        WindowCenter=10,
        WindowWidth=10,
    )
    theirs = apply_voi(RAMP, dataset) / 4095

    rendering = render(dataset)

    np.testing.assert_array_equal(rendering.pixels, np.rint(255 * theirs))
    assert rendering.steps[-1] == "VOI LUT"


def test_a_voi_lut_continues_with_its_end_values(make_dicom):
    stored = np.array([[0, 10, 11, 12, 50]], dtype=np.uint16)
    dataset = make_dicom(stored, VOILUTSequence=lut(10, [51, 102, 255]))

    np.testing.assert_array_equal(render(dataset).pixels, [[51, 51, 102, 255, 255]])


def test_a_voi_lut_that_begins_below_zero_is_understood_without_a_sign(make_dicom):
    stored = np.array([[-9, -5, -4, -3, 50]], dtype=np.int16)
    dataset = make_dicom(stored, VOILUTSequence=lut(2**16 - 5, [51, 102, 255]))

    np.testing.assert_array_equal(render(dataset).pixels, [[51, 51, 102, 255, 255]])


def test_lookup_tables_read_from_a_file_are_understood(make_dicom, write_dicom):
    values = np.arange(4096)[::-1]
    dataset = make_dicom(RAMP, BitsStored=12, VOILUTSequence=lut(0, values, bits=12))
    dataset.VOILUTSequence[0]["LUTData"].VR = "OW"
    dataset.VOILUTSequence[0].LUTData = values.astype("<u2").tobytes()

    pixels = read(write_dicom(dataset)).pixels

    np.testing.assert_array_equal(
        pixels, np.rint(255 * values / 4095).reshape(RAMP.shape)
    )


def test_rescaled_values_reach_the_window(make_dicom):
    dataset = make_dicom(
        RAMP,
        BitsStored=12,
        RescaleSlope="0.5",
        RescaleIntercept="-1000",
        WindowCenter=0,
        WindowWidth=400,
    )
    expected = [
        round(255 * window_by_the_standard(0.5 * x - 1000, 0, 400, "LINEAR"))
        for x in range(4096)
    ]

    rendering = render(dataset)

    np.testing.assert_array_equal(rendering.pixels.ravel(), expected)
    assert "rescaled 0.5 -1000" in rendering.steps


def test_a_modality_lut_reaches_the_window(make_dicom):
    values = np.arange(4096) // 2
    dataset = make_dicom(
        RAMP,
        BitsStored=12,
        ModalityLUTSequence=lut(0, values),
        WindowCenter=1000,
        WindowWidth=500,
    )
    theirs = apply_windowing(apply_modality_lut(RAMP, dataset), dataset)

    pixels = render(dataset).pixels

    np.testing.assert_allclose(pixels, 255.0 * theirs / theirs.max(), atol=0.51)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black_and_out_of_the_statistics(make_dicom, photometric):
    rng = np.random.default_rng(0)
    anatomy = rng.integers(1000, 3000, (64, 64), dtype=np.int16)
    stored = anatomy.copy()
    stored[:, :20] = -2000
    plain = make_dicom(anatomy[:, 20:].copy(), PhotometricInterpretation=photometric)
    padded = make_dicom(
        stored, PhotometricInterpretation=photometric, PixelPaddingValue=-2000
    )

    pixels = render(padded).pixels

    assert not pixels[:, :20].any()
    np.testing.assert_array_equal(pixels[:, 20:], render(plain).pixels)


@pytest.mark.parametrize(("value", "limit"), [(4000, 4095), (4095, 4000)])
def test_a_range_of_padding_may_be_stated_either_way(make_dicom, value, limit):
    dataset = make_dicom(
        RAMP, BitsStored=12, PixelPaddingValue=value, PixelPaddingRangeLimit=limit
    )

    pixels = render(dataset).pixels.ravel()

    assert not pixels[4000:].any()
    assert pixels[3999] == 255


def test_padding_with_the_wrong_sign_is_recognised(make_dicom):
    stored = np.array([[-2000, 100], [200, 300]], dtype=np.int16)
    dataset = make_dicom(stored, WindowCenter=0, WindowWidth=9000)
    dataset.add_new("PixelPaddingValue", "US", 2**16 - 2000)

    assert render(dataset).pixels[0, 0] == 0
    assert render(dataset).pixels[0, 1] > 0


def test_without_a_window_more_than_8_bits_are_scaled_by_percentiles(make_dicom):
    rng = np.random.default_rng(1)
    stored = rng.normal(2000, 300, (64, 64)).clip(0, 4095).astype(np.uint16)
    low, high = np.percentile(stored, [1, 99], method="inverted_cdf").astype(float)
    expected = np.rint(255 * np.clip((stored - low) / (high - low), 0, 1))

    rendering = render(make_dicom(stored, BitsStored=12))

    np.testing.assert_array_equal(rendering.pixels, expected)
    assert rendering.steps[-1] == f"percentiles 1 to 99: {low:g} to {high:g}"


def test_an_image_that_is_nearly_blank_is_scaled_by_its_extremes(make_dicom):
    stored = np.full((32, 32), 500, dtype=np.uint16)
    stored[3, 4] = 2500

    pixels = render(make_dicom(stored, BitsStored=12)).pixels

    assert pixels[3, 4] == 255
    assert pixels.sum() == 255


def test_without_a_window_8_bits_stay_as_they_are(make_dicom):
    stored = np.arange(100, 200, dtype=np.uint8).reshape(10, 10)

    rendering = render(make_dicom(stored))

    np.testing.assert_array_equal(rendering.pixels, stored)
    assert rendering.steps[-1] == "as stored"


@pytest.mark.parametrize(
    "header",
    [
        {"WindowCenter": 2000, "WindowWidth": 0},
        {"WindowCenter": 60000, "WindowWidth": 10},
        {"WindowCenter": 2000, "WindowWidth": 9, "VOILUTFunction": "CUBIC"},
    ],
)
def test_a_window_that_shows_nothing_gives_way_to_percentiles(make_dicom, header):
    rendering = render(make_dicom(RAMP, BitsStored=12, **header))

    assert np.ptp(rendering.pixels) == 255
    assert rendering.steps[-2].endswith("unusable")
    assert rendering.steps[-1].startswith("percentiles")


def test_the_first_of_several_windows_counts(make_dicom):
    several = make_dicom(
        RAMP, BitsStored=12, WindowCenter=[900, 2], WindowWidth=[100, 2]
    )
    one = make_dicom(RAMP, BitsStored=12, WindowCenter=900, WindowWidth=100)

    np.testing.assert_array_equal(render(several).pixels, render(one).pixels)


def test_bits_beyond_those_stored_are_ignored(make_dicom):
    overlay = RAMP | np.uint16(0x8000)

    pixels = render(make_dicom(overlay, BitsStored=12)).pixels

    np.testing.assert_array_equal(
        pixels, render(make_dicom(RAMP, BitsStored=12)).pixels
    )


def test_a_blank_image_is_refused(make_dicom):
    stored = np.full((8, 8), 700, dtype=np.uint16)

    with pytest.raises(UnreadableRadiograph, match="blank"):
        render(make_dicom(stored))


def test_nothing_but_padding_is_refused(make_dicom):
    with pytest.raises(UnreadableRadiograph, match="blank"):
        render(
            make_dicom(
                np.array([[7, 7], [9, 7]], dtype=np.uint16),
                PixelPaddingValue=7,
            )
        )


def test_a_slope_of_zero_is_refused(make_dicom):
    with pytest.raises(UnreadableRadiograph, match="slope"):
        render(make_dicom(RAMP, RescaleSlope=0, RescaleIntercept=5))


def test_a_slope_that_leads_to_infinity_is_refused(make_dicom):
    with pytest.raises(UnreadableRadiograph, match="infinity"):
        render(make_dicom(RAMP, RescaleSlope=1e308, RescaleIntercept=0))


def test_polarity_does_not_depend_on_the_case_of_the_code(make_jpeg_dicom):
    dataset = make_jpeg_dicom(np.tile(np.arange(0, 256, 4, dtype=np.uint8), (64, 1)))
    upright = render(dataset).pixels
    dataset.add_new("PhotometricInterpretation", "LO", "monochrome1")

    np.testing.assert_array_equal(render(dataset).pixels, 255 - upright)


def test_white_of_a_voi_lut_does_not_depend_on_the_values_that_occur(make_dicom):
    dark = (RAMP // 8).astype(np.uint16)
    dataset = make_dicom(dark, BitsStored=12, VOILUTSequence=lut(0, range(4096)))

    np.testing.assert_array_equal(
        render(dataset).pixels, np.rint(255 * dark.astype(float) / 4095)
    )


CURVE = (65535 * (np.arange(4096) / 4095) ** 2).astype(np.uint16)
SQUARES = np.rint(255 * (RAMP / 4095.0) ** 2)


def table(descriptor, data, vr="US"):
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if min(descriptor) < 0 else "US", descriptor)
    item.add_new("LUTData", vr, data)
    return [item]


@pytest.mark.parametrize("keyword", ["VOILUTSequence", "ModalityLUTSequence"])
@pytest.mark.parametrize(
    ("vr", "data"),
    [
        ("US", CURVE.tolist()),
        ("SS", CURVE.view(np.int16).tolist()),
        ("OW", CURVE.astype("<u2").tobytes()),
        ("US", (CURVE >> 8).astype(np.uint8).view("<u2").tolist()),
        ("SS", (CURVE >> 8).astype(np.uint8).view("<i2").tolist()),
        ("OW", (CURVE >> 8).astype(np.uint8).tobytes()),
    ],
    ids=["US", "SS", "OW", "US packed", "SS packed", "OW packed"],
)
def test_entries_are_unsigned_and_unpacked_whatever_their_vr(
    make_dicom, keyword, vr, data
):
    lookup = table([4096, 0, 16], data, vr)
    dataset = make_dicom(RAMP, BitsStored=12, **{keyword: lookup})
    if keyword == "ModalityLUTSequence":
        top = 255 if is_packed(data, vr) else 65535
        dataset.WindowCenter, dataset.WindowWidth = top / 2, top
        dataset.VOILUTFunction = "LINEAR_EXACT"

    assert np.abs(render(dataset).pixels - SQUARES).max() <= 1


def is_packed(data, vr):
    return len(data) == (4096 if vr == "OW" else 2048)


@pytest.mark.parametrize(
    ("first", "stored"),
    [
        (40000, np.linspace(40000, 44095, 64 * 64).reshape(64, 64).astype(np.uint16)),
        (-25536, np.linspace(40000, 44095, 64 * 64).reshape(64, 64).astype(np.uint16)),
        (63488, np.linspace(-2048, 2047, 64 * 64).reshape(64, 64).astype(np.int16)),
        (-2048, np.linspace(-2048, 2047, 64 * 64).reshape(64, 64).astype(np.int16)),
    ],
)
def test_the_first_mapped_value_has_the_sign_of_the_pixels(make_dicom, first, stored):
    dataset = make_dicom(
        stored, VOILUTSequence=table([4096, first, 16], CURVE.tolist())
    )
    steps = stored.astype(int) - stored.min()

    rendering = render(dataset)

    assert np.abs(rendering.pixels - 255 * (steps / 4095) ** 2).max() <= 1
    assert rendering.steps[-1] == "VOI LUT"


@pytest.mark.parametrize("keyword", ["VOILUTSequence", "ModalityLUTSequence"])
@pytest.mark.parametrize(
    ("descriptor", "data"),
    [
        (None, None),
        ([4096, 0, 16], None),
        (None, CURVE.tolist()),
        ([4096, 0], CURVE.tolist()),
        ([4096, 0, 16], CURVE[:100].tolist()),
        ([4096, 0, 16], 7),
    ],
)
def test_an_empty_or_malformed_table_gives_way_to_the_window(
    make_dicom, keyword, descriptor, data
):
    item = Dataset()
    item.add_new("LUTDescriptor", "US", descriptor)
    item.add_new("LUTData", "US", data)
    window = {"WindowCenter": 2048, "WindowWidth": 4096}
    dataset = make_dicom(RAMP, BitsStored=12, **window, **{keyword: [item]})
    plain = make_dicom(RAMP, BitsStored=12, **window)

    rendering = render(dataset)

    np.testing.assert_array_equal(rendering.pixels, render(plain).pixels)
    assert any(step.endswith("LUT unusable") for step in rendering.steps)


WITH_EXTREMES = {
    "1 of 10,000 pixels": 1,
    "30 of 10,000 pixels": 30,
    "99 of 10,000 pixels": 99,
    "100 of 10,000 pixels": 100,
}


def spread_over(low, high, shape=(100, 100)):
    """Return values spread evenly, with more than a hundredth at either end."""
    spread = np.linspace(-0.05, 1.05, shape[0] * shape[1]).clip(0, 1)
    return (low + (high - low) * spread).round().astype(np.uint16).reshape(shape)


@pytest.mark.parametrize("n_pixels", WITH_EXTREMES.values(), ids=WITH_EXTREMES)
@pytest.mark.parametrize("extreme", [0, 65535], ids=["dark", "bright"])
@pytest.mark.parametrize("shape", [(100, 100), (20, 500), (250, 40)])
def test_a_hundredth_of_extreme_pixels_does_not_decide_the_scale(
    make_dicom, n_pixels, extreme, shape
):
    stored = spread_over(20_000, 30_000, shape)
    plain = render(make_dicom(stored, BitsStored=16)).pixels
    middle = np.s_[shape[0] // 2]
    n_pixels = min(n_pixels, shape[1])
    stored[middle, :n_pixels] = extreme

    rendering = render(make_dicom(stored, BitsStored=16))

    shown, expected = (p.astype(int) for p in (rendering.pixels, plain))
    shown[middle] = expected[middle]
    assert rendering.steps[-1] == "percentiles 1 to 99: 20000 to 30000"
    np.testing.assert_array_equal(shown, expected)


@pytest.mark.parametrize("n_pixels", [29, 57, 58])
def test_a_hundredth_is_counted_in_whole_pixels(make_dicom, n_pixels):
    # 0.01 * 2900 is below 29 and 0.01 * 5700 above 57 in floating point.
    stored = spread_over(2000, 3000, (n_pixels, 100))
    for extreme in (0, 4095):
        marked = stored.copy()
        marked.ravel()[n_pixels * 50 : n_pixels * 51] = extreme

        rendering = render(make_dicom(marked, BitsStored=12))

        assert rendering.steps[-1] == "percentiles 1 to 99: 2000 to 3000"


@pytest.mark.parametrize("n_pixels", [1, 50, 100])
@pytest.mark.parametrize("extreme", [0, 60_050], ids=["dark", "in the window"])
@pytest.mark.parametrize(
    "window",
    [
        {"WindowCenter": 60_000, "WindowWidth": 200},
        {"WindowCenter": 60_000, "WindowWidth": 200, "VOILUTFunction": "LINEAR_EXACT"},
        {"WindowCenter": 5000, "WindowWidth": 400},
    ],
    ids=["above", "exactly above", "below"],
)
def test_a_window_that_shows_only_a_few_extreme_pixels_shows_nothing(
    make_dicom, n_pixels, extreme, window
):
    stored = spread_over(20_000, 30_000)
    stored[50, :n_pixels] = extreme

    rendering = render(make_dicom(stored, BitsStored=16, **window))

    assert rendering.steps[-2].endswith("unusable")
    assert rendering.steps[-1] == "percentiles 1 to 99: 20000 to 30000"


@pytest.mark.parametrize("n_seen", [150, 1000, 9900])
def test_a_window_that_shows_more_than_that_is_used(make_dicom, n_seen):
    stored = np.full((100, 100), 20_000, dtype=np.uint16)
    stored.ravel()[:n_seen] = np.linspace(21_000, 22_000, n_seen)
    window = {"WindowCenter": 21_500, "WindowWidth": 1000}

    rendering = render(make_dicom(stored, BitsStored=16, **window))

    assert rendering.steps[-1].startswith("window")


def test_a_window_on_pixels_that_are_nearly_all_the_same_is_used(make_dicom):
    stored = np.full((100, 100), 20_000, dtype=np.uint16)
    stored[3, :20] = 21_500
    window = {"WindowCenter": 21_500, "WindowWidth": 1000}

    rendering = render(make_dicom(stored, BitsStored=16, **window))

    assert rendering.steps[-1].startswith("window")
