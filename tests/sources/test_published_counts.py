import logging

import pytest

from covid_cxr.sources.covid import LAYOUTS
from covid_cxr.sources.published_counts import (
    CHEXPERT,
    COVID_LAYOUTS,
    NIH,
    RSNA,
    log_differences,
)


@pytest.fixture(autouse=True)
def _info(caplog):
    caplog.set_level(logging.INFO)


def test_counts_that_agree_are_one_line(caplog):
    log_differences("rsna", RSNA, RSNA)

    assert caplog.messages == ["rsna holds what was published: 6 counts agree"]


def test_only_the_differences_are_shown(caplog):
    log_differences("rsna", {**RSNA, "images": 26_000}, RSNA)

    assert caplog.messages == [
        "rsna differs from what was published: 26,000 images (published 26,684)"
    ]


def test_the_official_lists_divide_the_nih_images():
    parts = NIH["images of train_val_list.txt"], NIH["images of test_list.txt"]

    assert sum(parts) == NIH["images"]


def test_every_rsna_image_has_one_of_three_classes():
    classes = [count for what, count in RSNA.items() if what.startswith("of class")]

    assert sum(classes) == RSNA["images"]


def test_every_layout_has_its_published_counts(caplog):
    assert set(COVID_LAYOUTS) == set(LAYOUTS)

    log_differences("manifest", {}, COVID_LAYOUTS["manifest"])

    assert not caplog.messages  # nobody has published your own cohort


def test_chexpert_s_tables_and_its_test_set_are_the_published_whole():
    rows = CHEXPERT["rows of train.csv"] + CHEXPERT["rows of valid.csv"]
    patients = CHEXPERT["patients of train.csv"] + CHEXPERT["patients of valid.csv"]

    # 500 studies of as many patients, 668 images, are published apart.
    assert (rows + 668, patients + 500) == (224_316, 65_240)
