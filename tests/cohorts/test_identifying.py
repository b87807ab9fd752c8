import logging

import pandas as pd
import pytest

from covid_cxr.cohorts.identifying import report_identifying


class Records:
    """The part of an image store that the report reads."""

    def __init__(self, *rows):
        columns = ["is_stored", "identifying_attributes", "burned_in_annotation"]
        self.records = pd.DataFrame(rows, columns=columns).astype(
            {"identifying_attributes": "str", "burned_in_annotation": "str"}
        )


def counts(store):
    return dict(report_identifying(store).itertuples(index=False))


def test_attributes_and_answers_are_counted_by_image():
    store = Records(
        (True, "PatientID; PatientName", "YES"),
        (True, "PatientID", "not stated"),
        (True, None, "not stated"),
        (True, None, None),
        (False, None, None),
    )

    report = report_identifying(store)

    assert report.to_dict("list") == {
        "attribute": [
            "PatientID",
            "PatientName",
            "BurnedInAnnotation YES",
            "BurnedInAnnotation NO",
            "BurnedInAnnotation not stated",
            "no DICOM header",
        ],
        "n_images": [2, 1, 1, 0, 2, 1],
    }


def test_a_cohort_of_pictures_has_no_attributes():
    assert counts(Records((True, None, None), (True, None, None))) == {
        "BurnedInAnnotation YES": 0,
        "BurnedInAnnotation NO": 0,
        "BurnedInAnnotation not stated": 0,
        "no DICOM header": 2,
    }


@pytest.mark.parametrize(
    ("row", "warnings"),
    [
        ((True, "PatientID", "YES"), ["identifying", "text"]),
        ((True, "PatientID", "NO"), ["identifying"]),
        ((True, None, "not stated"), []),
    ],
)
def test_what_identifies_patients_is_warned_of(caplog, row, warnings):
    with caplog.at_level(logging.WARNING):
        report_identifying(Records(row))

    kinds = [
        message.removeprefix("1 of 1 images have ").split()[0]
        for message in caplog.messages
    ]
    assert kinds == warnings
