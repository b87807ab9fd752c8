from dataclasses import asdict, replace
from pathlib import PurePosixPath

import pandas as pd
import pytest

from covid_cxr.synthesis.damage import ENLARGED, invert, store_anew, truncate
from covid_cxr.synthesis.defects import (
    BROKEN,
    COPIES,
    Defects,
    choose_defects,
    no_defects,
)
from covid_cxr.synthesis.raw_covid import write_covid
from covid_cxr.synthesis.raw_nih import write_nih
from covid_cxr.synthesis.raw_rsna import write_rsna

COHORTS = ("nih", "rsna", "covid")
ONE_OF_EACH = Defects(
    seed=5,
    copy=1,
    stored_anew=1,
    inverted_copy=1,
    inverted=1,
    corrupt=1,
    truncated=1,
    wrong_size=1,
    missing=1,
    in_two_cohorts=1,
    mixed_labels=1,
)


@pytest.fixture(scope="module")
def defects(radiographs):
    return choose_defects(radiographs, ONE_OF_EACH)


def pick(defects, cohort, defect):
    """Return the only defect of a kind in a cohort."""
    is_it = (defects["cohort"] == cohort) & (defects["defect"] == defect)
    return defects[is_it].squeeze()


def test_every_kind_is_planted_as_often_as_asked_for(radiographs):
    twice = choose_defects(radiographs, replace(ONE_OF_EACH, copy=2, truncated=3))

    counts = pd.crosstab(twice["defect"], twice["cohort"])
    of_all = dict.fromkeys((*COPIES, "inverted", *BROKEN), 1)
    expected = {**of_all, "copy": 2, "truncated": 3}
    assert counts["nih"].replace(0, None).dropna().to_dict() == expected
    assert counts["rsna"].replace(0, None).dropna().to_dict() == expected
    assert counts["covid"].to_dict() == {
        **expected,
        "in_two_cohorts": 1,
        "mixed_labels": 1,
    }


def test_no_patient_of_a_cohort_is_in_two_defects(radiographs, defects):
    patient = radiographs.set_index(["cohort", "file"])["patient"]
    shown = defects.dropna(subset="of_file")
    involved = [
        *zip(defects["cohort"], defects["file"], strict=True),
        *zip(shown["of_cohort"], shown["of_file"], strict=True),
    ]

    patients = [(cohort, patient[cohort, file]) for cohort, file in involved]
    assert len(set(patients)) == len(patients)


def test_copies_alone_name_what_they_show(defects):
    named = defects["of_image_id"].notna()

    assert set(defects.loc[named, "defect"]) == {*COPIES, "in_two_cohorts"}
    assert (defects.loc[named, "of_file"].notna()).all()
    assert pick(defects, "covid", "in_two_cohorts")["of_cohort"] == "nih"


def test_images_are_named_as_ingestion_lists_them(defects):
    for row in defects.itertuples():
        path = PurePosixPath(row.file)
        assert row.image_id == (path.stem if row.cohort == "rsna" else path.name)


def test_the_patient_with_a_turned_result_has_another_radiograph(radiographs, defects):
    file = pick(defects, "covid", "mixed_labels")["file"]
    covid = radiographs[radiographs["cohort"] == "covid"].set_index("file")

    assert (covid["patient"] == covid.loc[file, "patient"]).sum() > 1


def test_defects_are_the_same_for_a_seed_and_others_for_another(radiographs, defects):
    again = choose_defects(radiographs, ONE_OF_EACH)
    other = choose_defects(radiographs, replace(ONE_OF_EACH, seed=6))

    pd.testing.assert_frame_equal(again, defects)
    assert (other["file"] != defects["file"]).any()


def test_a_hospital_without_defects_has_an_empty_list(radiographs):
    none = Defects(**dict.fromkeys(asdict(ONE_OF_EACH), 0))

    pd.testing.assert_frame_equal(choose_defects(radiographs, none), no_defects())


def test_too_many_defects_are_refused(radiographs):
    with pytest.raises(ValueError, match=r"patients of the cohort nih are needed"):
        choose_defects(radiographs, replace(ONE_OF_EACH, missing=40))


@pytest.mark.parametrize("value", [-1, 1.5, True])
def test_a_number_of_defects_that_is_no_count_is_refused(value):
    with pytest.raises(ValueError, match=r"defects.copy must be a whole number"):
        replace(ONE_OF_EACH, copy=value)


@pytest.fixture(scope="module", params=COHORTS)
def written(request, radiographs, synthesis, defects):
    """Return a cohort's name and its images without and with defects, undrawn."""
    write = {"nih": write_nih, "rsna": write_rsna, "covid": write_covid}[request.param]
    clean, planted = (
        write(radiographs, synthesis, table)[0] for table in (no_defects(), defects)
    )
    return request.param, clean, planted


def test_only_files_with_a_defect_differ(written, defects):
    cohort, clean, planted = written
    of_cohort = defects[defects["cohort"] == cohort]
    damaged = of_cohort[~of_cohort["defect"].isin(["missing", "mixed_labels"])]
    looked_at = [
        order
        for number, order in enumerate(planted.orders)
        if order.file in set(of_cohort["file"]) or number % 10 == 0
    ]

    changed = {
        order.file
        for order in looked_at
        if planted.encode(order) != clean.encode(order)
    }

    assert changed == set(damaged["file"])
    files = [{order.file for order in images.orders} for images in (clean, planted)]
    assert files[0] - files[1] == {pick(defects, cohort, "missing")["file"]}


@pytest.mark.parametrize(
    ("kind", "damage"),
    [
        ("copy", bytes),
        ("stored_anew", store_anew),
        ("inverted_copy", invert),
        ("inverted", invert),
        ("truncated", truncate),
    ],
)
def test_a_file_shows_what_the_list_says(written, defects, kind, damage):
    cohort, clean, planted = written
    row = pick(defects, cohort, kind)
    order_of = {order.file: order for order in clean.orders}
    shown = order_of[row["file"] if pd.isna(row["of_file"]) else row["of_file"]]

    content = planted.encode(order_of[row["file"]])

    assert content == damage(clean.encode(shown))


def test_a_turned_result_is_in_the_manifest_alone(radiographs, synthesis, defects):
    before, after = (
        write_covid(radiographs, synthesis, table)[1].set_index("image")["rt_pcr"]
        for table in (no_defects(), defects)
    )

    changed = before.index[before != after]
    assert changed.tolist() == [pick(defects, "covid", "mixed_labels")["image_id"]]


def test_a_copy_is_cropped_to_what_it_shows(radiographs, synthesis, defects):
    before, after = (
        write_covid(radiographs, synthesis, table)[2].set_index("image")
        for table in (no_defects(), defects)
    )

    copied, anew = (pick(defects, "covid", kind) for kind in ("copy", "stored_anew"))
    shown = before.loc[[copied["of_image_id"], anew["of_image_id"]]].to_numpy()
    planted = after.loc[[copied["image_id"], anew["image_id"]]].to_numpy()
    assert planted[0].tolist() == shown[0].tolist()
    assert planted[1].tolist() == (ENLARGED * shown[1]).tolist()
    foreign = pick(defects, "covid", "in_two_cohorts")["image_id"]
    assert set(before.index) - set(after.index) == {foreign}
