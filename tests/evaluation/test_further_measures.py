"""Further measures: each is that of its own function, and unknown ones stay visible."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from covid_cxr.evaluation.arranged_scores import arrange_parts
from covid_cxr.evaluation.calibration_tables import calibrate
from covid_cxr.evaluation.further_measures import tabulate_measures
from covid_cxr.evaluation.scored_part import ScoredPart, ScoredParts
from covid_cxr.evaluation.thresholds import (
    tabulate_operating_points,
    tabulate_threshold_uncertainty,
)
from covid_cxr.statistics.partial_aucs import estimate_partial_aucs


@pytest.fixture(scope="module")
def scores(validation, test_part):
    return arrange_parts(ScoredParts(validation=validation, test=test_part))


@pytest.fixture(scope="module")
def settings(reporting, evaluation):
    return {"reporting": reporting, "evaluation": evaluation}


@pytest.fixture(scope="module")
def tables(scores, settings):
    return tabulate_measures(scores, **settings)


def row_of(table, measure, classifier="sharp", recalibration=None):
    rows = table[(table["measure"] == measure) & (table["classifier"] == classifier)]
    if recalibration is None:
        assert rows["recalibration"].isna().all()
    else:
        rows = rows[rows["recalibration"] == recalibration]
    assert len(rows) == 1
    return rows.iloc[0]


def test_the_corrected_part_is_scikit_learns(tables, test_part):
    row = row_of(tables[0], "partial_auroc_corrected")

    expected = roc_auc_score(test_part.is_case, test_part.scores["sharp"], max_fpr=0.2)
    assert row["estimate"] == pytest.approx(expected)
    assert row["lower"] < expected < row["upper"]


def test_the_other_axis_is_the_mean_specificity_from_a_sensitivity_on(
    tables, test_part
):
    turned = estimate_partial_aucs(
        ~test_part.is_case,
        -test_part.scores,
        false_positive_rates=(0, 0.2),
        is_corrected=False,
        cluster=test_part.patients,
    )

    assert row_of(tables[0], "sensitive_auroc")["estimate"] == pytest.approx(
        turned.auc[0]
    )


def test_the_corrected_part_of_the_other_axis_is_scikit_learns(tables, test_part):
    row = row_of(tables[0], "sensitive_auroc_corrected")

    expected = roc_auc_score(
        ~test_part.is_case, -test_part.scores["sharp"], max_fpr=0.2
    )
    assert row["estimate"] == pytest.approx(expected)
    assert row["lower"] < expected < row["upper"]


def test_probabilities_are_measured_as_they_are_and_after_the_map(
    tables, scores, settings, test_part
):
    calibration = calibrate(scores, **settings)[0].set_index(
        ["classifier", "recalibration"]
    )
    for kind in ("none", "platt"):
        found = row_of(tables[0], "brier", recalibration=kind)["estimate"]
        assert found == pytest.approx(calibration.loc[("sharp", kind), "brier"])
    as_it_is = row_of(tables[0], "brier", recalibration="none")["estimate"]
    assert as_it_is == pytest.approx(
        brier_score_loss(test_part.is_case, test_part.scores["sharp"])
    )


def test_overconfident_outputs_are_told_from_calibrated_ones(tables):
    as_it_is, mapped = (
        row_of(tables[0], "ici", recalibration=kind) for kind in ("none", "platt")
    )

    assert as_it_is["p_calibrated"] < 0.05 < mapped["p_calibrated"]
    assert as_it_is["estimate"] > mapped["estimate"]
    others = tables[0][tables[0]["measure"] != "ici"]
    assert others["p_calibrated"].isna().all()


def test_a_pair_differs_by_what_its_members_do(tables):
    measured, paired, _ = tables

    assert len(paired) == len(measured) / 2
    for row in paired.to_dict("records"):
        kind = row["recalibration"]
        kind = None if isinstance(kind, float) else kind
        first, second = (
            row_of(measured, row["measure"], name, kind)["estimate"]
            for name in ("sharp", "dull")
        )
        assert row["difference"] == pytest.approx(first - second)
        assert row["lower"] < row["difference"] < row["upper"]


def test_the_smooth_curve_is_near_the_reliability_bins(tables, scores, settings):
    curve = tables[2]
    bins = calibrate(scores, **settings)[1]

    for (name, kind), rows in curve.groupby(["classifier", "recalibration"]):
        own = bins[(bins["classifier"] == name) & (bins["recalibration"] == kind)]
        at_bins = np.interp(own["mean_probability"], rows["probability"], rows["share"])
        assert np.abs(at_bins - own["share_of_cases"]).mean() < 0.1
    assert (curve["lower"] <= curve["share"]).all()


def test_scores_that_are_no_probabilities_have_parts_of_the_curve_only(
    test_part, settings
):
    logits = replace(test_part, scores=test_part.scores * 7 - 2)
    alone = arrange_parts(ScoredParts(validation=None, test=logits))

    measured, paired, curves = tabulate_measures(alone, **settings)

    assert measured["recalibration"].isna().all()
    assert measured["measure"].nunique() == 5
    assert len(paired) == 5
    assert curves.empty


def test_separated_classes_have_no_curve_but_a_brier_score(test_part, settings):
    perfect = test_part.is_case * 0.5 + 0.25 + test_part.scores["dull"] / 10
    part = replace(test_part, scores=test_part.scores.assign(sharp=perfect))
    scores = arrange_parts(ScoredParts(validation=None, test=part))

    measured, paired, curves = tabulate_measures(scores, **settings)

    assert np.isnan(row_of(measured, "ici", recalibration="none")["estimate"])
    assert row_of(measured, "brier", recalibration="none")["estimate"] > 0
    of_pair = paired[paired["measure"] == "ici"]
    assert of_pair["difference"].isna().all()
    assert set(curves["classifier"]) == {"dull"}


def test_the_interval_of_a_threshold_says_what_its_ends_do(scores, settings):
    found = tabulate_threshold_uncertainty(scores, **settings)
    operating = tabulate_operating_points(scores, **settings)

    for rule in ("sensitivity", "youden"):
        of_rule = f"classifier == 'sharp' and rule == '{rule}'"
        sharp = found.query(of_rule).set_index("end")
        chosen = operating.query(of_rule).iloc[0]
        for column in ("threshold", "sensitivity", "specificity_lower"):
            assert sharp.loc["chosen", column] == chosen[column]
        assert sharp["threshold"]["lower"] <= sharp["threshold"]["chosen"]
        assert sharp["sensitivity"]["lower"] > sharp["sensitivity"]["upper"]


def test_without_validation_no_threshold_is_told(test_part, settings):
    alone = arrange_parts(ScoredParts(validation=None, test=test_part))

    assert tabulate_threshold_uncertainty(alone, **settings).empty


def test_no_bound_of_a_distance_is_below_0(settings):
    rng = np.random.default_rng(2)
    log_odds = rng.standard_normal((80, 1))
    probability = 1 / (1 + np.exp(-log_odds))
    part = ScoredPart(
        is_case=rng.random(80) < probability[:, 0],
        scores=pd.DataFrame(
            probability, columns=["true"], index=[f"i{k:02d}" for k in range(80)]
        ),
        patients=np.array([f"p{k}" for k in range(80)], dtype=object),
    )
    scores = arrange_parts(ScoredParts(validation=None, test=part))

    measured = tabulate_measures(scores, **settings)[0].set_index("measure")

    assert measured.loc["ici", "lower"] == 0
    assert measured.loc["ici", "p_calibrated"] > 0.05
