import logging

import pandas as pd
import pytest

from covid_cxr.cohorts.label_by_source import sources_of_one_class, warn_of_sources


def radiographs(**labels):
    """Return a table with the given labels of each source."""
    return pd.DataFrame(
        [(source, label) for source, column in labels.items() for label in column],
        columns=["source", "covid19"],
    ).astype({"covid19": "boolean"})


def test_positives_of_one_source_and_negatives_of_another_determine_the_label():
    table = radiographs(ricord=[True, True, True], rsna=[False, False])

    found = sources_of_one_class(table, "covid19")

    assert found.to_dict("list") == {
        "source": ["ricord", "rsna"],
        "n_images": [3, 2],
        "n_positives": [3, 0],
        "is_determined": [True, True],
    }


def test_a_source_with_both_classes_is_not_listed_and_breaks_the_rule():
    table = radiographs(ricord=[True], bimcv=[True, False])

    found = sources_of_one_class(table, "covid19")

    assert found["source"].tolist() == ["ricord"]
    assert found["is_determined"].tolist() == [False]


def test_a_missing_label_is_no_class():
    table = radiographs(a=[True, None], b=[True, False], c=[None])

    assert sources_of_one_class(table, "covid19")["source"].tolist() == ["a"]


def test_mixed_sources_are_not_warned_of(caplog):
    warn_of_sources("covid", radiographs(a=[True, False]), "covid19")

    assert not caplog.records


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (
            radiographs(ricord=[True, True], rsna=[False]),
            "LABEL (covid19): ricord (2 images, all positive), rsna (1 images, none",
        ),
        (
            radiographs(ricord=[True], bimcv=[True, False]),
            "some sources have one class of covid19 only: ricord (1 images, all",
        ),
    ],
)
def test_a_source_of_one_class_is_warned_of(caplog, table, words):
    warn_of_sources("covid", table, "covid19")

    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert words in caplog.text
