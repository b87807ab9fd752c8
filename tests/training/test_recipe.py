"""The recipe, and the record of how long the validation loss has not improved."""

import pytest

from covid_cxr.training.recipe import Plateau


def after(losses, recipe):
    """Return the record after each epoch."""
    records = []
    plateau = Plateau()
    for epoch, loss in enumerate(losses, start=1):
        plateau = plateau.after_epoch(epoch, loss, recipe)
        records.append(plateau)
    return records


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("learning_rate", 0),
        ("learning_rate", "0.01"),
        ("learning_rate", float("nan")),
        ("momentum", 1.0),
        ("weight_decay", -1e-4),
        ("decay", "l1"),
        ("batch_images", 0),
        ("max_epochs", 1.5),
        ("plateau_epochs", True),
        ("plateau_factor", 1.0),
        ("stop_epochs", 0),
        ("flip", "yes"),
        ("rotation_degrees", -8),
        ("crop_share", 1.0),
        ("averaging", 1.0),
        ("seed", -1),
        ("trainable", "body"),
    ],
)
def test_nonsense_is_refused_by_name_and_value(make_recipe, setting, value):
    with pytest.raises(ValueError, match=rf"recipe\.{setting} must be .*, got "):
        make_recipe(**{setting: value})


def test_whole_numbers_are_accepted_where_a_fraction_may_stand(make_recipe):
    assert make_recipe(learning_rate=1, rotation_degrees=0).learning_rate == 1


def test_the_rate_falls_after_three_epochs_without_improvement(make_recipe):
    recipe = make_recipe(learning_rate=0.01)
    losses = [1.0, 0.9, 0.9, 0.95, 0.91, 0.92, 0.93, 0.94]
    rates = [record.learning_rate(recipe) for record in after(losses, recipe)]

    expected = [1e-2, 1e-2, 1e-2, 1e-2, 1e-3, 1e-3, 1e-3, 1e-4]
    assert rates == pytest.approx(expected, rel=1e-12)


def test_an_improvement_however_small_starts_the_wait_again(make_recipe):
    recipe = make_recipe()
    record = after([1.0, 1.1, 1.1, 1.0 - 1e-12, 1.1, 1.1], recipe)[-1]

    assert (record.best_epoch, record.n_stale_epochs, record.n_divisions) == (4, 2, 0)


def test_training_is_over_after_ten_epochs_without_improvement(make_recipe):
    recipe = make_recipe()
    records = after([0.7, 0.5, *[0.6] * 10], recipe)

    assert [record.is_over(recipe) for record in records] == [False] * 11 + [True]
    assert (records[-1].best_epoch, records[-1].best_loss) == (2, 0.5)


def test_a_record_is_not_changed_by_the_next_epoch(make_recipe):
    first = Plateau()
    first.after_epoch(1, 0.5, make_recipe())

    assert first == Plateau()
