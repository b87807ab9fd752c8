"""Batches: the right images and labels, whatever the number of threads."""

import dataclasses
import threading
import time

import numpy as np
import pytest

from covid_cxr.radiographs.normalisation import normalise
from covid_cxr.training import batches as batches_module
from covid_cxr.training.augmentation import distort, draw_distortion
from covid_cxr.training.batches import input_batches, plain_batches, training_batches


@dataclasses.dataclass(frozen=True)
class SlowStore:
    """A store whose early reads take longest, so that late ones overtake them."""

    store: object

    @property
    def size_px(self):
        return self.store.size_px

    def read(self, rows):
        time.sleep(0.02 * (rows[0] % 4))
        return self.store.read(rows)


def as_arrays(batches):
    return [(images.numpy(), is_case.numpy()) for images, is_case in batches]


@pytest.fixture(scope="module")
def train(examples):
    return examples.part("train")


def test_plain_batches_are_the_normalised_images_in_order(examples):
    part = examples.part("validation")
    batches = as_arrays(plain_batches(part, n_images=4))
    images = np.concatenate([images for images, _ in batches])
    expected = (part.store.images[part.rows] / 255 - 0.4) / 0.2

    assert [len(images) for images, _ in batches] == [4, 4, 2]
    assert images.dtype == np.float32
    np.testing.assert_allclose(images[..., 0], expected, atol=1e-5)
    np.testing.assert_array_equal(
        np.concatenate([is_case for _, is_case in batches]), part.is_case
    )


@pytest.mark.parametrize(("called_px", "sizes"), [(32**2 * 8, [8, 2]), (9, [1] * 10)])
def test_a_batch_has_as_many_images_as_memory_holds(
    examples, called_px, sizes, monkeypatch
):
    monkeypatch.setattr(batches_module, "CALLED_PX", called_px)
    part = examples.part("validation")

    batches = list(input_batches(part))

    assert [len(batch) for batch in batches] == sizes
    expected = normalise(part.store.read(part.rows), part.intensity)
    np.testing.assert_array_equal(np.concatenate(batches), expected)


def test_tensorflow_takes_a_batch_without_copying_it(examples):
    images = examples.store.images[:3, :7, :5]
    batches = [normalise(images.copy(), examples.intensity) for _ in range(5)]

    assert {batch.ctypes.data % 64 for batch in batches} == {0}
    np.testing.assert_allclose(
        batches[0][..., 0], (images / 255 - 0.4) / 0.2, atol=1e-5
    )


def test_an_epoch_holds_every_image_once_with_its_own_label(train, make_recipe):
    recipe = make_recipe(flip=False, rotation_degrees=0, crop_share=0)
    batches = as_arrays(training_batches(train, recipe, "phase1", epoch=1))
    images = np.concatenate([images for images, _ in batches])
    labels = np.concatenate([is_case for _, is_case in batches])
    expected = normalise(train.store.read(train.rows), train.intensity)
    found = [
        int(np.flatnonzero((expected == image).all(axis=(1, 2, 3)))[0])
        for image in images
    ]

    assert sorted(found) == list(range(21))
    assert found != sorted(found)
    np.testing.assert_array_equal(labels, train.is_case[found])


def test_images_are_distorted_as_their_row_and_epoch_say(train, make_recipe):
    recipe = make_recipe(batch_images=21)
    plain = make_recipe(batch_images=21, flip=False, rotation_degrees=0, crop_share=0)
    [(images, _)] = as_arrays(training_batches(train, recipe, "phase1", epoch=4))
    [(originals, _)] = as_arrays(training_batches(train, plain, "phase1", epoch=4))
    known = normalise(train.store.images, train.intensity)
    row = int(np.flatnonzero((known == originals[0]).all(axis=(1, 2, 3)))[0])
    distortion = draw_distortion(recipe, "phase1", epoch=4, row=row)
    expected = distort(train.store.images[row], distortion)

    np.testing.assert_array_equal(
        images[0], normalise(expected[np.newaxis], train.intensity)[0]
    )


def test_the_number_of_threads_does_not_change_a_batch(train, make_recipe):
    slow = dataclasses.replace(train, store=SlowStore(train.store))
    recipe = make_recipe(batch_images=2)
    one, four = (
        as_arrays(
            training_batches(slow, recipe, "phase1", epoch=1, n_threads=n_threads)
        )
        for n_threads in (1, 4)
    )

    for (images, is_case), (other_images, other_is_case) in zip(one, four, strict=True):
        np.testing.assert_array_equal(images, other_images)
        np.testing.assert_array_equal(is_case, other_is_case)


def test_several_threads_read_at_the_same_time(train, make_recipe):
    meeting = threading.Barrier(2, timeout=20)

    class MeetingStore(SlowStore):
        def read(self, rows):
            meeting.wait()  # until another thread is reading, too
            return self.store.read(rows)

    part = dataclasses.replace(train, store=MeetingStore(train.store))
    recipe = make_recipe(batch_images=6)

    assert len(as_arrays(training_batches(part, recipe, "phase1", epoch=1))) == 4


def test_the_order_changes_with_the_epoch_and_the_phase(train, make_recipe):
    recipe = make_recipe(batch_images=21)
    orders = {
        key: as_arrays(training_batches(train, recipe, key[0], epoch=key[1]))[0][1]
        for key in [("phase1", 1), ("phase1", 2), ("phase2", 1)]
    }

    assert not np.array_equal(orders["phase1", 1], orders["phase1", 2])
    assert not np.array_equal(orders["phase1", 1], orders["phase2", 1])


def test_a_store_that_fails_says_why(train):
    class BrokenStore(SlowStore):
        def read(self, rows):
            raise ValueError(f"shard of row {rows[0]} is damaged")

    broken = dataclasses.replace(train, store=BrokenStore(train.store))

    with pytest.raises(Exception, match="shard of row 39 is damaged"):
        as_arrays(plain_batches(broken, n_images=4))
