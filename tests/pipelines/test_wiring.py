"""Nodes in few words: what binds to which argument."""

import pytest

from covid_cxr.pipelines.wiring import each, node


def judge(level, scores, store):
    """Return anything."""
    return level, scores, store


def test_an_argument_takes_the_dataset_or_parameter_of_its_own_name():
    made = node(judge, "results", "scores", "params:reporting.level", store="my_store")

    assert made.name == "judge"
    assert made.inputs == ["params:reporting.level", "scores", "my_store"]
    assert made.outputs == ["results"]


def test_a_dataset_that_no_argument_is_called_after_is_refused():
    with pytest.raises(TypeError, match=r"'level', 'scores', 'store'.*'shop'"):
        node(judge, "results", "scores", "params:level", "shop")


def test_each_name_has_a_dataset_of_a_kind():
    named = each(["covid", "nih"], "curated")

    assert named == {"covid": "covid_curated", "nih": "nih_curated"}
