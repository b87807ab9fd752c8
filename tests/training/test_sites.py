"""A training without each site in turn."""

from dataclasses import asdict

import pandas as pd
import pytest

from covid_cxr.cohorts.intensity import IntensitySample
from covid_cxr.devices.strategy import Compute
from covid_cxr.training.examples import assemble
from covid_cxr.training.scores import score
from covid_cxr.training.sites import StageWithoutSites
from covid_cxr.training.stage import Stage
from covid_cxr.training.state import StateFolder

SAMPLE = IntensitySample(images=100, seed=1)


@pytest.fixture(scope="module")
def splits(cohort):
    """Return the splits that leave out the images' first or last quarter."""
    tables = {"north": cohort.split.assign(part="train")}
    tables["south"] = tables["north"].copy()
    for site, rows in {"north": slice(0, 10), "south": slice(30, 40)}.items():
        tables[site].iloc[rows, 2] = "test"
        tables[site].iloc[15:25, 2] = "validation"
    return pd.concat([table.assign(site=site) for site, table in tables.items()])


@pytest.fixture
def common(initial, cohort, make_recipe, tmp_path):
    parent, provenance = initial
    return {
        "parent": parent,
        "parent_provenance": provenance,
        "examples": cohort.examples(),
        "curated": cohort.curated,
        "recipe": make_recipe(max_epochs=1),
        "compute": Compute(),
        "states": StateFolder(tmp_path),
    }


def train(splits, common):
    return StageWithoutSites("path_f").train_and_score(
        splits=splits, sample=SAMPLE, **common
    )


def test_each_site_is_scored_by_a_training_on_its_own_split(splits, common, cohort):
    scores, provenance = train(splits, common)

    assert list(provenance) == ["north", "south"]
    for site, split in splits.groupby("site"):
        without = assemble(
            common["curated"], split, ["pneumonia"], SAMPLE, store=cohort.store
        )
        other = {n: v for n, v in common.items() if n not in ("examples", "curated")}
        classifier, _, record, _ = Stage(f"path_f.without {site}.phase3").train(
            examples=without, **other
        )
        expected = score(classifier, without)
        found = scores[scores["site"] == site].drop(columns="site")
        pd.testing.assert_frame_equal(found.reset_index(drop=True), expected)
        assert provenance[site]["weights_sha256"] == record["weights_sha256"]
        assert provenance[site]["intensity"] == asdict(without.intensity)
    assert provenance["north"]["intensity"] != provenance["south"]["intensity"]


def test_a_site_that_is_over_is_not_trained_again(splits, common, caplog):
    first, _ = train(splits[splits["site"] == "north"], common)
    caplog.clear()

    with caplog.at_level("INFO"):
        both, _ = train(splits, common)

    trained = [r.getMessage() for r in caplog.records if "epoch 1: loss" in r.message]
    assert len(trained) == 1
    assert trained[0].startswith("path_f.without south.phase3")
    again = both[both["site"] == "north"].reset_index(drop=True)
    pd.testing.assert_frame_equal(again, first)


def test_where_no_site_can_be_left_out_nothing_is_trained(splits, common):
    scores, provenance = train(splits.iloc[:0], common)

    assert scores.empty
    assert {"site", "patient_id", "pneumonia", "pneumonia_score"} <= set(scores)
    assert provenance == {}
