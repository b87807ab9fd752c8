"""Where the energy of maps lies."""

import numpy as np
import pandas as pd
import pytest

from covid_cxr.radiographs.lung_masks import encode_mask
from covid_cxr.saliency.grad_cam import explainer
from covid_cxr.saliency.map_settings import Saliency
from covid_cxr.saliency.maps import tabulate_maps
from covid_cxr.saliency.regions import (
    COLUMNS,
    border,
    corners,
    energy_share,
    tabulate_regions,
)

SALIENCY = Saliency(
    method="grad_cam",
    layer=None,
    true_positives=1,
    true_negatives=1,
    false_positives=1,
    false_negatives=1,
    seed=1,
    randomised_images=0,
    border_share=0.125,
    corner_share=0.25,
)


@pytest.fixture(scope="module")
def maps(bright_network):
    """Return maps of a network whose map is the image.

    One is bright in the upper left corner and as bright in the centre, one in the
    centre only, one nowhere.
    """
    images = np.zeros((3, 8, 8, 1), np.float32)
    images[:2, 3:5, 3:5] = 1
    images[0, :2, :2] = 1
    table = pd.DataFrame(
        {
            "image_id": ["cornered", "central", "dark"],
            "patient_index": [1, 2, 3],
            "outcome": ["true_positive", "false_positive", "false_positive"],
            "score": 0.9,
        }
    )
    explain = explainer(bright_network, method="grad_cam", layer=None)
    return tabulate_maps(table, explain, iter([images]))


@pytest.fixture(scope="module")
def lungs():
    """Return the masks of two images: the left half and the right three quarters."""
    left, right = np.zeros((2, 64, 64), bool)
    left[:, :32] = True
    right[:, 16:] = True
    pngs = [encode_mask(left), encode_mask(right)]
    return pd.DataFrame({"image_id": ["cornered", "central"], "png": pngs})


def test_the_shares_of_an_analytic_network_are_known(maps, lungs):
    table = tabulate_regions(maps, lungs, SALIENCY, 0.95)
    found = table.set_index(["region", "outcome"])

    assert table.columns.tolist() == list(COLUMNS)
    assert found.loc[("corners", "true_positive"), "energy"] == pytest.approx(0.5)
    assert found.loc[("corners", "false_positive"), "energy"] == 0
    assert found.loc[("corners", "all"), "energy"] == pytest.approx(0.25)
    # Three of the four bright elements of the corner lie in the frame of one element.
    assert found.loc[("border", "true_positive"), "energy"] == pytest.approx(3 / 8)
    assert found.loc[("lungs", "true_positive"), "energy"] == pytest.approx(0.75)
    assert found.loc[("lungs", "false_positive"), "energy"] == pytest.approx(1)


def test_a_share_of_energy_stands_beside_the_share_of_area(maps, lungs):
    table = tabulate_regions(maps, lungs, SALIENCY, 0.95)
    area = table.set_index(["region", "outcome"])["area"]

    assert area["corners", "all"] == pytest.approx(0.25)
    assert area["border", "all"] == pytest.approx(1 - 0.75**2)
    assert area["lungs", "true_positive"] == pytest.approx(0.5)
    assert area["lungs", "all"] == pytest.approx((0.5 + 0.75) / 2)


def test_a_map_of_nothing_is_not_counted(maps, lungs):
    table = tabulate_regions(maps, lungs, SALIENCY, 0.95)

    assert table.query("outcome == 'all'")["n_images"].tolist() == [2, 2, 2]
    assert np.isnan(energy_share(np.zeros((1, 4, 4)), np.ones((4, 4), dtype=bool)))


def test_intervals_take_the_images_of_a_patient_together(maps, lungs):
    many = pd.concat([maps.iloc[:2]] * 3, ignore_index=True)
    alone = tabulate_regions(maps, lungs, SALIENCY, 0.95)
    repeated = tabulate_regions(many, lungs, SALIENCY, 0.95)

    is_all = "outcome == 'all'"
    shown = ["n_patients", "energy", "energy_lower", "energy_upper"]
    pd.testing.assert_frame_equal(
        alone.query(is_all)[shown], repeated.query(is_all)[shown]
    )
    assert (alone.query(is_all)["energy_lower"] < alone.query(is_all)["energy"]).all()


def test_images_without_a_mask_count_for_the_other_regions(maps, lungs):
    table = tabulate_regions(maps, lungs.head(1), SALIENCY, 0.95)
    n_images = table.query("outcome == 'all'").set_index("region")["n_images"]

    assert n_images.to_dict() == {"lungs": 1, "border": 2, "corners": 2}
    without = tabulate_regions(maps, lungs.head(0), SALIENCY, 0.95)
    assert set(without["region"]) == {"border", "corners"}


def test_the_energy_of_a_map_is_shared_out_by_area():
    maps = np.ones((2, 8, 8))
    maps[1, 4:] = 0
    upper = np.zeros((64, 64), dtype=bool)
    upper[:16] = True

    assert energy_share(maps, upper) == pytest.approx([0.25, 0.5])
    assert energy_share(maps, np.stack([upper, ~upper])) == pytest.approx([0.25, 0.5])


def test_the_border_is_a_frame_and_the_corners_its_ends():
    frame, ends = border(20, share=0.1), corners(20, share=0.1)

    assert frame.sum() == 20**2 - 16**2
    assert ends.sum() == 4 * 2 * 2
    assert (frame & ends).sum() == ends.sum()
    assert not frame[2:18, 2:18].any()
