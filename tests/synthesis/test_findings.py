"""Every sign changes the picture where a reader looks for it, and the way it should."""

from dataclasses import replace

import numpy as np
import pytest

from covid_cxr.synthesis.anatomy import Thorax, inherit_anatomy, take_position
from covid_cxr.synthesis.chest import draw_chest
from covid_cxr.synthesis.epidemiology import DRAWN
from covid_cxr.synthesis.findings import (
    LAID_OVER,
    OPACITIES,
    RESHAPED_BY,
    enlarge_heart,
    inflate_lungs,
)

SIZE = 160


@pytest.fixture(scope="module")
def thorax():
    position = take_position("PA", magnification=1.0, rng=np.random.default_rng(3))
    return Thorax(
        anatomy=inherit_anatomy(1, sex="M", age_years=40),
        position=replace(position, shift=(0.0, 0.0), tilt_radians=0.0),
        shape=(SIZE, SIZE),
    )


@pytest.fixture(scope="module")
def healthy(thorax):
    return draw_chest(thorax, rng=np.random.default_rng(0))


@pytest.fixture(scope="module")
def change(healthy):
    """Return a function that gives the change of attenuation that a finding makes."""

    def added(finding, severity=0.7, seed=0):
        rng = np.random.default_rng(seed)
        ill = LAID_OVER[finding](healthy, severity, rng)
        return (ill.tissue + ill.markings) - (healthy.tissue + healthy.markings)

    return added


def centre(image):
    """Return x and y of the centre of gravity as shares of the frame."""
    weights = np.abs(image)
    places = np.indices(image.shape) / SIZE
    y, x = (places * weights).sum(axis=(1, 2)) / weights.sum()
    return x, y


def test_everything_that_can_be_admitted_can_be_drawn():
    assert set(LAID_OVER) | set(RESHAPED_BY) == set(DRAWN)


@pytest.mark.parametrize("finding", sorted(LAID_OVER))
def test_a_sign_grows_with_its_severity(change, finding):
    sums = [
        np.mean([np.abs(change(finding, severity, seed)).sum() for seed in range(8)])
        for severity in (0.2, 0.5, 1.0)
    ]

    assert 0 < sums[0] < sums[1] < sums[2]


@pytest.mark.parametrize("finding", sorted(LAID_OVER))
def test_a_sign_of_moderate_severity_is_seen(change, finding):
    assert np.abs(change(finding, 0.5)).max() > 0.1


@pytest.mark.parametrize("finding", sorted(set(LAID_OVER) - {"hernia"}))
def test_a_sign_stays_in_the_lungs(change, healthy, finding):
    outside = (healthy.lungs[-1] + healthy.lungs[1]) < 0.01
    if finding in ("pneumothorax", "edema"):  # a line along the lung's very edge
        outside = (healthy.lungs[-1] + healthy.lungs[1]) < 1e-6

    assert np.abs(change(finding)[outside]).max() < 0.35
    assert np.abs(change(finding)[outside]).sum() < 0.1 * np.abs(change(finding)).sum()


def test_a_hernia_is_a_ring_with_gas_behind_the_heart(change):
    added = change("hernia")
    x, y = centre(added)

    assert 0.48 < x < 0.62
    assert 0.6 < y < 0.85
    assert added.min() < -0.1  # gas
    assert added.max() > 0.4  # wall and fluid


def test_cardiomegaly_is_a_heart_wider_than_half_the_chest(thorax):
    enlarged = enlarge_heart(thorax.anatomy, 0.5)

    assert thorax.anatomy.heart_half_width < 0.53 * thorax.anatomy.half_width
    assert enlarged.heart_half_width > 0.58 * enlarged.half_width
    assert enlarge_heart(thorax.anatomy, 1.0).heart_half_width > (
        enlarged.heart_half_width
    )


def test_emphysema_flattens_the_diaphragm_and_lets_more_through(thorax):
    inflated = inflate_lungs(thorax.anatomy, 0.8)

    assert inflated.dome < 0.5 * thorax.anatomy.dome
    assert inflated.base > thorax.anatomy.base
    assert inflated.aeration > thorax.anatomy.aeration


@pytest.mark.parametrize("finding", ["emphysema", "pneumothorax"])
def test_air_in_the_wrong_place_is_dark(change, finding):
    darkest = np.mean([change(finding, seed=seed).min() for seed in range(4)])

    assert darkest < -0.15


def test_no_vessel_crosses_a_pneumothorax(healthy):
    ill = LAID_OVER["pneumothorax"](healthy, 0.9, np.random.default_rng(0))

    is_gap = (ill.tissue - healthy.tissue) < -0.25
    assert is_gap.sum() > 100
    assert ill.markings[is_gap].max() < 0.1 * healthy.markings.max()


def test_a_pneumothorax_is_widest_at_the_apex(change):
    gap = np.mean(
        [change("pneumothorax", seed=seed) < -0.2 for seed in range(6)], axis=0
    )

    assert gap[: SIZE // 2].sum() > 1.5 * gap[SIZE // 2 :].sum()


def test_an_effusion_lies_at_the_base(change):
    for seed in range(5):
        assert centre(change("effusion", seed=seed))[1] > 0.6


def test_atelectasis_is_in_the_lower_half(change):
    for seed in range(5):
        assert centre(change("atelectasis", seed=seed))[1] > 0.55


def test_edema_is_in_both_lungs_around_the_hila(change):
    added = change("edema")
    left, right = added[:, : SIZE // 2].sum(), added[:, SIZE // 2 :].sum()

    assert 0.5 < left / right < 2
    assert added[:, SIZE // 4 : -SIZE // 4].sum() > 0.4 * added.sum()


def test_pleural_thickening_hugs_the_wall(change, thorax):
    wall = abs(thorax.in_lung(1, np.ones(1), np.full(1, 0.5))[0, 0] / SIZE - 0.5)
    for seed in range(5):
        assert (
            abs(centre(change("pleural_thickening", seed=seed))[0] - 0.5) > 0.7 * wall
        )


def test_a_mass_is_larger_than_a_nodule(change):
    mass, nodule = (
        np.mean([(change(name, seed=seed) > 0.2).sum() for seed in range(8)])
        for name in ("mass", "nodule")
    )

    assert mass > 3 * nodule > 0


def test_consolidation_is_denser_than_infiltration(change):
    dense, faint = (
        np.mean([change(name, seed=seed).max() for seed in range(8)])
        for name in ("consolidation", "infiltration")
    )

    assert dense > 1.3 * faint


def sidedness(image):
    """Return 0 for a sign as strong in both lungs, 1 for one lung only."""
    left, right = image[:, : SIZE // 2].sum(), image[:, SIZE // 2 :].sum()
    return abs(left - right) / (left + right)


def test_covid_is_in_both_lungs_and_pneumonia_mostly_in_one(change):
    covid, pneumonia = (
        np.mean([sidedness(change(name, seed=seed)) for seed in range(12)])
        for name in ("covid19", "pneumonia")
    )

    assert covid < 0.4
    assert pneumonia > 0.7


def test_covid_is_further_out_and_further_down_than_pneumonia(change):
    def place(name):
        added = np.mean([np.abs(change(name, seed=seed)) for seed in range(16)], axis=0)
        distance = np.abs(np.arange(SIZE) / SIZE - 0.5)[None, :]
        return (added * distance).sum() / added.sum(), centre(added)[1]

    covid, pneumonia = place("covid19"), place("pneumonia")
    assert covid[0] > pneumonia[0] + 0.02
    assert covid[1] > pneumonia[1]


@pytest.mark.parametrize("finding", OPACITIES)
def test_an_opacity_only_adds(change, finding):
    assert change(finding).min() > -0.01


def test_crowding_is_at_the_bases_and_fainter_than_pneumonia(change):
    crowding = change("crowding")

    assert centre(np.maximum(crowding, 0))[1] > 0.5
    assert crowding.max() < change("pneumonia").max()
