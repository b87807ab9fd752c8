"""Names in a list that find nothing: said, kept, and too many refused."""

import logging

import pandas as pd
import pytest

from covid_cxr.radiographs.unmatched import (
    UnmatchedBound,
    refuse_unmatched,
    unmatched_names,
)

FILE = "02_intermediate/x_lists_unmatched.parquet"


def bound(share):
    return UnmatchedBound(share=share, parameter="x.max_unmatched_share", kept_in=FILE)


def of_list(n_unmatched, n_names, name="list.csv"):
    names = [f"{k:02d}.png" for k in range(n_unmatched)]
    return unmatched_names(names, of=name, n_names=n_names, reason="have no file")


@pytest.mark.parametrize(
    ("n_unmatched", "n_names", "share"),
    [(0, 0, 0.0), (0, 4, 0.0), (1, 4, 0.25), (2, 4, 0.5), (4, 4, 1.0)],
)
def test_up_to_the_share_the_names_are_said_and_the_run_goes_on(
    n_unmatched, n_names, share, caplog
):
    with caplog.at_level(logging.WARNING):
        refuse_unmatched(of_list(n_unmatched, n_names), bound(share))

    assert (f"{n_unmatched} of {n_names} names in list.csv" in caplog.text) is (
        n_unmatched > 0
    )
    assert (FILE in caplog.text) is (n_unmatched > 0)


@pytest.mark.parametrize(
    ("n_unmatched", "n_names", "share"),
    [(1, 4, 0.0), (2, 4, 0.25), (3, 4, 0.5), (100, 101, 0.99)],
)
def test_above_the_share_the_run_stops_and_says_what_to_do(n_unmatched, n_names, share):
    with pytest.raises(ValueError, match=r"x\.max_unmatched_share") as caught:
        refuse_unmatched(of_list(n_unmatched, n_names), bound(share))

    message = str(caught.value)
    assert f"{n_unmatched} of {n_names} names in list.csv have no file" in message
    assert f"a share of {share:g}" in message
    assert FILE in message
    named = [f"{k:02d}.png" in message for k in range(n_unmatched)]
    assert named == [k < 10 for k in range(n_unmatched)]
    assert ("…" in message) is (n_unmatched > 10)


def test_each_list_is_judged_for_itself():
    small, large = of_list(3, 4, "additions.csv"), of_list(3, 400, "manifest.csv")

    with pytest.raises(ValueError, match=r"additions\.csv") as caught:
        refuse_unmatched(pd.concat([large, small]), bound(0.5))

    assert "manifest.csv" not in str(caught.value)


def test_every_list_that_is_refused_is_named():
    first, second = of_list(3, 4, "additions.csv"), of_list(4, 4, "manifest.csv")

    with pytest.raises(ValueError, match=r"additions\.csv.*manifest\.csv"):
        refuse_unmatched(pd.concat([first, second]), bound(0.5))
