"""How replicas share the batches of an epoch."""

import numpy as np
import pytest

from covid_cxr.devices.shares import WHOLE, Share


def sizes(share, n_images, batch_images=16):
    return [
        len(piece)
        for piece in share.cut(np.arange(n_images), batch_images=batch_images)
    ]


def test_one_replica_takes_every_batch_in_order():
    pieces = WHOLE.cut(np.arange(35)[::-1], batch_images=16)

    assert [len(piece) for piece in pieces] == [16, 16, 3]
    np.testing.assert_array_equal(np.concatenate(pieces), np.arange(35)[::-1])


def test_two_processes_take_each_image_once_and_batches_in_step():
    order = np.random.default_rng(0).permutation(75)
    shares = [Share(n_replicas=2, first=first, n_own=1) for first in (0, 1)]
    pieces = [share.cut(order, batch_images=16) for share in shares]

    assert [sizes(share, 75) for share in shares] == [[16, 16, 6], [16, 16, 5]]
    together = [
        image for step in zip(*pieces, strict=True) for image in np.concatenate(step)
    ]
    np.testing.assert_array_equal(together, order)


def test_a_process_with_two_replicas_feeds_them_in_turn():
    assert sizes(Share(n_replicas=3, first=1, n_own=2), 60) == [16, 16, 4, 4]


def test_too_few_images_for_a_batch_go_into_the_one_before():
    assert sizes(Share(n_replicas=4, first=0, n_own=4), 66) == [17, 17, 16, 16]


def test_fewer_images_than_replicas_are_refused():
    with pytest.raises(ValueError, match="4 replicas cannot share 3 images"):
        Share(n_replicas=4, first=0, n_own=4).cut(np.arange(3), batch_images=16)
