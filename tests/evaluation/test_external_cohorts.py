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


def mix(**images):
    rows = [
        {"cohort": "external", "variable": "sex", "level": k, "images": n, "cases": n}
        for k, n in images.items()
    ]
    return pd.DataFrame(rows)


def test_a_small_count_and_the_one_that_would_tell_it_are_left_out(primary):
    found = export_aggregates(primary, EXTERNAL, case_mix=mix(M=40, F=30, unknown=2))

    rows = {row["level"]: row for row in found["tables"]["case_mix"]}
    assert rows["unknown"]["images"] is None
    assert rows["F"]["images"] is None
    assert rows["F"]["is_suppressed"]
    assert rows["M"]["images"] == 40


def test_counts_that_are_large_enough_or_none_stay(primary):
    found = export_aggregates(primary, EXTERNAL, case_mix=mix(M=40, F=5))

    assert [row["images"] for row in found["tables"]["case_mix"]] == [40, 5]
    assert found["tables"]["discrimination"] == primary["tables"]["discrimination"]


def test_few_controls_among_many_radiographs_are_a_small_count(primary):
    table = mix(M=40, F=30).assign(cases=[40, 28])

    found = export_aggregates(primary, EXTERNAL, case_mix=table)

    assert [row["images"] for row in found["tables"]["case_mix"]] == [None, None]


def test_many_radiographs_of_few_patients_are_a_small_count(primary):
    table = mix(M=40, F=30).assign(patients=[20, 1])

    found = export_aggregates(primary, EXTERNAL, case_mix=table)

    assert [row["images"] for row in found["tables"]["case_mix"]] == [None, None]


@pytest.mark.parametrize("seed", range(40))
def test_the_total_less_what_is_shown_is_no_small_count(primary, seed):
    rng = np.random.default_rng(seed)
    images = rng.geometric(0.05, size=6)
    cases = rng.binomial(images, rng.choice([0, 0.2, 0.9], size=6))
    table = mix(**dict(zip("abcdef", images, strict=True)))
    table = table.assign(cases=cases, controls=images - cases)
    counted = ["images", "cases", "controls"]

    found = export_aggregates(primary, EXTERNAL, case_mix=table)

    left = pd.DataFrame(found["tables"]["case_mix"])[counted].astype(float)
    shown = left.dropna().to_numpy()
    assert not ((shown > 0) & (shown < 5)).any()
    hidden = table[counted].sum().to_numpy() - shown.sum(axis=0)
    assert not len(shown) or not ((hidden > 0) & (hidden < 5)).any()


def test_an_export_of_a_later_version_is_refused(primary):
    later = {**primary, "cohort": "other", "schema_version": 2, "software": "3.1"}

    with pytest.raises(ValueError, match=r"export of other is of version 2.* 3\.1"):
        gather_cohorts(primary, {"other/": lambda: later})


def test_two_hospitals_whose_cohorts_are_called_alike_are_not_merged(primary):
    other = {**primary, "manifest_sha256": "2" * 64}

    with pytest.raises(
        ValueError, match=r"this run and of the folder 'third/'.*clinic"
    ):
        gather_cohorts(primary, {"clinic/": lambda: primary, "third/": lambda: other})
    assert len(gather_cohorts(primary, {"clinic/": lambda: primary})) == 1


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
        return pool_cohorts(gather_cohorts(own, loads), reporting)

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
