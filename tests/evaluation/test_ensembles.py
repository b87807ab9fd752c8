"""Ensembles and their paired tests."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import percentileofscore

from covid_cxr.evaluation.arranged_scores import arrange_parts
from covid_cxr.evaluation.ensembles import combine, tabulate_ensembles
from covid_cxr.evaluation.scored_part import ScoredPart, ScoredParts
from covid_cxr.statistics.auc import estimate_aucs
from covid_cxr.statistics.multiplicity import holm


def test_an_ensemble_by_hand():
    images = ["a", "b"]
    part = ScoredPart(
        is_case=np.array([True, False]),
        scores=pd.DataFrame({"x": [0.5, 0.2], "y": [0.9, 0.5]}, index=images),
        patients=np.array(["p", "q"], dtype=object),
    )

    scores = combine(ScoredParts(validation=part, test=part))

    assert scores.loc["a", "mean_probability"] == pytest.approx(0.7)
    # The odds 1 and 9 have the geometric mean 3.
    assert scores.loc["a", "mean_logit"] == pytest.approx(0.75)
    assert scores["mean_rank"].tolist() == [0.75, 0.25]


def test_ranks_refer_to_validation_so_each_image_stands_alone(validation, test_part):
    first = ScoredPart(
        is_case=test_part.is_case[:1],
        scores=test_part.scores.iloc[:1],
        patients=test_part.patients[:1],
    )

    together = combine(ScoredParts(validation=validation, test=test_part))
    alone = combine(ScoredParts(validation=validation, test=first))

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

    assert (
        combine(ScoredParts(validation=part, test=part))["mean_logit"]
        .between(0, 1)
        .all()
    )


def test_each_ensemble_is_tested_against_each_member(validation, test_part, reporting):
    parts = ScoredParts(validation=validation, test=test_part)

    table = tabulate_ensembles(arrange_parts(parts), reporting=reporting)

    assert len(table) == 3 * 2
    row = table.set_index(["ensemble", "member"]).loc[("mean_logit", "dull")]
    mixed = combine(parts)["mean_logit"]
    both = pd.DataFrame({"mix": mixed, "dull": test_part.scores["dull"]})
    estimates = estimate_aucs(test_part.is_case, both, cluster=test_part.patients)
    difference = estimates.compare("mix", "dull")
    assert row["auroc"] == pytest.approx(estimates.auc[0])
    assert row["p_clustered"] == pytest.approx(difference.p_value)
    assert row["difference_lower"] == pytest.approx(difference.interval(0.95)[0])
    assert table["p_holm"].to_numpy() == pytest.approx(holm(table["p_clustered"]))
    assert set(table.loc[table["is_chosen"], "member"]) == {"sharp"}


def test_scores_that_are_no_probabilities_are_mixed_by_rank(validation, test_part):
    """Ranks are the same on every scale."""
    parts = ScoredParts(validation=validation, test=test_part)
    raw = ScoredParts(
        validation=on_another_scale(validation), test=on_another_scale(test_part)
    )

    assert list(combine(raw)) == ["mean_rank"]
    assert combine(raw)["mean_rank"].equals(combine(parts)["mean_rank"])


def test_without_validation_there_is_no_rank(test_part):
    parts = ScoredParts(validation=None, test=test_part)

    assert list(combine(parts)) == ["mean_probability", "mean_logit"]


def test_where_no_ensemble_can_be_made_there_is_no_row(
    validation, test_part, reporting
):
    unmixable = ScoredParts(validation=None, test=on_another_scale(test_part))
    alone = ScoredParts(
        validation=None,
        test=ScoredPart(
            is_case=test_part.is_case,
            scores=test_part.scores[["dull"]],
            patients=test_part.patients,
        ),
    )

    for parts in (unmixable, alone):
        assert len(tabulate_ensembles(arrange_parts(parts), reporting=reporting)) == 0


def on_another_scale(part):
    return ScoredPart(
        is_case=part.is_case, scores=8 * part.scores - 3, patients=part.patients
    )


@pytest.mark.parametrize(
    ("kind", "n_certain", "is_decided"),
    [("hard", 160, True), ("one wrong", 1, False), ("none", 0, False)],
)
def test_log_odds_of_certain_outputs_are_counted_and_flagged_where_they_decide(
    kind, n_certain, is_decided, validation, test_part, reporting
):
    scores = test_part.scores.copy()
    if kind == "hard":
        # Which of the two is the surer one depends on where 0 and 1 are held.
        scores["sharp"] = (scores["sharp"] > 0.5).astype(float)
        scores["dull"] = np.resize([1e-9, 1 - 1e-6, 0.5], 160)
    elif kind == "one wrong":
        scores.iloc[int(test_part.is_case.argmax()), 0] = 0.0
    part = ScoredPart(
        is_case=test_part.is_case, scores=scores, patients=test_part.patients
    )

    table = tabulate_ensembles(
        arrange_parts(ScoredParts(validation=validation, test=part)),
        reporting=reporting,
    ).set_index("ensemble")

    assert set(table.loc["mean_logit", "n_certain"]) == {n_certain}
    assert set(table.loc["mean_logit", "is_decided_by_certain"]) == {is_decided}
    others = table.drop("mean_logit")
    assert not others[["n_certain", "is_decided_by_certain"]].any(axis=None)
