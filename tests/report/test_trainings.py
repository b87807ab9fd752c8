"""The table of trainings."""

import pytest

from covid_cxr.report.trainings import (
    cost_from_scratch,
    cost_of_study,
    list_timings,
    list_trainings,
    training_title,
)


def test_a_training_is_listed_with_its_ancestors_():
    table = list_trainings(
        path_b_phase2={
            "stage": "path_b.phase2",
            "parents": [{"stage": "initial"}, {"stage": "phase1"}],
            "n_images": {"train": 20, "validation": 5, "test": 0},
            "n_epochs": 12,
            "best_epoch": 7,
            "seed": 2021,
            "split_sha256": "abc",
            "versions": {"keras": "3.15.0", "numpy": "2.4"},
            "something_newer": 1,
        }
    )

    row = table.iloc[0]
    assert row["after"] == "initial → phase1"
    assert (row["train"], row["epochs"], row["kept_epoch"]) == (20, 12, 7)
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
    table = list_trainings(phase1={"parents": [initial]})

    assert table.loc[0, "after"] == words


def test_what_a_record_lacks_stays_empty():
    assert list_trainings(phase1={})["epochs"].isna().all()


@pytest.mark.parametrize(
    ("name", "title"),
    [("phase1", "Phase 1"), ("path_a_phase3", "Path (a), phase 3")],
)
def test_trainings_have_a_name_for_readers(name, title):
    assert training_title(name) == title


def made_up_study():
    """Return provenance in which phase 1 leads to two paths, and a third has none."""

    def record(stage, *parents, n_epochs, n_train):
        return {
            "stage": stage,
            "parents": [{"stage": name} for name in ("initial", *parents)],
            "n_images": {"train": n_train},
            "n_epochs": n_epochs,
        }

    phase1 = record("phase1", n_epochs=10, n_train=1000)
    small = {"n_epochs": 4, "n_train": 50}
    return {
        "phase1": phase1,
        "path_b_phase2": record("path_b.phase2", "phase1", **small),
        "path_b_phase3": record("path_b.phase3", "phase1", "path_b.phase2", **small),
        "path_c_phase3": record("path_c.phase3", "phase1", **small),
        "path_f_phase3": record("path_f.phase3", **small),
    }


def test_a_training_is_used_by_every_last_classifier_that_it_leads_to():
    table = list_trainings(**made_up_study()).set_index("training")

    assert table["used_by"].to_dict() == {
        "phase1": 2,
        "path_b_phase2": 1,
        "path_b_phase3": 1,
        "path_c_phase3": 1,
        "path_f_phase3": 1,
    }


def test_the_cost_of_the_study_counts_every_training_once():
    cost = cost_of_study(list_trainings(**made_up_study()))

    assert (cost.trainings, cost.epochs) == (5, 10 + 4 * 4)
    assert cost.image_passes == 10 * 1000 + 4 * 4 * 50


def test_from_scratch_every_path_trains_phase_1_itself():
    cost = cost_from_scratch(list_trainings(**made_up_study()))

    assert (cost.trainings, cost.epochs) == (6, 2 * 10 + 4 * 4)
    assert cost.image_passes == 2 * 10 * 1000 + 4 * 4 * 50


def test_what_the_clock_said_is_a_table_of_its_own():
    table = list_timings(phase1={"seconds": [7.5, 2.5]}, pooled={"seconds": [4]})

    assert table.to_dict("list") == {
        "training": ["phase1", "pooled"],
        "epochs": [2, 1],
        "seconds": [10.0, 4.0],
        "seconds_per_epoch": [5.0, 4.0],
    }
