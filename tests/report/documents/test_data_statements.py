"""Sentences that follow from what a source publishes."""

import pytest

from covid_cxr.report.documents.data_statements import held_apart
from covid_cxr.study.current import choose, current
from covid_cxr.study.reading import read_study

STUDY = """\
cohorts:
  own: {{source: {source}, short: Ours}}
target:
  cohort: own
  labels: [{label}]
  name: it
  reference: that
  split: {{test: 0.3, validation: 0.2}}
paths:
  a: [target]
"""


@pytest.fixture(autouse=True)
def _same_study_after():
    before = current()
    yield
    choose(before)


@pytest.mark.parametrize(
    ("source", "label", "is_said"),
    [
        ("vindr_cxr", "pneumonia", True),
        ("chexpert", "pneumonia", False),
        ("manifest", "anything", False),
    ],
)
def test_that_nobody_knows_whose_radiograph_it_is_stands_in_the_documents(
    source, label, is_said, bare
):
    choose(read_study(STUDY.format(source=source, label=label)))

    told = "For Ours each image was taken for a patient of its own."
    assert (told in held_apart(bare)) == is_said
