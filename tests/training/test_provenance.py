"""Provenance: what a classifier was made from, and nobody's name."""

import hashlib
import json

import numpy as np
import pytest

from covid_cxr.training.loop import fit
from covid_cxr.training.network import swap_head
from covid_cxr.training.provenance import split_sha256, training_provenance


@pytest.fixture(scope="module")
def chain(initial, examples, make_recipe):
    """Return the last state of a short training and two generations of provenance."""
    recipe = make_recipe(max_epochs=2)
    classifier = swap_head(initial[0], 2, seed=1)
    state = fit(classifier, examples, recipe, stage="phase1")
    record = initial[1]
    for stage in ("phase1", "path_b.phase2"):
        record = training_provenance(
            stage, record, examples=examples, recipe=recipe, state=state
        )
    return state, record


def test_a_record_holds_all_ancestors_the_oldest_first(chain):
    record = chain[1]
    oldest, parent = record["parents"]

    assert [oldest["stage"], parent["stage"]] == ["initial", "phase1"]
    assert record["stage"] == "path_b.phase2"
    assert parent["split_sha256"] == record["split_sha256"]
    assert record["network"] == oldest["network"]


def test_a_record_says_how_and_on_what_the_classifier_was_trained(chain, make_recipe):
    state, record = chain

    assert record["n_images"] == {"train": 21, "validation": 10, "test": 9}
    assert record["labels"] == ["pneumonia", "effusion"]
    assert record["recipe"] == vars(make_recipe(max_epochs=2))
    assert record["intensity"]["n_images"] == 40
    assert record["n_epochs"] == 2
    assert record["best_epoch"] == state.plateau.best_epoch
    assert set(record["versions"]) == {"covid_cxr", "tensorflow", "keras", "numpy"}


def test_a_record_is_json_without_patients_or_places(chain):
    text = json.dumps(chain[1], allow_nan=False)

    assert "patient_" not in text
    assert "image_0" not in text
    assert '"/' not in text


def test_the_weights_hash_is_that_of_the_best_weights(chain):
    state, record = chain
    digest = hashlib.sha256(b"".join(w.tobytes() for w in state.best_weights))

    assert record["weights_sha256"] == digest.hexdigest()


def test_the_split_hash_ignores_the_order_and_sees_one_moved_image(cohort):
    shuffled = cohort.split.sample(frac=1, random_state=2)
    moved = cohort.split.assign(
        part=np.where(cohort.split.index == 5, "test", cohort.split["part"])
    )

    assert split_sha256(shuffled) == split_sha256(cohort.split)
    assert split_sha256(moved) != split_sha256(cohort.split)
