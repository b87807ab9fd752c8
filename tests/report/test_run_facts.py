"""Where the numbers come from: hashes that tell data apart, records, parameters."""

import hashlib

import pandas as pd
import pytest

from covid_cxr.report.run_facts import Provenance, hash_data, list_provenance
from covid_cxr.training.provenance import split_sha256


@pytest.fixture
def curated():
    return pd.DataFrame({"image_id": ["b", "a"], "pixels_sha256": ["2" * 4, "1" * 4]})


@pytest.fixture
def split():
    return pd.DataFrame({"image_id": ["a"], "patient_id": ["p"], "part": ["train"]})


def test_a_text_is_hashed_as_it_is_and_a_missing_table_is_absent():
    hashes = hash_data({"list": "1.png\n", "mapping": None}, {}, {})

    digest = hashlib.sha256(b"1.png\n").hexdigest()
    assert hashes == {"list": digest, "mapping": "absent"}


def test_the_hash_of_a_table_changes_with_a_value_and_not_with_its_index():
    table = pd.DataFrame({"image": ["a", "b"], "age": [61, 62]})

    same, reindexed, other = (
        hash_data({"entries": one}, {}, {})["entries"]
        for one in (table, table.set_axis([7, 8]), table.assign(age=[61, 63]))
    )
    assert same == reindexed
    assert same != other


def test_a_cohort_is_known_by_its_pixels_in_whatever_order(curated):
    same, turned, other = (
        hash_data({}, {"covid": table}, {})["covid_images"]
        for table in (curated, curated[::-1], curated.assign(pixels_sha256="3"))
    )

    assert same == turned
    assert same != other


def test_a_split_has_the_hash_that_trainings_record(split):
    hashes = hash_data({}, {}, {"phase3": split})

    assert hashes == {"phase3_split": split_sha256(split)}


def test_every_fact_stands_in_the_table_under_its_kind():
    table = list_provenance(
        code={"version": "0.1.0"},
        packages={"numpy": "2.4.6"},
        data={"nih_entries": "ab"},
        records={"phase1": {"recipe": {"seed": 3}, "n_epochs": 7, "parents": [{}]}},
        parameters={"curation": {"size_px": 64}},
    )

    assert [tuple(row) for row in table.itertuples(index=False)] == [
        ("code", "version", "0.1.0"),
        ("package", "numpy", "2.4.6"),
        ("data", "nih_entries", "ab"),
        ("training", "phase1.recipe.seed", "3"),
        ("training", "phase1.n_epochs", "7"),
        ("parameter", "curation.size_px", "64"),
    ]


def test_what_a_training_records_is_not_told_again_as_it_is_set_now():
    """It may have been changed since the training ran."""
    recipe = {"learning_rate": 0.5}
    parameters = {
        "network": {"size_px": 512},
        "path_b": {"phase3": {"recipe": recipe}},
        "phase3": {"recipe": recipe, "repetition": {"n_seeds": 5}},
    }
    facts = {key: {} for key in ("code", "packages", "data", "records")}

    table = list_provenance(**facts, parameters=parameters)

    assert list(table["name"]) == ["phase3.repetition.n_seeds"]


def test_facts_are_grouped_by_the_first_word_of_their_name():
    table = pd.DataFrame(
        [
            ("training", "phase1.seed", "1"),
            ("training", "path_b_phase3.seed", "2"),
            ("training", "phase1.recipe.flip", "true"),
            ("code", "version", "0.1.0"),
        ],
        columns=["kind", "name", "value"],
    )
    provenance = Provenance(provenance_results=table)

    assert provenance.seeds == {"phase1.seed": "1", "path_b_phase3.seed": "2"}
    assert provenance.of("code") == {"version": "0.1.0"}
    assert provenance.groups("training") == {
        "phase1": {"seed": "1", "recipe.flip": "true"},
        "path_b_phase3": {"seed": "2"},
    }
