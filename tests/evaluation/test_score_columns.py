"""What each column of a user's table is taken as: nothing is passed over in silence."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from covid_cxr.evaluation.arranged_scores import arrange_scores
from covid_cxr.evaluation.score_columns import ScoreColumns, cautions_of

UNSAID = ScoreColumns(
    image=None,
    patient=None,
    label=None,
    part=None,
    site=None,
    positive=None,
    classifiers=[],
    subgroups=[],
)
N = 12


def make_table(**more):
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "image": [f"x{k}" for k in range(N)],
            "patient": [f"p{k}" for k in range(N)],
            "label": [0, 1] * (N // 2),
            "resnet": rng.random(N),
            **more,
        }
    )


LEFT_OUT = {
    "text": ("reader", ["high", "low"] * 6, "text"),
    "booleans": ("is_hit", [True, False] * 6, "true or false is no score"),
    "booleans with a blank": ("hit", [True, None] * 6, "true or false is no score"),
    "empty": ("nothing", [None] * N, "every cell is empty"),
    "an index": ("k", range(N), "an index"),
    "an index from one": ("k", range(1, N + 1), "an index"),
    "an index without name": ("Unnamed: 0", [*range(0, 2 * N, 2)], "an index"),
    "an index with gaps": ("index", [*range(0, 3 * N, 3)], "an index"),
    "an id": ("Study ID", [7, 5, 9] * 4, "an index"),
    "an age": ("age", [61, 70, 34] * 4, "a covariate"),
    "an age with blanks": ("Age_years", [61, None, 34] * 4, "a covariate"),
    "a sex": ("PatientSex", [0, 1, 1] * 4, "a covariate"),
    "one site": ("site", [3] * N, "one site only"),
    "no site": ("Hospital", [None] * N, "every cell is empty"),
    "a ward": ("ward", [3, 1, 2] * 4, "a covariate"),
    "another label": ("y_true", [0, 1] * 6, "like that of the label"),
    "a date": ("acquired", pd.date_range("2020-03-01", periods=N), "text"),
    "mostly empty": ("crp_day_x", [0.5, None, None] * 4, "mostly empty"),
}


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize(("name", "cells", "reason"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_is_no_classifier_is_left_out_with_the_reason(
    name, cells, reason, as_text, caplog
):
    table = make_table(**{name: cells})
    if as_text:
        table = table.astype("object").where(table.notna()).astype("str")

    arranged, described = arrange_scores(table, replace(UNSAID, label="label"))

    assert list(arranged.columns[4:]) == ["resnet"]
    row = described.set_index("column").loc[name]
    assert row["taken_as"] == "left out"
    assert reason in row["reason"]
    assert f"The column {name!r} is left out" in caplog.text


REFUSED = {
    "a comma in one": ([*["0.5"] * 11, "0,7"], "'0,7' has a comma; write a decimal"),
    "commas": (["0,5"] * N, "12 cells .* in row 1 .*has a comma"),
    "per cent": (["31.8%"] * N, "'31.8%' is per cent"),
    "a word in one": (
        [*["0.5"] * 11, "n/a"],
        "1 cells .* in row 12 .*: 'n/a'",
    ),
    "a blank in one": ([0.5] * 11 + [None], "it is empty, scores are missing"),
    "infinity": ([np.inf] + [0.5] * 11, "in row 1 .*'inf' is no finite number"),
    "infinity as text": (["-Infinity"] + ["0.5"] * 11, "no finite number"),
    "true among numbers": ([*["0.5"] * 11, "True"], "is true or false"),
}


@pytest.mark.parametrize(("cells", "message"), REFUSED.values(), ids=REFUSED)
def test_a_classifier_with_wrong_cells_is_refused_by_row(cells, message):
    with pytest.raises(ValueError, match=message):
        arrange_scores(make_table(vit=cells), UNSAID)


@pytest.mark.parametrize(
    "name",
    ["ageing_net", "multi_view", "weight_decay 1", "path_a", "set2", "$x$", "_a"],
)
def test_a_classifier_is_not_lost_by_its_name(name):
    logits = np.linspace(-3, 4.5, N)[::-1]

    arranged, _ = arrange_scores(make_table(**{name: logits}), UNSAID)

    assert sorted(arranged[name]) == sorted(logits)


@pytest.mark.parametrize("name", ["age", "Unnamed: 0", "k"])
def test_any_column_of_numbers_may_be_named_as_a_classifier(name):
    named = replace(UNSAID, classifiers=[name], part="none")

    arranged, described = arrange_scores(make_table(**{name: range(N)}), named)

    assert list(arranged.columns[4:]) == [name]
    left_out = described.set_index("column").loc["resnet", "reason"]
    assert left_out == "not among comparison.classifiers"


@pytest.mark.parametrize(
    ("scores", "caution"),
    [
        ([0.5] * 4, "the same score"),
        ([0.1, 0.2, 0.8, 0.9], "every case is above every control"),
        ([0.9, 0.8, 0.2, 0.1], "every case is below every control"),
        ([1, 0, 1, 0], "whole numbers only (2 values)"),
    ],
)
def test_scores_that_say_little_carry_a_caution(scores, caution):
    is_case = np.array([False, False, True, True])

    assert caution in "; ".join(cautions_of(np.array(scores, float), is_case))


def test_ordinary_scores_carry_no_caution():
    is_case = np.array([False, True, False, True])

    assert not list(cautions_of(np.array([0.1, 0.2, 0.3, 0.4]), is_case))


@pytest.mark.parametrize(
    "likes",
    [{"id": "i", "img": "j"}, {"y": 1, "target": 0}, {"pid": 0, "split": "test"}],
)
def test_the_usual_name_goes_before_its_likes(likes):
    arranged, _ = arrange_scores(make_table(**likes), UNSAID)

    assert arranged["image_id"].iloc[0] == "x0"
    assert arranged["patient_id"].iloc[0] == "p0"
    assert arranged["is_case"].sum() == N // 2


@pytest.mark.parametrize(
    ("names", "role"),
    [
        ({"image": "img", "more": "file"}, "image"),
        ({"patient": "subject", "more": "pid"}, "patient"),
        ({"label": "y", "more": "target"}, "label"),
    ],
)
def test_a_role_that_two_columns_may_have_is_asked_for(names, role):
    table = make_table(more=[0, 1] * 6).rename(columns=names)

    with pytest.raises(ValueError, match=rf"--params=comparison\.{role}="):
        arrange_scores(table, UNSAID)


def test_two_columns_of_one_name_are_refused():
    table = make_table()
    twice = pd.concat([table, table[["resnet"]]], axis="columns")

    with pytest.raises(ValueError, match="two columns that are called 'resnet'"):
        arrange_scores(twice, UNSAID)


def test_classifiers_that_a_reader_would_take_for_one_are_refused():
    table = make_table(**{"resnet ": np.arange(N) / N})

    with pytest.raises(ValueError, match=r"'resnet ' and 'resnet' .* are one name"):
        arrange_scores(table, UNSAID)
    with pytest.raises(ValueError, match=r"'resnet' and 'resnet' in comparison.class"):
        replace(UNSAID, classifiers=["resnet", "resnet"])
