"""Pairs measure by measure, and the verdicts of margins."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from covid_cxr.evaluation.arranged_scores import arrange_parts
from covid_cxr.evaluation.inference_settings import Margins
from covid_cxr.evaluation.non_inferiority import tabulate_margins
from covid_cxr.evaluation.scored_part import ScoredPart, ScoredParts
from covid_cxr.evaluation.thresholds import tabulate_operating_points
from covid_cxr.statistics.auc import estimate_aucs

NONE = dict.fromkeys(("auroc", "sensitivity", "specificity", "ppv", "npv"))


@pytest.fixture(scope="module")
def scores(validation, test_part):
    return arrange_parts(ScoredParts(validation=validation, test=test_part))


@pytest.fixture(scope="module")
def settings(reporting, evaluation, margins):
    return {"reporting": reporting, "evaluation": evaluation, "margins": margins}


@pytest.fixture(scope="module")
def table(scores, settings):
    return tabulate_margins(scores, **settings)


def test_there_is_a_row_for_every_measure_threshold_and_prevalence(table):
    counts = table.groupby("measure", sort=False).size().to_dict()

    keys = ["measure", "rule", "prevalence", "first", "second"]
    assert counts == {
        "auroc": 1,
        "sensitivity": 2,
        "specificity": 2,
        "ppv": 4,
        "npv": 4,
    }
    assert not table[keys].duplicated().any()


def test_shares_are_those_of_the_table_of_operating_points(table, scores, settings):
    operating = tabulate_operating_points(
        scores, reporting=settings["reporting"], evaluation=settings["evaluation"]
    ).set_index(["classifier", "rule", "prevalence"])

    for row in table[table["measure"] != "auroc"].to_dict("records"):
        prevalence = 0.1 if np.isnan(row["prevalence"]) else row["prevalence"]
        first, second = (
            operating.loc[(row[which], row["rule"], prevalence), row["measure"]]
            for which in ("first", "second")
        )
        assert row["first_estimate"] == pytest.approx(first)
        assert row["second_estimate"] == pytest.approx(second)
        assert row["difference"] == pytest.approx(first - second)


def test_the_area_is_that_of_the_paired_test(table, test_part):
    expected = estimate_aucs(
        test_part.is_case, test_part.scores, cluster=test_part.patients
    ).compare("sharp", "dull")

    row = table.iloc[0]
    assert row["p_value"] == pytest.approx(expected.p_value)
    assert (row["lower"], row["upper"]) == pytest.approx(expected.interval(0.95))
    assert row["p_first"] == pytest.approx(expected.non_inferiority_p_value(0.1))


def test_a_verdict_follows_from_the_interval(table):
    told = table[table["margin"].notna()]
    assert set(told["measure"]) == {"auroc", "sensitivity", "ppv"}
    for row in told.to_dict("records"):
        inside = row["lower"] > -row["margin"], row["upper"] < row["margin"]
        expected = {
            (True, True): "equivalent",
            (True, False): "first not inferior",
            (False, True): "second not inferior",
            (False, False): "not shown",
        }[inside]
        assert row["verdict"] == expected
    assert len(set(told["verdict"])) > 1


def test_without_a_margin_there_is_no_verdict(scores, settings):
    found = tabulate_margins(scores, **settings | {"margins": Margins(**NONE)})

    assert found[["margin", "p_first", "p_second", "verdict"]].isna().all(axis=None)
    assert found["p_value"].notna().all()


def test_without_an_interval_no_margin_has_a_verdict(validation, test_part, settings):
    same = {
        name: replace(part, scores=part.scores.assign(dull=part.scores["sharp"]))
        for name, part in {"validation": validation, "test": test_part}.items()
    }

    scores = arrange_parts(ScoredParts(**same))
    found = tabulate_margins(scores, **settings)

    assert (found["difference"] == 0).all()
    assert (found["p_value"] == 1).all()
    assert found[["lower", "upper"]].isna().all(axis=None)
    stated = found[found["margin"].notna()]
    assert set(stated["measure"]) == {"auroc", "sensitivity", "ppv"}
    assert (stated["verdict"] == "unknown").all()


def test_two_perfect_classifiers_of_four_images_are_not_shown_to_be_alike(settings):
    four = ScoredPart(
        is_case=np.array([False, False, True, True]),
        scores=pd.DataFrame({"one": [0.1, 0.2, 0.8, 0.9], "two": [0.3, 0.1, 0.9, 0.7]}),
        patients=np.array(["a", "b", "c", "d"], dtype=object),
    )

    found = tabulate_margins(
        arrange_parts(ScoredParts(validation=four, test=four)),
        **settings | {"margins": Margins(**dict.fromkeys(NONE, 0.1))},
    )

    assert (found["first_estimate"] == 1).all()
    assert (found["verdict"] == "unknown").all()
    assert found[["p_first", "p_second", "p_equivalent"]].isna().all(axis=None)


def test_without_validation_only_areas_are_compared(test_part, settings):
    alone = arrange_parts(ScoredParts(validation=None, test=test_part))

    assert tabulate_margins(alone, **settings)["measure"].tolist() == ["auroc"]


def test_one_classifier_has_no_pair(test_part, settings):
    alone = replace(test_part, scores=test_part.scores[["sharp"]])
    scores = arrange_parts(ScoredParts(validation=None, test=alone))

    found = tabulate_margins(scores, **settings)

    assert found.empty
    assert "verdict" in found


@pytest.mark.parametrize("value", [0, 5, -0.1, "much"])
def test_what_is_no_margin_is_refused(value):
    with pytest.raises(ValueError, match=r"margins\.auroc must lie between 0 and 1"):
        Margins(**NONE | {"auroc": value})
