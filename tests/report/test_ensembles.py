"""Ensembles and their paired tests."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import percentileofscore

from covid_cxr.report.ensembles import combine, tabulate_ensembles
from covid_cxr.report.scored_part import ScoredPart
from covid_cxr.statistics.auc import estimate_aucs


def test_an_ensemble_by_hand():
    images = ["a", "b"]
    part = ScoredPart(
        is_case=np.array([True, False]),
        scores=pd.DataFrame({"x": [0.5, 0.2], "y": [0.9, 0.5]}, index=images),
        patients=np.array(["p", "q"], dtype=object),
    )

    scores = combine(part, part).scores

    assert scores.loc["a", "mean_probability"] == pytest.approx(0.7)
    # The odds 1 and 9 have the geometric mean 3.
    assert scores.loc["a", "mean_logit"] == pytest.approx(0.75)
    assert scores["mean_rank"].tolist() == [0.75, 0.25]


def test_ranks_refer_to_validation_so_each_image_stands_alone(validation, test_part):
    together = combine(validation, test_part).scores
    alone = combine(
        validation,
        ScoredPart(
            is_case=test_part.is_case[:1],
            scores=test_part.scores.iloc[:1],
            patients=test_part.patients[:1],
        ),
    ).scores

    assert alone.iloc[0].tolist() == together.iloc[0].tolist()
    expected = np.mean(
        [
            percentileofscore(validation.scores[n], test_part.scores[n].iloc[0], "mean")
            for n in ("sharp", "dull")
        ]
    )
    assert alone["mean_rank"].iloc[0] == pytest.approx(expected / 100)


def test_certain_members_stay_finite():
    part = ScoredPart(
        is_case=np.array([True, False]),
        scores=pd.DataFrame({"x": [1.0, 0.0], "y": [0.0, 0.0]}),
        patients=np.array(["p", "q"], dtype=object),
    )

    assert combine(part, part).scores["mean_logit"].between(0, 1).all()


def test_each_ensemble_is_tested_against_each_member(validation, test_part, reporting):
    table = tabulate_ensembles(validation, test_part, reporting=reporting)

    assert len(table) == 3 * 2
    row = table.set_index(["ensemble", "member"]).loc[("mean_logit", "dull")]
    mixed = combine(validation, test_part).scores["mean_logit"]
    both = pd.DataFrame({"mix": mixed, "dull": test_part.scores["dull"]})
    estimates = estimate_aucs(test_part.is_case, both, cluster=test_part.patients)
    difference = estimates.compare("mix", "dull")
    assert row["auroc"] == pytest.approx(estimates.auc[0])
    assert row["p_clustered"] == pytest.approx(difference.p_value)
    assert row["difference_lower"] == pytest.approx(difference.interval(0.95)[0])
