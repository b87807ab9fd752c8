"""Calibration tables: fitted on validation, judged on test."""

import numpy as np
import pytest

from covid_cxr.report.calibration import (
    tabulate_calibration,
    trace_decisions,
    trace_reliability,
)
from covid_cxr.report.scored_part import ScoredPart
from covid_cxr.statistics.calibration import estimate_calibration, fit_platt


def test_recalibration_comes_from_validation_and_helps_on_test(
    validation, test_part, reporting
):
    table = tabulate_calibration(validation, test_part, reporting=reporting)
    rows = table.set_index(["classifier", "recalibration"])

    line = fit_platt(validation.is_case, validation.scores["sharp"])
    platt = rows.loc[("sharp", "platt")]
    assert (platt["map_slope"], platt["map_intercept"]) == (line.slope, line.intercept)
    expected = estimate_calibration(
        test_part.is_case,
        line.apply(test_part.scores["sharp"]),
        cluster=test_part.patients,
    )
    assert platt["brier"] == pytest.approx(expected.brier)
    assert platt["slope"] == pytest.approx(expected.slope)
    assert platt["brier"] < rows.loc[("sharp", "none"), "brier"]
    assert platt["slope_lower"] < platt["slope"] < platt["slope_upper"]
    assert rows.loc[("sharp", "none"), "map_slope"] == 1


def test_a_separated_validation_part_leaves_the_row_empty(test_part, reporting):
    perfect = ScoredPart(
        is_case=test_part.is_case,
        scores=test_part.scores.assign(sharp=np.where(test_part.is_case, 0.9, 0.1)),
        patients=test_part.patients,
    )

    table = tabulate_calibration(perfect, test_part, reporting=reporting)
    rows = table.set_index(["classifier", "recalibration"])

    assert np.isnan(rows.loc[("sharp", "platt"), "brier"])
    assert np.isfinite(rows.loc[("dull", "platt"), "brier"])


def test_every_test_image_is_in_one_bin_of_each_curve(
    validation, test_part, reporting, evaluation
):
    bins = trace_reliability(
        validation, test_part, reporting=reporting, evaluation=evaluation
    )

    sizes = bins.groupby(["classifier", "recalibration"])["n_images"].sum()
    assert (sizes == 160).all()
    assert len(sizes) == 6


def test_decisions_are_made_with_recalibrated_probabilities(validation, test_part):
    curves = trace_decisions(validation, test_part)
    at_half = curves[curves["threshold"].round(2) == 0.5].set_index("classifier")

    line = fit_platt(validation.is_case, validation.scores["dull"])
    called = line.apply(test_part.scores["dull"]) >= 0.5
    is_case = test_part.is_case
    expected = ((called & is_case).sum() - (called & ~is_case).sum()) / 160
    assert at_half.loc["dull", "net_benefit"] == pytest.approx(expected)
