"""Tables of results as CSV and LaTeX."""

import csv

import numpy as np
import pandas as pd
import pytest

from covid_cxr.datasets.result_table import ResultTableDataset

TABLE = pd.DataFrame(
    {"path_name": ["a & b", "50 %"], "auroc": [0.123456, np.nan], "cases": [12, 3]}
)


def test_the_csv_has_every_digit_and_comes_back(tmp_path):
    dataset = ResultTableDataset(filepath=str(tmp_path / "table3.csv"))

    dataset.save(TABLE)

    pd.testing.assert_frame_equal(dataset.load(), TABLE)
    assert "0.123456" in (tmp_path / "table3.csv").read_text()


def test_text_that_looks_like_a_missing_value_is_text(tmp_path):
    dataset = ResultTableDataset(filepath=str(tmp_path / "subgroup.csv"))
    table = pd.DataFrame({"level": ["NA", "null", "none"], "auroc": [0.5, np.nan, 1]})

    dataset.save(table)

    pd.testing.assert_frame_equal(dataset.load(), table)


FORMULAS = ["=cmd()", "+1+1", "-2+3", "@SUM(A1)", "\t=1"]


def test_no_cell_of_text_is_computed_by_a_spreadsheet(tmp_path):
    table = pd.DataFrame({"=site": FORMULAS, "auroc": -0.5})

    ResultTableDataset(filepath=str(tmp_path / "sites.csv")).save(table)

    with (tmp_path / "sites.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert [row[0] for row in rows] == [f"'{formula}" for formula in FORMULAS]
    assert [row[1] for row in rows] == ["-0.5"] * len(FORMULAS)
    assert header[0] == "'=site"


def test_text_comes_back_with_the_apostrophes_that_it_had(tmp_path):
    dataset = ResultTableDataset(filepath=str(tmp_path / "sites.csv"))
    texts = ["=1", "'=1", "''=1", "'quoted'", "plain", "a=b", "\N{MINUS SIGN}1"]
    table = pd.DataFrame({"site": texts, "=n": range(len(texts))})

    dataset.save(table)

    pd.testing.assert_frame_equal(dataset.load(), table)


def test_the_latex_table_stands_beside_it(tmp_path):
    ResultTableDataset(filepath=str(tmp_path / "table3.csv")).save(TABLE)

    latex = (tmp_path / "table3.tex").read_text()

    assert r"path\_name & auroc & cases \\" in latex
    assert r"a \& b & 0.123 & 12 \\" in latex
    assert r"50 \% & -- & 3 \\" in latex
    assert r"\toprule" in latex


@pytest.mark.parametrize("name", ["007", "1", "1e3", "NA", "True"])
def test_a_name_that_looks_like_a_value_stays_a_name(tmp_path, name):
    dataset = ResultTableDataset(filepath=str(tmp_path / "t.csv"))

    names = {"classifier": [name], "cohort": [name], "level": ["01"]}
    dataset.save(pd.DataFrame({**names, "auroc": [0.5]}))

    assert dataset.load()["classifier"].tolist() == [name]
    assert dataset.load()["cohort"].tolist() == [name]
    assert dataset.load()["level"].tolist() == ["01"]
