"""Figures as PNG files."""

import cv2
import numpy as np
import pytest
from kedro.io import DatasetError
from matplotlib.figure import Figure

from covid_cxr.datasets.figure import FigureDataset


def test_a_saved_figure_comes_back_as_the_png_on_disk(tmp_path):
    place = tmp_path / "08_reporting/figure1.png"
    dataset = FigureDataset(filepath=str(place), save_args={"dpi": 50})

    dataset.save(Figure(figsize=(2, 1)))

    content = dataset.load()
    assert content == place.read_bytes()
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert pixels.shape == (50, 100, 3)


def test_a_figure_has_a_preview_for_kedro_viz(tmp_path):
    dataset = FigureDataset(filepath=str(tmp_path / "figure1.png"))
    dataset.save(Figure())

    assert dataset.preview().startswith("iVBOR")  # "\x89PNG" in base64


def test_a_missing_figure_is_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"figure1\.png"):
        FigureDataset(filepath=str(tmp_path / "figure1.png")).load()


def test_a_figure_is_also_saved_for_print_and_the_same_each_time(tmp_path):
    dataset = FigureDataset(filepath=str(tmp_path / "figure1.png"))
    contents = []
    for _ in range(2):
        figure = Figure(figsize=(2, 1))
        figure.subplots().plot([0, 1], label="a").pop()
        dataset.save(figure)
        contents.append(
            [(tmp_path / f"figure1.{kind}").read_bytes() for kind in ("pdf", "svg")]
        )

    pdf, svg = contents[0]
    assert pdf.startswith(b"%PDF")
    assert b"<svg" in svg
    assert contents[0] == contents[1]
