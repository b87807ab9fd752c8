"""The states of a training: written whole or not at all, and never mistaken."""

import dataclasses
import resource
import signal

import numpy as np
import pytest

from covid_cxr.training.recipe import Plateau
from covid_cxr.training.state import StateFolder, TrainingState, state_from_bytes

ORIGIN = {"recipe": {"learning_rate": 0.01}, "split": "a hash", "code": "another"}


def state_after(n_epochs):
    rng = np.random.default_rng(n_epochs)
    arrays = [rng.normal(size=shape).astype(np.float32) for shape in [(3, 2), (4,)]]
    return TrainingState(
        weights=tuple(arrays),
        velocity=(arrays[1] / 3,),
        mean_weights=tuple(array / 7 for array in arrays[: n_epochs % 3]),
        plateau=Plateau(best_loss=0.1 + 0.2, best_epoch=1, n_stale_epochs=n_epochs),
        best_weights=tuple(-array for array in arrays),
        history=tuple({"epoch": n + 1, "loss": 1 / (n + 1)} for n in range(n_epochs)),
        seconds=(1.5,) * n_epochs,
    )


@pytest.fixture
def states(tmp_path):
    return StateFolder(tmp_path / "state").of(ORIGIN)


def files(states):
    return sorted(path.name for path in states.folder.iterdir())


@pytest.mark.parametrize("n_epochs", [11, 12])  # with and without a mean
def test_a_state_comes_back_bit_for_bit(n_epochs):
    state = state_after(n_epochs)
    back = state_from_bytes(state.to_bytes())

    for name in ("weights", "velocity", "mean_weights", "best_weights"):
        for array, other in zip(getattr(state, name), getattr(back, name), strict=True):
            np.testing.assert_array_equal(array, other)
    for name in ("plateau", "history", "seconds"):
        assert getattr(back, name) == getattr(state, name)


def test_a_training_that_has_seen_no_improvement_can_be_kept(states):
    never = dataclasses.replace(state_after(1), plateau=Plateau())
    states.keep(never)

    assert states.newest().plateau == Plateau()


@pytest.mark.parametrize("place", [0, 100, -1])
def test_one_wrong_byte_is_noticed(place):
    content = bytearray(state_after(2).to_bytes())
    content[place] ^= 1

    with pytest.raises(ValueError, match="hash does not fit"):
        state_from_bytes(bytes(content))


def test_the_newest_two_epochs_are_kept(states):
    for n_epochs in (1, 2, 3):
        states.keep(state_after(n_epochs))

    assert files(states) == ["epoch_0002.state", "epoch_0003.state", "origin.json"]
    assert states.newest().n_epochs == 3


@pytest.mark.parametrize("damage", ["cut", "empty", "turned"])
def test_a_damaged_state_is_named_and_the_one_before_it_used(states, damage, caplog):
    states.keep(state_after(1))
    states.keep(state_after(2))
    path = states.folder / "epoch_0002.state"
    content = path.read_bytes()
    turned = bytes([content[0] ^ 255]) + content[1:]
    path.write_bytes({"cut": content[:-7], "empty": b"", "turned": turned}[damage])

    assert states.newest().n_epochs == 1
    assert "epoch_0002.state is damaged" in caplog.text


def test_a_state_of_another_origin_is_not_used_and_the_log_says_why(
    tmp_path, states, caplog
):
    states.keep(state_after(4))
    other = StateFolder(states.root).of({**ORIGIN, "split": "moved", "code": "new"})
    with caplog.at_level("INFO"):
        found = other.newest()

    assert found is None
    assert "not used: it is of another code, split" in caplog.text
    assert states.newest().n_epochs == 4


def test_a_half_written_state_is_no_state(states):
    states.keep(state_after(1))
    whole = states.folder / "epoch_0001.state"
    (states.folder / "epoch_0002.state.part").write_bytes(whole.read_bytes()[:50])

    assert states.newest().n_epochs == 1


def test_a_full_disk_is_an_error_that_leaves_the_state_before(states):
    states.keep(state_after(1))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, hard))
    try:
        with pytest.raises(OSError, match=r"after epoch 2 cannot be kept .* Make room"):
            states.keep(state_after(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)

    assert states.newest().n_epochs == 1
    assert files(states) == ["epoch_0001.state", "origin.json"]
