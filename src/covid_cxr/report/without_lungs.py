"""What the report shows of AUROCs without the lungs, and without any classifier."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from covid_cxr.audit.grey_values import MACRO_AVERAGE, POSITIVE
from covid_cxr.evaluation.masked_aurocs import INPUT_NAMES
from covid_cxr.evaluation.table_rows import rows_of


@dataclass(frozen=True, kw_only=True)
class ShortcutTables:
    """What is known of shortcuts to COVID-19, as the report shows it.

    Attributes:
        shortcut_results: From `evaluation.masked_aurocs`.
        intensity_auroc: From the audit.
    """

    shortcut_results: pd.DataFrame
    intensity_auroc: pd.DataFrame

    @property
    def paths(self) -> list[dict[str, Any]]:
        """For each path its `name` and its `cells`, a row of the results per input."""
        of_paths = self.shortcut_results.dropna(subset="path")
        return [
            {"name": name, "cells": rows_of(rows)}
            for name, rows in of_paths.groupby("path", sort=False)
        ]

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """For each input its `title`, how many `images` and the share `hidden`."""
        first = self.shortcut_results.drop_duplicates("input").set_index("input")
        return [
            {
                "title": title,
                "hidden": first.loc[name, "hidden_share"],
                "images": first.loc[name, "images"],
            }
            for name, title in INPUT_NAMES.items()
        ]

    @property
    def without_classifier(self) -> list[dict[str, Any]]:
        """The rows of the results that no path has."""
        results = self.shortcut_results
        return rows_of(results[results["path"].isna()])

    @property
    def collections(self) -> list[dict[str, Any]]:
        """How well intensity tells sources and sites of the test part apart."""
        table = self.intensity_auroc
        table = table[(table["part"] == "test") & (table["level"] != POSITIVE)]
        return [
            {
                "predicted": predicted,
                "mean": rows.loc[rows["level"] == MACRO_AVERAGE, "auroc"].iloc[0],
                "levels": rows_of(rows[rows["level"] != MACRO_AVERAGE]),
            }
            for predicted, rows in table.groupby("predicted", sort=False)
        ]
