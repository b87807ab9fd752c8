"""TRIPOD+AI's items on evaluation and PROBAST+AI: facts of the run, and blanks."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from covid_cxr.evaluation.inference_settings import Reporting
from covid_cxr.report.documents.external_checklists import (
    fill_probast_ai,
    fill_tripod_ai_evaluation,
)
from covid_cxr.report.documents.external_evidence import ExternalEvidence
from covid_cxr.report.documents.markdown import as_markdown

FILL = (fill_tripod_ai_evaluation, fill_probast_ai)
# Table 2 of Collins et al., BMJ 2024;385:e078378, without 9a, 12b, 12c and 22.
TRIPOD_NUMBERS = [
    *("1", "2", "3a", "3b", "3c", "4", "5a", "5b", "6a", "6b", "6c", "7"),
    *("8a", "8b", "8c", "9b", "9c", "10", "11", "12a", "12d", "12e", "12f", "12g"),
    *("13", "14", "15", "16", "17", "18a", "18b", "18c", "18d", "18e", "18f", "19"),
    *("20a", "20b", "20c", "21", "23a", "23b", "24", "25", "26", "27a", "27b", "27c"),
]
# Moons et al., BMJ 2025;388:e082505: 3, 4, 4 and 7 questions on evaluation.
PROBAST_NUMBERS = [
    f"{domain}.{question}"
    for domain, n_questions in enumerate((3, 4, 4, 7), start=1)
    for question in range(1, n_questions + 1)
]


@pytest.fixture
def external_evidence():
    label = {"name": "covid19", "words": "COVID-19", "reference": "RT-PCR"}
    named = {"classifier": "net"}
    mix = [("all", "all", 90, 60, 40), ("site", "east", 90, 60, 40)]
    mix += [("sex", "F", 50, 30, 20), ("sex", "unknown", 40, 30, 20)]
    rows = [("external", *row, row[-1] / row[2]) for row in mix]
    rows += [("internal", "all", "all", 200, 150, 40, 0.2)]
    return ExternalEvidence(
        primary={
            "cohort": "clinic",
            "software": "9.8.7",
            "classifiers": {"net": {"sha256": "ab" * 32, "label": label}},
            "protocol": {
                "sha256": "cd" * 32,
                "date": "2026-01-02",
                "outcome": "COVID-19 by RT-PCR",
                "cohort": {"rules": ["a rule"], "setting": "a ward", "period": ""},
            },
        },
        reporting=Reporting(level=0.95, significance=0.05, seed=1),
        radiographs=pd.DataFrame({"is_synthetic": [False, False]}),
        flow_results=pd.DataFrame(
            [
                ("all", "not eligible", "lateral view", 7, np.nan, np.nan),
                ("net", "refused", "too young", 4, 3, 1),
                ("net", "predicted", "", 86, 58, 39),
            ],
            columns=["classifier", "outcome", "reason", "images", "patients", "cases"],
        ),
        discrimination_results=pd.DataFrame(
            {
                **named,
                "auroc": [0.7654],
                "lower": 0.7,
                "upper": 0.8,
                "auroc_refusals_wrong": 0.7111,
                "internal_auroc": 0.85,
                "difference": -0.0846,
                "difference_lower": -0.15,
                "difference_upper": -0.01,
                "no_difference": "",
                "cases": 39,
                "controls": 47,
                "patients": 58,
            }
        ),
        operating_results=pd.DataFrame(
            {
                **named,
                "rule": ["youden"],
                "threshold": 0.4321,
                **dict.fromkeys(
                    ("sensitivity", "sensitivity_lower", "sensitivity_upper"), 0.6012
                ),
                **dict.fromkeys(
                    ("specificity", "specificity_lower", "specificity_upper"), 0.8
                ),
                "sensitivity_of_all": 0.5555,
                "specificity_of_all": 0.75,
            }
        ),
        calibration_results=pd.DataFrame(
            {
                **named,
                **dict.fromkeys(("slope", "slope_lower", "slope_upper"), 0.512),
                **dict.fromkeys(
                    ("intercept", "intercept_lower", "intercept_upper"), 0.2
                ),
                "observed_to_expected": [1.31],
                "brier": 0.21,
            }
        ),
        case_mix_results=pd.DataFrame(
            rows,
            columns=[
                *("cohort", "variable", "level", "images", "patients", "cases"),
                "prevalence",
            ],
        ),
        standardised_results=pd.DataFrame(
            {**named, "standardised_auroc": [0.8], "explained": 0.0346}
        ),
        membership_results=pd.DataFrame(
            {"predictors": ["age"], "auroc": 0.6, "lower": 0.5, "upper": 0.7}
        ),
        subgroups_results=pd.DataFrame(
            {
                **named,
                "variable": ["site"],
                "level": "east",
                "auroc": 0.7654,
                "lower": 0.7,
                "upper": 0.8,
            }
        ),
        shortcuts_results=pd.DataFrame(
            {"predictors": ["grey values"], "auroc": 0.66, "lower": 0.6, "upper": 0.7}
        ),
        recalibration_results=pd.DataFrame(
            {**named, "recalibration": ["logistic"], "slope": 0.97, "intercept": 0.01}
        ),
        hypotheses_results=pd.DataFrame(
            {**named, "measure": ["auroc"], "above": 0.72, "is_met": [False]}
        ),
        flags_results=pd.DataFrame(
            {**named, "flag": ["copies"], "sentence": "2 of 90 pictures are copies."}
        ),
    )


def told(document, number):
    (item,) = (item for item in document.items if item.number == number)
    return item.told


def test_the_forms_have_every_item_on_evaluation_once_and_in_order(external_evidence):
    tripod = fill_tripod_ai_evaluation(external_evidence)
    probast = fill_probast_ai(external_evidence)

    assert [item.number for item in tripod.items] == TRIPOD_NUMBERS
    assert len(TRIPOD_NUMBERS) == 52 - 4
    assert [item.number for item in probast.items if item.number] == PROBAST_NUMBERS
    assert len(PROBAST_NUMBERS) == 18


def test_no_question_of_bias_is_answered_by_the_program(external_evidence):
    for item in fill_probast_ai(external_evidence).items:
        assert item.asked, item.number


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("4", "auroc above 0.72: not met"),
        ("5a", "90 eligible radiographs of 60 patients, 40 of cases (COVID-19)"),
        ("6a", "setting: a ward"),
        ("6b", "lateral view 7"),
        ("11", "sex 40"),
        ("12f", "logistic: slope 0.97"),
        ("15", "net youden 0.432"),
        ("18c", "cd" * 32),
        ("18f", "covid_cxr 9.8.7"),
        ("20a", "net refused 4 of 90 radiographs (too young 4)"),
        ("20c", "44.44"),
        ("23a", "net 0.765 (95 % interval 0.700 to 0.800)"),
        ("23a", "with every refusal wrong 0.711"),
        ("23a", "sensitivity 0.601"),
        ("23a", "slope 0.512"),
        ("25", "net \N{MINUS SIGN}0.085 (95 % interval"),
        ("25", "+0.035 to that of the cohort"),
        ("26", "2 of 90 pictures are copies."),
    ],
)
def test_items_tell_the_numbers_of_the_run(external_evidence, number, words):
    assert words in told(fill_tripod_ai_evaluation(external_evidence), number)


def test_leakage_is_told_from_the_pictures_that_were_compared(external_evidence):
    table = external_evidence.discrimination_results
    alone = dataclasses.replace(
        external_evidence,
        discrimination_results=table.assign(internal_auroc=np.nan),
        flags_results=external_evidence.flags_results.iloc[:0],
    )

    both = told(fill_probast_ai(external_evidence), "4.5")
    assert "No patient has the id" in both
    assert "2 of 90 pictures are copies." in both
    less = told(fill_probast_ai(alone), "4.5")
    assert "No patient" not in less
    assert less.endswith("None was found.")


def test_a_cohort_of_one_class_without_a_study_or_protocol(external_evidence):
    nothing = {
        name: getattr(external_evidence, name).iloc[:0]
        for name in (
            *("calibration_results", "membership_results", "shortcuts_results"),
            *("recalibration_results", "hypotheses_results", "subgroups_results"),
        )
    }
    row = external_evidence.discrimination_results.assign(
        auroc=np.nan, difference=np.nan, no_difference="no control in the cohort"
    )
    bare = dataclasses.replace(
        external_evidence,
        **nothing,
        discrimination_results=row,
        primary={
            **external_evidence.primary,
            "protocol": {"sha256": None, "caution": "no protocol"},
        },
    )

    tripod = fill_tripod_ai_evaluation(bare)

    assert told(tripod, "23a").startswith("There is no AUROC")
    assert (
        told(tripod, "18c") == "No protocol was registered: the result is exploratory."
    )
    assert "none: no control in the cohort" in told(tripod, "25")
    assert told(tripod, "12f") == "No classifier was updated."
    assert "calibration" not in told(tripod, "12e")


def test_synthetic_radiographs_are_said_first(external_evidence):
    drawn = dataclasses.replace(
        external_evidence, radiographs=pd.DataFrame({"is_synthetic": [False, True]})
    )

    for fill in FILL:
        assert "Synthetic data: not clinical evidence." in as_markdown(fill(drawn))
        assert "Synthetic" not in as_markdown(fill(external_evidence))
