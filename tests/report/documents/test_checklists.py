"""CLAIM 2024 and TRIPOD+AI: every item, filled or marked, with the run's numbers."""

import dataclasses
import re

import pandas as pd
import pytest

from covid_cxr.report.documents import checklist
from covid_cxr.report.documents.checklist import fill_claim, fill_tripod_ai
from covid_cxr.report.documents.document import Table
from covid_cxr.report.documents.model_card import fill_model_card
from covid_cxr.report.map_tests import SaliencyTables

FILL = (fill_model_card, fill_claim, fill_tripod_ai)
# The form of 2024, item by item: Tejani et al., Radiol Artif Intell 2024;6(4):e240300.
CLAIM_NUMBERS = [str(number) for number in range(1, 45)]
# Table 2 of Collins et al., BMJ 2024;385:e078378: 27 items in 52 parts.
TRIPOD_LETTERS = {
    3: "abc",
    5: "ab",
    6: "abc",
    8: "abc",
    9: "abc",
    12: "abcdefg",
    18: "abcdef",
    20: "abc",
    23: "ab",
    27: "abc",
}
TRIPOD_NUMBERS = [
    f"{number}{letter}"
    for number in range(1, 28)
    for letter in TRIPOD_LETTERS.get(number, [""])
]


def text_of(document, number="", topic=""):
    (item,) = (
        item
        for item in document.items
        if item.number == number and (not topic or item.topic == topic)
    )
    return item.told


@pytest.mark.parametrize(
    ("fill", "expected"),
    [(fill_claim, CLAIM_NUMBERS), (fill_tripod_ai, TRIPOD_NUMBERS)],
)
def test_a_form_has_every_item_once_and_in_order(fill, expected, evidence):
    assert [item.number for item in fill(evidence).items] == expected


def test_tripod_ai_has_52_parts():
    assert len(TRIPOD_NUMBERS) == 52


@pytest.mark.parametrize("fill", FILL)
@pytest.mark.parametrize("left", ["evidence", "bare"])
def test_every_item_is_filled_or_marked_as_a_blank(fill, left, request):
    for item in fill(request.getfixturevalue(left)).items:
        assert item.told or item.asked, item.number
        assert item.blank.startswith("[TO BE FILLED BY THE AUTHORS: ") == bool(
            item.asked
        )


def test_the_tally_counts_the_items_by_state(evidence):
    document = fill_claim(evidence)
    states = [item.state for item in document.items]

    filled, part, blank = (
        states.count(state) for state in ("filled", "filled in part", "blank")
    )
    assert document.tally == (
        f"44 items: {filled} filled from the run, {part} filled in part, {blank} blank"
    )
    assert min(filled, part, blank) > 0


def test_what_no_run_can_know_is_blank(evidence):
    claim = {item.number: item.state for item in fill_claim(evidence).items}
    tripod = {item.number: item.state for item in fill_tripod_ai(evidence).items}

    assert {claim[number] for number in ("3", "15", "34", "44")} == {"blank"}
    assert {tripod[n] for n in ("3c", "17", "18a", "18b", "19")} == {"blank"}


def test_less_evidence_leaves_more_blanks(evidence, bare):
    for fill in FILL:
        whole, less = (
            [item.state for item in fill(given).items] for given in (evidence, bare)
        )

        assert less.count("filled") < whole.count("filled")


def test_a_question_that_the_run_cannot_answer_is_a_blank(evidence):
    (ensembles,) = (i for i in fill_claim(evidence).items if i.number == "27")

    assert (ensembles.state, ensembles.asked) == ("blank", "the run does not tell")


def test_a_form_that_names_no_statement_is_refused(evidence, monkeypatch):
    monkeypatch.delattr(checklist.data_statements, "eligibility")

    with pytest.raises(ValueError, match=r"claim_2024.csv names 'data.eligibility'"):
        fill_claim(evidence)


def test_a_table_under_no_section_is_refused(evidence):
    table = Table(section="Elsewhere", caption="", columns=(), rows=())

    with pytest.raises(ValueError, match="model_card has a table under 'Elsewhere'"):
        dataclasses.replace(fill_model_card(evidence), tables=(table,))


def test_the_aurocs_are_those_of_table_3(evidence):
    better = evidence.table3.assign(auroc=[0.8765, 0.7456])

    for given, printed in (
        (evidence, "0.812"),
        (dataclasses.replace(evidence, table3=better), "0.876"),
    ):
        claim = text_of(fill_claim(given), "37")
        assert f"Path (c): AUROC {printed} (95 % interval 0.701 to 0.883)" in claim
        assert "100 test radiographs (75 with COVID-19) of 45 patients" in claim
        assert printed in text_of(fill_tripod_ai(given), "23a")
        assert printed in text_of(fill_model_card(given), topic="Discrimination")


def test_the_document_is_about_the_path_that_validation_chose(evidence):
    swapped = evidence.table3.assign(validation_auroc=[0.8, 0.9])
    card = fill_model_card(dataclasses.replace(evidence, table3=swapped))

    assert "Path (f)" in card.title
    assert "0.900" in text_of(card, topic="Model")


@pytest.mark.parametrize(
    ("field", "column", "number", "printed"),
    [
        ("operating_results", "sensitivity", "38", "0.123"),
        ("calibration_results", "slope", "37", "0.123"),
        ("subgroup_results", "auroc", "38", "0.123"),
        ("table4", "detectable", "21", "0.123"),
    ],
)
def test_a_changed_table_changes_the_text(evidence, field, column, number, printed):
    table = getattr(evidence, field).assign(**{column: 0.1234})
    changed = dataclasses.replace(evidence, **{field: table})

    assert printed not in text_of(fill_claim(evidence), number)
    assert printed in text_of(fill_claim(changed), number)


def test_calibration_that_certain_outputs_decide_is_told_with_their_number(evidence):
    table = evidence.calibration_results.assign(n_certain=30, n_certain_validation=4)

    for is_decided in (True, False):
        changed = dataclasses.replace(
            evidence, calibration_results=table.assign(is_decided_by_certain=is_decided)
        )
        told = text_of(fill_claim(changed), "37")
        assert ("decided by 34 outputs of exactly 0 or 1" in told) == is_decided


def test_the_detectable_differences_are_told_from_the_least_to_the_largest(evidence):
    pairs = pd.DataFrame({"p_clustered": 0.5, "detectable": [0.2221, 0.1112]})

    told = text_of(fill_claim(dataclasses.replace(evidence, table4=pairs)), "21")
    assert "from 0.111 to 0.222" in told


def test_the_parts_are_told_with_their_counts(evidence):
    parts = evidence.part_counts.assign(images=evidence.part_counts["images"] + 1)

    changed = dataclasses.replace(evidence, part_counts=parts)
    assert "test 100 radiographs of 45 patients" in text_of(fill_claim(evidence), "19")
    assert "test 101 radiographs of 45 patients" in text_of(fill_claim(changed), "19")
    told = text_of(fill_tripod_ai(evidence), "21")
    assert "Phase 3: COVID-19, test: 75 with and 25 without COVID-19" in told


def test_what_is_unknown_is_told_apart_from_what_is_absent(evidence):
    parts = evidence.part_counts.assign(known=[60, 200, 240, 80, 90])
    changed = dataclasses.replace(evidence, part_counts=parts)

    told = text_of(fill_tripod_ai(changed), "21")
    assert (
        "train: 60 with and 0 without Pneumonia, unknown of 540, 300 patients" in told
    )
    assert "test: 75 with and 15 without COVID-19, unknown of 10, 45 patients" in told
    assert "validation: 60 with and 20 without COVID-19, 40 patients" in told


def test_rejections_are_told_with_their_reason(evidence):
    nothing = dataclasses.replace(evidence, flow_results=evidence.flow_results.tail(1))

    assert "3 rejected at ingestion, no RT-PCR result" in text_of(
        fill_claim(evidence), "8"
    )
    assert "No listed radiograph was rejected." in text_of(fill_claim(nothing), "8")


def test_the_recipe_is_the_one_that_was_recorded(evidence):
    told = text_of(fill_claim(evidence), "25")

    assert told.count("learning rate 0.05, times 0.1 after 3 epochs") == 2
    assert "Phase 1:" in told
    assert "Path (c), phase 3:" in told
    assert "14 run, epoch 9 kept" in told


def test_leakage_and_shortcuts_are_told_where_they_were_audited(evidence, bare):
    card = fill_model_card(evidence)

    assert "Not held out: of 100 test radiographs 4" in text_of(card, topic="Limits")
    assert "view 0.654" in text_of(card, topic="Shortcuts")
    assert "source ricord have one label" in text_of(card, topic="Limits")
    assert "eakage" not in text_of(fill_model_card(bare), topic="Limits")


def test_a_hidden_lung_and_an_unseen_site_are_told_where_they_were_measured(evidence):
    measured = {"auroc": [0.6161], "lower": [0.5], "upper": [0.7]}
    hidden = {"path": ["path_c"], "input": ["lungs_removed"]}
    more = dataclasses.replace(
        evidence,
        shortcut_results=pd.DataFrame({**hidden, **measured}),
        sites={"path_c": pd.DataFrame({"site": ["South"], **measured})},
    )

    assert "lungs hidden 0.616" in text_of(fill_claim(more), "30")
    assert "South 0.616" in text_of(fill_claim(more), "33")
    assert "0.616" not in str(fill_claim(evidence))


def test_what_is_known_of_the_maps_is_told(evidence):
    path = {"path": "path_c"}
    energy = {"energy": 0.3784, "energy_lower": 0.3, "energy_upper": 0.4, "area": 0.436}
    randomised = {"n_randomised": 3, "similarity": 0.0643, "between_images": 0.7604}
    tables = SaliencyTables(
        explanation_results=pd.DataFrame([{**path, "method": "grad_cam"}]),
        randomisation_results=pd.DataFrame([{**path, **randomised}]),
        region_results=pd.DataFrame(
            [{**path, "region": "lungs", "outcome": "all", **energy}]
        ),
        repeatability_results=pd.DataFrame(
            {"path": [], "similarity": [], "between_images": []}
        ),
    )
    told = text_of(fill_claim(dataclasses.replace(evidence, saliency=tables)), "31")

    assert "Maps are by Grad-CAM" in told
    assert "lungs 0.378 (95 % interval 0.300 to 0.400) on 0.436" in told
    assert "3 layers randomised, a map's similarity to the original is 0.064" in told


def test_a_site_that_was_held_out_is_told_as_such(evidence):
    split = {**evidence.test_split, "test": "site", "held_out_site": "West"}
    parameters = {**evidence.parameters, "phase3_split": split}
    held_out = dataclasses.replace(evidence, parameters=parameters)

    assert "test part is the site West" in text_of(fill_tripod_ai(held_out), "16")
    assert "drawn from the same cohort" in text_of(fill_tripod_ai(evidence), "16")
    assert "No external data" in text_of(fill_claim(evidence), "33")
    assert "No external data" not in text_of(fill_claim(held_out), "33")


def test_pseudonyms_are_told_where_a_salt_was_set(evidence):
    ingestion = {"layout": "manifest", "pseudonym_salt": None}
    without = dataclasses.replace(
        evidence, parameters={**evidence.parameters, "covid_ingestion": ingestion}
    )

    assert "keyed hashes" in text_of(fill_claim(evidence), "11")
    assert "used as delivered" in text_of(fill_claim(without), "11")


@pytest.mark.parametrize("fill", FILL)
def test_synthetic_cohorts_are_said_to_be_before_anything_else(fill, evidence):
    drawn = dataclasses.replace(
        evidence, cohort_counts=evidence.cohort_counts.assign(is_synthetic=True)
    )

    assert fill(drawn).notices[0].startswith("Synthetic data: not clinical evidence.")
    assert "Synthetic" not in "".join(fill(evidence).notices)


def test_an_interval_that_is_not_known_is_said_not_to_be(evidence):
    table = evidence.table3.assign(lower=float("nan"))
    unknown = dataclasses.replace(evidence, table3=table)

    assert "0.812 (95 % interval not estimable)" in text_of(fill_claim(unknown), "37")


@pytest.mark.parametrize("fill", FILL)
def test_a_document_holds_no_secret_and_no_place(fill, evidence):
    text = str(fill(evidence).as_record())

    assert "a secret of many" not in text
    assert "/home/" not in text
    assert "10.0.0.7" not in text
    assert not re.search(r"\bnan\b|None", text)
