"""Where the raw tables of a study's cohorts are, as entries of Kedro's catalog."""

from typing import Any

from covid_cxr.sources.adapters import RSNA_MAPPING, SOURCES, TEXT, RawTable
from covid_cxr.study.design import Study

_TYPES = {
    "csv": "covid_cxr.datasets.user_csv.UserCsvDataset",
    TEXT: "covid_cxr.datasets.user_text.UserTextDataset",
}


def raw_datasets(study: Study, data_root: str) -> dict[str, dict[str, Any]]:
    """Return the entries by the names of the datasets.

    Args:
        study: Says which cohorts there are, and of which source each is.
        data_root: The folder that has `01_raw`.
    """
    mapping = SOURCES["rsna"].tables["mapping"]
    entries = {RSNA_MAPPING: _entry(mapping, f"{data_root}/01_raw/rsna")}
    for name, cohort in study.cohorts.items():
        for table, raw in SOURCES[cohort.source].tables.items():
            entries[f"{name}_{table}"] = _entry(raw, f"{data_root}/01_raw/{name}")
    return entries


def _entry(raw: RawTable, folder: str) -> dict[str, Any]:
    whole = {"type": _TYPES[raw.kind], "filepath": f"{folder}/{raw.file}"}
    shown = {"metadata": {"kedro-viz": {"layer": "raw", "preview": False}}}
    if not raw.is_optional:
        return {**whole, **shown}
    optional = "covid_cxr.datasets.optional.OptionalDataset"
    return {"type": optional, "dataset": whole, **shown}
