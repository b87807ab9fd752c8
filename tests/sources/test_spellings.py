"""What docs/data.md says is understood as sex, age, result or view, is."""

import re
from pathlib import Path

import pandas as pd
import pytest

from covid_cxr.cohorts.radiograph_table import (
    SEXES,
    TEST_RESULTS,
    age_in_years,
    result_of_test,
    sex,
)
from covid_cxr.radiographs.views import read_view

DOCS = (Path(__file__).parents[2] / "docs/data.md").read_text()
SECTION = DOCS.split("## What is understood")[1].split("\n## ")[0]
DOCUMENTED = {
    (column, meaning): re.findall(r"`([^`]+)`", words)
    for column, meaning, words in re.findall(
        r"^\| (sex|age|RT-PCR|view) \| ([^|]+) \| (.+) \|$", SECTION, re.MULTILINE
    )
}
NOT_KNOWN = re.findall(r"`([^`]*)`", SECTION.split("say that")[0].split("Beside")[1])
MEANINGS = {
    ("sex", "male (`M`)"): (sex, "M"),
    ("sex", "female (`F`)"): (sex, "F"),
    ("RT-PCR", "positive"): (result_of_test, True),
    ("RT-PCR", "negative"): (result_of_test, False),
}
YEARS = {"years": 1.0, "months": 1 / 12, "weeks": 7 / 365.25, "days": 1 / 365.25}


@pytest.mark.parametrize(("key", "meaning"), MEANINGS.items(), ids=str)
def test_every_documented_sex_and_result_is_understood(key, meaning):
    read, value = meaning

    found = [read(pd.Series([word], dtype="str")).iloc[0] for word in DOCUMENTED[key]]

    assert found == [value] * len(found)


@pytest.mark.parametrize(
    ("column", "known"), [("sex", SEXES), ("RT-PCR", TEST_RESULTS)]
)
def test_everything_that_is_understood_is_documented(column, known):
    documented = [
        word.upper()
        for (name, _), words in DOCUMENTED.items()
        if name == column
        for word in words
    ]

    assert sorted(documented) == sorted(known)


@pytest.mark.parametrize("unit", YEARS)
def test_every_documented_age_is_understood(unit):
    for text in DOCUMENTED["age", unit]:
        number = float(re.search(r"\d+[.,]?\d*", text)[0].replace(",", "."))
        years = age_in_years(pd.Series([text], dtype="str")).iloc[0]
        assert years == pytest.approx(number * YEARS[unit]), text


@pytest.mark.parametrize("key", [key for key in DOCUMENTED if key[0] == "view"])
def test_every_documented_view_is_understood(key):
    meaning = key[1].split(" ")[0].replace("unknown", "frontal")

    assert {text: read_view(text) for text in DOCUMENTED[key]} == dict.fromkeys(
        DOCUMENTED[key], meaning
    )


@pytest.mark.parametrize("text", NOT_KNOWN)
def test_what_says_that_nothing_is_known_is_not_counted_as_misspelt(text, caplog):
    text = "" if text == '""' else text

    assert sex(pd.Series([text], dtype="str")).tolist() == ["unknown"]
    assert caplog.text == ""


def test_the_table_has_every_column_and_meaning():
    assert len(DOCUMENTED) == 14
    assert len(NOT_KNOWN) == 15
