"""Learning curves."""

from covid_cxr.figures.learning_curves import draw_learning_curves


def history(*validation_losses):
    return [
        {
            "epoch": epoch,
            "loss": 1 / epoch,
            "validation_loss": loss,
            "learning_rate": 0.1 if epoch < 4 else 0.01,
        }
        for epoch, loss in enumerate(validation_losses, start=1)
    ]


def test_the_kept_epoch_is_the_first_with_the_lowest_validation_loss():
    figure = draw_learning_curves({"Phase 1": history(0.9, 0.4, 0.4, 0.6)})

    training, validation, kept, _ = figure.axes[0].lines
    assert training.get_ydata().tolist() == [1, 1 / 2, 1 / 3, 1 / 4]
    assert validation.get_ydata().tolist() == [0.9, 0.4, 0.4, 0.6]
    assert (list(kept.get_xdata()), list(kept.get_ydata())) == ([2], [0.4])


def test_it_is_marked_where_the_learning_rate_falls():
    figure = draw_learning_curves(
        {"Phase 1": history(0.9, 0.8), "Phase 2": history(0.9, 0.4, 0.4, 0.6, 0.7)}
    )
    (legend,) = figure.legends

    assert len(figure.axes[0].lines) == 3
    assert set(figure.axes[1].lines[-1].get_xdata()) == {3.5}
    assert [text.get_text() for text in legend.get_texts()] == [
        "training",
        "validation",
        "kept",
        "rate falls",
    ]


def test_every_training_has_its_diagram():
    names = [f"training {n}" for n in range(11)]

    figure = draw_learning_curves(dict.fromkeys(names, history(0.5, 0.4)))

    assert [a.get_title() for a in figure.axes if a.axison] == names


def test_a_single_epoch_can_be_drawn():
    figure = draw_learning_curves({"Phase 1": history(0.5)})
    figure.draw_without_rendering()

    assert len(figure.axes) == 1
