"""The table of trainings."""

import pytest

from covid_cxr.report.trainings import list_trainings, training_title


def test_a_training_is_listed_with_its_ancestors_and_hours():
    table = list_trainings(
        {
            "path_b_phase2": {
                "stage": "path_b.phase2",
                "parents": [{"stage": "initial"}, {"stage": "phase1"}],
                "n_images": {"train": 20, "validation": 5, "test": 0},
                "n_epochs": 12,
                "best_epoch": 7,
                "seconds": 5400,
                "seed": 2021,
                "split_sha256": "abc",
                "versions": {"keras": "3.15.0", "numpy": "2.4"},
                "something_newer": 1,
            }
        }
    )

    row = table.iloc[0]
    assert row["after"] == "initial → phase1"
    assert (row["train"], row["epochs"], row["kept_epoch"]) == (20, 12, 7)
    assert row["hours"] == 1.5
    assert row["versions"] == "keras 3.15.0, numpy 2.4"


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ("none", "random weights"),
        ("imagenet", "ImageNet weights"),
        ("chest.h5", "chest.h5"),
    ],
)
def test_the_first_ancestor_is_told_by_its_weights(weights, words):
    initial = {"stage": "initial", "network": {"weights": weights}}
    table = list_trainings({"phase1": {"parents": [initial]}})

    assert table.loc[0, "after"] == words


def test_what_a_record_lacks_stays_empty():
    assert list_trainings({"phase1": {}})["hours"].isna().all()


@pytest.mark.parametrize(
    ("name", "title"),
    [("phase1", "Phase 1"), ("path_a_phase3", "Path (a), phase 3")],
)
def test_trainings_have_a_name_for_readers(name, title):
    assert training_title(name) == title
