"""No table that somebody brings makes `comparison` crash or lose a model in silence."""

import html
import re

import numpy as np
import pandas as pd
import pytest

from covid_cxr.evaluation.auroc_questions import tabulate_questions
from covid_cxr.evaluation.aurocs import tabulate_aurocs
from covid_cxr.evaluation.calibration_tables import calibrate
from covid_cxr.evaluation.comparisons import adjust_comparisons, compare_classifiers
from covid_cxr.evaluation.ensembles import tabulate_ensembles
from covid_cxr.evaluation.further_measures import tabulate_measures
from covid_cxr.evaluation.imperfect_labels import StatedReference
from covid_cxr.evaluation.inference_settings import Evaluation, Margins, Reporting
from covid_cxr.evaluation.non_inferiority import tabulate_margins
from covid_cxr.evaluation.score_columns import ScoreColumns
from covid_cxr.evaluation.subgroups import tabulate_subgroups
from covid_cxr.evaluation.thresholds import (
    tabulate_operating_points,
    tabulate_threshold_uncertainty,
)
from covid_cxr.pipelines.comparison.nodes import arrange_table
from covid_cxr.report.comparison_html import list_settings, write_comparison
from covid_cxr.report.margin_tables import draw_margin_figure
from covid_cxr.report.measure_tables import draw_smooth_calibration
from covid_cxr.report.score_figures import (
    draw_decision_curves,
    draw_reliability_curves,
    draw_roc_curves,
    draw_subgroups,
)
from covid_cxr.user_csv import read_user_table

REPORTING = Reporting(level=0.95, significance=0.05, seed=1)
EVALUATION = Evaluation(
    target_sensitivity=0.9,
    prevalences=[0.1],
    max_false_positive_rate=0.2,
    least_sensitivity=0.8,
    specificity=0.9,
    decision_threshold=0.2,
    bootstrap_replicates=10,
    calibration_bins=3,
    age_edges=[40],
    least_subgroup_patients=2,
    power=0.8,
    primary_auroc="image",
    seed=1,
)
MARGINS = Margins(auroc=0.1, sensitivity=0.1, specificity=0.1, ppv=0.1, npv=0.1)
FIGURES = (
    "reliability_figure",
    "decision_figure",
    "forest_figure",
    "margin_figure",
    "smooth_figure",
)
NO_READINGS = pd.DataFrame()
NO_REFERENCE = StatedReference(sensitivity=None, specificity=None, unlabelled="refuse")
UNSAID = {
    **dict.fromkeys(("image", "patient", "label", "part", "site", "positive")),
    "classifiers": [],
    "subgroups": [],
}


def make_table(n_images=40, **more):
    rng = np.random.default_rng(1)
    is_case = np.arange(n_images) % 4 < 2
    score = 1 / (1 + np.exp(-rng.standard_normal(n_images) - is_case))
    return pd.DataFrame(
        {
            "image": [f"x{k}" for k in range(n_images)],
            "patient": [f"p{k // 2}" for k in range(n_images)],
            "label": is_case.astype(int),
            "part": np.where(np.arange(n_images) < n_images // 2, "validation", "test"),
            "resnet": score,
            "densenet": np.round(rng.random(n_images), 1),
            **more,
        }
    )


def compare(table, margins=MARGINS, **said):
    """Return the page of a table, and the columns as they were taken."""
    settings = {"reporting": REPORTING, "evaluation": EVALUATION}
    scores, _, levels, columns = arrange_table(
        table, NO_READINGS, ScoreColumns(**UNSAID | said), NO_REFERENCE
    )
    roc, interactive = draw_roc_curves(scores, REPORTING, are_paths=False)
    auroc = tabulate_aurocs(scores, **settings)
    calibration, bins, curves = calibrate(scores, **settings)
    subgroups = tabulate_subgroups(scores, levels, **settings)
    pairs = compare_classifiers(scores, **settings)
    adjusted = adjust_comparisons(scores, reporting=REPORTING)
    answers, answers_of_pairs = tabulate_questions(scores, **settings)
    measured, measured_pairs, smooth = tabulate_measures(scores, **settings)
    within = tabulate_margins(scores, **settings, margins=margins)
    for figure in (
        roc,
        draw_reliability_curves(bins, are_paths=False),
        draw_decision_curves(curves, are_paths=False),
        draw_subgroups(subgroups, auroc, are_paths=False),
        draw_margin_figure(within, are_paths=False),
        draw_smooth_calibration(smooth, are_paths=False),
    ):
        figure.draw_without_rendering()
    said_of_columns = ScoreColumns(**UNSAID | said)
    page = write_comparison(
        **settings,
        margins=margins,
        reference=NO_REFERENCE,
        setting_results=list_settings(
            **settings, margins=margins, columns=said_of_columns
        ),
        roc_interactive=interactive,
        column_results=columns,
        pair_results=pairs,
        adjusted_results=adjusted,
        auroc_results=auroc,
        operating_results=tabulate_operating_points(scores, **settings),
        calibration_results=calibration,
        ensemble_results=tabulate_ensembles(scores, reporting=REPORTING),
        subgroup_results=subgroups,
        question_results=answers,
        question_pair_results=answers_of_pairs,
        margin_results=within,
        measure_results=measured,
        measure_pair_results=measured_pairs,
        threshold_results=tabulate_threshold_uncertainty(scores, **settings),
        **dict.fromkeys(FIGURES, b"png"),
    )
    return page, columns


def rows_of(page, table_id):
    """Return the first cell of each row of a table of the page."""
    table = re.search(rf'<table id="{table_id}">.*?</table>', page, re.DOTALL)[0]
    cells = re.findall(r'<th scope="row">(.*?)</th>', table, re.DOTALL)
    return [html.unescape(cell) for cell in cells]


ALONE = {"part": ["test"] * 40}
COMPARED = {
    "a constant": {"vit": 0.5},
    "no validation": ALONE,
    "one case": {**ALONE, "label": [1] + [0] * 39},
    "validation of one class": {"label": [0] * 20 + [0, 1] * 10},
}
MORE_COMPARED = {
    "good": {},
    "perfect": {"vit": (np.arange(40) % 4 < 2) * 0.5 + 0.25},
    "perfectly wrong": {"vit": 0.5 - (np.arange(40) % 4 < 2) * 0.25},
    "hard outputs": {"vit": np.arange(40) % 2},
    "huge": {"vit": np.linspace(-1e300, 1e300, 40)[::-1]},
    "tiny": {"vit": np.linspace(0, 1e-300, 40)[::-1]},
    "the same twice": {"vit": make_table()["resnet"]},
    "one patient": {**ALONE, "patient": "p"},
    "one patient of each class": {**ALONE, "patient": ["a", "a", "b", "b"] * 10},
    "one control": {**ALONE, "label": [0] + [1] * 39},
    "one row of validation": {
        "part": ["validation"] + ["test"] * 39,
        "patient": range(40),
    },
}


# Of the mean and root of nothing: what is not known is a dash on the page.
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    "change",
    [
        *(pytest.param(change, id=name) for name, change in COMPARED.items()),
        *(
            pytest.param(change, id=name, marks=pytest.mark.slow)
            for name, change in MORE_COMPARED.items()
        ),
    ],
)
def test_every_classifier_is_in_the_report(change):
    table = make_table(**change)

    page, _ = compare(table)

    names = [name for name in ("resnet", "densenet", "vit") if name in table]
    assert [row.split(" <")[0] for row in rows_of(page, "aurocs")] == names
    assert set(names) <= set(rows_of(page, "columns-table"))


REFUSED = {
    "one row": ({"part": "test"}, 1, "only cases: all 1 radiographs"),
    "two rows of one class": ({"part": "test"}, 2, "only cases: all 2 radiographs"),
    "validation alone": ({}, 10, "test at least once"),
    "no label": ({"label": [None] * 40}, 40, "40 of 40 labels"),
    "some labels blank": ({"label": [1, None, 0, None] * 10}, 40, "20 of 40 labels"),
    "one class": ({"label": [1] * 40}, 40, "only cases.* by the column label"),
    "no control in test": ({"label": [0] * 20 + [1] * 20}, 40, "only cases"),
    "infinite": ({"resnet": [np.inf] + [0.5] * 39}, 40, "resnet has 1 cells"),
    "missing": ({"resnet": [0.5] * 39 + [None]}, 40, "resnet has 1 cells"),
    "all missing": ({"resnet": None, "densenet": None}, 40, "every cell is empty"),
    "one image": ({"image": "x"}, 40, "39 images are named twice"),
    "no image": ({"image": [None] + ["a"] * 39}, 40, "1 rows have no image"),
    "training rows": ({"part": ["train", "test"] * 20}, 40, "got test, train"),
    "a patient in both": ({"patient": "p"}, 40, "1 patients are in validation and"),
    "label 1 and 2": ({"label": [1, 2] * 20}, 40, "comparison.positive"),
}


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize(("change", "n_rows", "message"), REFUSED.values(), ids=REFUSED)
def test_a_table_that_cannot_be_compared_says_what_to_do(
    change, n_rows, message, as_text
):
    table = make_table(**change).head(n_rows)

    with pytest.raises(ValueError, match=message):
        compare(table.astype("str") if as_text else table)


NAMES = (
    *("path_a", "path_c", "$x^2$", r"a $\foo$ b", "_hidden", "<b>bold</b>", "a&amp;b"),
    *("50 % {0} {{ x }} %s", "net", "Net", "m" * 150, "two\nlines", "007", "=cmd()"),
)


def test_a_name_is_literal_text_in_page_and_figures():
    rng = np.random.default_rng(2)
    scores = {name: rng.random(40) for name in NAMES}
    levels = {"$ward_$": ["<i>A</i>", "_b"] * 20}
    table = make_table(**scores, **levels)

    page, _ = compare(table, subgroups=["$ward_$"])

    names = ["resnet", "densenet", *NAMES]
    assert [row.split(" <")[0] for row in rows_of(page, "aurocs")[:7]] == names[:7]
    assert len(rows_of(page, "aurocs")) == len(names)
    assert set(names) <= set(rows_of(page, "columns-table"))
    assert {"$ward_$: <i>A</i>", "$ward_$: _b"} == set(rows_of(page, "subgroups-table"))
    assert "Path (a)" not in page
    assert not re.search(r"<b>bold|<i>A", page)


def test_twenty_classifiers_have_twenty_curves_that_differ():
    rng = np.random.default_rng(2)
    scores = {f"m{k:02}": rng.random(40) for k in range(20)}
    arranged, _, _, _ = arrange_table(
        make_table(**scores), NO_READINGS, ScoreColumns(**UNSAID), NO_REFERENCE
    )

    printed, interactive = draw_roc_curves(arranged, REPORTING, are_paths=False)

    _, *curves = printed.axes[0].lines
    assert len({(c.get_color(), str(c._dash_pattern)) for c in curves}) == 22
    lines = [trace.line for trace in interactive.data if trace.mode == "lines"]
    assert len({(line.color, line.dash) for line in lines}) == 22


@pytest.mark.parametrize("stated", [("auroc",), ("sensitivity",), ()])
def test_the_answer_judges_areas_only_within_a_margin_of_theirs(stated):
    margins = Margins(**dict.fromkeys(vars(MARGINS)) | dict.fromkeys(stated, 0.1))

    page, _ = compare(make_table(), margins=margins)

    assert ("Within the margin for AUROCs" in page) == ("auroc" in stated)
    assert ("were judged within margins" in page) == bool(stated)
    assert ("None was stated" in page) == (not stated)
    verdicts = r"not inferior to|: (equivalent|not shown|unknown)|>not shown<"
    assert bool(re.search(verdicts, page)) == bool(stated)


def test_a_map_that_no_classifier_has_is_not_claimed():
    apart = (np.arange(40) % 4 < 2) * 0.5 + 0.25
    separated = make_table(resnet=apart, densenet=apart * 0.9)

    claimed = "recalibrated by temperature and by Platt"
    assert claimed in compare(make_table())[0]
    page, _ = compare(separated)
    assert claimed not in page
    assert "Smooth calibration curves are" in page


TWO = ("resnet", "densenet")
BROUGHT = {  # classifiers that are compared, or what is said
    **dict.fromkeys(("base", "latin1", "semicolon", "tab", "zeros"), TWO),
    **dict.fromkeys(("boolmodel", "constant", "index_age", "perfect"), TWO),
    "mathtext": [r"lr=$10^{-4}$ \foo", r"a $\foo$ b"],
    "pathnames": ["path_a", "path_b"],
    "six": ["m1", "m2"],
    "twenty": [f"m{k:02}" for k in range(20)],
    "decimalcomma": "'0,31839613856133825' has a comma; write a decimal point",
    "onecomma": "'0,3184' has a comma; write a decimal point",
    "percentsign": "'31.8%' is per cent; write a share such as 0.318",
    "scoretext": "the first in line 4 of scoretext.csv: 'n/a.' is no finite number",
    "oneclass": "The test part has only cases: all 77 radiographs, by the column label",
    "nopatient": "--params=comparison.patient=none takes each radiograph as a patient",
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", BROUGHT)
def test_tables_as_people_brought_them(real_data, name):
    expected = BROUGHT[name]
    table = read_user_table(real_data.parent / "trouble" / "tables" / f"{name}.csv")

    if isinstance(expected, str):
        with pytest.raises(ValueError, match=expected):
            compare(table)
        return
    page, columns = compare(table)
    taken = columns.loc[columns["taken_as"] == "classifier", "column"]
    assert taken.tolist() == list(expected)
    shown = [row.split(" <")[0] for row in rows_of(page, "aurocs")]
    assert sorted(shown) == sorted(expected)


def test_every_table_that_people_brought_is_judged(real_data):
    tables = (real_data.parent / "trouble" / "tables").glob("*.csv")

    assert {table.stem for table in tables} == set(BROUGHT)


def test_without_patients_the_page_says_what_that_does():
    page, _ = compare(make_table().drop(columns="patient"), patient="none")

    assert "intervals are too narrow" in page
