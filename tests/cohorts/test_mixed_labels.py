import pandas as pd

from covid_cxr.cohorts.mixed_labels import list_mixed_results


def test_patients_with_both_results_are_listed_with_their_counts():
    curated = pd.DataFrame(
        {
            "patient_id": ["c", "a", "a", "a", "b", "b", "d", "d"],
            "covid19": pd.array(
                [True, True, False, True, True, True, False, None], dtype="boolean"
            ),
        }
    )

    mixed = list_mixed_results(curated)

    assert mixed.to_dict("records") == [
        {"patient_id": "a", "n_positive": 2, "n_negative": 1}
    ]


def test_a_cohort_without_them_gives_an_empty_table_of_the_same_columns():
    curated = pd.DataFrame(
        {"patient_id": ["a", "b"], "covid19": pd.array([True, False], dtype="boolean")}
    )

    mixed = list_mixed_results(curated)

    assert mixed.empty
    assert mixed.columns.tolist() == ["patient_id", "n_positive", "n_negative"]
