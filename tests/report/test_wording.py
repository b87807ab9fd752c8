"""Numbers as readers see them."""

import math

import pytest

from covid_cxr.report import wording


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (wording.auroc(0.8574), "0.857"),
        (wording.auroc(math.nan), wording.UNKNOWN),
        (wording.interval(0.794, 0.92), "0.794 to 0.920"),
        (wording.interval(-0.1, 0.2), "\N{MINUS SIGN}0.100 to 0.200"),
        (wording.interval(math.nan, 0.2), wording.UNKNOWN),
        (wording.difference(0.0201), "+0.020"),
        (wording.difference(-0.0201), "\N{MINUS SIGN}0.020"),
        (wording.p_value(0.0004), "< 0.001"),
        (wording.p_value(0.0467), "0.047"),
        (wording.p_value(None), wording.UNKNOWN),
        (wording.count(112120), "112,120"),
        (wording.count(None), wording.UNKNOWN),
        (wording.percent(0.2405), "24.05 %"),
        (wording.percent(math.nan), wording.UNKNOWN),
        (wording.label("pleural_thickening"), "Pleural thickening"),
        (wording.label("covid19"), "COVID-19"),
        (wording.cohort("nih"), "NIH ChestX-ray14"),
        (wording.training_set("phase2_other"), "phase2_other"),
    ],
)
def test_numbers_and_names_have_one_form(words, expected):
    assert words == expected
