"""What is left of each AUROC where the lungs are hidden, and without any classifier."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from covid_cxr.audit.intensity import MACRO_AVERAGE, POSITIVE
from covid_cxr.audit.masked_inputs import (
    BORDER_ONLY,
    CENTRE_REMOVED,
    INPUTS,
    LUNGS_ONLY,
    LUNGS_REMOVED,
)
from covid_cxr.audit.shortcuts import describe_set, predict_from_metadata
from covid_cxr.report.reporting import Reporting
from covid_cxr.report.scored_part import line_up

WHOLE = "whole"
INTENSITY = "intensity"
INPUT_NAMES = {
    WHOLE: "Whole radiograph",
    LUNGS_REMOVED: "Lungs hidden",
    LUNGS_ONLY: "Lungs only",
    CENTRE_REMOVED: "Centre hidden",
    BORDER_ONLY: "Border only",
}
_COLUMNS = [
    *("path", "input", "hidden_share", "auroc", "lower", "upper", "whole_auroc"),
    *("difference", "difference_lower", "difference_upper", "p_value"),
    *("images", "patients"),
]


@dataclass(frozen=True, kw_only=True)
class ShortcutTables:
    """What is known of shortcuts to COVID-19, as the report shows it.

    Attributes:
        shortcut_results: From `tabulate_shortcuts`.
        intensity_auroc: From the audit.
    """

    shortcut_results: pd.DataFrame
    intensity_auroc: pd.DataFrame

    @property
    def paths(self) -> list[dict[str, Any]]:
        """For each path its `name` and its `cells`, a row of the results per input."""
        of_paths = self.shortcut_results.dropna(subset="path")
        return [
            {"name": name, "cells": _records(rows)}
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
        return _records(results[results["path"].isna()])

    @property
    def collections(self) -> list[dict[str, Any]]:
        """How well intensity tells sources and sites of the test part apart."""
        table = self.intensity_auroc
        table = table[(table["part"] == "test") & (table["level"] != POSITIVE)]
        return [
            {
                "predicted": predicted,
                "mean": rows.loc[rows["level"] == MACRO_AVERAGE, "auroc"].iloc[0],
                "levels": _records(rows[rows["level"] != MACRO_AVERAGE]),
            }
            for predicted, rows in table.groupby("predicted", sort=False)
        ]


def tabulate_shortcuts(
    scores: Mapping[str, pd.DataFrame],
    masked: Mapping[str, pd.DataFrame],
    without_classifier: pd.DataFrame,
    *,
    label: str,
    reporting: Reporting,
) -> pd.DataFrame:
    """Return the test AUROC of every path and input, then those without a classifier.

    `difference` is the AUROC with the input less that with the whole radiograph,
    `whole_auroc`, of the same images: those with a mask, where one is needed. Intervals
    (logit) and paired p values are by patient and not adjusted for their number.

    Columns: `path` (missing without a classifier), `input, hidden_share, auroc, lower,
    upper, whole_auroc, difference, difference_lower, difference_upper, p_value, images,
    patients`. NaN where no image has a mask, or none of one class has.

    Args:
        scores: Of phase 3, by path.
        masked: From `score_masked_inputs`, by path.
        without_classifier: From `describe_without_classifier`.
        label: The finding.
        reporting: For the level of the intervals.
    """
    rows: list[dict[str, Any]] = []
    for path, whole in scores.items():
        own = masked[path]
        test = whole[whole["part"] == "test"]
        inputs = {
            WHOLE: test.assign(hidden_share=0.0),
            **{
                name: own[(own["input"] == name) & (own["part"] == "test")]
                for name in INPUTS
            },
        }
        rows += [
            {"path": path, "input": name, **_compare(test, shown, label, reporting)}
            for name, shown in inputs.items()
        ]
    rows += _records(without_classifier)
    return pd.DataFrame(rows, columns=_COLUMNS)


def describe_without_classifier(
    curated: pd.DataFrame,
    split: pd.DataFrame,
    intensity_auroc: pd.DataFrame,
    *,
    label: str,
    reporting: Reporting,
) -> pd.DataFrame:
    """Return the test AUROCs of metadata alone and of intensity alone.

    Columns: `input` ("metadata: view", …, "intensity"), `auroc, lower, upper, images,
    patients`. Metadata that are the same for all training images are left out.

    Args:
        curated: The cohort's radiographs.
        split: Of phase 3.
        intensity_auroc: From the audit.
        label: The finding.
        reporting: For the level of the intervals.
    """
    described = describe_set("phase3", curated=curated, split=split, label=label)
    metadata = predict_from_metadata(described, level=reporting.level)
    metadata = metadata.assign(
        input="metadata: " + metadata["predictors"],
        n_images=metadata["n_cases"] + metadata["n_controls"],
    )[metadata["n_levels"] > 1]
    of_label = intensity_auroc[intensity_auroc["predicted"] == label]
    table = pd.concat([metadata, of_label.assign(input=INTENSITY)])
    names = {"n_images": "images", "n_patients": "patients"}
    columns = ["input", "auroc", "lower", "upper", *names.values()]
    return table[table["part"] == "test"].rename(columns=names)[columns]


def _compare(
    whole: pd.DataFrame, shown: pd.DataFrame, label: str, reporting: Reporting
) -> dict[str, float]:
    """Return the AUROC of `shown` and its difference to that of the same images."""
    sizes = {
        "hidden_share": shown["hidden_share"].mean(),
        "images": len(shown),
        "patients": shown["patient_id"].nunique(),
    }
    if shown[label].nunique() < 2:
        return sizes
    same = whole[whole["image_id"].isin(shown["image_id"])]
    test = line_up({WHOLE: same, "shown": shown}, label=label, part="test")
    aucs = test.estimate(by_patient=True)
    difference = aucs.compare("shown", WHOLE)
    lower, upper = aucs.interval(reporting.level, "logit")[1]
    below, above = difference.interval(reporting.level)
    return {
        "auroc": float(aucs.auc[1]),
        "lower": lower,
        "upper": upper,
        "whole_auroc": float(aucs.auc[0]),
        "difference": difference.estimate,
        "difference_lower": below,
        "difference_upper": above,
        "p_value": difference.p_value,
        **sizes,
    }


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(column): value for column, value in row.items()}
        for row in table.to_dict(orient="records")
    ]
