"""Splits that leave one site out."""

import numpy as np
import pandas as pd
import pytest

from covid_cxr.patients.duplicates import no_duplicates
from covid_cxr.patients.site_splits import LeftOutSites, split_sites
from covid_cxr.patients.split_targets import SplitTargets

PHASE3 = SplitTargets(
    label="covid19",
    eligible="all",
    images=1.0,
    test=0.2,
    test_positives=None,
    n_folds=None,
    fold=None,
    held_out_site=None,
    validation=0.25,
    validation_positives=None,
    strata=[],
    duplicates="keep_together",
    seed=1,
)
SITES = LeftOutSites(least_patients=3)


def cohort(*patients):
    """Return radiographs, one per letter of each patient's sites.

    Args:
        patients: Whether positive, and the sites of the images, as in (True, "aab").
    """
    rows = [
        (f"covid:{number}", is_positive, site)
        for number, (is_positive, sites) in enumerate(patients)
        for site in sites
    ]
    table = pd.DataFrame(rows, columns=["patient_id", "covid19", "site"])
    return table.assign(
        image_id=[f"{number:04d}.dcm" for number in range(len(table))],
        covid19=table["covid19"].astype("boolean"),
        site=table["site"].replace("?", "unknown"),
    )


def three_sites(*others):
    """Return eight patients of either class at the sites a, b and c, and `others`."""
    both = [(kind, 2 * site) for site in "abc" for kind in (True, False)]
    return cohort(*(8 * both), *others)


def split_of(curated, sites=SITES, targets=PHASE3):
    return split_sites(curated, no_duplicates(), targets, sites)


def test_every_site_is_tested_on_once_with_all_its_images():
    curated = three_sites()

    splits, counts = split_of(curated)

    tested = splits[splits["part"] == "test"]
    site_of_image = curated.set_index("image_id")["site"]
    assert sorted(tested["image_id"]) == sorted(curated["image_id"])
    assert (tested["site"] == tested["image_id"].map(site_of_image)).all()
    assert counts.drop(columns="reason").to_dict("records") == [
        {"site": site, "images": 32, "patients": 16, "cases": 16} for site in "abc"
    ]
    assert counts["reason"].isna().all()


def test_nothing_of_the_site_that_is_left_out_is_trained_or_chosen_on():
    curated = three_sites()

    splits, _ = split_of(curated)

    for site, split in splits.groupby("site"):
        learned = split.loc[split["part"] != "test", "image_id"]
        own = curated.loc[curated["site"] == site, "image_id"]
        assert set(own).isdisjoint(learned)
        assert split["part"].value_counts().to_dict() == {
            "train": 48,
            "validation": 16,
            "test": 32,
        }
        assert not split.duplicated("image_id").any()


def test_a_patient_of_two_sites_is_tested_at_each_and_learned_from_elsewhere_only():
    curated = three_sites((True, "ab"))
    patient = curated["patient_id"].iloc[-1]

    splits, _ = split_of(curated)

    own = splits[splits["patient_id"] == patient].sort_values("site")
    in_a, in_b = own[own["site"] == "a"], own[own["site"] == "b"]
    assert in_a[["image_id", "part"]].to_numpy().tolist() == [["0096.dcm", "test"]]
    assert in_b[["image_id", "part"]].to_numpy().tolist() == [["0097.dcm", "test"]]
    assert own.loc[own["site"] == "c", "part"].isin(["train", "validation"]).sum() == 2


def test_images_of_no_known_site_are_in_no_part():
    curated = three_sites((True, "?"), (False, "a?"))

    splits, counts = split_of(curated)

    unknown = curated.loc[curated["site"] == "unknown", "image_id"]
    assert splits["image_id"].isin(unknown).sum() == 0
    reason = counts.set_index("site").loc["unknown", "reason"]
    assert reason == "it is not known where the images were taken"


@pytest.mark.parametrize(
    ("patients", "reason"),
    [
        ([(True, "d")] * 5, "one class only: all images are positive"),
        ([(False, "d")] * 5, "one class only: all images are negative"),
        (
            [(True, "d")] * 4 + [(False, "d")] * 2,
            "2 negative patients, fewer than 3",
        ),
        (
            [(False, "d")] * 4 + [(True, "d")],
            "1 positive patients, fewer than 3",
        ),
    ],
)
def test_a_site_that_cannot_be_tested_on_has_a_reason_and_is_trained_on(
    patients, reason
):
    curated = three_sites(*patients)

    splits, counts = split_of(curated)

    assert counts.set_index("site")["reason"].to_dict()["d"] == reason
    assert set(splits["site"]) == {"a", "b", "c"}
    of_d = curated.loc[curated["site"] == "d", "image_id"]
    assert set(splits.loc[splits["image_id"].isin(of_d), "part"]) <= {
        "train",
        "validation",
    }
    assert splits["image_id"].isin(of_d).sum() == 3 * len(of_d)


def test_a_site_with_just_enough_patients_of_either_class_is_left_out():
    curated = three_sites(*[(kind, "d") for kind in (True, False)] * 3)

    splits, counts = split_of(curated)

    assert counts["reason"].isna().all()
    assert (splits["site"] == "d").any()


def test_a_site_without_which_nothing_can_be_learned_is_not_left_out():
    curated = cohort(*[(kind, "a") for kind in (True, False)] * 5, (True, "b"))

    splits, counts = split_of(curated)

    assert splits.empty
    assert list(splits.columns) == ["site", "image_id", "patient_id", "part"]
    assert counts["reason"].tolist() == [
        "too few patients of a class at the other sites to train on",
        "one class only: all images are positive",
    ]


def test_images_whose_label_is_unknown_are_not_counted():
    curated = three_sites()
    curated.loc[0, "covid19"] = pd.NA

    splits, counts = split_of(curated)

    assert counts["images"].tolist() == [31, 32, 32]
    assert "0000.dcm" not in set(splits["image_id"])


def test_how_phase_3_chooses_its_own_test_part_does_not_matter():
    curated = three_sites()
    fold = {**vars(PHASE3), "test": "fold", "n_folds": 4, "fold": 1}

    splits, _ = split_of(curated, targets=SplitTargets(**fold))

    pd.testing.assert_frame_equal(splits, split_of(curated)[0])


def test_a_split_that_cannot_be_drawn_names_the_site_that_was_left_out():
    too_large = SplitTargets(**{**vars(PHASE3), "validation": 500})

    with pytest.raises(ValueError, match="train part") as error:
        split_of(three_sites(), targets=too_large)
    assert "leaves out the site a" in error.value.__notes__[0]


@pytest.mark.parametrize("count", [0, -1, 2.5, True, "5"])
def test_what_is_no_number_of_patients_is_refused(count):
    with pytest.raises(ValueError, match=r"least_patients .* at least 1"):
        LeftOutSites(least_patients=count)


def test_the_order_of_the_radiographs_does_not_matter():
    curated = three_sites((True, "ab"))
    shuffled = curated.iloc[np.random.default_rng(2).permutation(len(curated))]

    for ours, theirs in zip(split_of(curated), split_of(shuffled), strict=True):
        pd.testing.assert_frame_equal(ours, theirs)
