"""A training repeated with other seeds."""

import pandas as pd
import pytest

from covid_cxr.devices.strategy import Compute
from covid_cxr.training.scores import score
from covid_cxr.training.seeds import Repetition, train_further_seeds
from covid_cxr.training.stage import Stage
from covid_cxr.training.state import StateFolder


@pytest.fixture(scope="module")
def train(initial, cohort, make_recipe, tmp_path_factory):
    """Return a function that trains and scores with a seed, and one that repeats."""
    parent, provenance = initial
    stage = Stage("path_f.phase3")
    examples = cohort.examples()
    common = {
        "parent": parent,
        "parent_provenance": provenance,
        "compute": Compute(),
        "states": StateFolder(tmp_path_factory.mktemp("states")),
        "examples": examples,
    }

    def once(seed):
        recipe = make_recipe(max_epochs=1, seed=seed)
        classifier, *_ = stage.train(recipe=recipe, **common)
        return score(classifier, examples)

    def repeat(n_seeds):
        further = train_further_seeds(
            stage,
            recipe=make_recipe(max_epochs=1, seed=11),
            repetition=Repetition(n_seeds=n_seeds),
            **common,
        )
        return {seed: score(classifier, examples) for seed, classifier in further}

    return once, repeat


def test_further_seeds_are_trained_as_if_each_were_the_recipes_own(train):
    once, repeat = train

    by_seed = repeat(3)

    assert list(by_seed) == [12, 13]
    for seed, scores in by_seed.items():
        pd.testing.assert_frame_equal(scores, once(seed))
    assert not by_seed[12].equals(by_seed[13])


def test_one_seed_trains_nothing_again(train):
    assert train[1](1) == {}


@pytest.mark.parametrize("n_seeds", [0, -1, 1.5, True, "2"])
def test_no_number_of_seeds_is_refused(n_seeds):
    with pytest.raises(ValueError, match=r"repetition\.n_seeds .* at least 1"):
        Repetition(n_seeds=n_seeds)
