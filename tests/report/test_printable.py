"""Parameters in print: no secret, no place on a machine, nothing else left out."""

import pytest

from covid_cxr.report.printable import flatten, printable


def test_a_salt_is_never_shown_but_that_there_is_one_is():
    ingestion = {"layout": "manifest", "pseudonym_salt": "0123456789abcdef"}

    shown = printable({"covid_ingestion": ingestion})["covid_ingestion"]

    assert shown == {"layout": "manifest", "pseudonym_salt": "set, not shown"}


def test_a_salt_that_is_not_set_is_said_not_to_be():
    shown = printable({"covid_ingestion": {"pseudonym_salt": None}})

    assert flatten(shown) == {"covid_ingestion.pseudonym_salt": "not set"}


def test_places_of_one_run_are_left_out():
    given = {"data_root": "/home/somebody/data", "scores": "t.csv", "audit": {"a": 1}}

    assert printable(given) == {"audit": {"a": 1}}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("/home/somebody/weights/chest.safetensors", "chest.safetensors"),
        ("C:\\Users\\somebody\\chest.h5", "chest.h5"),
        ("~/chest.h5", "chest.h5"),
        ("weights/chest.h5", "weights/chest.h5"),
        ("tcp://10.0.0.7:8786", "set, not shown"),
        ("imagenet", "imagenet"),
        ("Hospital A/B", "Hospital A/B"),
        (["/home/somebody/a.csv", 3], ["a.csv", 3]),
    ],
)
def test_of_a_place_on_a_machine_the_name_is_shown(value, shown):
    assert printable({"step": {"own": value}}) == {"step": {"own": shown}}


def test_nested_records_become_dotted_names_and_text():
    recipe = {"seed": 7, "flip": True}
    record = {"phase3": {"recipe": recipe, "labels": ["a", "b"], "strata": []}}

    assert flatten(record) == {
        "phase3.recipe.seed": "7",
        "phase3.recipe.flip": "true",
        "phase3.labels": "a, b",
        "phase3.strata": "none",
    }
