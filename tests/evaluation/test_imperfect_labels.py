"""Labels of a test that errs: what is corrected, from what, and when nothing is."""

import numpy as np
import pandas as pd
import pytest

from covid_cxr.evaluation.imperfect_labels import StatedReference, correct_labels

NOTHING = StatedReference(sensitivity=None, specificity=None)


def simulated(n_patients=4000, seed=1):
    """Return scores of a classifier that is right in 0.9 of the diseased and 0.8.

    The reference finds 0.75 of the diseased and nobody else.
    """
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(n_patients), 2)
    is_diseased = (rng.random(n_patients) < 0.5)[patient]
    is_found = is_diseased & (rng.random(n_patients) < 0.75)[patient]
    called = rng.random(len(patient)) < np.where(is_diseased, 0.9, 0.2)
    return pd.DataFrame(
        {
            "image_id": [f"x{k:05}" for k in range(len(patient))],
            "patient_id": [f"p{k}" for k in patient],
            "part": np.where(patient % 4 == 0, "validation", "test"),
            "is_case": is_found,
            "resnet": np.where(called, 0.8, 0.3),
        }
    )


def test_the_truth_comes_out_of_labels_that_miss_a_quarter(reporting):
    scores = simulated()
    stated = StatedReference(sensitivity=0.75, specificity=1.0)

    table, tipping = correct_labels(scores, reporting=reporting, reference=stated)

    (row,) = table.to_dict("records")
    assert row["prevalence"] == pytest.approx(0.5, abs=0.02)
    # Against the labels every diseased patient who was missed is a control.
    against = (0.8 * 0.5 + 0.1 * 0.125) / 0.625
    assert row["specificity"] == pytest.approx(against, abs=0.02)
    for share, truth in (("sensitivity", 0.9), ("specificity", 0.8)):
        ends = [row[f"corrected_{share}_{end}"] for end in ("lower", "upper")]
        bounds = [row[f"corrected_{share}_bound_{end}"] for end in ("lower", "upper")]
        assert ends[0] < truth < ends[1]
        assert row[f"corrected_{share}"] == pytest.approx(truth, abs=0.02)
        assert bounds[0] <= truth <= bounds[1]
    as_stated = tipping.iloc[(tipping["reference_sensitivity"] - 0.75).abs().argmin()]
    assert as_stated["corrected_specificity"] == pytest.approx(0.8, abs=0.03)


def test_a_reference_that_never_errs_changes_nothing(reporting):
    stated = StatedReference(sensitivity=1, specificity=1)

    table, tipping = correct_labels(simulated(), reporting=reporting, reference=stated)

    (row,) = table.to_dict("records")
    for share in ("sensitivity", "specificity"):
        assert row[f"corrected_{share}"] == pytest.approx(row[share])
        assert row[f"corrected_{share}_bound_lower"] == pytest.approx(row[share])
    last = tipping.iloc[-1]
    assert last["reference_sensitivity"] == 1
    assert last["corrected_sensitivity"] == pytest.approx(row["sensitivity"])


def test_labels_that_speak_against_it_carry_a_caution(reporting):
    scores = simulated(400)
    scores["resnet"] = scores["is_case"] * 0.5 + 0.2  # errs with the reference
    stated = StatedReference(sensitivity=0.75, specificity=0.95)

    (row,) = correct_labels(scores, reporting=reporting, reference=stated)[0].to_dict(
        "records"
    )

    assert row["corrected_sensitivity"] > 1
    assert "not independent" in row["caution"]
    assert row["corrected_sensitivity_bound_upper"] <= 1


@pytest.mark.parametrize("part", ["test", None])
def test_without_a_stated_reference_or_a_validation_part_there_are_no_rows(
    reporting, part
):
    scores = simulated(100)
    stated = NOTHING
    if part:
        scores = scores.assign(part=part)
        stated = StatedReference(sensitivity=0.7, specificity=1)

    tables = correct_labels(scores, reporting=reporting, reference=stated)

    assert [len(table) for table in tables] == [0, 0]


@pytest.mark.parametrize(
    ("sensitivity", "specificity", "told"),
    [
        (0.7, None, "stated together or not at all, got 0.7 and None"),
        (0.4, 0.5, "reference in parameters_reporting.yml: .* together more than 1"),
        (1.2, 1, "in .0, 1. that are"),
    ],
)
def test_what_is_no_reference_is_refused(sensitivity, specificity, told):
    with pytest.raises(ValueError, match=told):
        StatedReference(sensitivity=sensitivity, specificity=specificity)


def test_more_cases_than_the_reference_could_find_are_refused(reporting):
    stated = StatedReference(sensitivity=0.3, specificity=1)

    with pytest.raises(ValueError, match=r"does not agree with its sensitivity of 0.3"):
        correct_labels(simulated(400), reporting=reporting, reference=stated)
