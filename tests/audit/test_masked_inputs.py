"""Radiographs with the lungs hidden, or all but the lungs."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from covid_cxr.audit.masked_inputs import INPUTS, MaskedInputs, mask_inputs
from covid_cxr.radiographs.lung_masks import encode_mask

SIZE_PX = 20
MEAN = 0.4  # 102 of 255


@dataclass(frozen=True)
class WhiteStore:
    """Two white images."""

    n_images = 2
    size_px = SIZE_PX

    def read(self, rows):
        return np.full((len(rows), SIZE_PX, SIZE_PX), 255, np.uint8)


@pytest.fixture
def inputs():
    """Return the inputs of two images, of which the second has a mask."""
    lungs = np.zeros((SIZE_PX, SIZE_PX), bool)
    lungs[5:12, 3:9] = True
    return mask_inputs(
        WhiteStore(),
        pd.DataFrame({"image_id": ["a", "b"], "row": [1, 0]}),
        pd.DataFrame({"image_id": ["b"], "png": [encode_mask(lungs)]}),
        mean_intensity=MEAN,
        masked_inputs=MaskedInputs(centre_share=0.5, border_share=0.1),
    )


def hidden(inputs, name, row=0):
    """Return where an image is grey; elsewhere it must be as white as it was."""
    (image,) = inputs[name].read(np.array([row]))
    assert set(np.unique(image)) == {102, 255}
    return image == 102


def test_the_lungs_are_hidden_or_all_but_the_lungs(inputs):
    removed = hidden(inputs, "lungs_removed")

    assert removed[5:12, 3:9].all()
    assert removed.sum() == 7 * 6
    np.testing.assert_array_equal(hidden(inputs, "lungs_only"), ~removed)


def test_the_centre_and_all_but_the_border_are_hidden_by_shares(inputs):
    for row in (0, 1):
        centre = hidden(inputs, "centre_removed", row)
        inner = hidden(inputs, "border_only", row)

        assert centre[5:15, 5:15].all()
        assert centre.sum() == 10 * 10
        assert inner[2:18, 2:18].all()
        assert inner.sum() == 16 * 16


def test_images_without_a_mask_are_in_the_inputs_that_need_none(inputs):
    rows = {name: sorted(inputs[name].masks) for name in INPUTS}

    assert rows == {
        "lungs_removed": [0],
        "lungs_only": [0],
        "centre_removed": [0, 1],
        "border_only": [0, 1],
    }


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"centre_share": 1.0}, "centre_share must lie between 0 and 1.0, got 1.0"),
        ({"centre_share": 0}, "centre_share"),
        ({"border_share": 0.5}, "border_share must lie between 0 and 0.5, got 0.5"),
        ({"border_share": float("nan")}, "border_share"),
    ],
)
def test_hiding_everything_or_nothing_is_refused(settings, named):
    with pytest.raises(ValueError, match=named):
        MaskedInputs(**{"centre_share": 0.5, "border_share": 0.1, **settings})
