"""A reader study as people have it: what is told by name, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from covid_cxr.evaluation.inference_settings import Reporting
from covid_cxr.evaluation.reader_table import (
    ReaderColumns,
    arrange_readings,
    as_score_table,
    tabulate_readers,
)

REPORTING = Reporting(level=0.9, significance=0.1, seed=1)


def columns(**said):
    roles = ("case", "patient", "reader", "modality", "score", "label", "positive")
    return ReaderColumns(**{**dict.fromkeys(roles), "covariance": "delong", **said})


def readings(n_cases=20):
    rng = np.random.default_rng(2)
    rows = [
        (f"x{case}", f"p{case // 2}", reader, modality, case // 2 % 2)
        for case in range(n_cases)
        for reader in ("Ada", "Bo")
        for modality in ("without", "with AI")
    ]
    table = pd.DataFrame(
        rows, columns=["Image ID", "Patient", "Radiologist", "Setting", "Truth"]
    )
    noise = rng.standard_normal(len(table))
    helped = (table["Setting"] == "with AI") * table["Truth"]
    return table.assign(Rating=table["Truth"] + helped + noise)


def test_columns_are_known_by_their_names_whatever_the_order_of_rows():
    table = readings()

    found = arrange_readings(table, columns())
    shuffled = arrange_readings(table.sample(frac=1, random_state=1), columns())

    assert found["case"].iloc[:4].tolist() == ["x0"] * 4
    assert found["is_case"].sum() == table["Truth"].sum()
    key = ["case", "reader", "modality"]
    pd.testing.assert_frame_equal(
        found.sort_values(key, ignore_index=True),
        shuffled.sort_values(key, ignore_index=True),
    )
    for table_of in (found, shuffled):
        tested = tabulate_readers(table_of, columns(), REPORTING)[1]
        assert abs(tested["difference"][0]) == pytest.approx(
            tabulate_readers(found, columns(), REPORTING)[1]["difference"].abs()[0]
        )


def test_the_difference_is_what_the_later_modality_adds():
    found = tabulate_readers(
        arrange_readings(readings(60), columns()), columns(), REPORTING
    )

    aurocs, tests, _ = found
    means = aurocs[aurocs["reader"] == "mean"].set_index("modality")["auroc"]
    assert (tests["first"][0], tests["second"][0]) == ("with AI", "without")
    assert tests["difference"][0] == pytest.approx(means["with AI"] - means["without"])
    assert tests["patients"][0] == 30
    assert tests["cases"][0] + tests["controls"][0] == 60


def test_modalities_keep_the_order_of_the_table_whatever_the_first_case_had_first():
    table = readings()
    of_x0 = table["Image ID"] == "x0"
    crossed = pd.concat([table[~of_x0], table[of_x0].iloc[::-1]])

    tests = [
        tabulate_readers(arrange_readings(one, columns()), columns(), REPORTING)[1]
        for one in (table, crossed)
    ]

    assert (tests[1]["first"][0], tests[1]["second"][0]) == ("with AI", "without")
    pd.testing.assert_frame_equal(*tests)


def test_the_log_says_what_was_taken_and_what_was_not_read(caplog):
    with caplog.at_level("INFO"):
        arrange_readings(readings().assign(score=1.0, minutes=3), columns())

    assert "score: score" in caplog.text
    assert "reader: Radiologist" in caplog.text
    assert "not read: Rating, minutes" in caplog.text


def test_a_patient_with_two_cases_counts_once():
    table = readings()
    by_patient = tabulate_readers(
        arrange_readings(table, columns()), columns(), REPORTING
    )
    alone = columns(patient="none")
    by_case = tabulate_readers(arrange_readings(table, alone), alone, REPORTING)

    assert by_patient[1]["patients"][0] == 10
    assert by_case[1]["patients"][0] == 20
    widths = [one[0]["upper"] - one[0]["lower"] for one in (by_patient, by_case)]
    is_mean = by_patient[0]["reader"] == "mean"
    for kind in (is_mean, ~is_mean):
        assert not np.allclose(*(width[kind] for width in widths))


def test_each_reader_with_each_modality_is_a_column_of_scores():
    table = readings()

    wide, said = as_score_table(arrange_readings(table, columns()))

    assert said.classifiers == [
        *("Ada, without", "Bo, without", "Ada, with AI", "Bo, with AI")
    ]
    own = table[(table["Radiologist"] == "Bo") & (table["Setting"] == "with AI")]
    by_image = wide.set_index("image")["Bo, with AI"]
    assert by_image[own["Image ID"]].tolist() == own["Rating"].tolist()


def test_no_table_has_no_rows():
    nothing = arrange_readings(None, columns())

    assert all(len(one) == 0 for one in tabulate_readers(nothing, columns(), REPORTING))


def change(table, place, **cells):
    changed = table.copy()
    for name, value in cells.items():
        changed[name] = changed[name].astype(object)
        changed.loc[place, name] = value
    return changed


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda t: t.drop(columns="Patient"), "no column is the patient.*none: each"),
        (lambda t: t.head(0), "has no rows, only the columns Image ID, Patient"),
        (lambda t: t.drop(index=5), "1 of 80 readings are missing, such as case 'x1'"),
        (lambda t: pd.concat([t, t.iloc[:1]]), "twice, such as case 'x0' by reader 'A"),
        (lambda t: change(t, 3, Truth=1), "1 cases have more than one label"),
        (lambda t: change(t, 3, Patient="p9"), "1 cases have more than one patient"),
        (
            lambda t: change(t, 3, Radiologist="bo "),
            "'bo' and 'bo' in .* capitals, are one name",
        ),
        (
            lambda t: change(t, 3, Radiologist="BO"),
            "'bo' and 'bo' in .* capitals, are one name",
        ),
        (lambda t: change(t, 3, Rating=None), "1 readings have no Rating"),
        (lambda t: change(t, 3, Rating="high"), "'high'"),
        (lambda t: change(t, 3, Truth=None), "1 of 80 labels .* are empty"),
        (lambda t: t.assign(observer=1), "Radiologist, observer may be the reader"),
        (lambda t: t[t["Radiologist"] == "Bo"], "at least 2 readers and 2 modalities"),
        (lambda t: t.assign(Truth=t["Truth"] + 1), "--params=readers.positive=…"),
    ],
)
def test_what_is_no_reader_study_is_refused(spoil, told):
    table = spoil(readings()).astype("str").replace({"None": None, "nan": None})

    with pytest.raises(ValueError, match=told):
        tabulate_readers(arrange_readings(table, columns()), columns(), REPORTING)


def test_a_covariance_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match=r"readers.covariance must be one of delong"):
        columns(covariance="bootstrap")
