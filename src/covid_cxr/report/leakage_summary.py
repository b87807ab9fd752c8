"""Leakage and shortcuts: which numbers are held out, and what metadata alone tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from covid_cxr.audit.on_leak import CLEAN, UNKNOWN_ANCESTRY
from covid_cxr.evaluation.findings import FINDING, of_finding
from covid_cxr.evaluation.table_rows import rows_of
from covid_cxr.report.trainings import training_title
from covid_cxr.study.current import current
from covid_cxr.study.design import PHASE1

KIND_NAMES = {
    "same_image": "the same image",
    "duplicate": "a duplicate",
    "same_patient": "the same patient",
    UNKNOWN_ANCESTRY: "unknown ancestry",
}
_PART_NAMES = {"train": "training"}


@dataclass(frozen=True, kw_only=True)
class AuditTables:
    """What the audit found, as the report shows it.

    Attributes:
        leakage: Counts by stage, part, earlier stage and part, and kind.
        associations: Cramér's V of label and attributes.
        metadata_auroc: AUROCs of metadata alone.
        source_labels: Sources that have one class only.
    """

    leakage: pd.DataFrame
    associations: pd.DataFrame
    metadata_auroc: pd.DataFrame
    source_labels: pd.DataFrame

    @property
    def stages(self) -> list[dict[str, str]]:
        """For each stage its `title` and the verdict in words."""
        return [
            {"title": _stage_title(str(stage)), "words": _in_words(rows)}
            for stage, rows in self.leakage.groupby("stage", sort=False)
        ]

    @property
    def leaks(self) -> list[dict[str, Any]]:
        """The rows of `leakage` with a leak, in words where they are names."""
        found = self.leakage[self.leakage["verdict"] != CLEAN]
        return [
            {
                **row,
                "where": f"{_stage_title(row['stage'])}, {_part(row['part'])} part",
                "earlier": _earlier(row),
                "kind": KIND_NAMES[row["kind"]],
            }
            for row in rows_of(found)
        ]

    @property
    def strengths(self) -> pd.DataFrame:
        """Cramér's V of each training set's label: one column per attribute."""
        labels = self.metadata_auroc.groupby("training_set")["label"].first()
        is_label = self.associations["first"] == self.associations["training_set"].map(
            labels
        )
        table = self.associations[is_label].pivot_table(
            index="training_set",
            columns="second",
            values="cramers_v",
            sort=False,
            dropna=False,
        )
        return table.reset_index()


def compare_with_models(
    metadata_auroc: pd.DataFrame, **aurocs: pd.DataFrame | None
) -> list[dict[str, Any]]:
    """Return for each training set the AUROCs of metadata beside the classifiers'.

    The part is the one that the classifiers are reported on: the test part, or the
    validation part where there is none. Records hold `training_set`, `part`, `cells`
    (a row of `metadata_auroc` for each of the predictors) and `models` (lowest and
    highest AUROC of the classifiers; empty where there is none).

    Args:
        metadata_auroc: From the audit.
        aurocs: `table1`, `table2` and `table3`, or None.
    """
    records = []
    for name, rows in metadata_auroc.groupby("training_set", sort=False):
        part = "test" if (rows["part"] == "test").any() else "validation"
        shown = rows[rows["part"] == part]
        models = _models_of(str(name), aurocs)
        records.append(
            {
                "training_set": name,
                "part": part,
                "cells": shown.to_dict(orient="records"),
                "models": [models.min(), models.max()] if len(models) else [],
            }
        )
    return records


def _models_of(
    training_set: str, aurocs: Mapping[str, pd.DataFrame | None]
) -> pd.Series:
    """Return the AUROCs of the classifiers that the training set made."""
    number = training_set.removeprefix("phase")[0]
    table = aurocs[f"table{number}"]
    if table is None:
        return pd.Series(dtype="float64")
    study = current()
    if training_set == PHASE1:
        counted = study.training_sets[PHASE1].label
        return table.loc[table["finding"] == counted, "auroc"].dropna()
    if training_set.startswith("phase2"):
        # Rows are trainings of phase 2, path by path, as Table 2 lists them.
        shown = [p for p in study.paths if p.name in set(table["path"])]
        made = [t.training_set for path in shown for t in path.phase2_trainings]
        table = table[[name == training_set for name in made]]
    elif FINDING in table:
        table = of_finding(table, study.target_set.label)
    return table["auroc"].dropna()


def _in_words(rows: pd.DataFrame) -> str:
    """Return what a stage's validation and test parts are worth."""
    if (rows["kind"] == UNKNOWN_ANCESTRY).any():
        words = "Not known: what the initial weights were trained on is not stated."
    else:
        words = "Held out."
    found = rows[(rows["n_images"] > 0) & (rows["kind"] != UNKNOWN_ANCESTRY)]
    if found.empty:
        return words
    # Kinds overlap; the largest says how many images are concerned.
    most = found.sort_values("n_images", ascending=False, kind="stable")
    worst = most.drop_duplicates(["part", "earlier_stage", "earlier_part"])
    leaks = [
        f"of {row['of_images']:,} {_part(row['part'])} radiographs {row['n_images']:,} "
        f"are in the {_earlier(row)}"
        for row in worst.to_dict(orient="records")
    ]
    return f"Not held out: {'; '.join(leaks)}, by image, duplicate or patient."


def _earlier(row: Mapping[Any, Any]) -> str:
    if row["kind"] == UNKNOWN_ANCESTRY:
        return "initial weights"
    stage = _stage_title(row["earlier_stage"])
    return f"{_part(row['earlier_part'])} part of {stage[0].lower()}{stage[1:]}"


def _part(part: str) -> str:
    return _PART_NAMES.get(part, part)


def _stage_title(stage: str) -> str:
    return training_title(stage.replace(".", "_"))
