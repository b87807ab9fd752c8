"""AUROC at sites that were left out, and what training there changes."""

import numpy as np
import pandas as pd
import pytest

from covid_cxr.evaluation.inference_settings import Reporting
from covid_cxr.evaluation.left_out_sites import tabulate_sites
from covid_cxr.statistics.auc import estimate_aucs

REPORTING = Reporting(level=0.9, significance=0.05, seed=1)


def scores_of(site, *, seed, images=range(60), part="test"):
    """Return the scores of images of one site, two of each patient."""
    rng = np.random.default_rng(seed)
    is_case = np.arange(60) % 4 < 2
    table = pd.DataFrame(
        {
            "site": site,
            "image_id": [f"{site}{number:02d}" for number in range(60)],
            "patient_id": [f"{site}:{number // 2}" for number in range(60)],
            "part": part,
            "covid19": is_case,
            "covid19_score": rng.random(60) + 0.4 * is_case,
        }
    )
    return table.iloc[list(images)]


@pytest.fixture
def unseen():
    chosen = scores_of("north", seed=3, part="validation").assign(site="south")
    return pd.concat([scores_of("north", seed=1), scores_of("south", seed=2), chosen])


@pytest.fixture
def seen():
    tested = [
        scores_of("north", seed=4, images=range(40, 60)),
        scores_of("south", seed=5, images=range(24)),
    ]
    return pd.concat([*tested, scores_of("south", seed=6, part="validation")])


def counts(**reasons):
    rows = [(site, 60, 30, 30, reason) for site, reason in reasons.items()]
    return pd.DataFrame(
        rows, columns=["site", "images", "patients", "cases", "reason"]
    ).astype({"reason": "str"})


def tabulate(unseen, seen, sites):
    images = pd.concat([unseen, seen])[["image_id", "site"]].drop_duplicates("image_id")
    split = images.assign(part="train")
    table = tabulate_sites(unseen, seen, sites, images, split, REPORTING)
    return table.set_index("site")


def estimate(*tables):
    return estimate_aucs(
        tables[0]["covid19"],
        np.stack([table["covid19_score"] for table in tables], axis=1),
        cluster=tables[0]["patient_id"],
    )


def test_a_site_is_judged_by_the_classifier_that_was_trained_without_it(unseen, seen):
    row = tabulate(unseen, seen, counts(north=None, south=None)).loc["south"]

    expected = estimate(scores_of("south", seed=2))
    assert row["auroc"] == pytest.approx(expected.auc[0])
    bounds = expected.interval(0.9, "logit")[0]
    assert (row["lower"], row["upper"]) == pytest.approx(tuple(bounds))
    assert (row["images"], row["patients"], row["cases"]) == (60, 30, 30)


def test_both_classifiers_are_compared_on_the_test_images_that_they_share(unseen, seen):
    row = tabulate(unseen, seen, counts(north=None, south=None)).loc["north"]

    last = range(40, 60)
    both = estimate(
        scores_of("north", seed=1, images=last), scores_of("north", seed=4, images=last)
    )
    gained = both.compare(1, 0)
    assert row["shared_images"] == 20
    assert (row["shared_unseen"], row["shared_seen"]) == pytest.approx(tuple(both.auc))
    assert row["difference"] == pytest.approx(gained.estimate)
    bounds = row["difference_lower"], row["difference_upper"]
    assert bounds == pytest.approx(gained.interval(0.9))
    assert row["p_clustered"] == pytest.approx(gained.p_value)


def test_the_mean_counts_every_site_alike_and_so_do_the_differences(unseen, seen):
    table = tabulate(unseen, seen, counts(north=None, south=None))

    sites, mean = table.iloc[:2], table.loc["mean of sites"]
    for column in ("auroc", "shared_unseen", "shared_seen", "difference"):
        assert mean[column] == pytest.approx(sites[column].mean())
    assert (mean["images"], mean["patients"], mean["shared_images"]) == (120, 60, 44)
    widths = sites["upper"] - sites["lower"]
    assert mean["upper"] - mean["lower"] == pytest.approx(
        np.sqrt((widths**2).sum()) / 2, rel=0.1
    )


def test_a_site_that_was_not_left_out_says_why_and_is_not_in_the_mean(unseen, seen):
    table = tabulate(unseen, seen, counts(east="one class only", north=None))

    assert list(table.index) == ["east", "north"]
    assert table.loc["east", "reason"] == "one class only"
    assert table.loc["east", "images"] == 60
    assert np.isnan(table.loc["east", "auroc"])


def test_a_site_at_which_the_path_was_not_tested_has_no_difference(unseen, seen):
    of_north = seen[seen["site"] == "north"]

    table = tabulate(unseen, of_north, counts(north=None, south=None))

    assert np.isnan(table.loc["south", "shared_images"])
    assert np.isnan(table.loc["south", "difference"])
    assert np.isfinite(table.loc["mean of sites", "auroc"])
    assert np.isnan(table.loc["mean of sites", "difference"])


def test_shared_images_of_one_class_are_not_compared(unseen, seen):
    cases = seen[seen["covid19"]]

    table = tabulate(unseen, cases, counts(north=None, south=None))

    assert table["shared_images"].isna().all()
    assert table["difference"].isna().all()


def test_where_no_site_could_be_left_out_every_row_has_a_reason():
    nothing = scores_of("north", seed=1).iloc[:0]

    table = tabulate(nothing, nothing, counts(only="too few patients elsewhere"))

    assert table["reason"].tolist() == ["too few patients elsewhere"]
    assert table["auroc"].isna().all()
