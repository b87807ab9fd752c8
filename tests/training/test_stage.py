"""A stage: from a parent classifier to the next, with its history and provenance."""

import inspect

import keras
import numpy as np
import pandas as pd
import pytest

from covid_cxr.console.channels import NOTE
from covid_cxr.devices.strategy import Compute
from covid_cxr.training.loop import fit
from covid_cxr.training.network import swap_head
from covid_cxr.training.scores import score, validation_auroc
from covid_cxr.training.stage import Stage
from covid_cxr.training.state import StateFolder


@pytest.fixture(scope="module")
def train(cohort, initial, tmp_path_factory):
    """Return a function that trains a stage on the cohort, each time from the start."""

    def run(name, recipe, *, labels=("pneumonia",), parent=initial, **changes):
        return Stage(name).train(
            parent=parent[0],
            parent_provenance=parent[1],
            recipe=recipe,
            compute=Compute(),
            states=StateFolder(tmp_path_factory.mktemp("state")),
            examples=cohort.examples(labels, **changes),
        )

    return run


@pytest.fixture(scope="module")
def phase1(train, make_recipe):
    labels = ["pneumonia", "effusion"]
    return train("phase1", make_recipe(max_epochs=2), labels=labels)


def test_the_next_phase_starts_from_the_body_of_the_trained_parent(
    train, phase1, make_recipe
):
    classifier, _, provenance, _ = phase1
    # A step so short, without decay, that the start is still there to be seen.
    recipe = make_recipe(max_epochs=1, learning_rate=1e-12, weight_decay=0)
    child, *_ = train("path_a.phase2", recipe, parent=(classifier, provenance))
    pairs = zip(classifier.trainable_variables, child.trainable_variables, strict=True)
    *body, kernel, bias = [(p.numpy(), c.numpy()) for p, c in pairs]

    for of_parent, of_child in body:
        np.testing.assert_allclose(of_child, of_parent, atol=1e-7)
    assert kernel[1].shape == (kernel[0].shape[0], 1)
    assert not np.allclose(kernel[1][:, 0], kernel[0][:, 0], atol=1e-3)
    np.testing.assert_allclose(bias[1], 0, atol=1e-7)


def test_the_parent_is_not_trained_along(train, phase1, make_recipe):
    classifier, _, provenance, _ = phase1
    before = classifier.get_weights()
    train("path_a.phase2", make_recipe(), parent=(classifier, provenance))

    for weight, expected in zip(classifier.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_the_classifier_has_the_weights_of_the_best_epoch(
    train, initial, examples, make_recipe
):
    recipe = make_recipe(learning_rate=0.5, max_epochs=6)
    labels = examples.labels
    classifier, history, provenance, clock = train("phase1", recipe, labels=labels)
    best = min(history, key=lambda record: record["validation_loss"])
    until_best = make_recipe(learning_rate=0.5, max_epochs=int(best["epoch"]))
    stopped_there, *_ = train("phase1", until_best, labels=labels)
    to_the_end = fit(classifier, examples, recipe, stage="phase1").weights

    assert provenance["best_epoch"] == best["epoch"] < 6
    assert len(clock["seconds"]) == provenance["n_epochs"]
    for weight, expected in zip(
        classifier.get_weights(), stopped_there.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(weight, expected)
    assert not np.array_equal(classifier.get_weights()[0], to_the_end[0])


def test_heads_of_the_phases_differ_and_those_of_the_paths_do_not(
    train, initial, make_recipe
):
    recipe = make_recipe(max_epochs=1, learning_rate=1e-12)
    heads = {
        name: train(name, recipe)[0].layers[-1].kernel.numpy()
        for name in ("path_a.phase2", "path_d.phase2", "path_a.phase3")
    }

    np.testing.assert_allclose(
        heads["path_a.phase2"], heads["path_d.phase2"], atol=1e-7
    )
    assert not np.allclose(heads["path_a.phase2"], heads["path_a.phase3"], atol=1e-3)


def test_a_single_class_is_refused_before_anything_is_trained(
    train, cohort, make_recipe
):
    controls = cohort.curated.assign(pneumonia=False)

    with pytest.raises(ValueError, match="there is nothing to learn"):
        train("phase1", make_recipe(), curated=controls)


def test_images_of_another_size_are_refused_before_training(train, cohort, make_recipe):
    small = type(cohort.store)(cohort.store.images[:, :16, :16])

    with pytest.raises(ValueError, match="16 px"):
        train("phase1", make_recipe(), store=small)


def test_a_foreign_parent_is_refused(train, initial, make_recipe):
    headless = keras.Model(initial[0].input, initial[0].layers[-2].output)

    with pytest.raises(ValueError, match="not in 'findings'"):
        train("phase1", make_recipe(), parent=(headless, initial[1]))


def test_the_nodes_function_has_no_defaults():
    signature = inspect.signature(Stage("phase1").train)

    assert all(p.default is p.empty for p in signature.parameters.values())


def test_the_head_of_a_stage_is_drawn_before_training(initial, make_recipe, train):
    recipe = make_recipe(max_epochs=1, learning_rate=1e-12, weight_decay=0)
    child, *_ = train("phase1", recipe)
    unrelated = swap_head(initial[0], 1, seed=0)

    assert np.abs(child.layers[-1].kernel.numpy()).max() > 0.01
    assert not np.allclose(
        child.layers[-1].kernel.numpy(), unrelated.layers[-1].kernel.numpy()
    )


def test_a_training_that_is_over_is_not_trained_again(
    cohort, initial, make_recipe, tmp_path
):
    """As when the process was killed between its last epoch and Kedro's saving."""
    reads = []

    class Telling(type(cohort.store)):
        def read(self, rows):
            reads.append(len(rows))
            return super().read(rows)

    arguments = {
        "examples": cohort.examples(store=Telling(cohort.store.images)),
        "parent": initial[0],
        "parent_provenance": initial[1],
        "recipe": make_recipe(max_epochs=2),
        "compute": Compute(),
        "states": StateFolder(tmp_path),
    }
    first, *records = Stage("phase1").train(**arguments)
    n_reads = len(reads)
    second, *records_again = Stage("phase1").train(**arguments)

    assert len(reads) == n_reads > 0
    assert records_again == records
    for array, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(array, other)


@pytest.mark.parametrize(
    ("trainable", "frozen"),
    [
        ("head", {"conv1", "conv2", "conv3", "pool2", "bn"}),
        ("last_block", {"conv1", "conv2", "pool2"}),
    ],
)
def test_frozen_layers_stay_as_the_parents(
    train, initial, make_recipe, trainable, frozen
):
    recipe = make_recipe(trainable=trainable, max_epochs=1)
    child, *_ = train("phase1", recipe)
    weights = {weight.path: weight.numpy() for weight in initial[0].weights}
    changed = {
        weight.path.split("/")[0].split("_")[0]
        for weight in child.weights
        if weight.path in weights
        and not np.array_equal(weight.numpy(), weights[weight.path])
    }

    everything = {"conv1", "conv2", "conv3", "pool2", "bn", "findings"}
    assert changed == everything - frozen


def test_what_a_training_reached_is_said_when_it_is_scored(initial, cohort, caplog):
    classifier = swap_head(initial[0], 2, seed=1)
    examples = cohort.examples(("pneumonia", "effusion"))

    with caplog.at_level(NOTE):
        scores = Stage("phase1").score(classifier, examples)

    pd.testing.assert_frame_equal(scores, score(classifier, examples))
    auroc = validation_auroc(scores, examples.labels)
    said = f"phase1: validation AUROC {auroc:.3f}, mean of 2 findings"
    assert said in [r.getMessage() for r in caplog.records if r.levelno == NOTE]
