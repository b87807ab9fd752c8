"""Tables 4 and 5."""

import numpy as np
import pandas as pd
import pytest

from covid_cxr.evaluation.arranged_scores import arrange_parts
from covid_cxr.evaluation.comparisons import adjust_for_all_pairs, compare_paths
from covid_cxr.evaluation.scored_part import ScoredParts, line_up
from covid_cxr.statistics.auc import estimate_aucs


@pytest.fixture(scope="module")
def scores():
    rng = np.random.default_rng(3)
    images = pd.DataFrame(
        {
            "image_id": [f"i{i:03d}" for i in range(80)],
            "patient_id": [f"p{i // 3}" for i in range(80)],
            "part": "test",
            "covid19": rng.random(80) < 0.6,
        }
    )
    return {
        f"path_{letter}": images.assign(
            covid19_score=rng.normal(size=80) + images["covid19"]
        )
        for letter in "abcdef"
    }


def arranged(scores):
    test = line_up(scores, label="covid19", part="test")
    return arrange_parts(ScoredParts(validation=None, test=test))


def test_table_4_has_every_pair_with_both_p_values(scores, reporting, evaluation):
    table = compare_paths(arranged(scores), reporting=reporting, evaluation=evaluation)

    assert len(table) == 15
    first = scores["path_b"]
    matrix = pd.DataFrame({k: t["covid19_score"] for k, t in scores.items()})
    by_image = estimate_aucs(first["covid19"], matrix)
    by_patient = estimate_aucs(first["covid19"], matrix, cluster=first["patient_id"])
    row = table.set_index(["first", "second"]).loc[("path_b", "path_e")]
    clustered = by_patient.compare("path_b", "path_e")
    assert row["difference"] == pytest.approx(clustered.estimate)
    assert row["p_clustered"] == pytest.approx(clustered.p_value)
    assert row["p_image"] == pytest.approx(by_image.compare("path_b", "path_e").p_value)
    assert (row["lower"], row["upper"]) == pytest.approx(clustered.interval(0.95))
    assert row["paper_p"] == 0.025
    assert row["detectable"] == pytest.approx(
        clustered.standard_error * (1.959964 + 0.841621)
    )


def test_table_5_adjusts_every_p_value_of_table_4(scores, reporting, evaluation):
    table4 = compare_paths(arranged(scores), reporting=reporting, evaluation=evaluation)

    table5 = adjust_for_all_pairs(arranged(scores), reporting=reporting)

    for column in ("p_clustered", "p_image"):
        expected = np.minimum(1, 15 * table4[column])
        assert table5[column].tolist() == pytest.approx(expected.tolist())
    clustered = table4["p_clustered"]
    for column in ("p_holm", "p_benjamini_hochberg", "p_max_t"):
        assert (table5[column] <= table5["p_clustered"] + 1e-9).all()
        assert (table5[column] >= clustered - 0.002).all()
    assert (table5["p_max_t"] < table5["p_holm"]).any()
    published = table5.set_index(["first", "second"])["paper_p"]
    assert published[("path_a", "path_f")] == 0.705
