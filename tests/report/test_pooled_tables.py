"""Sites and subgroups on the page: what is pooled, and why the rest is not."""

import numpy as np
import pandas as pd
import pytest

from covid_cxr.report.pooled_tables import PooledTables, draw_pooled_levels


@pytest.fixture
def results():
    rows = [
        ("site", "resnet", 0.8, "", ""),
        ("site", "vit", np.nan, "2 of its levels can be judged", "C (perfect)"),
        ("view", "resnet", np.nan, "3 patients are in more than one", ""),
        ("view", "vit", np.nan, "3 patients are in more than one", ""),
    ]
    names = ["variable", "classifier", "auroc", "why_not", "left_out"]
    bounds = ("lower", "upper", "prediction_lower", "prediction_upper")
    return pd.DataFrame(rows, columns=names).assign(**dict.fromkeys(bounds, 0.7))


def test_a_reason_of_every_classifier_is_said_once_also_from_a_file(results, tmp_path):
    results.to_csv(tmp_path / "pooled.csv", index=False)
    reread = pd.read_csv(tmp_path / "pooled.csv")

    for table in (results, reread):
        tables = PooledTables(
            pooled_results=table,
            between_results=table,
            interaction_results=table,
            pooled_figure=b"",
        )
        assert tables.pooled["classifier"].tolist() == ["resnet"]
        said = {
            (one["variable"], tuple(one["classifiers"] or ()), one["left_out"])
            for one in tables.not_pooled
        }
        assert said == {("site", ("vit",), "C (perfect)"), ("view", (), "")}


def test_the_figure_is_of_the_chosen_classifier_or_says_that_there_is_none(results):
    levels = pd.DataFrame(
        [("site", name, "resnet", 20, 0.8, 0.7, 0.9) for name in "ABC"],
        columns=[
            *("variable", "level", "classifier", "patients", "auroc", "lower", "upper")
        ],
    )
    auroc = pd.DataFrame(
        {"classifier": ["resnet", "vit"], "is_chosen": [True, False], "auroc": 0.8}
    )

    drawn = draw_pooled_levels(results, levels, auroc, are_paths=False)
    noted = draw_pooled_levels(
        results, levels, auroc.assign(is_chosen=[False, True]), are_paths=False
    )

    labels = [tick.get_text() for tick in drawn.axes[0].get_yticklabels()]
    assert labels == ["site: A (20)", "site: B (20)", "site: C (20)", "site: average"]
    assert "three levels" in noted.texts[0].get_text()
