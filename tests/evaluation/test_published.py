"""The paper's numbers agree with each other where they must."""

import itertools

import numpy as np
import pytest

from covid_cxr.evaluation.published import TABLE_1, TABLE_2, TABLE_3, TABLE_4, TABLE_5
from covid_cxr.statistics.multiplicity import bonferroni
from covid_cxr.study.current import current

PAIRS = list(itertools.combinations([path.name for path in current().paths], 2))


def test_table_5_follows_from_table_4_cell_by_cell():
    adjusted = bonferroni([TABLE_4[pair] for pair in PAIRS])

    assert adjusted == pytest.approx([TABLE_5[pair] for pair in PAIRS], abs=1e-9)


def test_tables_4_and_5_hold_every_pair_once():
    assert set(TABLE_4) == set(TABLE_5) == set(PAIRS)


@pytest.mark.parametrize("column", ["wang", "yao", "guendel", "baltruschat", "paper"])
def test_the_macro_average_of_table_1_is_the_mean_of_its_findings(column):
    findings = [name for name in TABLE_1 if name != "macro_average"]
    mean = np.mean([getattr(TABLE_1[name], column) for name in findings])

    assert len(findings) == 14
    assert mean == pytest.approx(getattr(TABLE_1["macro_average"], column), abs=6e-4)


def test_the_intervals_of_table_3_are_symmetric_to_rounding():
    for row in TABLE_3.values():
        assert (row.lower + row.upper) / 2 == pytest.approx(row.auroc, abs=1.1e-3)


def test_the_prevalence_of_table_2_is_that_of_its_phase_2_counts():
    for name in ("path_d", "path_e"):  # the paths whose training images are phase 2's
        row = TABLE_2[name]
        share = 100 * row.training_positives / row.training_images

        assert share == pytest.approx(row.prevalence_percent, abs=0.006)
