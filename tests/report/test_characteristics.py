"""Who is in each part of a training set."""

import numpy as np
import pandas as pd
import pytest

from covid_cxr.report.characteristics import describe_parts
from covid_cxr.report.radiograph_flow import SplitCohort


@pytest.fixture(scope="module")
def table():
    radiographs = pd.DataFrame(
        {
            "image_id": ["a1", "a2", "b1", "c1", "d1"],
            "patient_id": ["a", "a", "b", "c", "d"],
            "age_years": [41.0, 40.0, 60.0, np.nan, 20.0],
            "sex": ["F", "F", "M", "unknown", "M"],
            "view": ["AP", "PA", "PA", "unknown", "AP"],
            "site": ["north", "north", "south", "south", "north"],
            "covid19": [True, True, False, True, False],
        }
    )
    parts = ["train", "train", "train", "train", "test"]
    split = radiographs[["image_id", "patient_id"]].assign(part=parts)
    cohort = SplitCohort(split=split, radiographs=radiographs[::-1], label="covid19")
    return describe_parts({"phase3": cohort}).set_index(["characteristic", "level"])


def test_radiographs_patients_and_cases_are_counted(table):
    assert table.loc[("radiographs", "all"), ["train", "test"]].tolist() == [4, 1]
    assert table.loc[("patients", "all"), ["train", "test"]].tolist() == [3, 1]
    assert table.loc[("covid19", "present"), ["train", "test"]].tolist() == [3, 0]


def test_age_and_sex_are_of_patients_at_their_first_radiograph(table):
    train = table["train"]

    assert train["age in years", "lower quartile"] == 45  # of 40 and 60
    assert train["age in years", "median"] == 50
    assert train["age in years", "unknown"] == 1
    assert train["sex"].to_dict() == {"F": 1, "M": 1, "unknown": 1}


def test_view_and_site_are_of_radiographs(table):
    train = table["train"]

    assert train["view"].to_dict() == {"AP": 1, "PA": 2, "unknown": 1}
    assert train["site"].to_dict() == {"north": 2, "south": 2, "unknown": 0}


def test_a_level_that_a_part_lacks_is_a_zero_and_a_part_that_is_not_there_is_missing(
    table,
):
    assert table.loc[("view", "PA"), "test"] == 0
    assert table["validation"].isna().all()


def test_counts_are_whole_numbers_in_print(table):
    assert isinstance(table.loc[("view", "PA"), "train"], int)
