import numpy as np
import pandas as pd

from covid_cxr.patients.strata import even_out, levels_of_groups


def test_levels_are_counted_by_group_value_and_label():
    radiographs = pd.DataFrame(
        {
            "group": ["b", "a", "a", "b"],
            "covid19": [True, True, False, True],
            "sex": ["F", "M", "M", None],
            "age_years": [39.9, 40.0, np.nan, 61.0],
        }
    )

    of_sex = levels_of_groups(radiographs, ["sex"], label="covid19")
    of_age = levels_of_groups(radiographs, ["age_band"], label="covid19")

    # M with and without, then F and unknown with COVID-19, in the order of their names.
    assert sorted(of_sex.T.tolist()) == [[0, 1], [0, 1], [1, 0], [1, 0]]
    assert sorted(of_age.T.tolist()) == [[0, 1], [0, 1], [1, 0], [1, 0]]
    both = levels_of_groups(radiographs, ["sex", "age_band"], label="covid19")
    assert both.tolist() == np.hstack([of_sex, of_age]).tolist()


def test_only_groups_of_one_kind_are_exchanged():
    levels = np.array([[2, 0], [0, 2], [0, 2], [2, 0]])
    chosen = np.array([True, False, False, False])
    kinds = np.array([0, 0, 1, 1])

    evened = even_out(chosen, kinds, levels, np.array([0.0, 2.0]))

    assert evened.tolist() == [False, True, False, False]
    assert chosen.tolist() == [True, False, False, False]


def test_a_choice_that_no_exchange_betters_stays():
    levels = np.array([[1, 0], [1, 0], [0, 1]])
    chosen = np.array([True, False, False])

    evened = even_out(chosen, np.zeros(3, int), levels, np.array([0.6, 0.4]))

    assert evened.tolist() == chosen.tolist()
