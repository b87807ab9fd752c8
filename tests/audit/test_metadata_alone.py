"""What metadata alone tell of a label."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from covid_cxr.audit.metadata_alone import (
    PREDICTORS,
    associate,
    cross_tabulate,
    describe_set,
    predict_from_metadata,
)

N_IMAGES = 600


def make_cohort(**columns):
    """Return images whose metadata tell nothing, but for what `columns` plant."""
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "image_id": [f"i{n:03d}" for n in range(N_IMAGES)],
            "patient_id": [f"p{n // 2}" for n in range(N_IMAGES)],
            "covid19": pd.array(rng.random(N_IMAGES) < 0.4, dtype="boolean"),
            "source": "one",
            "site": rng.choice(["here", "there"], N_IMAGES),
            "view": rng.choice(["PA", "AP", "unknown"], N_IMAGES),
            "sex": rng.choice(["F", "M"], N_IMAGES),
            "age_years": rng.uniform(0, 95, N_IMAGES),
            **columns,
        }
    )


def described(cohort):
    parts = np.repeat(["train", "validation", "test"], [400, 100, 100])
    split = cohort[["image_id", "patient_id"]].assign(part=parts)
    return describe_set("phase3", curated=cohort, split=split, label="covid19")


def aurocs(cohort, part="test"):
    table = predict_from_metadata(described(cohort), level=0.95)
    return table[table["part"] == part].set_index("predictors")


def test_metadata_that_tell_nothing_have_an_auroc_of_about_a_half():
    table = aurocs(make_cohort())

    assert list(table.index) == list(PREDICTORS)
    assert table["auroc"].between(0.35, 0.65).all()
    assert np.isnan(table.loc["source", "lower"])  # one source: nothing varies
    assert (table["lower"].drop("source") <= 0.5).all()
    assert (table["upper"].drop("source") >= 0.5).all()


def test_a_view_that_tells_the_label_is_found_in_every_part():
    is_case = make_cohort()["covid19"].to_numpy(bool)
    cohort = make_cohort(view=np.where(is_case, "AP", "PA"))
    table = predict_from_metadata(described(cohort), level=0.95)

    found = table.set_index(["part", "predictors"])["auroc"]
    for part in ("validation", "test"):
        assert found[part, "view"] == 1.0
        assert found[part, "age, sex and view"] == 1.0
        assert found[part, "sex"] < 0.7


def test_the_auroc_is_that_of_the_share_of_cases_at_each_training_level():
    rng = np.random.default_rng(5)
    is_case = make_cohort()["covid19"].to_numpy(bool)
    site = np.where(is_case, rng.choice([*"abc"], N_IMAGES, p=[0.6, 0.3, 0.1]), "b")
    cohort = make_cohort(site=site)
    train, test = cohort.iloc[:400], cohort.iloc[500:]
    share = train.groupby("site")["covid19"].mean()

    expected = roc_auc_score(test["covid19"].astype(bool), test["site"].map(share))
    assert aurocs(cohort).loc["site", "auroc"] == pytest.approx(expected)


def test_only_the_training_part_is_learned_from():
    is_case = make_cohort()["covid19"].to_numpy(bool)
    is_trained = np.arange(N_IMAGES) < 400
    cohort = make_cohort(view=np.where(is_case == is_trained, "AP", "PA"))

    assert aurocs(cohort).loc["view", "auroc"] == 0.0


def test_a_label_that_goes_with_missing_metadata_is_seen():
    is_case = make_cohort()["covid19"].to_numpy(bool)
    ages = make_cohort()["age_years"].where(~is_case)

    assert aurocs(make_cohort(age_years=ages)).loc["age", "auroc"] == 1.0


def test_a_level_that_training_never_saw_is_no_error():
    cohort = make_cohort()
    view = cohort["view"].where(cohort.index < 500, "unheard of")

    assert aurocs(cohort.assign(view=view)).loc["view", "auroc"] == 0.5


def test_one_level_only_is_a_half_and_said_to_be_one_level():
    row = aurocs(make_cohort()).loc["source"]

    assert (row["n_levels"], row["auroc"]) == (1, 0.5)


def test_a_part_with_one_class_only_has_no_auroc():
    cohort = make_cohort()
    label = cohort["covid19"].mask(cohort.index >= 500, other=True)

    table = aurocs(cohort.assign(covid19=label))
    assert table["auroc"].isna().all()
    assert set(table["n_controls"]) == {0}


def test_intervals_take_patients_as_the_unit():
    cohort = make_cohort()
    alone = cohort.assign(patient_id=cohort["image_id"])
    twins = cohort.loc[cohort.index.repeat(2)].reset_index(drop=True)
    twins = twins.assign(image_id=[f"i{n}" for n in range(2 * N_IMAGES)])
    parts = np.repeat(["train", "validation", "test"], [800, 200, 200])
    split = twins[["image_id", "patient_id"]].assign(part=parts)
    twice = describe_set("phase3", curated=twins, split=split, label="covid19")

    once = aurocs(cohort).loc["view", ["lower", "upper"]].to_numpy(float)
    table = predict_from_metadata(twice, level=0.95).set_index(["part", "predictors"])
    assert table.loc[("test", "view"), ["lower", "upper"]].to_numpy(
        float
    ) == pytest.approx(once, abs=1e-6)
    assert aurocs(alone).loc["view", "n_patients"] == 100


def test_the_cross_tables_count_every_image_in_every_attribute():
    cohort = make_cohort(age_years=[np.nan, 9.99, 10.0, 80.0, 120.0] * 120)
    table = cross_tabulate(described(cohort))

    by_attribute = table.groupby("attribute")[["n_images", "n_positives"]].sum()
    assert (by_attribute["n_images"] == N_IMAGES).all()
    assert (by_attribute["n_positives"] == cohort["covid19"].sum()).all()
    ages = table[table["attribute"] == "age"].groupby("level")["n_images"].sum()
    assert ages.to_dict() == {
        "0-9": 120,
        "10-19": 120,
        "80 and over": 240,
        "unknown": 120,
    }


def test_a_source_that_tells_the_label_is_strongly_associated_with_it():
    is_case = make_cohort()["covid19"].to_numpy(bool)
    cohort = make_cohort(source=np.where(is_case, "positives", "negatives"))
    table = associate(described(cohort)).set_index(["first", "second"])["cramers_v"]

    assert table["covid19", "source"] == pytest.approx(1.0)
    assert table["covid19", "sex"] < 0.1
    assert len(table) == 15


def test_an_attribute_with_one_level_has_no_association():
    table = associate(described(make_cohort())).set_index(["first", "second"])

    assert np.isnan(table.loc[("covid19", "source"), "cramers_v"])
