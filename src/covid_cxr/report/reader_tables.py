"""What the page of a comparison shows of a reader study."""

from dataclasses import dataclass, fields
from typing import Any

import pandas as pd

from covid_cxr.evaluation.reader_table import MEAN
from covid_cxr.figures import note, reader_lines

_NO_STUDY = "There is no table of readers."


@dataclass(frozen=True, kw_only=True)
class ReaderTables:
    """What the section shows; tables without rows where there is no reader study.

    Attributes:
        reader_auroc_results: From `evaluation.reader_table`.
        reader_test_results: Likewise.
        reader_component_results: Likewise.
        reader_figure: PNG file.
    """

    reader_auroc_results: pd.DataFrame
    reader_test_results: pd.DataFrame
    reader_component_results: pd.DataFrame
    reader_figure: bytes


READER_DATASETS = tuple(field.name for field in fields(ReaderTables))


def draw_reader_figure(aurocs: pd.DataFrame) -> Any:
    """Return the readers' AUROCs as a matplotlib `Figure`, or a note without them.

    Args:
        aurocs: From `tabulate_readers`.
    """
    if aurocs.empty:
        return note.draw_note(_NO_STUDY)
    return reader_lines.draw_readers(aurocs, mean=MEAN)
