"""Tables of maps: every image, batch by batch, as bytes."""

import numpy as np
import pandas as pd

from covid_cxr.saliency.grad_cam import explainer
from covid_cxr.saliency.maps import maps_of, tabulate_maps


def read_rows(rows):
    """Return an image of one bright pixel per row: row 9 at (1, 1)."""
    images = np.zeros((len(rows), 64), np.float32)
    images[np.arange(len(rows)), rows] = 2
    images[np.arange(len(rows)), 0] = 1
    return images.reshape(-1, 8, 8, 1)


def test_every_image_is_mapped_in_its_order(bright_network, tmp_path):
    rows = np.array([9, 63, 10, 20])
    images = pd.DataFrame({"image_id": list("abcd"), "score": 0.5})
    explain = explainer(bright_network, method="grad_cam", layer=None)
    batches = iter([read_rows(rows[:3]), read_rows(rows[3:])])

    tabulate_maps(images, explain, batches).to_parquet(tmp_path / "maps.parquet")
    table = pd.read_parquet(tmp_path / "maps.parquet")

    assert table.columns.tolist() == ["image_id", "score", "height", "width", "map"]
    assert [one.argmax() for one in table["map"]] == rows.tolist()
    assert all(one.dtype == np.uint8 and one.max() == 255 for one in table["map"])
    expected = read_rows(rows)[..., 0] / 2
    np.testing.assert_allclose(maps_of(table), expected, atol=0.5 / 255)
