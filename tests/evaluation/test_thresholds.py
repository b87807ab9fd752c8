"""Operating points: chosen on validation, judged on test."""

import numpy as np
import pytest

from covid_cxr.evaluation.arranged_scores import arrange_parts
from covid_cxr.evaluation.scored_part import ScoredParts
from covid_cxr.evaluation.thresholds import tabulate_operating_points
from covid_cxr.statistics.operating_points import perform_at
from covid_cxr.statistics.roc import trace_roc


@pytest.fixture(scope="module")
def table(validation, test_part, reporting, evaluation):
    scores = arrange_parts(ScoredParts(validation=validation, test=test_part))
    return tabulate_operating_points(scores, reporting=reporting, evaluation=evaluation)


def test_there_is_a_row_per_classifier_rule_and_prevalence(table):
    keys = table[["classifier", "rule", "prevalence"]]

    assert len(table) == 2 * 2 * 2
    assert not keys.duplicated().any()
    targets = table.groupby("rule")["target_sensitivity"].max()
    assert targets["sensitivity"] == 0.9
    assert np.isnan(targets["youden"])


def test_thresholds_come_from_validation_alone(table, validation, test_part):
    row = table[(table["classifier"] == "dull") & (table["rule"] == "youden")].iloc[0]
    on_validation = trace_roc(validation.is_case, validation.scores["dull"])
    on_test = trace_roc(test_part.is_case, test_part.scores["dull"])

    assert row["threshold"] == on_validation.youden_threshold()
    assert row["threshold"] != on_test.youden_threshold()


def test_the_target_is_reached_on_validation_and_measured_on_test(
    table, validation, test_part
):
    row = table[(table["classifier"] == "sharp") & (table["rule"] == "sensitivity")]
    threshold = row["threshold"].iloc[0]
    called = validation.scores["sharp"] >= threshold

    assert called[validation.is_case].mean() >= 0.9
    expected = perform_at(
        test_part.is_case,
        test_part.scores["sharp"],
        threshold=threshold,
        cluster=test_part.patients,
    )
    found = row.iloc[0]
    assert found["sensitivity"] == expected.sensitivity.estimate
    assert (found["specificity_lower"], found["specificity_upper"]) == pytest.approx(
        expected.specificity.interval(0.95)
    )
    assert tuple(found[["ppv", "ppv_lower", "ppv_upper"]]) == pytest.approx(
        expected.positive_predictive_value(0.1)
    )
    assert tuple(found[["npv", "npv_lower", "npv_upper"]]) == pytest.approx(
        expected.negative_predictive_value(0.1)
    )


def test_the_prevalence_moves_predictive_values_only(table):
    sharp = table[(table["classifier"] == "sharp") & (table["rule"] == "youden")]
    rare, common = sharp.to_dict(orient="records")

    assert rare["sensitivity"] == common["sensitivity"]
    assert rare["ppv"] < common["ppv"]
    numbers = sharp.drop(columns="target_sensitivity").select_dtypes("number")
    assert np.isfinite(numbers).all(axis=None)
