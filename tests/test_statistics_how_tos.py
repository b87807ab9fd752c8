"""The how-tos of statistics do what they say: every command of theirs is run."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def project_of_a_reader(tmp_path_factory):
    """Return a folder with `conf` and the commands that a reader types."""
    folder = tmp_path_factory.mktemp("how_to")
    shutil.copytree(ROOT / "conf", folder / "conf")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name in ("src", "bin"):
        (folder / name).mkdir()
    for name, module in (("covid-cxr", "covid_cxr"), ("kedro", "kedro")):
        command = folder / "bin" / name
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -m {module} "$@"\n')
        command.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def follow(project_of_a_reader):
    """Return a function that runs the commands of a page, and what they print."""

    def run(page):
        text = (ROOT / "docs/how-to" / page).read_text("utf-8")
        blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
        assert blocks, f"{page} has no commands"
        folder = project_of_a_reader
        done = subprocess.run(
            [shutil.which("bash"), "-e", "-c", "\n".join(blocks)],
            cwd=folder,
            env={
                **os.environ,
                "PATH": os.pathsep.join([str(folder / "bin"), os.environ["PATH"]]),
                "PYTHONPATH": str(ROOT / "src"),
                "DO_NOT_TRACK": "1",
                "COLUMNS": "200",
            },
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return folder / "data/08_reporting", done.stdout

    return run


def test_the_page_on_planning(project_of_a_reader, follow):
    rng = np.random.default_rng(3)
    patient = np.repeat(np.arange(60), 2)
    truth = np.repeat(np.arange(60) % 2, 2)
    signal = 1.2 * truth[:, None] + rng.standard_normal((120, 2))
    table = {"image": range(120), "patient": patient, "truth": truth}
    table |= {"resnet": signal[:, 0], "vit": signal[:, 1]}
    pd.DataFrame(table).to_csv(project_of_a_reader / "pilot.csv", index=False)

    results, printed = follow("plan-a-test-set.md")

    stated = pd.read_csv(project_of_a_reader / "plan.csv")
    assert stated["sentence"][0] in printed
    with_pilot = pd.read_csv(results / "planning.csv")
    assert with_pilot["sentence"][0] in printed
    assert with_pilot["patients"][0] != stated["patients"][0]
    assert (results / "planning.html").exists()


def test_the_page_on_readers(project_of_a_reader, follow):
    rng = np.random.default_rng(4)
    table = pd.DataFrame(
        [
            (f"x{case}", f"p{case // 2}", reader, modality, case // 2 % 2)
            for case in range(60)
            for reader in ("Ada", "Bo", "Cy")
            for modality in ("without", "with")
        ],
        columns=["case", "patient", "reader", "modality", "truth"],
    )
    table["rating"] = table["truth"] + rng.standard_normal(len(table))
    table.to_csv(project_of_a_reader / "readers.csv", index=False)
    cases = table.drop_duplicates("case").rename(columns={"case": "image"})
    scores = cases[["image", "patient", "truth"]].assign(resnet=cases["rating"])
    scores.to_csv(project_of_a_reader / "scores.csv", index=False)

    results, _ = follow("readers-with-and-without.md")

    folder = results / "comparison"
    assert pd.read_csv(folder / "auroc.csv")["classifier"].tolist() == ["resnet"]
    assert len(pd.read_csv(folder / "reader_auroc.csv")) == 2 * 4
    assert 'id="readers"' in (folder / "report.html").read_text()


def test_the_page_on_sites(project_of_a_reader, follow):
    rng = np.random.default_rng(5)
    patient = np.arange(240) // 2
    truth = patient % 2
    pd.DataFrame(
        {
            "image": range(240),
            "patient": patient,
            "truth": truth,
            "site": np.array(list("ABCD"))[patient // 2 % 4],
            "resnet": 1.2 * truth + rng.standard_normal(240),
            "vit": truth + rng.standard_normal(240),
        }
    ).to_csv(project_of_a_reader / "scores.csv", index=False)

    results, _ = follow("does-it-hold-at-site-c.md")

    folder = results / "comparison"
    pooled = pd.read_csv(folder / "pooled.csv")
    assert pooled[["variable", "levels"]].drop_duplicates().to_numpy().tolist() == [
        ["site", 4]
    ]
    assert pooled["prediction_lower"].notna().all()
    assert len(pd.read_csv(folder / "between.csv")) == 2 * 6
    assert len(pd.read_csv(folder / "interaction.csv")) == 1
    assert 'id="pooled-table"' in (folder / "report.html").read_text()


def test_the_page_on_an_imperfect_reference(project_of_a_reader, follow):
    rng = np.random.default_rng(6)
    patient = np.arange(400) // 2
    truth = patient % 2
    table = pd.DataFrame(
        {
            "image": range(400),
            "patient": patient,
            "truth": truth,
            "fold": np.where(patient % 3 == 0, "validation", "test"),
            "resnet": 1.2 * truth + rng.standard_normal(400),
        }
    )
    table.to_csv(project_of_a_reader / "scores.csv", index=False)
    is_known = (table["resnet"] > 1) | (rng.random(400) < 0.6)
    gaps = table.assign(truth=table["truth"].where(is_known).astype("Int64"))
    gaps.to_csv(project_of_a_reader / "unlabelled.csv", index=False)

    results, _ = follow("imperfect-reference.md")

    folder = results / "comparison"
    # Of the second command, whose reference is not stated.
    assert len(pd.read_csv(folder / "reference.csv")) == 0
    (row,) = pd.read_csv(folder / "verification.csv").to_dict("records")
    assert row["corrected_sensitivity"] < row["sensitivity"]
    assert row["corrected_specificity"] > row["specificity"]
    (row,) = pd.read_csv(folder / "unlabelled_auroc.csv").to_dict("records")
    assert row["lower"] < row["corrected"] < row["upper"]
    page = (folder / "report.html").read_text()
    assert 'id="verification-sensitivity"' in page
    assert 'id="unlabelled-auroc"' in page
