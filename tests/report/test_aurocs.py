"""All intervals of each AUROC."""

import pytest
from sklearn.metrics import roc_auc_score

from covid_cxr.report.aurocs import tabulate_aurocs


def test_each_interval_stands_in_its_columns(test_part, reporting, evaluation):
    table = tabulate_aurocs(test_part, reporting=reporting, evaluation=evaluation)

    by_patient = test_part.estimate(by_patient=True)
    by_image = test_part.estimate(by_patient=False)
    row = table.iloc[1]
    assert row["classifier"] == "dull"
    assert row["auroc"] == pytest.approx(
        roc_auc_score(test_part.is_case, test_part.scores["dull"])
    )
    assert (row["lower"], row["upper"]) == pytest.approx(
        tuple(by_patient.interval(0.95, "logit")[1])
    )
    assert (row["image_lower"], row["image_upper"]) == pytest.approx(
        tuple(by_image.interval(0.95, "wald")[1])
    )
    assert row["bootstrap_lower"] == pytest.approx(row["lower"], abs=0.03)
    assert 0 < row["bootstrap_error"] < 0.02
    assert row["partial_auroc"] == pytest.approx(
        roc_auc_score(test_part.is_case, test_part.scores["dull"], max_fpr=0.2)
    )
    assert (row["cases"] + row["controls"], row["patients"]) == (160, 80)
    assert not row["is_at_boundary"]
