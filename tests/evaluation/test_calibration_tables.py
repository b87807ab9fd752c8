"""Calibration tables: fitted on validation, judged on test."""

import numpy as np
import pytest

from covid_cxr.evaluation.calibration_tables import (
    tabulate_calibration,
    trace_decisions,
    trace_reliability,
)
from covid_cxr.evaluation.scored_part import ScoredPart
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


def with_certain(part, places, values):
    scores = part.scores.copy()
    scores.iloc[places, 0] = values
    return ScoredPart(is_case=part.is_case, scores=scores, patients=part.patients)


HARD = [
    "every output of test and validation",
    "one that is wrong",
    "a few that are right",
]


@pytest.mark.parametrize("kind", HARD)
def test_outputs_of_0_or_1_are_counted_and_flagged_where_they_decide(
    kind, validation, test_part, reporting
):
    is_case = test_part.is_case
    if kind == HARD[0]:
        parts = [
            with_certain(part, slice(None), part.scores["sharp"].round())
            for part in (validation, test_part)
        ]
    elif kind == HARD[1]:
        parts = [validation, with_certain(test_part, [int(is_case.argmax())], 0.0)]
    else:  # of some that were nearly certain and right before
        best = np.argsort(np.where(is_case, test_part.scores["sharp"], 0))[-3:]
        parts = [validation, with_certain(test_part, best, 1.0)]

    table = tabulate_calibration(*parts, reporting=reporting)
    rows = table.set_index(["classifier", "recalibration"])

    n_certain = int(parts[1].scores["sharp"].isin([0, 1]).sum())
    own = rows.loc[("sharp", "none")]
    assert own["n_certain"] == n_certain
    assert own["n_certain_validation"] == 0
    assert rows.loc[("sharp", "platt"), "n_certain_validation"] == (
        160 if kind == HARD[0] else 0
    )
    # By the definition: does it matter where they are held?
    slopes = [
        estimate_calibration(
            is_case,
            parts[1].scores["sharp"].clip(end, 1 - end),
            cluster=test_part.patients,
        ).slope
        for end in (1e-12, 1e-6)
    ]
    assert own["is_decided_by_certain"] == (abs(slopes[0] - slopes[1]) > 1e-3)
    assert own["is_decided_by_certain"] == (kind != HARD[2])
    assert not rows.loc["dull", "is_decided_by_certain"].any()
    assert not rows.loc["dull", "n_certain"].any()


@pytest.mark.parametrize("held", [1e-9, 1e-3, 0.2])
def test_outputs_that_are_only_near_0_or_1_are_not_flagged(
    held, validation, test_part, reporting
):
    near = with_certain(
        test_part, slice(None), test_part.scores["sharp"].clip(held, 1 - held)
    )

    table = tabulate_calibration(validation, near, reporting=reporting)

    assert not table["is_decided_by_certain"].any()
    assert not table[["n_certain", "n_certain_validation"]].any(axis=None)
