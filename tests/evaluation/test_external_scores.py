"""The difference to the internal test, and who was refused, by slow definitions."""

import numpy as np
import pandas as pd
import pytest

from covid_cxr.evaluation.external_scores import (
    NO_STUDY,
    kind_of,
    tabulate_discrimination,
    tabulate_flow,
    tabulate_operating,
)


def scored(seed, n_images, *, gain):
    """Return the scores of one radiograph each of so many patients."""
    rng = np.random.default_rng(seed)
    is_case = rng.random(n_images) < 0.4
    return pd.DataFrame(
        {
            "classifier": "net",
            "image_id": [f"{seed}.{i}" for i in range(n_images)],
            "patient_id": [f"p:{seed}.{i}" for i in range(n_images)],
            "is_case": is_case,
            "score": gain * is_case + rng.standard_normal(n_images),
            "reason": None,
        }
    )


def delong(table):
    """Return the AUROC and its variance from every pair (DeLong et al. 1988)."""
    cases = table.loc[table["is_case"], "score"].to_numpy()
    controls = table.loc[~table["is_case"], "score"].to_numpy()
    won = (cases[:, None] > controls[None]) + (cases[:, None] == controls[None]) / 2
    variances = won.mean(axis=1).var(ddof=1), won.mean(axis=0).var(ddof=1)
    return won.mean(), variances[0] / len(cases) + variances[1] / len(controls)


def test_the_difference_is_unpaired(reporting, evaluation):
    here, there = scored(1, 120, gain=0.7), scored(2, 90, gain=1.5)

    (row,) = tabulate_discrimination(
        here, there, reporting=reporting, evaluation=evaluation
    ).to_dict("records")

    (first, of_first), (second, of_second) = delong(here), delong(there)
    error = np.sqrt(of_first + of_second)
    assert row["auroc"] == pytest.approx(first)
    assert row["internal_auroc"] == pytest.approx(second)
    assert row["standard_error"] == pytest.approx(np.sqrt(of_first))
    assert row["difference"] == pytest.approx(first - second)
    assert row["difference_lower"] == pytest.approx(first - second - 1.959964 * error)
    assert row["difference_upper"] == pytest.approx(first - second + 1.959964 * error)
    assert row["no_difference"] == ""


def test_where_all_controls_are_refused_no_predictive_value_is_known(reporting):
    here = scored(1, 40, gain=1)
    here = here.assign(score=here["score"].where(here["is_case"]))
    points = {"net": {"operating_points": [{"rule": "youden", "threshold": 0.5}]}}

    (row,) = tabulate_operating(here, points, reporting=reporting).to_dict("records")

    assert np.isnan([row["ppv"], row["npv"], row["specificity"]]).all()
    assert row["specificity_of_all"] == 0
    assert row["sensitivity"] == row["sensitivity_of_all"] > 0


def test_without_a_study_there_is_no_difference(reporting, evaluation):
    here = scored(1, 60, gain=1)

    (row,) = tabulate_discrimination(
        here, here.iloc[:0], reporting=reporting, evaluation=evaluation
    ).to_dict("records")

    assert np.isnan(row["difference"])
    assert row["no_difference"] == NO_STUDY


def test_a_study_of_two_patients_gives_no_difference_and_says_so(reporting, evaluation):
    here, there = scored(1, 60, gain=1), scored(2, 40, gain=1)
    two = there.groupby("is_case").head(1)

    (row,) = tabulate_discrimination(
        here, two, reporting=reporting, evaluation=evaluation
    ).to_dict("records")

    assert row["auroc"] == pytest.approx(delong(here)[0])
    assert np.isnan(row["difference"])
    assert "in a set of 2 patients" in row["no_difference"]


def test_a_cohort_of_one_class_gives_no_difference_and_says_why(reporting, evaluation):
    here, there = scored(1, 60, gain=1), scored(2, 40, gain=1)

    (row,) = tabulate_discrimination(
        here[here["is_case"]], there, reporting=reporting, evaluation=evaluation
    ).to_dict("records")

    assert row["internal_auroc"] == pytest.approx(delong(there)[0])
    assert row["no_difference"].startswith("no control among")


def test_refusals_are_counted_by_their_kind_without_what_they_say_of_a_patient():
    table = scored(1, 6, gain=1).assign(
        score=[1.0, 2.0, 3.0, np.nan, np.nan, np.nan],
        reason=[None, None, None, "too young: 3 years", "too young: 4 years", "dark"],
    )
    rejected = pd.DataFrame({"reason": ["lateral view", "unreadable: x.png"]})

    flow = tabulate_flow(table, rejected)

    counted = flow.set_index(["outcome", "reason"])["images"]
    assert counted.to_dict() == {
        ("not eligible", "lateral view"): 1,
        ("not eligible", "unreadable"): 1,
        ("predicted", ""): 3,
        ("refused", "too young"): 2,
        ("refused", "dark"): 1,
    }
    assert flow["cases"].sum() == table["is_case"].sum()


def test_no_reason_at_all_is_no_kind():
    assert kind_of(pd.Series([None, None], dtype=object)).isna().all()
    assert kind_of(pd.Series([np.nan])).isna().all()
