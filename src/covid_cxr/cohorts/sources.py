"""In which formats cohorts come, one record each: the table of adapters.

A further format is one module, and one line in `SOURCES`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from covid_cxr.cohorts.covid import list_covid
from covid_cxr.cohorts.nih import list_nih
from covid_cxr.cohorts.rsna import list_rsna


@dataclass(frozen=True, kw_only=True)
class Source:
    """A format in which radiographs and their labels are published.

    Attributes:
        title: In tables, as in "RSNA Pneumonia Challenge 2018".
        short: In figures, as in "RSNA".
        origin: As in a list of sources, with who published it; "" where a parameter
            says which layout it is.
        reference: What its labels are, after "pneumonia is"; "" likewise.
        tables: Raw tables, the datasets `<cohort>_<table>`.
        has_boxes: Whether readers have marked findings by boxes.
        list_radiographs: Raw tables and files to the radiograph table.
    """

    title: str
    short: str
    origin: str = ""
    reference: str = ""
    tables: tuple[str, ...]
    has_boxes: bool = False
    list_radiographs: Callable[..., Any]


SOURCES = {
    "nih": Source(
        title="NIH ChestX-ray14",
        short="NIH",
        origin="NIH ChestX-ray14 (Wang et al. 2017)",
        reference="text-mined from radiology reports",
        tables=("entries", "train_val_list", "test_list"),
        list_radiographs=list_nih,
    ),
    "rsna": Source(
        title="RSNA Pneumonia Challenge 2018",
        short="RSNA",
        origin="RSNA Pneumonia Detection Challenge 2018, a selection of ChestX-ray14",
        reference="what radiologists marked with a box",
        tables=("labels", "class_info", "mapping"),
        has_boxes=True,
        list_radiographs=list_rsna,
    ),
    "covid": Source(
        title="COVID-19",
        short="COVID-19",
        tables=("manifest", "additions"),
        list_radiographs=list_covid,
    ),
}
