"""The training loop against NumPy, against itself, and against bad numbers."""

import dataclasses
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from covid_cxr.devices.strategy import Compute
from covid_cxr.training.batches import plain_batches, training_batches
from covid_cxr.training.loop import cross_entropy, fit
from covid_cxr.training.network import Network, build_classifier, swap_head
from covid_cxr.training.state import StateFolder
from covid_cxr.training.traced import traced_descent, traced_network


@pytest.fixture(scope="module")
def classifier(initial):
    """Return a classifier of two labels that no training has touched."""
    return swap_head(initial[0], 2, seed=5)


def assert_same(arrays, others):
    for array, other in zip(arrays, others, strict=True):
        np.testing.assert_array_equal(array, other)


def gradients_of_a_copy(classifier, weights, images, is_case):
    """Return the loss's gradients, by name of the weight, without our code."""
    copy = keras.models.clone_model(classifier)
    copy.set_weights(weights)
    with tf.GradientTape() as tape:
        probability = copy(images, training=True)
        loss = tf.reduce_mean(
            -is_case * tf.math.log(probability)
            - (1 - is_case) * tf.math.log(1 - probability)
        )
    variables = copy.trainable_variables
    return float(loss), [
        g.numpy() for g in tape.gradient(loss, [v.value for v in variables])
    ]


@pytest.mark.parametrize("decay", ["coupled_l2", "decoupled"])
def test_five_steps_follow_the_formula(classifier, examples, make_recipe, decay):
    recipe = make_recipe(decay=decay, weight_decay=0.1, momentum=0.8)
    descent = traced_descent(classifier, recipe)
    model = descent.network.model
    names = [variable.path.rsplit("/", 1)[-1] for variable in model.trainable_variables]
    zeros = [np.zeros(v.shape, np.float32) for v in model.trainable_variables]
    velocity = [array.astype(np.float64) for array in zeros]
    batches = list(training_batches(examples.part("train"), recipe, "p", epoch=1))
    batches = [batches[number] for number in (0, 1, 2, 1, 0)]
    learning_rate = 0.05
    with descent.network.lock:
        descent.put(
            weights=classifier.get_weights(),
            velocity=zeros,
            learning_rate=learning_rate,
        )
        for images, is_case in batches:
            before = [v.numpy().astype(np.float64) for v in model.trainable_variables]
            expected_loss, gradients = gradients_of_a_copy(
                classifier, model.get_weights(), images, is_case
            )
            loss, _ = descent.step(images, is_case)

            assert loss == pytest.approx(expected_loss, rel=1e-4)
            for k, (w, g) in enumerate(zip(before, gradients, strict=True)):
                coupled = 0.1 * w if names[k] == "kernel" else 0
                is_coupled = decay == "coupled_l2"
                velocity[k] = 0.8 * velocity[k] - learning_rate * (
                    g + (coupled if is_coupled else 0)
                )
                loss_of_weight = 0 if is_coupled else learning_rate * coupled
                np.testing.assert_allclose(
                    model.trainable_variables[k].numpy(),
                    w - loss_of_weight + velocity[k],
                    rtol=1e-4,
                    atol=2e-5,
                )
    assert {"kernel", "bias", "gamma", "beta"} == set(names)


def test_two_fresh_trainings_end_bit_for_bit_alike(classifier, examples, make_recipe):
    first = fit(classifier, examples, make_recipe(), stage="phase1")
    fit(classifier, examples, make_recipe(seed=99), stage="path_d.phase2")
    second = fit(classifier, examples, make_recipe(), stage="phase1")

    assert_same(first.weights, second.weights)
    assert_same(first.velocity, second.velocity)
    assert first.plateau == second.plateau


def test_another_seed_gives_another_training(classifier, examples, make_recipe):
    first = fit(classifier, examples, make_recipe(), stage="phase1")
    other = fit(classifier, examples, make_recipe(seed=99), stage="phase1")

    assert not np.array_equal(first.weights[0], other.weights[0])


def test_paths_share_the_random_numbers_of_a_phase(classifier, examples, make_recipe):
    recipe = make_recipe(max_epochs=1)
    in_path_a = fit(classifier, examples, recipe, stage="path_a.phase2")
    in_path_b = fit(classifier, examples, recipe, stage="path_b.phase2")
    in_phase_3 = fit(classifier, examples, recipe, stage="path_a.phase3")

    assert_same(in_path_a.weights, in_path_b.weights)
    assert not np.array_equal(in_path_a.weights[0], in_phase_3.weights[0])


def test_training_learns_what_is_there_to_learn(classifier, examples, make_recipe):
    # In so few steps the moving averages of batch normalisation lag behind for long.
    recipe = make_recipe(
        max_epochs=30, learning_rate=0.05, plateau_epochs=30, stop_epochs=30
    )
    one_label = dataclasses.replace(examples, labels=("pneumonia",))
    state = fit(swap_head(classifier, 1, seed=1), one_label, recipe, stage="phase1")

    assert state.history[0]["loss"] > 0.5
    assert state.plateau.best_loss < 0.1


def test_a_training_leaves_the_classifier_it_starts_from(
    classifier, examples, make_recipe
):
    before = classifier.get_weights()
    state = fit(classifier, examples, make_recipe(max_epochs=1), stage="phase1")

    assert_same(classifier.get_weights(), before)
    assert not np.array_equal(state.weights[0], before[0])


def test_the_best_weights_have_the_lowest_validation_loss(
    classifier, examples, make_recipe
):
    # Steps so long that the loss goes up and down.
    recipe = make_recipe(learning_rate=5.0, max_epochs=6)
    state = fit(classifier, examples, recipe, stage="phase1")
    losses = [record["validation_loss"] for record in state.history]
    validation = examples.part("validation")
    network = traced_network(classifier)
    with network.lock:
        network.model.set_weights(state.best_weights)
        log_odds = network.predict(plain_batches(validation, n_images=3))

    assert int(np.argmin(losses)) + 1 == state.plateau.best_epoch < 6
    assert cross_entropy(log_odds, validation.is_case) == pytest.approx(
        min(losses), rel=1e-5
    )


def test_training_stops_and_the_rate_falls_without_improvement(
    classifier, examples, make_recipe
):
    # So large a rate that the first epoch is the best.
    recipe = make_recipe(
        learning_rate=5.0, max_epochs=30, plateau_epochs=2, stop_epochs=3
    )
    state = fit(classifier, examples, recipe, stage="phase1")
    rates = [record["learning_rate"] for record in state.history]

    assert state.n_epochs == state.plateau.best_epoch + 3 < 30
    assert rates[-1] < rates[0]


def test_the_history_tells_every_epoch(classifier, examples, make_recipe, caplog):
    with caplog.at_level("INFO"):
        state = fit(classifier, examples, make_recipe(), stage="path_b.phase3")

    assert [record["epoch"] for record in state.history] == [1, 2, 3]
    for record in state.history:
        assert set(record) == {
            "epoch",
            "loss",
            "validation_loss",
            "learning_rate",
        }
    assert "path_b.phase3 epoch 3: loss " in caplog.text


def test_weight_decay_is_no_part_of_the_recorded_losses(
    classifier, examples, make_recipe
):
    """With steps too short to matter, a strong decay changes no loss."""
    losses = [
        fit(
            classifier,
            examples,
            make_recipe(learning_rate=1e-9, weight_decay=decay, max_epochs=1),
            stage="phase1",
        ).history[0]
        for decay in (0.0, 0.9)
    ]

    for name in ("loss", "validation_loss"):
        assert losses[0][name] == pytest.approx(losses[1][name], rel=1e-4)


def test_a_loss_that_is_no_number_names_its_place(classifier, examples, make_recipe):
    recipe = make_recipe(learning_rate=1e30)

    with pytest.raises(
        ValueError,
        match=r"path_a\.phase2: the loss is not a number in epoch 1, .*1e\+30",
    ):
        fit(classifier, examples, recipe, stage="path_a.phase2")


def test_a_training_after_a_failed_one_is_as_if_nothing_had_been(
    classifier, examples, make_recipe
):
    first = fit(classifier, examples, make_recipe(), stage="phase1")
    with pytest.raises(ValueError, match="not a number"):
        fit(classifier, examples, make_recipe(learning_rate=1e30), stage="phase1")
    second = fit(classifier, examples, make_recipe(), stage="phase1")

    assert_same(first.weights, second.weights)


def test_an_unknown_label_counts_for_nothing(classifier, examples, make_recipe):
    """A step with unknown labels is that of the mean over the known ones."""
    rng = np.random.default_rng(2)
    images = rng.normal(size=(8, 32, 32, 1)).astype(np.float32)
    is_case = (rng.random((8, 2)) < 0.5).astype(np.float32)
    unknown = rng.random((8, 2)) < 0.4
    descent = traced_descent(classifier, make_recipe(weight_decay=0.0))
    weights = classifier.get_weights()
    zeros = [np.zeros_like(array) for array in descent.velocity()]
    with descent.network.lock:
        descent.put(weights=weights, velocity=zeros, learning_rate=1.0)
        _, n_known = descent.step(images, np.where(unknown, np.nan, is_case))
        velocity = descent.velocity()
    copy = keras.models.clone_model(classifier)
    copy.set_weights(weights)
    with tf.GradientTape() as tape:
        probability = tf.boolean_mask(copy(images, training=True), ~unknown)
        loss = keras.losses.binary_crossentropy(is_case[~unknown], probability)
    variables = [variable.value for variable in copy.trainable_variables]

    assert n_known == (~unknown).sum() < 16
    for moved, gradient in zip(velocity, tape.gradient(loss, variables), strict=True):
        np.testing.assert_allclose(moved, -gradient.numpy(), rtol=1e-3, atol=1e-5)


def test_cross_entropy_leaves_unknown_labels_out():
    log_odds = np.array([[1.0, 5.0], [-2.0, 0.0]])
    is_case = np.array([[1.0, np.nan], [0.0, np.nan]], np.float32)

    expected = (np.log1p(np.exp(-1)) + np.log1p(np.exp(-2))) / 2
    assert cross_entropy(log_odds, is_case) == pytest.approx(expected)


def test_validation_takes_the_mean_of_what_the_epochs_trained(
    classifier, examples, make_recipe
):
    """Against the sum over the weights of trainings that average nothing."""

    def trained(n_epochs, averaging=0.0):
        recipe = make_recipe(max_epochs=n_epochs, averaging=averaging)
        return fit(classifier, examples, recipe, stage="phase1")

    alone = [trained(n).weights for n in (1, 2, 3)]
    averaged = trained(3, averaging=0.6)
    mean = [
        0.3 * first + 0.3 * second + 0.4 * third
        for first, second, third in zip(*alone, strict=True)
    ]
    network = traced_network(classifier)
    with network.lock:
        network.model.set_weights(mean)
        validation = examples.part("validation")
        log_odds = network.predict(plain_batches(validation, n_images=3))

    assert_same(averaged.weights, alone[-1])
    for own, other in zip(averaged.mean_weights, mean, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-5, atol=1e-6)
    assert averaged.history[-1]["validation_loss"] == pytest.approx(
        cross_entropy(log_odds, validation.is_case), rel=1e-5
    )


def test_the_best_mean_is_kept_and_not_the_best_epoch(
    classifier, examples, make_recipe
):
    recipe = make_recipe(max_epochs=1, averaging=0.9)
    first = fit(classifier, examples, recipe, stage="phase1")
    state = fit(
        classifier, examples, make_recipe(max_epochs=2, averaging=0.9), stage="phase1"
    )

    assert_same(first.best_weights, first.weights)
    assert state.plateau.best_epoch == 2
    assert_same(state.best_weights, state.mean_weights)
    assert not np.array_equal(state.best_weights[0], state.weights[0])


def test_the_mean_of_what_is_not_trained_is_the_parents_to_the_last_bit(
    classifier, examples, make_recipe
):
    recipe = make_recipe(max_epochs=4, averaging=0.7, trainable="head")
    state = fit(classifier, examples, recipe, stage="phase1")

    *body, kernel, bias = classifier.get_weights()
    assert_same(state.mean_weights[:-2], body)
    assert not np.array_equal(state.mean_weights[-2], kernel)
    assert not np.array_equal(state.mean_weights[-1], bias)


@pytest.mark.parametrize("averaging", [0.0, 0.7])
def test_an_interrupted_training_goes_on_to_the_same_end(
    classifier, examples, make_recipe, tmp_path, averaging
):
    """Interrupted by a store that fails, in the middle of the third epoch."""
    recipe = make_recipe(
        max_epochs=4, learning_rate=0.5, plateau_epochs=1, averaging=averaging
    )
    whole = fit(classifier, examples, recipe, stage="phase1")

    class Failing(type(examples.store)):
        n_left = 10

        def read(self, rows):
            type(self).n_left -= 1
            if self.n_left < 0:
                raise OSError("the disk is away")
            return super().read(rows)

    failing = dataclasses.replace(examples, store=Failing(examples.store.images))
    states = StateFolder(tmp_path)
    with pytest.raises(tf.errors.OpError, match="the disk is away"):
        fit(classifier, failing, recipe, stage="phase1", states=states)
    assert {path.stem for path in tmp_path.glob("*/*.state")} == {
        "epoch_0001",
        "epoch_0002",
    }
    resumed = fit(classifier, examples, recipe, stage="phase1", states=states)

    assert_same(resumed.weights, whole.weights)
    assert_same(resumed.velocity, whole.velocity)
    assert_same(resumed.mean_weights, whole.mean_weights)
    assert_same(resumed.best_weights, whole.best_weights)
    assert (resumed.plateau, resumed.history) == (whole.plateau, whole.history)


@pytest.mark.parametrize("changed", ["recipe", "split", "images", "first weights"])
def test_a_state_of_other_data_or_parameters_is_not_continued(
    classifier, examples, make_recipe, tmp_path, caplog, changed
):
    states = StateFolder(tmp_path)
    recipe = make_recipe(max_epochs=1)
    fit(classifier, examples, recipe, stage="phase1", states=states)
    part = examples.radiographs["part"].mask(np.arange(40) == 3, "test")
    other = {
        "recipe": (classifier, examples, make_recipe(max_epochs=1, seed=3)),
        "split": (
            classifier,
            dataclasses.replace(
                examples, radiographs=examples.radiographs.assign(part=part)
            ),
            recipe,
        ),
        "images": (
            classifier,
            dataclasses.replace(
                examples,
                store=type(examples.store)(examples.store.images // 2),
            ),
            recipe,
        ),
        "first weights": (swap_head(classifier, 2, seed=77), examples, recipe),
    }
    with caplog.at_level("INFO"):
        state = fit(*other[changed], stage="phase1", states=states)
    alone = fit(*other[changed], stage="phase1")

    assert f"not used: it is of another {changed}" in caplog.text
    assert_same(state.weights, alone.weights)


def test_the_epochs_before_a_loss_that_is_no_number_are_kept(
    classifier, examples, make_recipe, tmp_path
):
    # So strong a decay that the weights overshoot, thirty times as far at every step.
    recipe = make_recipe(
        learning_rate=100, weight_decay=0.3, max_epochs=30, stop_epochs=30
    )
    states = StateFolder(tmp_path)
    with pytest.raises(ValueError, match="phase1: the loss is not a number") as error:
        fit(classifier, examples, recipe, stage="phase1", states=states)
    kept = sorted(path.stem for path in tmp_path.glob("*/*.state"))
    epoch = int(kept[-1].removeprefix("epoch_")) + 1

    assert re.search(rf"in epoch {epoch}, .* learning rate 1", str(error.value))


def test_tensorboard_gets_one_value_per_epoch(
    classifier, examples, make_recipe, tmp_path
):
    recipe = make_recipe(max_epochs=2)
    state = fit(
        classifier,
        examples,
        recipe,
        stage="phase1",
        compute=Compute(tensorboard=True),
        states=StateFolder(tmp_path),
    )
    shown = {}
    for file in sorted(tmp_path.glob("*/tensorboard/*")):
        for event in tf.data.TFRecordDataset(str(file)):
            record = tf.compat.v1.Event.FromString(event.numpy())
            for value in record.summary.value:
                shown[value.tag, record.step] = float(tf.make_ndarray(value.tensor))

    assert set(shown) == {
        (name, epoch)
        for name in ("loss", "validation_loss", "learning_rate")
        for epoch in (1, 2)
    }
    assert shown["validation_loss", 2] == pytest.approx(
        state.history[1]["validation_loss"]
    )


@pytest.mark.parametrize(
    ("compute", "tolerance"),
    [
        pytest.param(Compute(xla=True), 1e-4, marks=pytest.mark.slow),
        (Compute(precision="mixed_bfloat16"), 3e-2),
    ],
    ids=["xla", "mixed_bfloat16"],
)
def test_a_gpus_way_of_computing_is_the_same_step(
    classifier, examples, make_recipe, compute, tolerance
):
    recipe = make_recipe()
    batches = training_batches(examples.part("train"), recipe, "p", epoch=1)
    images, is_case = next(iter(batches))
    losses, stepped = [], []
    for way in (Compute(), compute):
        descent = traced_descent(classifier, recipe, way)
        zeros = [np.zeros_like(array) for array in descent.velocity()]
        weights = classifier.get_weights()
        with descent.network.lock:
            descent.put(weights=weights, velocity=zeros, learning_rate=0.05)
            losses.append(descent.step(images, is_case)[0])
            stepped.append(descent.network.model.get_weights())

    assert losses[1] == pytest.approx(losses[0], rel=tolerance)
    assert not all(map(np.array_equal, *stepped))
    for array, other in zip(*stepped, strict=True):
        assert other.dtype == np.float32
        np.testing.assert_allclose(other, array, rtol=tolerance, atol=tolerance)


def test_an_architecture_is_traced_once_in_a_process(initial, make_recipe, tmp_path):
    recipe = make_recipe()
    first = swap_head(initial[0], 3, seed=1)
    first.save(tmp_path / "classifier.keras")
    loaded = keras.models.load_model(tmp_path / "classifier.keras")
    second = swap_head(loaded, 3, seed=2)

    assert traced_descent(first, recipe) is traced_descent(second, recipe)
    assert traced_network(first) is traced_network(loaded)
    assert traced_network(first) is not traced_network(initial[0])


def test_cross_entropy_is_exact_for_a_very_sure_network():
    log_odds = np.array([[800.0], [-800.0], [0.0]])
    is_case = np.array([[0.0], [0.0], [1.0]], np.float32)

    assert cross_entropy(log_odds, is_case) == pytest.approx((800 + np.log(2)) / 3)


@pytest.mark.slow
def test_densenet121_at_512_px_takes_a_training_step(make_recipe):
    network = Network(
        size_px=512,
        blocks=[6, 12, 24, 16],
        growth_rate=32,
        initial_filters=64,
        batch_norm_momentum=0.99,
        weights="none",
        seed=1,
    )
    classifier = build_classifier(network, 14)
    descent = traced_descent(classifier, make_recipe())
    rng = np.random.default_rng(0)
    images = rng.normal(size=(1, 512, 512, 1)).astype(np.float32)
    weights = classifier.get_weights()
    with descent.network.lock:
        descent.put(
            weights=weights,
            velocity=[np.zeros_like(array) for array in descent.velocity()],
            learning_rate=0.01,
        )
        loss, _ = descent.step(images, np.zeros((1, 14), np.float32))
        stepped = descent.network.model.get_weights()

    assert classifier.get_layer("relu").output.shape[1:] == (16, 16, 1024)
    assert np.isfinite(loss)
    assert not np.array_equal(stepped[0], weights[0])
