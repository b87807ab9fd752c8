from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from covid_cxr.cohorts.curated import settle


@dataclass
class FinishedStore:
    """What `settle` reads of an image store: where it is and what became of it."""

    records: pd.DataFrame
    root: Path = Path("covid_store")


RADIOGRAPHS = pd.DataFrame(
    {
        "image_id": ["a", "b", "c"],
        "patient_id": ["covid:1", "covid:1", "covid:2"],
        "file": ["images/a.dcm", None, "images/c.dcm"],
        "covid19": [True, False, True],
    }
)
REJECTED = pd.DataFrame(
    {
        "image_id": ["z"],
        "file": ["images/z.dcm"],
        "stage": ["ingestion"],
        "reason": ["lateral view"],
    }
)


def records(**columns):
    return pd.DataFrame(
        {
            "image_id": ["a", "b", "c"],
            "row": [0, 1, 2],
            "is_stored": [True, False, True],
            "reason": [None, "file missing", None],
            "fingerprint": ["f0", None, "f2"],
            "pixels_sha256": ["p0", None, "p2"],
            "is_polarity_suspect": [True, None, False],
            "is_contrast_suspect": [False, None, True],
            "mean": [0.4, np.nan, 0.6],
            "standard_deviation": [0.1, np.nan, 0.2],
            **columns,
        }
    )


def test_curated_radiographs_know_their_row_in_the_store():
    curated, _ = settle(FinishedStore(records()), RADIOGRAPHS, REJECTED)

    assert curated["image_id"].tolist() == ["a", "c"]
    assert curated["row"].tolist() == [0, 2]
    assert curated["fingerprint"].tolist() == ["f0", "f2"]
    assert curated["covid19"].tolist() == [True, True]


def test_curated_radiographs_carry_what_their_records_say():
    curated, _ = settle(FinishedStore(records()), RADIOGRAPHS, REJECTED)

    assert curated["pixels_sha256"].tolist() == ["p0", "p2"]
    assert curated["is_polarity_suspect"].tolist() == [True, False]
    assert curated["is_contrast_suspect"].tolist() == [False, True]
    assert curated["mean"].tolist() == [0.4, 0.6]
    assert curated["standard_deviation"].tolist() == [0.1, 0.2]


def test_what_has_no_pixels_joins_the_rejected():
    curated, rejected = settle(FinishedStore(records()), RADIOGRAPHS, REJECTED)

    assert rejected["image_id"].tolist() == ["z", "b"]
    assert rejected["stage"].tolist() == ["ingestion", "curation"]
    assert rejected["reason"].tolist() == ["lateral view", "file missing"]
    assert rejected["file"].isna().tolist() == [False, True]
    assert len(curated) + len(rejected) == len(RADIOGRAPHS) + len(REJECTED)


def test_the_counts_and_reasons_are_logged(caplog):
    with caplog.at_level("INFO"):
        settle(FinishedStore(records()), RADIOGRAPHS, REJECTED)

    assert "2 of 4 listed radiographs curated, 2 rejected: lateral" in caplog.text


def test_nothing_is_rejected_where_all_is_well():
    whole = records(is_stored=True, reason=None)

    curated, rejected = settle(FinishedStore(whole), RADIOGRAPHS, REJECTED.iloc[:0])

    assert len(curated) == 3
    assert rejected.empty


@pytest.mark.parametrize("image_ids", [["a", "c", "b"], ["a", "b", "x"]])
def test_a_store_of_another_table_is_an_error(image_ids):
    with pytest.raises(ValueError, match="covid_store holds 3 images that are not"):
        settle(FinishedStore(records(image_id=image_ids)), RADIOGRAPHS, REJECTED)


def test_an_image_lost_without_a_reason_is_an_error():
    with pytest.raises(
        ValueError, match=r"1 images are not in the store .* only 0 have"
    ):
        settle(FinishedStore(records(reason=None)), RADIOGRAPHS, REJECTED)


@pytest.mark.parametrize(
    ("flag", "meaning"),
    [
        ("is_polarity_suspect", "may be negatives"),
        ("is_contrast_suspect", "have hardly any contrast"),
    ],
)
def test_flagged_images_are_counted_in_the_log_with_three_examples(
    caplog, flag, meaning
):
    ids = [f"i{number}" for number in range(8)]
    radiographs = pd.DataFrame({"image_id": ids, "file": ids})
    flagged = pd.DataFrame(
        {
            "image_id": ids,
            "row": range(8),
            "is_stored": [True] * 7 + [False],
            "reason": [None] * 7 + ["file missing"],
            "fingerprint": "f",
            "pixels_sha256": "p",
            "is_polarity_suspect": False,
            "is_contrast_suspect": False,
            "mean": 0.5,
            "standard_deviation": 0.1,
            flag: [False, True, True, False, True, True, False, None],
        }
    )

    curated, rejected = settle(FinishedStore(flagged), radiographs, REJECTED.iloc[:0])

    assert (
        f"covid_store: 4 of 7 radiographs (57.1 %) {meaning} ({flag}), such as "
        "i1, i2, i4;" in caplog.text
    )
    assert "i5" not in caplog.text
    assert (len(curated), len(rejected)) == (7, 1)


def test_nothing_is_said_of_flags_that_name_no_image(caplog):
    whole = records(is_polarity_suspect=False, is_contrast_suspect=False)

    settle(FinishedStore(whole), RADIOGRAPHS, REJECTED)

    assert "suspect" not in caplog.text
