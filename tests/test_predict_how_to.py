"""The how-to of prediction does what it says: its commands are run on a study."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from covid_cxr.prediction.bundle import COLUMNS

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow
HOW_TO = (ROOT / "docs/how-to/predict.md").read_text("utf-8")


@pytest.fixture(scope="module")
def followed(study, tmp_path_factory):
    """Return a copy of the project in which the how-to was followed."""
    folder = tmp_path_factory.mktemp("how_to")
    shutil.copytree(ROOT / "conf", folder / "conf")
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    (folder / "src").mkdir()
    (folder / "data").symlink_to(study)
    (folder / "bin").mkdir()
    command = folder / "bin/covid-cxr"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m covid_cxr "$@"\n')
    command.chmod(0o755)
    blocks = "\n".join(re.findall(r"```bash\n(.*?)```", HOW_TO, re.DOTALL))
    binaries = (folder / "bin", Path(sys.executable).parent, os.environ["PATH"])
    done = subprocess.run(
        [shutil.which("bash"), "-e", "-c", blocks],
        cwd=folder,
        env={
            **os.environ,
            "PATH": os.pathsep.join(map(str, binaries)),
            "PYTHONPATH": str(ROOT / "src"),
            "KEDRO_ENV": "test",
            "DO_NOT_TRACK": "1",
        },
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return folder, done.stdout


def test_it_ends_in_a_table_with_the_columns_that_it_explains(followed):
    folder, printed = followed
    table = pd.read_csv(folder / "predictions/predictions.csv")
    explained = set(
        re.findall(r"`(\w+)`", "".join(re.findall(r"^\| `.*?\|", HOW_TO, re.M)))
    )

    assert "largest difference" in printed
    assert "60 files:" in printed
    assert set(table.columns) - {"file"} == explained
    assert set(COLUMNS) <= set(table.columns)
    assert (table.loc[table["status"] != "refused", "prevalence"] == 0.1).all()
