from dataclasses import replace

import numpy as np

from covid_cxr.synthesis.anatomy import Thorax, inherit_anatomy, take_position
from covid_cxr.synthesis.chest import draw_chest
from covid_cxr.synthesis.devices import add_devices


def test_devices_are_thin_bright_lines_and_hide_nothing():
    position = take_position("AP", magnification=1.0, rng=np.random.default_rng(3))
    thorax = Thorax(
        anatomy=inherit_anatomy(1, sex="M", age_years=40),
        position=position,
        shape=(128, 128),
    )
    chest = draw_chest(thorax, rng=np.random.default_rng(0))

    wired = add_devices(chest, np.random.default_rng(1))

    added = wired.tissue - chest.tissue
    assert added.min() >= 0
    assert added.max() > 0.3
    assert (added > 0.1).mean() < 0.1
    assert replace(wired, tissue=chest.tissue) == replace(chest, tissue=chest.tissue)
