"""What sources call the labels of a study, and what may be done with their files."""

import pytest

from covid_cxr.report.source_words import cohort_origins, learned_labels
from covid_cxr.sources.adapters import SOURCES
from covid_cxr.study.current import choose, current
from covid_cxr.study.reading import read_study

STUDY = """
cohorts:
  valencia: {source: padchest}
  own: {source: manifest}
general:
  cohort: valencia
  labels: [effusion, pneumonia]
  split: {label: pneumonia, validation: 0.2}
target:
  cohort: own
  labels: [silicosis]
  name: silicosis
  reference: CT
  split: {test: 0.3, validation: 0.2}
paths:
  a: [general, target]
"""


@pytest.fixture
def _study():
    before = current()
    choose(read_study(STUDY))
    yield
    choose(before)


@pytest.mark.usefixtures("_study")
def test_each_label_stands_beside_the_words_of_its_source():
    rows = {(one.training_set, one.label): one for one in learned_labels()}

    assert list(rows) == [
        *(("phase1", "effusion"), ("phase1", "pneumonia"), ("phase3", "silicosis")),
    ]
    # PadChest has no "effusion": what it calls pleural effusion became ours.
    assert "pleural effusion" in rows["phase1", "effusion"].words
    assert rows["phase3", "silicosis"].words == ("silicosis",)
    assert "reports" in rows["phase1", "pneumonia"].reference


@pytest.mark.usefixtures("_study")
def test_each_cohort_says_its_licence():
    assert [(one.cohort, one.licence) for one in cohort_origins()] == [
        ("valencia", "BIMCV's terms of use"),
        ("own", "the group's own"),
    ]


def test_only_the_source_of_many_layouts_leaves_its_licence_open():
    assert [name for name, one in SOURCES.items() if not one.licence] == ["covid"]
