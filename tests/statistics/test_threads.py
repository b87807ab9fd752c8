"""Work side by side: the same results, in order, and the first error."""

import threading

import pytest

from covid_cxr.statistics.threads import in_threads


@pytest.mark.parametrize("n_images", [10, 1_000_000])
def test_results_stand_in_the_order_of_what_they_are_of(n_images):
    assert in_threads(lambda k: k**2, range(20), n_images=n_images) == [
        k**2 for k in range(20)
    ]


@pytest.mark.parametrize("n_images", [10, 1_000_000])
def test_an_error_is_the_one_that_was_raised(n_images):
    with pytest.raises(ZeroDivisionError):
        in_threads(lambda k: 1 / k, [1, 0], n_images=n_images)


def test_few_images_start_no_threads():
    names = in_threads(lambda _: threading.current_thread(), [1, 2], n_images=10)

    assert set(names) == {threading.main_thread()}
