"""The spread of AUROCs over seeds."""

import numpy as np
import pandas as pd
import pytest

from covid_cxr.evaluation.seed_variance import tabulate_seeds
from covid_cxr.statistics.auc import estimate_aucs


def scores_of(seeds, n_images=40):
    """Return the scores of a test part of two images per patient for every seed."""
    rng = np.random.default_rng(1)
    is_case = np.arange(n_images) % 4 < 2
    tables = [
        pd.DataFrame(
            {
                "image_id": [f"{number}.png" for number in range(n_images)],
                "patient_id": [f"covid:{number // 2}" for number in range(n_images)],
                "part": "test",
                "covid19": is_case,
                "covid19_score": rng.random(n_images) + 0.5 * is_case,
                "seed": seed,
            }
        )
        for seed in seeds
    ]
    return pd.concat(tables, ignore_index=True)


def test_the_variance_is_that_of_the_test_part_and_that_between_seeds():
    scores = scores_of([7, 8, 9])
    row = tabulate_seeds(path_b=scores).iloc[0]

    single = [
        estimate_aucs(
            table["covid19"], table[["covid19_score"]], cluster=table["patient_id"]
        )
        for _, table in scores.groupby("seed")
    ]
    auroc = [estimates.auc[0] for estimates in single]
    sampling = np.mean([estimates.covariance[0, 0] for estimates in single])
    between = sum((one - np.mean(auroc)) ** 2 for one in auroc) / 2
    assert (row["path"], row["n_seeds"]) == ("path_b", 3)
    assert row["mean_auroc"] == pytest.approx(np.mean(auroc))
    assert row["sd_auroc"] == pytest.approx(np.sqrt(between))
    assert row["total_variance"] == pytest.approx(sampling + between)
    assert row["seed_share"] == pytest.approx(between / (sampling + between))
    assert row["lowest_auroc"] == pytest.approx(min(auroc))
    assert row["highest_auroc"] == pytest.approx(max(auroc))


@pytest.mark.parametrize("score", [lambda y: 1.0 * y, lambda y: -1.0 * y, lambda y: 7])
def test_a_seed_without_variance_leaves_the_sampling_variance_unknown(score):
    scores = scores_of([7, 8, 9])
    is_last = scores["seed"] == 9
    scores.loc[is_last, "covid19_score"] = score(scores["covid19"][is_last])

    row = tabulate_seeds(path_b=scores).iloc[0]

    assert np.isfinite(row["seed_variance"])
    unknown = ["sampling_variance", "total_variance", "seed_share"]
    assert row[unknown].isna().all()


def test_one_seed_has_no_spread():
    row = tabulate_seeds(path_b=scores_of([7])).iloc[0]

    assert row["n_seeds"] == 1
    assert np.isfinite(row["sampling_variance"])
    assert np.isnan([row["sd_auroc"], row["seed_variance"], row["seed_share"]]).all()
