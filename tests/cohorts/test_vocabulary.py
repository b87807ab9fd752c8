"""The table of what publishers call findings."""

import csv
import re
from importlib.resources import files

import pytest

from covid_cxr.cohorts.radiograph_table import FINDINGS, NIH_SPELLINGS, RADIOGRAPHS
from covid_cxr.cohorts.vocabulary import (
    absent_finding,
    all_findings,
    findings_of,
    refuse_absent,
    terms_of,
    words_for,
)
from covid_cxr.sources.adapters import SOURCES


def rows():
    table = files("covid_cxr.cohorts").joinpath("vocabulary.csv").read_text("utf-8")
    return list(csv.DictReader(table.splitlines()))


def test_each_row_is_there_once_and_names_a_source_that_there_is():
    stated = [(row["finding"], row["source"], row["term"]) for row in rows()]

    assert len(set(stated)) == len(stated)
    assert {source for _, source, _ in stated} <= set(SOURCES)
    assert all(re.fullmatch(r"[a-z0-9_]*", finding) for finding, _, _ in stated)


def test_no_finding_has_the_name_of_another_column():
    own = {name for name, column in RADIOGRAPHS.columns.items() if column.required}

    assert not own & set(all_findings())


def test_every_finding_may_be_a_column_of_the_radiograph_table():
    for finding in all_findings():
        assert str(RADIOGRAPHS.columns[finding].dtype) == "boolean"
        assert RADIOGRAPHS.columns[finding].nullable


def test_the_words_of_nih_are_those_that_nih_is_read_by():
    assert words_for("nih") == {
        **{finding: (word,) for finding, word in NIH_SPELLINGS.items()},
        "infiltration": ("Infiltration", "Infiltrate"),  # as the list of boxes has it
        "no_finding": ("No Finding",),
    }


def test_what_a_source_calls_something_can_be_asked_for():
    assert terms_of("chexpert")["Pleural Effusion"] == ("effusion",)
    assert terms_of("padchest")["hydropneumothorax"] == ("pneumothorax", "effusion")
    assert terms_of("padchest")["neumonía"] == ("pneumonia",)
    assert terms_of("padchest")["exclude"] == ()
    assert terms_of("manifest") == {}


@pytest.mark.parametrize(
    ("word", "never"),
    [
        ("subcutaneous emphysema", "emphysema"),  # under the skin
        ("pseudonodule", "nodule"),
        ("nipple shadow", "nodule"),
        ("pericardial effusion", "effusion"),
        ("tuberculosis sequelae", "tuberculosis"),
    ],
)
def test_a_word_that_only_sounds_like_a_finding_is_none(word, never):
    assert never not in terms_of("padchest")[word]


def test_the_observations_of_both_labelled_sets_are_the_same():
    assert terms_of("chexpert") == terms_of("mimic_cxr_jpg")
    assert len(findings_of("chexpert")) == 14


def test_nih_s_findings_are_asked_of_padchest_by_their_names():
    assert set(FINDINGS) <= set(findings_of("padchest"))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("emphisema", "'emphisema', which nih does not have; nearest: emphysema"),
        ("pneumonias", "'pneumonias', which nih does not have; nearest: pneumonia"),
        ("qq", "'qq', which nih does not have"),
    ],
)
def test_the_nearest_finding_is_named_where_one_is_near(asked, said):
    assert absent_finding(asked, "nih", FINDINGS) == said


def test_all_that_is_absent_is_named_at_once():
    with pytest.raises(ValueError, match=r"'hernia', which .* and for 'nodule'"):
        refuse_absent(["hernia", "edema", "nodule"], "chexpert")
