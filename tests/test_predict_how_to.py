"""The how-to of prediction does what it says: its commands are run on a study."""

import re
from pathlib import Path

import pandas as pd
import pytest

from covid_cxr.prediction.bundle import COLUMNS

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow
HOW_TO = (ROOT / "docs/how-to/predict.md").read_text("utf-8")


@pytest.fixture(scope="module")
def followed(follow_how_to):
    """Return a copy of the project in which the how-to was followed."""
    return follow_how_to(HOW_TO)


def test_it_ends_in_a_table_with_the_columns_that_it_explains(followed):
    folder, printed = followed
    table = pd.read_csv(folder / "predictions/predictions.csv")
    columns = HOW_TO.partition("## Results as DICOM")[0]
    explained = set(
        re.findall(r"`(\w+)`", "".join(re.findall(r"^\| `.*?\|", columns, re.M)))
    )

    assert "largest difference" in printed
    assert "60 files:" in printed
    assert set(table.columns) - {"file"} == explained
    assert set(COLUMNS) <= set(table.columns)
    assert (table.loc[table["status"] != "refused", "prevalence"] == 0.1).all()


def test_its_dicom_results_are_told_by_the_table_and_conform(followed, dicom_errors):
    folder, _ = followed
    out = folder / "predictions_dicom"
    table = pd.read_csv(out / "predictions.csv")
    plain = pd.read_csv(folder / "predictions/predictions.csv")

    pd.testing.assert_frame_equal(table[plain.columns], plain)
    told = {
        f"{number:07d}-{kind}.dcm"
        for number, kinds in enumerate(table["dicom"], start=1)
        if not kinds.startswith("none: ")
        for kind in kinds.split(", ")
    }
    written = sorted((out / "dicom").iterdir())
    assert {path.name for path in written} == told
    assert len(told) > len(table)
    assert {path.name: dicom_errors(path) for path in written} == {
        name: [] for name in told
    }
