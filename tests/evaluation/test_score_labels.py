"""Which labels of a user's table are cases."""

import numpy as np
import pandas as pd
import pytest

from covid_cxr.evaluation.score_labels import read_labels


@pytest.mark.parametrize(
    ("labels", "positive", "cases"),
    [
        ([1, 0, 1], None, [True, False, True]),
        ([1.0, 0.0, 1.0], None, [True, False, True]),
        ([True, False, True], None, [True, False, True]),
        (["Yes", "no", " yes "], None, [True, False, True]),
        (["pos", "Negative", "1"], None, [True, False, True]),
        (["+", "-", "+"], None, [True, False, True]),
        (["COVID", "normal", "COVID"], None, [True, False, True]),
        (["COVID-19", "Non-COVID-19", "COVID-19"], None, [True, False, True]),
        (["covid_positive", "covid_negative"], None, [True, False]),
        ([1, 2, 1], 2, [False, True, False]),
        ([1, 2, 1], "1", [True, False, True]),
        (["1", "2.0", "1.00"], 1, [True, False, True]),
        ([-1, 1], 1, [False, True]),
        (["a", "b", "c"], "B", [False, True, False]),
        ([True, False], True, [True, False]),
    ],
)
def test_labels_are_understood(labels, positive, cases):
    found, words = read_labels(pd.Series(labels, name="y"), positive=positive)

    assert found.tolist() == cases
    assert words.startswith("case: ")
    assert "; control: " in words


@pytest.mark.parametrize(
    ("labels", "positive", "message"),
    [
        ([1, 2], None, r"says '1', '2', and '2' .* --params=comparison.positive=…"),
        ([-1, 1], None, r"says '-1', '1', and '-1' .*comparison.positive=…"),
        (["COVID", "pneumonia"], None, "'COVID', 'pneumonia', and 'pneumonia'"),
        (["COVID", "normal", "pneumonia"], None, "and 'pneumonia' does not say"),
        (["covid", "case", "normal"], None, "does not say"),
        (["yes", "no", "maybe"], None, "and 'maybe' does not say"),
        (["a", "b"], "c", "comparison.positive is 'c', but the column y says 'a', 'b'"),
        (["COVID", "normal", "unknown"], "COVID", "1 of 3 .* 'unknown', .* in row 3"),
        (["COVID", "?", "normal"], "COVID", "'[?]', which is no label"),
        ([1, np.nan, 0], None, "1 of 3 labels in the column y are empty, .* in row 2"),
        (["1", " ", "0"], None, "are empty"),
        ([np.nan] * 3, None, "3 of 3 labels"),
        ([0.1 * k for k in range(40)], None, "does not say"),
        ([0.1 * k for k in range(40)], 0.1, "may have 30 values"),
    ],
)
def test_labels_that_are_not_understood_are_refused(labels, positive, message):
    with pytest.raises(ValueError, match=message):
        read_labels(pd.Series(labels, name="y"), positive=positive)
