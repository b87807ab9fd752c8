"""Subgroups of the test part."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from covid_cxr.evaluation.arranged_scores import arrange_parts
from covid_cxr.evaluation.scored_part import ScoredParts
from covid_cxr.evaluation.subgroups import age_band, find_levels, tabulate_subgroups
from covid_cxr.statistics.auc import estimate_aucs


def arranged(test_part):
    return arrange_parts(ScoredParts(validation=None, test=test_part))


@pytest.fixture(scope="module")
def radiographs(test_part):
    n = len(test_part.is_case)
    table = pd.DataFrame(
        {
            "image_id": test_part.scores.index,
            "site": np.where(np.arange(n) < 100, "north", "south"),
            "view": ["PA"] * n,
            "sex": np.where(test_part.is_case, "F", "M"),
            "age_years": np.where(np.arange(n) < 156, 50.0, np.nan),
        }
    )
    return table.sample(frac=1, random_state=1)


@pytest.fixture(scope="module")
def table(test_part, radiographs, reporting, evaluation):
    return tabulate_subgroups(
        arranged(test_part),
        find_levels(radiographs, evaluation),
        reporting=reporting,
        evaluation=evaluation,
    )


def test_a_subgroup_has_the_auroc_of_its_own_images(table, test_part):
    row = table[(table["level"] == "south") & (table["classifier"] == "dull")].iloc[0]

    estimates = estimate_aucs(
        test_part.is_case[100:],
        test_part.scores["dull"].iloc[100:],
        cluster=test_part.patients[100:],
    )
    assert (row["images"], row["patients"]) == (60, 30)
    assert row["auroc"] == pytest.approx(estimates.auc[0])
    assert row["lower"] == pytest.approx(estimates.interval(method="logit")[0, 0])


def test_one_class_and_too_few_patients_keep_their_row_without_an_auroc(table):
    rows = table.set_index(["variable", "level", "classifier"])

    assert np.isnan(rows.loc[("sex", "F", "sharp"), "auroc"])  # cases only
    unknown = rows.loc[("age_band", "unknown", "sharp")]
    assert unknown["images"] == 4
    assert np.isnan(unknown["auroc"])


def test_a_subgroup_of_too_few_patients_has_no_auroc(
    test_part, radiographs, reporting, evaluation
):
    levels = find_levels(radiographs, evaluation)
    strict = replace(evaluation, least_subgroup_patients=31)  # of the 30 in the south

    table = tabulate_subgroups(
        arranged(test_part), levels, reporting=reporting, evaluation=strict
    ).set_index(["level", "classifier"])

    assert np.isnan(table.loc[("south", "dull"), "auroc"])
    assert np.isfinite(table.loc[("north", "dull"), "auroc"])


def test_the_levels_of_a_variable_make_up_the_whole(table):
    sharp = table[table["classifier"] == "sharp"]

    assert (sharp.groupby("variable")["images"].sum() == 160).all()
    assert set(sharp["variable"]) == {"site", "view", "sex", "age_band"}


def test_age_bands_begin_at_their_edges(evaluation):
    ages = pd.Series([0.0, 39.9, 40.0, 60.0, 95.0, np.nan])

    assert age_band(ages, evaluation).tolist() == [
        *("0-39", "0-39", "40-59", "60+", "60+", "unknown"),
    ]


def test_a_level_that_is_not_known_is_called_so(radiographs, evaluation):
    levels = find_levels(radiographs.assign(site=None), evaluation)

    assert set(levels["site"]) == {"unknown"}
    assert levels["image_id"].equals(radiographs["image_id"])


def test_levels_stand_in_the_order_of_their_numbers(test_part, reporting, evaluation):
    bands = ["80+", "5-17", "unknown", "18-79", "child"]
    levels = pd.DataFrame(
        {"image_id": test_part.scores.index, "band": np.resize(bands, 160)}
    )

    table = tabulate_subgroups(
        arranged(test_part), levels, reporting=reporting, evaluation=evaluation
    )

    assert list(dict.fromkeys(table["level"])) == [
        *("5-17", "18-79", "80+", "child", "unknown"),
    ]


def test_without_a_grouping_there_is_no_row(test_part, reporting, evaluation):
    none = pd.DataFrame({"image_id": test_part.scores.index})

    table = tabulate_subgroups(
        arranged(test_part), none, reporting=reporting, evaluation=evaluation
    )

    assert len(table) == 0
    assert "classifier" in table
