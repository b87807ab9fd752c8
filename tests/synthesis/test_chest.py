from dataclasses import replace

import numpy as np
import pytest

from covid_cxr.synthesis.anatomy import Thorax, inherit_anatomy, take_position
from covid_cxr.synthesis.chest import draw_chest


@pytest.fixture
def thorax():
    rng = np.random.default_rng(3)
    return Thorax(
        anatomy=inherit_anatomy(1, sex="M", age_years=40),
        position=take_position("PA", magnification=1.0, rng=rng),
        shape=(128, 128),
    )


def draw(thorax):
    return draw_chest(thorax, rng=np.random.default_rng(0))


def test_air_absorbs_nothing_lungs_little_and_the_belly_most(thorax):
    chest = draw(thorax)

    lung = chest.tissue[(chest.lungs[-1] > 0.9) & (chest.air[-1] > 0.9)].mean()
    belly = chest.tissue[-8:, 40:60].mean()
    assert chest.tissue[2, 2] == pytest.approx(0, abs=0.02)
    assert 0.3 < lung < 0.7 * belly
    assert chest.tissue.min() >= 0


def test_vessels_branch_in_the_lungs_only(thorax):
    chest = draw(thorax)

    outside = (chest.lungs[-1] + chest.lungs[1]) < 0.01
    assert chest.markings[outside].max() < 0.01
    assert chest.markings.max() > 0.1


def test_the_heart_takes_air_from_the_left_lung_most(thorax):
    chest = draw(thorax)

    lost = {side: (chest.lungs[side] - chest.air[side]).sum() for side in (-1, 1)}
    assert lost[1] > 2 * lost[-1] > 0


def test_the_heart_is_larger_in_ap(thorax):
    in_bed = replace(thorax, position=replace(thorax.position, view="AP"))

    standing, lying = (draw(each) for each in (thorax, in_bed))
    assert lying.air[1].sum() < standing.air[1].sum() - 10


def test_the_vessels_are_the_patients_own(thorax):
    first, second = (
        draw_chest(thorax, rng=np.random.default_rng(seed)) for seed in (0, 1)
    )

    assert (first.markings == second.markings).all()
    assert (first.tissue != second.tissue).any()  # gas in the stomach moves
