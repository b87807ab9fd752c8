"""A training repeated with other seeds."""

import pandas as pd
import pytest

from covid_cxr.training.scores import score
from covid_cxr.training.seeds import RepeatedStage, Repetition
from covid_cxr.training.stage import Stage
from covid_cxr.training.state import StateFolder
from covid_cxr.training.strategy import Compute


@pytest.fixture(scope="module")
def train(initial, cohort, make_recipe, tmp_path_factory):
    """Return a function that trains and scores with a seed, and one that repeats."""
    parent, provenance = initial
    data = {**cohort.as_arguments(), "labels": ["pneumonia"]}
    common = {
        "parent": parent,
        "parent_provenance": provenance,
        "compute": Compute(),
        "states": StateFolder(tmp_path_factory.mktemp("states")),
        **data,
    }

    def once(seed):
        recipe = make_recipe(max_epochs=1, seed=seed)
        classifier, _, _ = Stage("path_f.phase3").train(recipe=recipe, **common)
        return score(classifier, **data)

    def repeat(scores, n_seeds):
        return RepeatedStage("path_f.phase3").train_and_score(
            scores=scores,
            recipe=make_recipe(max_epochs=1, seed=11),
            repetition=Repetition(n_seeds=n_seeds),
            **common,
        )

    return once, repeat


def test_further_seeds_are_trained_as_if_each_were_the_recipes_own(train):
    once, repeat = train
    first = once(11)

    table = repeat(first, 3)

    assert table["seed"].unique().tolist() == [11, 12, 13]
    for seed, expected in [(11, first), (13, once(13))]:
        scores = table[table["seed"] == seed].drop(columns="seed")
        pd.testing.assert_frame_equal(scores.reset_index(drop=True), expected)
    assert not first.equals(once(13))


def test_one_seed_trains_nothing_again(train):
    scores = pd.DataFrame({"image_id": ["image_00"], "pneumonia_score": [0.5]})

    assert train[1](scores, 1).equals(scores.assign(seed=11))


@pytest.mark.parametrize("n_seeds", [0, -1, 1.5, True, "2"])
def test_no_number_of_seeds_is_refused(n_seeds):
    with pytest.raises(ValueError, match=r"repetition\.n_seeds .* at least 1"):
        Repetition(n_seeds=n_seeds)
