from pathlib import PurePosixPath

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from covid_cxr.synthesis.epidemiology import (
    DRAWN,
    NIH_EPIDEMIOLOGY,
    NIH_FINDINGS,
    severity_column,
)
from covid_cxr.synthesis.hospital import admit_patients
from covid_cxr.synthesis.patients_nih import rsna_class


@pytest.fixture
def nih(radiographs):
    return radiographs[radiographs["cohort"] == "nih"]


@pytest.fixture
def large_nih(large_radiographs):
    return large_radiographs[large_radiographs["cohort"] == "nih"]


@pytest.fixture
def large_covid(large_radiographs):
    return large_radiographs[large_radiographs["cohort"] == "covid"]


def test_each_cohort_has_the_size_that_was_asked_for(radiographs):
    sizes = radiographs["cohort"].value_counts()

    assert dict(sizes) == {"nih": 120, "rsna": 60, "covid": 60}


def test_the_same_seed_admits_the_same_patients(synthesis, radiographs):
    pd.testing.assert_frame_equal(admit_patients(synthesis), radiographs)


def test_another_seed_admits_others(make_synthesis, radiographs):
    others = admit_patients(make_synthesis(seed=8))

    assert set(others["drawing_seed"]).isdisjoint(radiographs["drawing_seed"])


def test_no_two_radiographs_share_a_file(large_radiographs):
    assert not large_radiographs.duplicated(["cohort", "file"]).any()


def test_the_table_survives_parquet(radiographs, tmp_path):
    file = tmp_path / "radiographs.parquet"
    radiographs.to_parquet(file)

    pd.testing.assert_frame_equal(pd.read_parquet(file), radiographs)


def test_no_patient_is_in_both_official_parts(nih):
    parts = nih.groupby("patient")["official_part"].nunique()

    assert (parts == 1).all()


def test_the_official_test_part_is_no_random_sample(large_nih):
    per_patient = large_nih.groupby("official_part")["patient"].agg(["size", "nunique"])
    visits = per_patient["size"] / per_patient["nunique"]
    is_healthy = large_nih["finding_labels"] == "No Finding"
    healthy = is_healthy.groupby(large_nih["official_part"]).mean()

    assert per_patient["size"]["test"] == round(4000 * 25_596 / 112_120)
    assert visits["test"] > 1.5 * visits["train_val"]
    assert healthy["test"] < healthy["train_val"] - 0.08


def test_a_sicker_hospital_has_each_finding_as_much_more_often(make_synthesis):
    usual, sicker = (
        admit_patients(make_synthesis(nih_images=4000, morbidity=morbidity))
        for morbidity in (1.0, 2.5)
    )

    for finding in ("infiltration", "effusion", "nodule"):
        column = severity_column(finding)
        counts = [
            (drawn.loc[drawn["cohort"] == "nih", column] > 0).sum()
            for drawn in (usual, sicker)
        ]
        assert counts[1] == pytest.approx(2.5 * counts[0], abs=2)


@pytest.mark.parametrize("part", ["train_val", "test"])
def test_every_finding_is_labelled_in_several_patients_of_either_part(nih, part):
    here = nih[nih["official_part"] == part]
    labels = here["finding_labels"].str.get_dummies("|")

    for row in NIH_EPIDEMIOLOGY:
        assert here.loc[labels[row.title] == 1, "patient"].nunique() >= 2


def test_labels_are_as_frequent_as_in_chest_x_ray_14(large_nih):
    is_test = large_nih["official_part"] == "test"
    labels = large_nih["finding_labels"].str.get_dummies("|")

    for row in NIH_EPIDEMIOLOGY:
        if row.finding != "hernia":  # too rare to be left alone
            assert labels.loc[~is_test, row.title].mean() == pytest.approx(
                row.train_val, rel=0.1
            )
            assert labels.loc[is_test, row.title].mean() == pytest.approx(
                row.test, rel=0.1
            )


def test_a_patient_has_one_anatomy_one_sex_and_one_site(large_radiographs):
    of_patient = large_radiographs.groupby(
        [large_radiographs["cohort"].replace("rsna", "nih"), "patient"]
    )

    for constant in ("anatomy_seed", "sex", "site"):
        assert of_patient[constant].nunique().max() == 1


def test_rsna_shows_nih_radiographs_again(radiographs, nih):
    rsna = radiographs[radiographs["cohort"] == "rsna"]
    originals = nih.set_index("file").loc[rsna["nih_file"]]

    assert rsna["nih_file"].is_unique
    same = ["patient", "drawing_seed", "anatomy_seed", "view", "sex", "official_part"]
    same += [severity_column(finding) for finding in DRAWN]
    for column in same:
        assert (originals[column].to_numpy() == rsna[column].to_numpy()).all()


def test_rsna_takes_its_share_of_the_official_parts_and_classes(large_radiographs):
    rsna = large_radiographs[large_radiographs["cohort"] == "rsna"]
    classes = rsna_class(rsna).value_counts(normalize=True)

    assert (rsna["official_part"] == "train_val").mean() == pytest.approx(
        0.73, abs=0.01
    )
    assert classes["opaque"] == pytest.approx(0.2253, abs=0.01)
    assert classes["abnormal"] == pytest.approx(0.443, abs=0.03)


def test_rsna_ids_are_uuids_of_version_4(radiographs):
    rsna = radiographs[radiographs["cohort"] == "rsna"]
    ids = rsna["file"].map(lambda file: PurePosixPath(file).stem)

    pattern = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    assert ids.str.fullmatch(pattern).all()


def test_readers_and_text_mining_disagree_on_pneumonia(large_radiographs):
    rsna = large_radiographs[large_radiographs["cohort"] == "rsna"]
    is_opaque = rsna_class(rsna) == "opaque"
    is_mined = rsna["finding_labels"].str.contains("Pneumonia")

    assert (is_opaque & ~is_mined).sum() > 0.5 * is_opaque.sum()


def test_three_quarters_of_covid_radiographs_are_positive_at_every_site(large_covid):
    is_positive = large_covid["rt_pcr"] == "positive"
    at_sites = is_positive.groupby(large_covid["site"]).mean()

    assert is_positive.mean() == pytest.approx(0.756, abs=0.01)
    assert len(at_sites) == 3
    assert at_sites.to_numpy() == pytest.approx(0.756, abs=0.03)


def test_the_smallest_cohort_has_both_results_at_every_site(radiographs):
    covid = radiographs[radiographs["cohort"] == "covid"]

    assert (covid.groupby("site")["rt_pcr"].nunique() == 2).all()


def test_a_patient_has_one_result(large_covid):
    assert large_covid.groupby("patient")["rt_pcr"].nunique().max() == 1
    assert large_covid["patient"].nunique() == pytest.approx(475, rel=0.1)


def test_covid_is_drawn_in_positive_patients_only(large_covid):
    is_positive = large_covid["rt_pcr"] == "positive"

    assert ((large_covid["covid19_severity"] > 0) == is_positive).all()


def test_many_of_those_without_covid_are_ill_otherwise(large_covid):
    negative = large_covid[large_covid["rt_pcr"] == "negative"]
    findings = [severity_column(finding) for finding in NIH_FINDINGS]
    is_ill = (negative[findings] > 0).any(axis=1)

    assert 0.5 < is_ill.mean() < 0.95


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_is_known_without_the_picture_does_not_tell_the_result(
    make_synthesis, seed
):
    radiographs = admit_patients(make_synthesis(seed=seed, covid_images=330))
    covid = radiographs[radiographs["cohort"] == "covid"]
    known = pd.get_dummies(
        covid[["view", "sex", "site", "age_years", "has_devices"]], dtype=float
    )
    known = (known - known.mean()) / known.std()
    is_positive = covid["rt_pcr"] == "positive"

    scores = cross_val_predict(
        LogisticRegression(),
        known,
        is_positive,
        groups=covid["patient"],
        cv=GroupKFold(5),
        method="predict_proba",
    )[:, 1]

    assert roc_auc_score(is_positive, scores) < 0.65


def test_study_dates_are_dicom_dates_of_2020(large_covid):
    dates = pd.to_datetime(large_covid["study_date"], format="%Y%m%d")

    assert dates.dt.year.unique().tolist() == [2020]


def test_ages_are_those_of_people(large_radiographs):
    ages = large_radiographs["age_years"]

    assert ages.between(1, 95).all()
    assert np.issubdtype(ages.dtype, np.integer)
