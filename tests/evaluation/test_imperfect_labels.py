"""Labels of a test that errs: what is corrected, from what, and when nothing is."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from covid_cxr.evaluation.imperfect_labels import (
    StatedReference,
    correct_for_unlabelled,
    correct_labels,
    find_unlabelled,
    weigh_labelled,
)
from covid_cxr.evaluation.score_columns import ScoreColumns
from covid_cxr.pipelines.comparison.nodes import arrange_table
from covid_cxr.study.current import current

NO_READINGS = pd.DataFrame()
COLUMNS = ScoreColumns(
    **dict.fromkeys(("image", "patient", "label", "part", "site", "positive")),
    classifiers=[],
    subgroups=[],
)


def stated_reference(sensitivity, specificity, unlabelled="refuse"):
    return StatedReference(
        sensitivity=sensitivity, specificity=specificity, unlabelled=unlabelled
    )


NOTHING = stated_reference(None, None)


def simulated(n_patients=4000, seed=1):
    """Return scores of a classifier that is right in 0.9 of the diseased and 0.8.

    The reference finds 0.75 of the diseased and nobody else.
    """
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(n_patients), 2)
    is_diseased = (rng.random(n_patients) < 0.5)[patient]
    is_found = is_diseased & (rng.random(n_patients) < 0.75)[patient]
    called = rng.random(len(patient)) < np.where(is_diseased, 0.9, 0.2)
    return pd.DataFrame(
        {
            "image_id": [f"x{k:05}" for k in range(len(patient))],
            "patient_id": [f"p{k}" for k in patient],
            "part": np.where(patient % 4 == 0, "validation", "test"),
            "is_case": is_found,
            "resnet": np.where(called, 0.8, 0.3),
        }
    )


def test_the_truth_comes_out_of_labels_that_miss_a_quarter(reporting):
    scores = simulated()
    stated = stated_reference(0.75, 1.0)

    table, tipping = correct_labels(scores, reporting=reporting, reference=stated)

    (row,) = table.to_dict("records")
    assert row["prevalence"] == pytest.approx(0.5, abs=0.02)
    # Against the labels every diseased patient who was missed is a control.
    against = (0.8 * 0.5 + 0.1 * 0.125) / 0.625
    assert row["specificity"] == pytest.approx(against, abs=0.02)
    for share, truth in (("sensitivity", 0.9), ("specificity", 0.8)):
        ends = [row[f"corrected_{share}_{end}"] for end in ("lower", "upper")]
        bounds = [row[f"corrected_{share}_bound_{end}"] for end in ("lower", "upper")]
        assert ends[0] < truth < ends[1]
        assert row[f"corrected_{share}"] == pytest.approx(truth, abs=0.02)
        assert bounds[0] <= truth <= bounds[1]
    as_stated = tipping.iloc[(tipping["reference_sensitivity"] - 0.75).abs().argmin()]
    assert as_stated["corrected_specificity"] == pytest.approx(0.8, abs=0.03)


def test_intervals_are_by_patient(reporting):
    scores = simulated(400)
    scores["resnet"] = scores.groupby("patient_id")["resnet"].transform("first")
    stated = stated_reference(0.75, 1.0)

    def width(table):
        (row,) = correct_labels(table, reporting=reporting, reference=stated)[
            0
        ].to_dict("records")
        return row["corrected_sensitivity_upper"] - row["corrected_sensitivity_lower"]

    # Both images of a patient say the same: half as many of them say as much.
    by_image = width(scores.assign(patient_id=scores["image_id"]))
    assert width(scores) == pytest.approx(2**0.5 * by_image, rel=0.02)


def test_intervals_are_of_the_level_that_is_asked_for(reporting):
    scores = simulated()
    stated = stated_reference(0.75, 1.0)

    def widths(level):
        (row,) = correct_labels(
            scores, reporting=replace(reporting, level=level), reference=stated
        )[0].to_dict("records")
        names = [f"corrected_{share}" for share in ("sensitivity", "specificity")]
        return np.array([row[f"{n}_upper"] - row[f"{n}_lower"] for n in names])

    quantiles = norm.ppf([0.75, 0.975])
    assert widths(0.5) / widths(0.95) == pytest.approx(
        quantiles[0] / quantiles[1], rel=0.01
    )


def test_the_prevalence_is_of_the_disease(reporting):
    scores = simulated()
    kept = scores[scores["is_case"] | (scores.index % 3 > 0)]
    share = kept.loc[kept["part"] == "test", "is_case"].mean()
    stated = stated_reference(0.75, 0.95)

    table, _ = correct_labels(kept, reporting=reporting, reference=stated)

    # Rogan and Gladen (Am J Epidemiol 1978;107:71).
    assert table["prevalence"].tolist() == pytest.approx([(share - 0.05) / 0.7])


def test_a_reference_that_never_errs_changes_nothing(reporting):
    stated = stated_reference(1, 1)

    table, tipping = correct_labels(simulated(), reporting=reporting, reference=stated)

    (row,) = table.to_dict("records")
    for share in ("sensitivity", "specificity"):
        assert row[f"corrected_{share}"] == pytest.approx(row[share])
        assert row[f"corrected_{share}_bound_lower"] == pytest.approx(row[share])
    last = tipping.iloc[-1]
    assert last["reference_sensitivity"] == 1
    assert last["corrected_sensitivity"] == pytest.approx(row["sensitivity"])


def test_labels_that_speak_against_it_carry_a_caution(reporting):
    scores = simulated(400)
    scores["resnet"] = scores["is_case"] * 0.5 + 0.2  # errs with the reference
    stated = stated_reference(0.75, 0.95)

    (row,) = correct_labels(scores, reporting=reporting, reference=stated)[0].to_dict(
        "records"
    )

    assert row["corrected_sensitivity"] > 1
    assert "not independent" in row["caution"]
    assert row["corrected_sensitivity_bound_upper"] <= 1


@pytest.mark.parametrize("part", ["test", None])
def test_without_a_stated_reference_or_a_validation_part_there_are_no_rows(
    reporting, part
):
    scores = simulated(100)
    stated = NOTHING
    if part:
        scores = scores.assign(part=part)
        stated = stated_reference(0.7, 1)

    tables = correct_labels(scores, reporting=reporting, reference=stated)

    assert [len(table) for table in tables] == [0, 0]


@pytest.mark.parametrize(
    ("sensitivity", "specificity", "told"),
    [
        (0.7, None, "stated together or not at all, got 0.7 and None"),
        (0.4, 0.5, "reference in parameters_reporting.yml: .* together more than 1"),
        (1.2, 1, "in .0, 1. that are"),
    ],
)
def test_what_is_no_reference_is_refused(sensitivity, specificity, told):
    with pytest.raises(ValueError, match=told):
        stated_reference(sensitivity, specificity)


def test_a_word_for_the_unlabelled_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match=r"reference.unlabelled must be one of refuse"):
        stated_reference(None, None, unlabelled="drop")


def with_gaps(scores):
    """Return a user's table in which the uncalled lack labels more often."""
    rng = np.random.default_rng(3)
    chance = np.where(scores["resnet"] > 0.5, 0.95, 0.35)
    is_known = (rng.random(len(scores)) < chance) | (scores["part"] == "validation")
    label = scores["is_case"].map({True: "1", False: "0"}).where(is_known)
    return scores.drop(columns="is_case").assign(label=label)


def test_the_labelled_stand_for_those_without_a_label(reporting):
    complete = simulated().assign(is_case=lambda t: t["is_case"])
    test = complete[complete["part"] == "test"]
    called = test["resnet"] > 0.5
    truth = called[test["is_case"]].mean(), (~called[~test["is_case"]]).mean()

    scores, others, _, _ = arrange_table(
        with_gaps(complete),
        NO_READINGS,
        COLUMNS,
        stated_reference(None, None, "weight"),
    )
    (row,) = correct_for_unlabelled(scores, others, reporting).to_dict("records")

    assert row["images"] == len(test)
    assert row["labelled"] == (scores["part"] == "test").sum() < len(test)
    assert row["sensitivity"] > truth[0] + 0.03  # of the labelled alone
    own = scores[scores["part"] == "test"]
    assert row["specificity"] == np.mean(own["resnet"][~own["is_case"]] < 0.5)
    assert row["corrected_sensitivity"] == pytest.approx(truth[0], abs=0.015)
    assert row["corrected_specificity"] == pytest.approx(truth[1], abs=0.015)
    assert row["corrected_sensitivity_lower"] < truth[0]
    assert row["corrected_sensitivity_upper"] > truth[0]


def test_a_row_without_a_label_stops_the_comparison_unless_it_is_stated():
    table = with_gaps(simulated(100))

    with pytest.raises(ValueError, match="labels in the column label are empty"):
        arrange_table(table, NO_READINGS, COLUMNS, NOTHING)
    with pytest.raises(ValueError, match="No row has a label"):
        arrange_table(
            table.assign(label=None),
            NO_READINGS,
            COLUMNS,
            stated_reference(None, None, "weight"),
        )


def test_where_every_row_has_a_label_nothing_is_corrected_for_it(reporting):
    table = simulated(100).rename(columns={"is_case": "label"})
    weight = stated_reference(None, None, "weight")

    scores, others, _, _ = arrange_table(table, NO_READINGS, COLUMNS, weight)

    assert len(others) == len(correct_for_unlabelled(scores, others, reporting)) == 0


WEIGHT = stated_reference(None, None, "weight")


def test_rows_without_names_are_numbered_together():
    table = with_gaps(simulated(100)).drop(columns=["image_id", "patient_id"])
    columns = replace(COLUMNS, image="none", patient="none")

    scores, others, _, _ = arrange_table(table, NO_READINGS, columns, WEIGHT)

    numbers = np.arange(1, len(table) + 1).astype(str)
    is_known = table["label"].notna()
    for arranged, own in ((scores, is_known), (others, ~is_known)):
        assert set(arranged["image_id"]) == set(numbers[own])
        assert set(arranged["patient_id"]) == set(numbers[own])


def test_a_column_is_no_classifier_of_the_labelled_alone(reporting):
    table = with_gaps(simulated(100))
    table["nn"] = range(len(table))  # counts all rows, and not those with a label

    scores, others, _, taken = arrange_table(table, NO_READINGS, COLUMNS, WEIGHT)

    assert [name for name in ("nn", "resnet") if name in scores] == ["resnet"]
    assert taken.set_index("column").loc["nn", "taken_as"] == "left out"
    corrected = correct_for_unlabelled(scores, others, reporting)
    assert corrected["classifier"].tolist() == ["resnet"]


def test_only_the_test_part_is_corrected_and_by_patient(reporting):
    table = with_gaps(simulated(400))
    for name in ("resnet", "label"):
        table[name] = table.groupby("patient_id", sort=False)[name].transform(
            lambda own: [own.iloc[0]] * len(own)
        )
    table.loc[(table["part"] == "validation") & (table.index % 3 == 0), "label"] = None

    def corrected(table, level=0.95):
        scores, others, _, _ = arrange_table(table, NO_READINGS, COLUMNS, WEIGHT)
        asked = replace(reporting, level=level)
        return correct_for_unlabelled(scores, others, asked).iloc[0]

    def width(row):  # of the log odds
        lower, upper = (
            row[f"corrected_sensitivity_{end}"] for end in ("lower", "upper")
        )
        return np.log(upper / (1 - upper)) - np.log(lower / (1 - lower))

    found = corrected(table)
    by_image = corrected(table.assign(patient_id=table["image_id"]))

    assert found["images"] == (table["part"] == "test").sum()
    # Both images of a patient are alike: half as many of them say as much.
    assert width(found) == pytest.approx(2**0.5 * width(by_image), rel=0.02)
    quantiles = norm.ppf([0.75, 0.975])
    assert width(corrected(table, 0.5)) / width(found) == pytest.approx(
        quantiles[0] / quantiles[1], rel=0.02
    )


def test_calls_of_which_none_has_a_label_are_refused_with_their_classifier(reporting):
    table = with_gaps(simulated(100))
    is_gap = (table["part"] == "test") & (table["resnet"] < 0.5)
    gaps = table.assign(label=table["label"].mask(is_gap))

    scores, others, _, _ = arrange_table(gaps, NO_READINGS, COLUMNS, WEIGHT)

    told = "resnet with the threshold 0.8: No image that is not called is verified: "
    with pytest.raises(ValueError, match=told):
        correct_for_unlabelled(scores, others, reporting)


def test_a_test_part_whose_labels_say_one_class_or_nothing_is_refused():
    table = with_gaps(simulated(100))
    is_test = table["part"] == "test"

    for kept, told in (
        (table["label"].where(~is_test), "No row of the test part has a label"),
        (table["label"].where(~is_test | (table["label"] == "1")), "has only cases"),
    ):
        with pytest.raises(ValueError, match=told):
            arrange_table(table.assign(label=kept), NO_READINGS, COLUMNS, WEIGHT)


def test_more_cases_than_the_reference_could_find_are_refused(reporting):
    stated = stated_reference(0.3, 1)

    with pytest.raises(ValueError, match=r"does not agree with its sensitivity of 0.3"):
        correct_labels(simulated(400), reporting=reporting, reference=stated)


def graded(n_patients=1500):
    """Return a user's table of two classifiers in which low scores lack labels."""
    rng = np.random.default_rng(8)
    patient = np.repeat(np.arange(n_patients), 2)
    case = (rng.random(n_patients) < 0.4)[patient]
    score = 1.3 * case + rng.standard_normal(len(case))
    known = rng.random(len(case)) < 0.1 + 0.85 / (1 + np.exp(2 - 3 * score))
    whole = pd.DataFrame(
        {
            "image_id": [f"x{k:05}" for k in range(len(case))],
            "patient_id": [f"p{k}" for k in patient],
            "part": np.where(patient % 4 == 0, "validation", "test"),
            "is_case": case,
            "sharp": score,
            "dull": score + rng.standard_normal(len(case)),
        }
    )
    return whole, known


def arrange_gaps(whole, known):
    label = whole["is_case"].map({True: "1", False: "0"}).where(known)
    table = whole.drop(columns="is_case").assign(label=label)
    return arrange_table(table, NO_READINGS, COLUMNS, WEIGHT)


def test_the_auroc_of_all_is_within_the_weighted_interval(reporting):
    whole, known = graded()
    scores, others, _, _ = arrange_gaps(whole, known)
    test = whole["part"] == "test"
    own = whole[test]

    table = weigh_labelled(scores, others, reporting).set_index("classifier")

    assert table["images"].tolist() == [test.sum()] * 2
    assert table["labelled"].tolist() == [(test & known).sum()] * 2
    for name, row in table.iterrows():
        truth = roc_auc_score(own["is_case"], own[name])
        alone = own[known[test]]
        assert row["auroc"] == pytest.approx(
            roc_auc_score(alone["is_case"], alone[name])
        )
        assert abs(row["auroc"] - truth) > abs(row["corrected"] - truth)
        assert row["lower"] < truth < row["upper"]
    assert (table["strata"] == 10).all()
    assert (table["why_not"] == "").all()


def test_weights_that_explode_leave_a_row_that_says_so(reporting):
    whole, known = graded(200)
    is_high = whole["sharp"] > 1

    scores, others, _, _ = arrange_gaps(whole, known & is_high)
    table = weigh_labelled(scores, others, reporting)

    assert table["corrected"].isna().all()
    assert table["auroc"].notna().all()
    assert table["why_not"].str.contains("similar scores 0 have a label").all()


def test_the_studys_test_part_is_searched_for_what_has_no_label_if_it_is_stated():
    label = current().target_set.label
    table = pd.DataFrame(
        {
            "image_id": list("abcd"),
            "patient_id": list("pqrs"),
            "part": ["test", "test", "validation", "test"],
            label: pd.array([True, None, None, False], dtype="boolean"),
            f"{label}_score": [0.1, 0.2, 0.3, 0.4],
        }
    )
    other = table.iloc[::-1].assign(**{f"{label}_score": [0.5, 0.6, 0.7, 0.8]})

    found = find_unlabelled(WEIGHT, path_a=table, path_b=other)
    nothing = find_unlabelled(NOTHING, path_a=table, path_b=other)

    assert found.to_dict("records") == [
        {
            "image_id": "b",
            "patient_id": "q",
            "part": "test",
            "path_a": 0.2,
            "path_b": 0.7,
        }
    ]
    assert nothing.empty
    assert list(nothing) == list(found)
