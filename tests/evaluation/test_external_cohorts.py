"""Aggregates that leave a site: no small counts, and no later versions."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

from covid_cxr.evaluation.external_cohorts import (
    export_aggregates,
    gather_cohorts,
    pool_cohorts,
)
from covid_cxr.evaluation.external_scores import ExternalValidation
from covid_cxr.evaluation.inference_settings import Reporting
from covid_cxr.places import folder_name

EXTERNAL = ExternalValidation(name="clinic", least_patients=2, least_cell=5, seed=1)


@pytest.fixture
def primary():
    return {
        "schema_version": 1,
        "cohort": "clinic",
        "software": "1.0",
        "manifest_sha256": "1" * 64,
        "classifiers": {"net": {"sha256": "a" * 64}},
        "protocol": {"sha256": None},
        "tables": {"discrimination": [{"classifier": "net", "auroc": 0.8}]},
    }


def test_an_export_says_how_its_counts_are_rounded(primary):
    images = pd.DataFrame({"level": ["M", "F", "unknown"], "images": [41, 33, 7]})

    found = export_aggregates(primary, EXTERNAL, case_mix=images)

    assert [row["images"] for row in found["tables"]["case_mix"]] == [40, 35, None]
    assert (found["counts_rounded_to"], found["counts_withheld_below"]) == (5, 8)


def test_this_cohorts_own_numbers_are_exact(primary):
    known = [{"classifier": "net", "auroc": 0.8123456, "cases": 3, "controls": 40}]
    own = {**primary, "tables": {"discrimination": known}}
    exported = export_aggregates(own, EXTERNAL)

    table = gather_cohorts(own, exported, {"clinic/": lambda: exported})
    (elsewhere,) = gather_cohorts(
        {**own, "cohort": "another", "tables": {"discrimination": []}},
        {},
        {"clinic/": lambda: exported},
    ).to_dict("records")

    assert table[["auroc", "cases"]].to_numpy().tolist() == [[0.8123456, 3]]
    assert np.isnan([elsewhere["auroc"], elsewhere["cases"]]).all()
    assert elsewhere["controls"] == 40


def test_an_export_of_a_later_version_is_refused(primary):
    later = {**primary, "cohort": "other", "schema_version": 2, "software": "3.1"}

    with pytest.raises(ValueError, match=r"export of other is of version 2.* 3\.1"):
        gather_cohorts(primary, primary, {"other/": lambda: later})


def test_two_hospitals_whose_cohorts_are_called_alike_are_not_merged(primary):
    other = {**primary, "manifest_sha256": "2" * 64}

    with pytest.raises(
        ValueError, match=r"this run and of the folder 'third/'.*clinic"
    ):
        gather_cohorts(
            primary, primary, {"clinic/": lambda: primary, "third/": lambda: other}
        )
    assert len(gather_cohorts(primary, primary, {"clinic/": lambda: primary})) == 1


def test_a_cohort_under_two_names_counts_once(primary):
    reporting = Reporting(level=0.95, significance=0.05, seed=1)
    known = {"classifier": "net", "auroc": 0.8, "standard_error": 0.03}
    own = {**primary, "tables": {"discrimination": [known]}}

    def pooled(*manifests):
        exports = {
            name: {**own, "cohort": name, "manifest_sha256": name[0] * 64}
            for name in manifests
        }
        loads = {f"{k}/": partial(dict, v) for k, v in exports.items()}
        return pool_cohorts(gather_cohorts(own, own, loads), reporting)

    assert pooled("2 first", "2 again").empty
    assert pooled("2 first", "2 again", "3")["cohorts"].tolist() == [3]


@pytest.mark.parametrize("name", ["least_patients", "least_cell"])
def test_what_is_no_count_is_refused(name):
    stated = {"name": "c", "least_patients": 1, "least_cell": 1, "seed": 1, name: 0}

    with pytest.raises(ValueError, match=f"external.{name}"):
        ExternalValidation(**stated)


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "two words", 2021])
def test_a_name_that_is_no_folder_is_refused(name):
    with pytest.raises(ValueError, match=r"external\.name"):
        ExternalValidation(name=name, least_patients=1, least_cell=1, seed=1)


@pytest.mark.parametrize(
    ("place", "name"),
    [("/data/Site A/", "Site_A"), ("x/.hidden", "hidden"), ("", "cohort"), ("b", "b")],
)
def test_a_cohort_is_called_like_its_folder(place, name):
    assert folder_name(place) == name
    ExternalValidation(name=name, least_patients=1, least_cell=1, seed=1)
