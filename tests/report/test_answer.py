"""The study's answer: which start helped, by how much, how sure, on what data."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from covid_cxr.report.answer import has_answer, study_answer
from covid_cxr.study.current import choose, current

PATHS = ("path_a", "path_b", "path_f")


@pytest.fixture
def answer(reporting):
    """Return a function that answers for three paths, of which `best` is chosen."""

    def say(best, *, difference, interval, p, adjusted, is_synthetic=False):
        table3 = pd.DataFrame(
            {
                "path": PATHS,
                "validation_auroc": [0.9 if path == best else 0.8 for path in PATHS],
                "auroc": [0.912, 0.877, 0.818],
                "cases": 80,
                "controls": 1160,
                "patients": 700,
            }
        )
        pairs = pd.DataFrame(
            [("path_a", "path_b"), ("path_a", "path_f"), ("path_b", "path_f")],
            columns=["first", "second"],
        )
        lower, upper = interval
        table4 = pairs.assign(
            difference=difference, lower=lower, upper=upper, p_clustered=p
        )
        counts = pd.DataFrame({"cohort": ["covid"], "is_synthetic": [is_synthetic]})
        return study_answer(
            table3,
            table4,
            pairs.assign(p_clustered=adjusted),
            cohort_counts=counts,
            reporting=reporting,
        )

    return say


def test_a_start_that_helped_is_compared_with_none(answer):
    said = answer(
        "path_b", difference=0.094, interval=(0.02, 0.168), p=0.012, adjusted=0.036
    )

    assert said == (
        "Path (b) (General chest x-ray dataset + additional general radiographs), "
        "which did best on the validation part, recognised COVID-19 better than path "
        "(f) (No radiographs before COVID-19): on the test part its AUROC was 0.877 "
        "and the other's 0.818, a difference of +0.094 (95 % interval 0.020 to 0.168), "
        "which holds once all 3 comparisons of paths are allowed for (p = 0.012, "
        "adjusted = 0.036). This rests on 1,240 test radiographs (80 with COVID-19 by "
        "RT-PCR) of 700 patients of the cohort COVID-19."
    )
    assert "1,240 test radiographs (80 with COVID-19 by RT-PCR) of 700 patients" in said
    assert "program" not in said


def test_what_chance_may_explain_is_called_that(answer):
    said = answer("path_a", difference=0.03, interval=(-0.02, 0.08), p=0.3, adjusted=1)

    assert "was not shown to recognise COVID-19 better or worse than path (f)" in said
    assert "+0.030 (95 % interval" in said
    assert "that chance alone may explain (p = 0.300)" in said


def test_a_difference_that_the_other_comparisons_undo_does_not_hold(answer):
    said = answer(
        "path_a", difference=0.05, interval=(0.001, 0.099), p=0.04, adjusted=0.12
    )

    assert "which does not hold once all 3 comparisons" in said
    assert "(p = 0.040, adjusted = 0.120)" in said


def test_no_start_that_was_chosen_is_compared_with_the_best_of_them(answer):
    said = answer(
        "path_f", difference=0.05, interval=(0.01, 0.09), p=0.01, adjusted=0.03
    )

    assert said.startswith("Path (f) (No radiographs before COVID-19), which did best")
    # Table 4 has path (a) minus path (f); the answer turns it round.
    assert "recognised COVID-19 worse than path (a) (" in said
    assert f"a difference of {chr(0x2212)}0.050 (" in said
    assert f"interval {chr(0x2212)}0.090 to {chr(0x2212)}0.010" in said


def test_without_a_standard_error_nothing_is_sure(answer):
    unknown = (np.nan, np.nan)
    said = answer("path_a", difference=0.0, interval=unknown, p=np.nan, adjusted=np.nan)

    assert "was not shown to recognise COVID-19 better or worse" in said
    assert "too few patients to say how sure that is" in said


def test_drawn_radiographs_say_nothing_of_patients(answer):
    said = answer(
        *("path_a",),
        difference=0.1,
        interval=(0.05, 0.15),
        p=0.001,
        adjusted=0.003,
        is_synthetic=True,
    )

    assert said.endswith("; a program drew them, so it says nothing of patients.")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"paths": 1}, False),
        ({"labels": ("covid19", "pneumonia")}, False),
    ],
)
def test_one_path_and_several_findings_have_no_answer(change, expected):
    before = current()
    target = replace(before.target_set, labels=change.get("labels", ("covid19",)))
    sets = {**before.training_sets, target.name: target}
    paths = before.paths[: change.get("paths")]
    choose(replace(before, paths=paths, training_sets=sets))
    try:
        assert has_answer() is expected
    finally:
        choose(before)
