"""What is told of one finding, told of each of several."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from covid_cxr.evaluation.arranged_scores import arrange_paths
from covid_cxr.evaluation.comparisons import adjust_comparisons, compare_classifiers
from covid_cxr.evaluation.findings import FINDING, of_finding, per_finding
from covid_cxr.evaluation.paper_tables import chosen_path, tabulate_target
from covid_cxr.study.current import choose, current

LABELS = ("effusion", "nodule", "edema")


@pytest.fixture(autouse=True)
def _study_of_several_findings():
    before = current()
    sets = dict(before.training_sets)
    (draw,) = sets["phase3"].draws
    own = replace(draw, labels=LABELS, split={**draw.split, "label": "nodule"})
    sets["phase3"] = replace(sets["phase3"], labels=LABELS, draws=(own,))
    words = replace(before.target, findings={label: label for label in LABELS})
    choose(replace(before, training_sets=sets, target=words, published=None))
    yield
    choose(before)


@pytest.fixture
def scores():
    """Return the scores of two paths: edema has no case in the test part."""
    rng = np.random.default_rng(3)
    images = pd.DataFrame(
        {
            "image_id": [f"i{k:03}" for k in range(120)],
            "patient_id": [f"p{k // 2:03}" for k in range(120)],
            "part": ["test"] * 80 + ["validation"] * 40,
        }
    )
    truth = {
        "effusion": pd.array(rng.random(120) < 0.4, dtype="boolean"),
        "nodule": pd.array(rng.random(120) < 0.5, dtype="boolean"),
        "edema": pd.array([False] * 80 + [True, False] * 20, dtype="boolean"),
    }
    truth["effusion"][::5] = pd.NA
    found = {}
    for path, noise in [("path_a", 1.0), ("path_b", 3.0)]:
        own = {
            f"{label}_score": is_case.fillna(value=False).astype(float)
            + noise * rng.standard_normal(120)
            for label, is_case in truth.items()
        }
        found[path] = images.assign(**truth, **own)
    return found


def test_images_that_do_not_know_a_finding_are_left_out_of_it(scores):
    arranged = arrange_paths(**scores)

    n_known = arranged.groupby(FINDING).size()
    assert n_known.to_dict() == {"effusion": 96, "nodule": 120, "edema": 120}


def test_a_function_of_one_finding_is_asked_for_each_that_has_an_auroc(scores):
    asked = []

    @per_finding
    def count(scores: pd.DataFrame, factor: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        asked.append(FINDING in scores)
        return pd.DataFrame({"n": [len(scores) * factor]}), pd.DataFrame({"m": []})

    table, empty = count(scores=arrange_paths(**scores), factor=2)

    assert asked == [False, False]
    assert table.to_dict("list") == {FINDING: ["effusion", "nodule"], "n": [192, 240]}
    assert empty.empty


def test_a_table_of_one_finding_goes_through_as_it_is(scores):
    one = of_finding(arrange_paths(**scores), "nodule")

    assert per_finding(lambda scores: scores)(one) is one


def test_what_was_planned_is_counted_though_it_could_not_be_tested(
    scores, reporting, evaluation
):
    arranged = arrange_paths(**scores)
    pairs = compare_classifiers(arranged, reporting=reporting, evaluation=evaluation)
    adjusted = adjust_comparisons(arranged, reporting=reporting)

    assert list(pairs[FINDING]) == list(LABELS)
    np.testing.assert_allclose(
        adjusted["p_clustered"], np.minimum(3 * pairs["p_clustered"], 1)
    )
    assert adjusted.set_index(FINDING)["p_max_t"].isna().to_dict() == {
        "effusion": False,
        "nodule": False,
        "edema": True,
    }


def test_a_finding_of_which_no_test_image_knows_keeps_its_rows(scores, reporting):
    unknown = {
        path: table.assign(
            edema=table["edema"].where(table["part"] == "validation", pd.NA)
        )
        for path, table in scores.items()
    }
    table3 = tabulate_target(arrange_paths(**unknown), reporting=reporting)

    rows = table3[table3[FINDING] == "edema"]
    assert rows["auroc"].isna().all()
    assert set(rows["reason"]) == {"no radiograph of which it is known"}


def test_where_no_finding_has_an_auroc_nothing_is_told(scores, reporting, evaluation):
    arranged = arrange_paths(**scores)
    nobody = arranged.assign(is_case=arranged["is_case"] & (arranged["part"] != "test"))

    for table in (nobody, of_finding(nobody, "nodule")):
        with pytest.raises(ValueError, match="AUROC on the test part: no case among"):
            tabulate_target(table, reporting=reporting)
        with pytest.raises(ValueError, match="AUROC on the test part: no case among"):
            compare_classifiers(table, reporting=reporting, evaluation=evaluation)


def test_the_path_is_chosen_by_the_mean_of_the_findings_on_validation(
    scores, reporting
):
    table3 = tabulate_target(arrange_paths(**scores), reporting=reporting)

    known = table3[table3[FINDING].isin(LABELS)]
    means = known.groupby("path")["validation_auroc"].mean()
    assert chosen_path(table3).name == means.idxmax()
    average = table3[table3[FINDING] == "macro_average"].set_index("path")
    np.testing.assert_allclose(
        average["auroc"], known.groupby("path")["auroc"].mean()[average.index]
    )
    assert (average["lower"] < average["auroc"]).all()
