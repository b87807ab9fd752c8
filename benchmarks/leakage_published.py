"""Audit path (a)'s phase 2 on the real tables of ChestX-ray14 and RSNA 2018.

    PYTHONPATH=src python benchmarks/leakage_published.py --tables FOLDER

FOLDER holds the tables as for published_counts.py; no image is needed, so that no
duplicates are looked for. RSNA view, sex and age stand in the DICOM headers: here, and
only here, they are those of the NIH image behind each RSNA image.
"""

import argparse
from pathlib import Path

import pandas as pd
from kedro.config import OmegaConfigLoader
from published_counts import CONF, list_nih_of, list_rsna_of
from rich import get_console
from rich.table import Table

from covid_cxr.audit.leaks import trace_images
from covid_cxr.audit.lineage import stages_of
from covid_cxr.audit.metadata_alone import (
    associate,
    describe_set,
    predict_from_metadata,
)
from covid_cxr.audit.on_leak import OnLeak
from covid_cxr.audit.verdict import audit_stages
from covid_cxr.patients.duplicates import no_duplicates
from covid_cxr.patients.split_targets import SplitTargets
from covid_cxr.patients.splits import split_by_patient
from covid_cxr.statistics.auc import estimate_aucs
from covid_cxr.study.current import current

# docs/data.md: counted on the official lists.
IN_TRAIN_VAL, IN_TEST = 19_491, 7_193
LEVEL = 0.95


def main() -> None:
    """Print where the RSNA images were before, what leaks, and what metadata tell."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tables", type=Path, required=True)
    folder = parser.parse_args().tables
    nih, rsna = list_nih_of(folder), list_rsna_of(folder)
    rsna = with_nih_metadata(rsna, nih)
    parameters = OmegaConfigLoader(str(CONF), base_env="base", default_run_env="base")
    targets = {
        name: SplitTargets(**parameters["parameters"][f"{name}_split"])
        for name in ("phase1", "phase2_rsna")
    }
    phase1 = split_of(nih, targets["phase1"])
    by_patient = split_of(rsna, targets["phase2_rsna"])
    own_ids = rsna.assign(patient_id="rsna:" + rsna["image_id"])
    by_image = split_of(own_ids, targets["phase2_rsna"])

    console = get_console()
    console.print(overlap_of_lists(rsna, nih))
    console.print(leakage_table("split by true patient", nih, phase1, rsna, by_patient))
    title = "split by Kaggle id, as in the paper"
    console.print(leakage_table(title, nih, phase1, own_ids, by_image))
    described = describe_set(
        "phase2_rsna", curated=rsna, split=by_patient, label="pneumonia"
    )
    console.print(metadata_table(described))
    is_ap = rsna["view"] == "AP"
    aucs = estimate_aucs(
        rsna["pneumonia"].astype(bool), is_ap.astype(float), cluster=rsna["patient_id"]
    )
    console.print(f"AP view alone, all {len(rsna):,} RSNA images: {aucs.auc[0]:.3f}")


def with_nih_metadata(rsna: pd.DataFrame, nih: pd.DataFrame) -> pd.DataFrame:
    """Return the RSNA radiographs with view, sex and age of their NIH images."""
    columns = ["view", "sex", "age_years"]
    behind = nih.set_index("image_id")[columns].reindex(rsna["nih_image"])
    known = {name: behind[name].to_numpy() for name in columns}
    filled = rsna.assign(**known)
    return filled.fillna({"view": "unknown", "sex": "unknown"})


def split_of(radiographs: pd.DataFrame, targets: SplitTargets) -> pd.DataFrame:
    """Return the split, every listed radiograph taken as curated."""
    split, _ = split_by_patient(radiographs, no_duplicates(), targets)
    return split


def overlap_of_lists(rsna: pd.DataFrame, nih: pd.DataFrame) -> Table:
    """Return how many RSNA images are in each official list."""
    part = rsna["nih_image"].map(nih.set_index("image_id")["official_part"])
    counts = part.value_counts()
    table = Table("RSNA images", "here", "expected")
    table.add_row("all", f"{len(rsna):,}", "26,684")
    table.add_row(
        "in train_val_list.txt", f"{counts['train_val']:,}", f"{IN_TRAIN_VAL:,}"
    )
    table.add_row("in test_list.txt", f"{counts['test']:,}", f"{IN_TEST:,}")
    table.add_row("doubtful matches", f"{rsna['is_doubtful_match'].sum():,}", "")
    return table


def leakage_table(
    title: str,
    nih: pd.DataFrame,
    phase1: pd.DataFrame,
    rsna: pd.DataFrame,
    phase2: pd.DataFrame,
) -> Table:
    """Return the findings of the audit for path (a)'s phase 2."""
    images = [
        trace_images("phase1", cohort="nih", curated=nih, split=phase1),
        trace_images("phase2_rsna", cohort="rsna", curated=rsna, split=phase2),
    ]
    _, leakage, _ = audit_stages(
        stages_of(current().paths[:1]),
        pd.concat(images, ignore_index=True),
        no_duplicates().assign(first_cohort="", second_cohort=""),
        weights={None: "imagenet"},
        on_leak=OnLeak(
            same_image="warn",
            duplicate="warn",
            same_patient="warn",
            unknown_ancestry="warn",
        ),
    )
    table = Table(
        "evaluated", "learned before", "kind", "images", "patients", "verdict"
    )
    table.title = f"path (a), phase 2, {title}"
    is_shown = (leakage["stage"] == "path_a.phase2") & (leakage["kind"] != "duplicate")
    for row in leakage[is_shown].to_dict("records"):
        table.add_row(
            f"{row['stage']}, {row['part']}",
            f"{row['earlier_stage']}, {row['earlier_part']}",
            row["kind"],
            f"{row['n_images']:,} of {row['of_images']:,}",
            f"{row['n_patients']:,} of {row['of_patients']:,}",
            row["verdict"],
        )
    return table


def metadata_table(described) -> Table:
    """Return the AUROC and Cramér's V of the metadata for RSNA pneumonia."""
    aurocs = predict_from_metadata(described, level=LEVEL)
    strength = associate(described).query("first == 'pneumonia'")
    of_attribute = strength.set_index("second")["cramers_v"]
    table = Table("metadata alone", "AUROC, validation", "95 % interval", "Cramér's V")
    for row in aurocs.to_dict("records"):
        association = of_attribute.get(row["predictors"], float("nan"))
        table.add_row(
            row["predictors"],
            f"{row['auroc']:.3f}",
            f"{row['lower']:.3f} to {row['upper']:.3f}",
            f"{association:.3f}",
        )
    return table


if __name__ == "__main__":
    main()
