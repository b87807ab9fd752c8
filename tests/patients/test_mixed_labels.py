import pandas as pd
import pytest

from covid_cxr.patients.mixed_labels import list_mixed_copies, list_mixed_results


def test_patients_with_both_results_are_listed_with_their_counts():
    curated = pd.DataFrame(
        {
            "patient_id": ["c", "a", "a", "a", "b", "b", "d", "d"],
            "covid19": pd.array(
                [True, True, False, True, True, True, False, None], dtype="boolean"
            ),
        }
    )

    mixed = list_mixed_results(curated, "covid19")

    assert mixed.to_dict("records") == [
        {"patient_id": "a", "n_positive": 2, "n_negative": 1}
    ]


def test_a_cohort_without_them_gives_an_empty_table_of_the_same_columns():
    curated = pd.DataFrame(
        {"patient_id": ["a", "b"], "covid19": pd.array([True, False], dtype="boolean")}
    )

    mixed = list_mixed_results(curated, "covid19")

    assert mixed.empty
    assert mixed.columns.tolist() == ["patient_id", "n_positive", "n_negative"]


def pairs_of(*pairs):
    return pd.DataFrame(pairs, columns=["first_image_id", "second_image_id"])


@pytest.mark.parametrize(
    ("labels", "pairs", "listed"),
    [
        ([True, False, True, None], [("a", "b")], ["a", "b"]),
        ([True, True, False, None], [("a", "b"), ("a", "c")], ["a", "b", "c"]),
        ([None, True, False, None], [("a", "b"), ("a", "c")], ["a", "b", "c"]),
        ([True, True, False, None], [("a", "b"), ("c", "d")], []),
        ([True, None, True, None], [("a", "b")], []),
        ([True, False, True, False], [], []),
    ],
)
def test_copies_of_a_picture_with_both_results_are_listed_and_named(
    labels, pairs, listed, caplog
):
    curated = pd.DataFrame(
        {
            "image_id": ["a", "b", "c", "d"],
            "patient_id": ["covid:1", "covid:2", "covid:2", "covid:3"],
            "covid19": pd.array(labels, dtype="boolean"),
        }
    )

    mixed = list_mixed_copies(curated, pairs_of(*pairs), "covid19")

    assert mixed["image_id"].tolist() == listed
    assert set(mixed["picture"]) <= {"a"}
    assert (", ".join(listed) in caplog.text) is True
    assert ("both results" in caplog.text) is bool(listed)
