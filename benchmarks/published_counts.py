"""Ingest the real tables and draw the four splits: counts beside the published ones.

    PYTHONPATH=src python benchmarks/published_counts.py FOLDER

FOLDER holds the tables as published (or gzipped), anywhere below it:
Data_Entry_2017_v2020.csv, train_val_list.txt, test_list.txt, stage_2_train_labels.csv,
stage_2_detailed_class_info.csv, and a mapping of RSNA to NIH images (the official JSON
or rsna_nih_matches.csv); and, where it is there, metadata.csv of the
covid-chestxray-dataset. No image is needed: every listed image is taken as curated.
"""

import argparse
import gzip
import time
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
from kedro.config import OmegaConfigLoader
from rich import get_console
from rich.table import Table

from covid_cxr.patients.duplicates import no_duplicates
from covid_cxr.patients.split_targets import SplitTargets
from covid_cxr.patients.splits import split_by_patient
from covid_cxr.radiographs.folder import RadiographFolder
from covid_cxr.sources.covid import CovidIngestion, list_covid
from covid_cxr.sources.nih import list_nih
from covid_cxr.sources.published_counts import COVID_LAYOUTS, NIH, RSNA
from covid_cxr.sources.rsna import RsnaIngestion, list_rsna

CONF = Path(__file__).parents[1] / "conf"
MAPPINGS = ("pneumonia-challenge-dataset-mappings_2018.json", "rsna_nih_matches.csv")

# Sections 2.1 to 2.3 and Table 2: images and positives of each part.
PUBLISHED_PARTS = {
    "phase1": {
        "train": (75_828, 761),
        "validation": (10_696, 115),
        "test": (25_596, 555),
    },
    "phase2_nih": {"train": (20_091, 438), "validation": (4_909, 117)},
    "phase2_rsna": {"train": (20_000, 4_810), "validation": (5_000, 1_202)},
    "phase3": {"train": (626, None), "validation": (216, None), "test": (218, None)},
}


def main() -> None:
    """Print the counts and the seconds."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="the folder of the published tables")
    folder = parser.parse_args().folder
    table = Table("what", "here", "published", "seconds")
    nih, seconds = timed(list_nih_of, folder)
    add_ingestion(table, "nih", nih, NIH, seconds)
    rsna, seconds = timed(list_rsna_of, folder)
    add_ingestion(table, "rsna", rsna, RSNA, seconds)
    if list(folder.rglob("metadata.csv*")):
        add_covid_chestxray_dataset(table, folder)
    cohorts = {
        "phase1": nih,
        "phase2_nih": nih,
        "phase2_rsna": rsna,
        "phase3": simulated_covid(),
    }
    parameters = OmegaConfigLoader(str(CONF), base_env="base", default_run_env="base")
    for training_set, curated in cohorts.items():
        record = parameters["parameters"][f"{training_set}_split"]
        targets = SplitTargets(**record)
        (split, _), seconds = timed(split_by_patient, curated, no_duplicates(), targets)
        add_parts(table, training_set, split.merge(curated, on="image_id"), targets)
        table.add_row(f"{training_set}: patients in two parts", shared(split), "0")
        table.add_row(f"{training_set}: split", "", "", f"{seconds:.1f}")
    get_console().print(table)


def list_nih_of(folder: Path) -> pd.DataFrame:
    """Return the NIH radiograph table."""
    radiographs, _ = list_nih(
        pd.read_csv(StringIO(text_of(folder, "Data_Entry_2017_v2020.csv"))),
        text_of(folder, "train_val_list.txt"),
        text_of(folder, "test_list.txt"),
        no_images(),
    )
    return radiographs


def list_rsna_of(folder: Path) -> pd.DataFrame:
    """Return the RSNA radiograph table with the true NIH patients."""
    mapping = next(name for name in MAPPINGS if list(folder.rglob(f"{name}*")))
    radiographs, _, _ = list_rsna(
        pd.read_csv(StringIO(text_of(folder, "stage_2_train_labels.csv"))),
        pd.read_csv(StringIO(text_of(folder, "stage_2_detailed_class_info.csv"))),
        text_of(folder, mapping),
        no_images(),
        RsnaIngestion(patient_identity="nih_patient"),
    )
    return radiographs


def add_covid_chestxray_dataset(table: Table, folder: Path) -> None:
    """Add the public collection's rows, and what became of them."""
    metadata = pd.read_csv(StringIO(text_of(folder, "metadata.csv")), dtype="str")
    ingestion = CovidIngestion(layout="covid_chestxray_dataset", pseudonym_salt=None)
    (radiographs, rejected), seconds = timed(
        list_covid, metadata, None, None, no_images(), ingestion
    )
    is_repeated = rejected["reason"].str.startswith("listed")
    published = COVID_LAYOUTS[ingestion.layout]
    n_used = len(radiographs) + int(is_repeated.sum())
    table.add_row("covid-chestxray-dataset: rows", f"{len(metadata):,}", "")
    table.add_row("… frontal, with a finding", f"{n_used:,}", f"{published['rows']:,}")
    table.add_row("… of them images", f"{len(radiographs):,}", "")
    positives = int(radiographs["covid19"].sum())
    table.add_row("… positive", f"{positives:,}", f"{published['positive rows']:,}")
    table.add_row("… ingestion", "", "", f"{seconds:.1f}")


def simulated_covid() -> pd.DataFrame:
    """Return 1,060 images of 475 patients, 801 positive (Section 2.3), drawn here."""
    rng = np.random.default_rng(2021)
    patient = np.sort(np.r_[np.arange(475), rng.integers(0, 475, 1_060 - 475)])
    in_order = rng.permutation(475)
    images_of_patient = np.bincount(patient)[in_order]
    is_positive = np.zeros(1_060, dtype=bool)
    cases = in_order[images_of_patient.cumsum() <= 801]
    is_positive[np.isin(patient, cases)] = True
    # The last images come from a patient with radiographs of both labels.
    is_positive[np.flatnonzero(~is_positive)[: 801 - is_positive.sum()]] = True
    return pd.DataFrame(
        {
            "image_id": [f"{n:04d}.dcm" for n in range(1_060)],
            "patient_id": [f"covid:{n}" for n in patient],
            "covid19": pd.array(is_positive, dtype="boolean"),
        }
    )


def add_ingestion(
    table: Table,
    cohort: str,
    radiographs: pd.DataFrame,
    published: dict[str, int],
    seconds: float,
) -> None:
    """Add a cohort's images, patients and pneumonia."""
    counted = {
        "images": len(radiographs),
        "patients": radiographs["patient_id"].nunique(),
        "pneumonia": int(radiographs["pneumonia"].sum()),
    }
    for what, count in counted.items():
        expected = published.get(what)
        shown = "" if expected is None else f"{expected:,}"
        table.add_row(f"{cohort}: {what}", f"{count:,}", shown)
    table.add_row(f"{cohort}: ingestion", "", "", f"{seconds:.1f}")


def add_parts(
    table: Table, training_set: str, rows: pd.DataFrame, targets: SplitTargets
) -> None:
    """Add images and positives of each part."""
    for part, (n_images, n_positives) in PUBLISHED_PARTS[training_set].items():
        here = rows[rows["part"] == part]
        positives = int(here[targets.label].sum())
        published = "" if n_positives is None else f" / {n_positives:,}"
        table.add_row(
            f"{training_set}: {part}, images / positives ({positives / len(here):.2%})",
            f"{len(here):,} / {positives:,}",
            f"{n_images:,}{published}",
        )


def shared(split: pd.DataFrame) -> str:
    """Return how often a patient is in a further part, as text."""
    pairs = split[["patient_id", "part"]].drop_duplicates()
    return str(len(pairs) - pairs["patient_id"].nunique())


def no_images() -> RadiographFolder:
    """Return a folder without files: the tables alone are looked at."""
    return RadiographFolder(root=Path(), files=(), others=(), is_synthetic=False)


def text_of(folder: Path, name: str) -> str:
    """Return the text of a table found by name below the folder, gzipped or plain."""
    found = sorted([*folder.rglob(name), *folder.rglob(f"{name}.gz")])
    if not found:
        raise SystemExit(f"There is no {name} below {folder}.")
    path = found[0]
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes()).decode()
    return path.read_text()


def timed(function, *arguments):
    """Return the function's value and the seconds it took."""
    start = time.perf_counter()
    value = function(*arguments)
    return value, time.perf_counter() - start


if __name__ == "__main__":
    main()
