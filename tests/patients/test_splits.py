import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from covid_cxr.patients.duplicates import PAIR_DTYPES, no_duplicates
from covid_cxr.patients.split_targets import SplitTargets
from covid_cxr.patients.splits import (
    refuse_one_class,
    refuse_shared_patients,
    split_by_patient,
)

PARTS = ("train", "validation", "test")

PHASE3 = {
    "label": "covid19",
    "eligible": "all",
    "images": 1.0,
    "test": 0.20566,
    "test_positives": None,
    "n_folds": None,
    "fold": None,
    "held_out_site": None,
    "validation": 0.203774,
    "validation_positives": None,
    "strata": [],
    "duplicates": "keep_together",
    "seed": 2021,
}


def targets(**changes):
    return SplitTargets(**{**PHASE3, **changes})


def split_of(curated, wanted):
    """Return the split of a cohort in which no picture is there twice."""
    return split_by_patient(curated, no_duplicates(), wanted)[0]


def cohort(images_of_patient, positives_of_patient, **columns):
    """Return the curated radiographs of patients with that many images, positives."""
    patients = np.repeat(np.arange(len(images_of_patient)), images_of_patient)
    is_positive = np.concatenate(
        [
            np.arange(n_images) < n_positives
            for n_images, n_positives in zip(
                images_of_patient, positives_of_patient, strict=True
            )
        ]
    )
    return pd.DataFrame(
        {
            "image_id": [f"{n:05d}.dcm" for n in range(len(patients))],
            "patient_id": [f"covid:{n}" for n in patients],
            "covid19": pd.array(is_positive, dtype="boolean"),
            **columns,
        }
    )


@pytest.fixture(scope="module")
def study():
    """Return 1,060 images of 475 patients, 801 positive (paper, Section 2.3)."""
    rng = np.random.default_rng(3)
    images = 1 + np.bincount(rng.integers(0, 475, 1_060 - 475), minlength=475)
    is_case = images.cumsum() <= 801
    positives = np.where(is_case, images, 0)
    positives[is_case.argmin()] = 801 - positives.sum()
    return cohort(images, positives)


def counts(curated, split, label="covid19"):
    """Return (images, positives) by part."""
    rows = split.merge(curated[["image_id", label]], on="image_id", validate="1:1")
    by_part = rows.groupby("part")[label].agg(["size", "sum"])
    return {part: (row["size"], row["sum"]) for part, row in by_part.iterrows()}


@pytest.mark.parametrize("seed", range(12))
def test_the_parts_of_phase_3_are_as_published_for_any_seed(study, seed):
    split = split_of(study, targets(seed=seed))

    assert counts(study, split) == {
        "train": (626, 801 - 165 - 163),
        "validation": (216, 163),
        "test": (218, 165),
    }
    assert len(split.drop_duplicates(["patient_id", "part"])) == 475


def test_every_image_is_in_one_part(study):
    split = split_of(study, targets())

    assert split.columns.tolist() == ["image_id", "patient_id", "part"]
    assert split["image_id"].tolist() == study["image_id"].tolist()


def test_a_split_is_the_same_for_a_seed_and_any_order_of_rows(study):
    shuffled = study.sample(frac=1, random_state=7)

    first = split_of(study, targets())
    second = split_of(shuffled, targets())

    pd.testing.assert_frame_equal(first, second)


def test_another_seed_draws_other_patients(study):
    first = split_of(study, targets(seed=1))
    second = split_of(study, targets(seed=2))

    assert (first["part"] != second["part"]).mean() > 0.3


def test_splitting_leaves_its_argument_alone(study):
    before = study.copy()

    split_of(study, targets())

    pd.testing.assert_frame_equal(study, before)


@settings(max_examples=25, deadline=None)
@given(
    patients=st.lists(
        st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=6, max_size=20
    ),
    test=st.sampled_from(["none", 0.1, 0.2, 0.5, 7]),
    validation=st.sampled_from([0.05, 0.2, 0.4, 3]),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_patient_is_never_in_two_parts(patients, test, validation, seed):
    images, positives = zip(*patients, strict=True)
    curated = cohort(images, np.minimum(images, positives))
    wanted = targets(test=test, validation=validation, seed=seed)
    split = split_if_possible(curated, wanted)

    assert split.drop_duplicates(["patient_id", "part"])["patient_id"].is_unique
    assert split["image_id"].tolist() == curated["image_id"].tolist()
    parts = {"train", "validation"} if test == "none" else {*PARTS}
    assert set(split["part"]) == parts


def split_if_possible(curated, wanted):
    """Return the split; skip the example if a part cannot have both classes."""
    try:
        return split_of(curated, wanted)
    except ValueError as error:
        if "Both classes are needed in every part" not in str(error):
            raise
        reject()


def test_what_cannot_be_reached_is_logged(caplog):
    curated = cohort([10] * 10, [5] * 10)

    with caplog.at_level(logging.INFO):
        split_of(curated, targets(test="none", validation=23))

    assert "validation: 20 images of 23 wanted" in caplog.text


def test_a_count_of_images_keeps_every_positive():
    curated = cohort([4] * 100, [1] * 30 + [0] * 70)

    split = split_of(curated, targets(images=250, test="none", validation=0.2))

    assert counts(curated, split) == {"train": (200, 24), "validation": (50, 6)}


def test_a_share_of_images_leaves_negatives_out_at_random():
    curated = cohort([1] * 100, [1] * 20 + [0] * 80)
    chosen = [
        set(
            split_of(
                curated, targets(images=0.5, test="none", validation=0.2, seed=seed)
            )["image_id"]
        )
        for seed in (1, 2)
    ]

    assert [len(images) for images in chosen] == [50, 50]
    assert chosen[0] != chosen[1]


@pytest.mark.parametrize("images", [401, 10])
def test_a_count_that_cannot_be_drawn_is_an_error(images):
    curated = cohort([4] * 100, [1] * 30 + [0] * 70)

    with pytest.raises(
        ValueError,
        match=rf"{images} images are to be drawn .* 400 eligible ones, 30 of them",
    ):
        split_of(curated, targets(images=images))


def test_a_part_gets_the_positives_asked_for():
    curated = cohort([2] * 200, [1] * 50 + [0] * 150)

    split = split_of(
        curated, targets(test="none", validation=0.25, validation_positives=0.4)
    )

    assert counts(curated, split)["validation"] == (100, 20)


def test_a_rare_label_is_in_every_part():
    curated = cohort([1] * 60, [1] * 3 + [0] * 57)

    split = split_of(curated, targets(test=0.1, validation=0.1))

    positives = {part: n for part, (_, n) in counts(curated, split).items()}
    assert positives == dict.fromkeys(PARTS, 1)


@pytest.fixture
def official():
    """Return 60 patients, of whom 20 are in the official test list."""
    is_test = np.repeat(np.arange(60) >= 40, 3)
    return cohort(
        [3] * 60, [1, 0] * 30, official_part=np.where(is_test, "test", "train_val")
    )


def test_the_official_list_is_the_test_part(official):
    split = split_of(official, targets(test="official", validation=0.25))

    in_list = official.loc[official["official_part"] == "test", "image_id"]
    assert split.loc[split["part"] == "test", "image_id"].tolist() == in_list.tolist()
    assert counts(official, split)["validation"] == (30, 5)


def test_a_training_set_may_be_drawn_from_the_official_list(official):
    split = split_of(
        official, targets(eligible="official_test", test="none", validation=0.2)
    )

    in_list = official.loc[official["official_part"] == "test", "image_id"]
    assert split["image_id"].tolist() == in_list.tolist()
    assert counts(official, split) == {"train": (48, 8), "validation": (12, 2)}


def test_an_official_list_that_shares_patients_is_an_error(official):
    first = official["image_id"] == "00000.dcm"
    mixed = official.assign(official_part=official["official_part"].mask(first, "test"))

    with pytest.raises(ValueError, match=r"1 patients .*covid:0 \(test and "):
        split_of(mixed, targets(test="official", validation=0.25))


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"label": "pneumonia"}, "pneumonia"),
        ({"test": "official"}, "official_part"),
        ({"eligible": "official_test"}, "official_part"),
        ({"test": "site", "held_out_site": "a"}, "site"),
    ],
)
def test_a_cohort_that_lacks_a_column_is_an_error(study, changes, missing):
    with pytest.raises(ValueError, match=rf"lack {missing}, .* they have image_id"):
        split_of(study, targets(**changes))


def test_images_of_unknown_label_are_left_out_and_counted(caplog):
    curated = cohort([1] * 40, [1, 0] * 20)
    unknown = curated.assign(
        covid19=curated["covid19"].mask(curated["image_id"] == "00003.dcm")
    )

    with caplog.at_level(logging.INFO):
        split = split_of(unknown, targets(test="none", validation=0.25))

    assert len(split) == 39
    assert "1 images left out of the split: covid19 unknown" in caplog.text


@pytest.mark.parametrize(
    ("images", "positives", "message"),
    [
        ([1] * 30, [1] + [0] * 29, "one class only"),
        ([30], [10], "The train part is empty|The validation part is empty"),
    ],
)
def test_a_part_without_both_classes_is_an_error(images, positives, message):
    with pytest.raises(ValueError, match=rf"{message}.*covid19.*change the shares"):
        split_of(cohort(images, positives), targets(test=0.2, validation=0.2))


@pytest.mark.parametrize(
    ("positives", "unknown", "told"),
    [
        (1, [], "all 30 eligible radiographs are positive"),
        (0, [], "all 30 eligible radiographs are negative"),
        (1, [3, 7], "all 28 eligible radiographs are positive"),
    ],
)
@pytest.mark.parametrize("test", [0.2, "none"])
def test_a_cohort_of_one_class_is_told_that_no_share_would_help(
    positives, unknown, told, test
):
    curated = cohort([1] * 30, [positives] * 30)
    curated["covid19"] = curated["covid19"].astype("boolean")
    curated.loc[unknown, "covid19"] = pd.NA

    with pytest.raises(ValueError, match=rf"one class only: {told} .*additions.csv"):
        split_of(curated, targets(test=test, validation=0.2))


def test_a_cohort_of_official_test_images_only_is_an_error(official):
    only_test = official[official["official_part"] == "test"]

    with pytest.raises(ValueError, match="The train part is empty: 0 images"):
        split_of(only_test, targets(test="official", validation=0.25))


def pairs_of(curated, *image_pairs):
    """Return duplicates between images, as `find_duplicates` does."""
    patient = curated.set_index("image_id")["patient_id"]
    rows = [
        {
            "first_image_id": first,
            "first_patient_id": patient[first],
            "second_image_id": second,
            "second_patient_id": patient[second],
            "kind": "exact",
            "distance": 0,
            "is_inverted": False,
            "correlation": 1.0,
        }
        for first, second in image_pairs
    ]
    return pd.DataFrame(rows, columns=list(PAIR_DTYPES))


def image(number):
    return f"{number:05d}.dcm"


def test_patients_linked_by_duplicates_are_in_one_part():
    """Patient 0 shares a picture with 7, and 7 with 23: all three stay together."""
    curated = cohort([2] * 60, [1, 0] * 30)
    duplicates = pairs_of(curated, (image(0), image(14)), (image(15), image(46)))
    linked = ["covid:0", "covid:7", "covid:23"]

    for seed in range(10):
        split, left_out = split_by_patient(
            curated, duplicates, targets(test=0.2, validation=0.3, seed=seed)
        )

        assert len(set(split[split["patient_id"].isin(linked)]["part"])) == 1
        assert len(split) == len(curated)
        assert left_out.empty


def test_duplicates_may_be_ignored():
    curated = cohort([2] * 60, [1, 0] * 30)
    duplicates = pairs_of(curated, *((image(n), image(n + 60)) for n in range(60)))

    split, _ = split_by_patient(curated, duplicates, targets(duplicates="ignore"))

    pd.testing.assert_frame_equal(split, split_of(curated, targets()))


def test_of_each_set_of_duplicates_the_first_may_be_kept_alone():
    curated = cohort([2] * 60, [1, 0] * 30)
    duplicates = pairs_of(
        curated, (image(4), image(14)), (image(14), image(46)), (image(5), image(9))
    )

    split, left_out = split_by_patient(
        curated, duplicates, targets(duplicates="remove")
    )

    assert left_out.set_index("image_id")["reason"].to_dict() == {
        image(9): f"duplicate of {image(5)}",
        image(14): f"duplicate of {image(4)}",
        image(46): f"duplicate of {image(4)}",
    }
    assert sorted([*split["image_id"], *left_out["image_id"]]) == list(
        curated["image_id"]
    )


def test_a_duplicate_of_an_image_that_cannot_be_used_is_kept():
    curated = cohort([2] * 60, [1, 0] * 30)
    unknown = curated.assign(
        covid19=curated["covid19"].mask(curated["image_id"] == image(4))
    )

    split, left_out = split_by_patient(
        unknown, pairs_of(curated, (image(4), image(14))), targets(duplicates="remove")
    )

    assert left_out["reason"].tolist() == ["covid19 unknown"]
    assert image(14) in set(split["image_id"])


def test_the_official_list_stays_whole_where_a_duplicate_links_it(official):
    """Patient 3 of train_val shows a picture of patient 50 of the test list."""
    duplicates = pairs_of(official, (image(9), image(150)))

    split, left_out = split_by_patient(
        official, duplicates, targets(test="official", validation=0.25)
    )

    in_list = official.loc[official["official_part"] == "test", "image_id"]
    assert split.loc[split["part"] == "test", "image_id"].tolist() == in_list.tolist()
    assert left_out["image_id"].tolist() == [image(9), image(10), image(11)]
    assert left_out["patient_id"].unique() == ["covid:3"]
    assert set(left_out["reason"]) == {
        "linked by a duplicate to a patient of the official test list"
    }


def test_of_duplicates_the_one_in_the_official_list_is_kept(official):
    duplicates = pairs_of(official, (image(9), image(150)))

    _, left_out = split_by_patient(
        official,
        duplicates,
        targets(test="official", validation=0.25, duplicates="remove"),
    )

    assert left_out["image_id"].tolist() == [image(9)]
    assert left_out["reason"].tolist() == [f"duplicate of {image(150)}"]


def test_every_curated_image_is_in_the_split_or_left_out_with_a_reason(official):
    unknown = official.assign(
        covid19=official["covid19"].mask(official["image_id"] == image(150))
    )

    split, left_out = split_by_patient(
        unknown,
        no_duplicates(),
        targets(eligible="official_test", images=50, test="none", validation=0.2),
    )

    assert sorted([*split["image_id"], *left_out["image_id"]]) == list(
        official["image_id"]
    )
    assert left_out["reason"].value_counts().to_dict() == {
        "not in the official test list": 120,
        "covid19 unknown": 1,
        "not drawn": 60 - 1 - 50,
    }


def test_left_out_images_are_counted_by_reason_in_the_log(caplog):
    curated = cohort([2] * 60, [1, 0] * 30)
    duplicates = pairs_of(curated, (image(4), image(14)), (image(5), image(9)))

    with caplog.at_level(logging.INFO):
        split_by_patient(curated, duplicates, targets(duplicates="remove"))

    assert "2 images left out of the split: duplicate (2)" in caplog.text


def test_every_patient_is_tested_on_in_exactly_one_fold(study):
    folds = [
        split_of(study, targets(test="fold", n_folds=5, fold=fold)) for fold in range(5)
    ]

    tested = [set(fold.loc[fold["part"] == "test", "image_id"]) for fold in folds]
    assert sorted(name for images in tested for name in images) == sorted(
        study["image_id"]
    )
    assert [len(images) for images in tested] == [212] * 5
    for fold in folds:
        _, n_positives = counts(study, fold)["test"]
        assert n_positives == pytest.approx(801 / 5, abs=1)
        assert set(fold["part"]) == {*PARTS}


def test_duplicates_stay_together_in_folds():
    curated = cohort([2] * 60, [1, 0] * 30)
    duplicates = pairs_of(curated, (image(0), image(14)))

    for fold in range(3):
        split, _ = split_by_patient(
            curated, duplicates, targets(test="fold", n_folds=3, fold=fold)
        )

        linked = split[split["patient_id"].isin(["covid:0", "covid:7"])]
        assert len(set(linked["part"])) == 1


def test_a_site_is_held_out_with_all_its_patients():
    """Patient 0 was radiographed at site c, too, and so is wholly in the test part."""
    curated = cohort([2] * 60, [1, 0] * 30, site=np.repeat(["a", "b", "c"], 40))
    moved = curated.assign(
        site=curated["site"].mask(curated["image_id"] == image(0), "c")
    )

    split = split_of(moved, targets(test="site", held_out_site="c", validation=0.25))

    tested = split[split["part"] == "test"]
    assert set(tested["patient_id"]) == {
        "covid:0",
        *(f"covid:{n}" for n in range(40, 60)),
    }
    assert len(tested) == 42
    assert counts(moved, split)["validation"] == (20, 5)


def test_a_site_that_is_not_there_is_an_error_that_names_those_that_are():
    curated = cohort([2] * 60, [1, 0] * 30, site=np.repeat(["a", "b", "c"], 40))

    with pytest.raises(ValueError, match=r"held_out_site 'd'; there are a, b, c\."):
        split_of(curated, targets(test="site", held_out_site="d"))


def test_strata_are_evened_while_the_counts_stay_exact(study):
    rng = np.random.default_rng(1)
    patient = study["patient_id"].str.removeprefix("covid:").astype(int)
    described = study.assign(
        site=rng.choice(["a", "b", "c"], 475, p=[0.7, 0.2, 0.1])[patient],
        sex=rng.choice(["F", "M", "unknown"], 475, p=[0.45, 0.5, 0.05])[patient],
        age_years=np.where(patient % 20, rng.uniform(20, 90, 475)[patient], np.nan),
    )

    plain = split_of(described, targets())
    evened = split_of(described, targets(strata=["site", "sex", "age_band"]))

    assert counts(described, evened) == counts(described, plain)
    assert unevenness(described, evened) < 0.2 * unevenness(described, plain)


def unevenness(curated, split):
    """Return the sum of squares by which the test part's levels miss their share."""
    rows = curated.merge(split[["image_id", "part"]], on="image_id")
    bands = (
        (rows["age_years"] // 20).astype(object).where(rows["age_years"].notna(), -1)
    )
    missed = 0
    for values in (rows["site"], rows["sex"], bands):
        of_level = pd.crosstab([values, rows["covid19"].astype(bool)], rows["part"])
        missed += ((of_level["test"] - 218 / 1060 * of_level.sum(axis=1)) ** 2).sum()
    return missed


def test_a_stratum_that_the_cohort_lacks_is_an_error(study):
    with pytest.raises(ValueError, match="lack hospital and age_years, which"):
        split_of(study, targets(strata=["hospital", "age_band"]))


def test_an_expected_part_that_is_missing_is_an_error():
    divided = pd.DataFrame({"part": ["train", "train"], "covid19": [True, False]})

    with pytest.raises(ValueError, match="The test part is empty"):
        refuse_one_class(divided, "covid19", ["train", "test"])


def test_a_split_edited_by_hand_is_refused_with_patients_and_parts(study):
    split = split_of(study, targets())
    refuse_shared_patients(split)
    first = split.iloc[0]
    other = {"train": "test", "test": "train", "validation": "train"}[first["part"]]
    added = pd.DataFrame([{**first, "image_id": "x", "part": other}])

    with pytest.raises(
        ValueError,
        match=rf"1 patients are in more than one .*{first['patient_id']} \(.* and ",
    ):
        refuse_shared_patients(pd.concat([split, added]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"eligible": "train"}, "eligible must be one of all, official_test, got"),
        ({"test": "half"}, "test must be one of official, none, fold, site, a share"),
        ({"validation": 0}, "validation must be a share above 0"),
        ({"validation": -0.2}, "validation must be a share above 0"),
        ({"validation": "none"}, "validation must be a share above 0"),
        ({"validation": float("nan")}, "validation must be a share above 0"),
        ({"images": float("inf")}, "images must be a share above 0"),
        ({"validation": None}, "validation must be a share above 0"),
        ({"images": 2.5}, "or a whole count above 1, got 2.5"),
        ({"test": "a share or a count"}, "test must be one of .* got 'a share or a"),
        ({"test": True}, "test must be a share"),
        ({"test": None}, "test must be a share"),
        ({"test_positives": 0.0}, "test_positives must be a share"),
        ({"validation_positives": "all"}, "validation_positives must be a share"),
        ({"duplicates": "drop"}, "duplicates must be one of keep_together, remove"),
        ({"test": "fold"}, "n_folds of at least 2 and fold from 0"),
        ({"test": "fold", "n_folds": 1, "fold": 0}, "n_folds of at least 2"),
        ({"test": "fold", "n_folds": 5, "fold": 5}, "fold from 0 to n_folds - 1"),
        ({"n_folds": 5, "fold": 0}, "any other test with neither; got test 0.2"),
        ({"test": "site"}, "test: site goes with a held_out_site"),
        ({"held_out_site": "a"}, "any other test with none; got test 0.2"),
    ],
)
def test_targets_that_make_no_sense_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        targets(**changes)
