"""The tutorial does what it says: its files are written and its commands are run."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from covid_cxr.study.reading import MalformedStudyError, read_study

ROOT = Path(__file__).parents[1]
TUTORIAL = (ROOT / "docs/tutorials/your-study.md").read_text("utf-8")
# A block, with the file's name that stands on the line before it, if one does.
BLOCK = re.compile(r"(?:`(\S+)`:\n\n)?```(\w+)\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """Return a copy of the project in which the tutorial was followed."""
    folder = tmp_path_factory.mktemp("tutorial")
    shutil.copytree(ROOT / "conf", folder / "conf")
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "src").mkdir()
    printed = ""
    for file, kind, text in BLOCK.findall(TUTORIAL):
        if kind == "yaml":
            (folder / file).write_text(text)
        if kind == "bash":
            printed += follow(text, folder)
    return folder, printed


def follow(commands, folder):
    """Return what commands print that a reader types into a shell."""
    done = subprocess.run(
        [shutil.which("bash"), "-e", "-c", commands],
        cwd=folder,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT / "src"),
            "KEDRO_ENV": "mine",
            "DO_NOT_TRACK": "1",
            "COLUMNS": "200",
        },
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@pytest.mark.slow
def test_it_ends_in_a_report_of_the_readers_own_words(followed):
    folder, printed = followed
    report = (folder / "data/08_reporting/report.html").read_text("utf-8")

    assert "data/08_reporting/report.html" in printed
    assert "Ward of the town hospital" in report
    for foreign in ("COVID", "RT-PCR", "aper", "NIH", "RSNA", "nan"):
        assert not re.search(rf"\b\w*{foreign}\b", shown(report)), foreign


@pytest.mark.slow
def test_the_table_has_the_columns_that_it_shows(followed):
    folder, _ = followed
    shown_first = next(
        text for _, kind, text in BLOCK.findall(TUTORIAL) if kind == "csv"
    )

    drawn = pd.read_csv(folder / "data/01_raw/clinic/manifest.csv")

    assert ",".join(drawn.columns) == shown_first.splitlines()[0]


@pytest.mark.slow
def test_it_compares_the_paths_that_it_states(followed):
    folder, _ = followed
    table = pd.read_csv(folder / "data/08_reporting/table3.csv")

    assert table["path"].tolist() == ["path_a", "path_b"]
    assert table["auroc"].between(0, 1).all()


def test_a_mistake_is_answered_as_it_shows():
    blocks = BLOCK.findall(TUTORIAL)
    study = next(text for file, _, text in blocks if file.endswith("study.yml"))
    answer = next(text for _, kind, text in blocks if kind == "console")
    mistaken = study.replace("b: [target]", "b: [infiltrates, target]")

    with pytest.raises(MalformedStudyError) as stopped:
        read_study(mistaken, file="conf/mine/study.yml")

    assert answer.splitlines()[1:] == [
        f"MalformedStudyError: {line}" if number == 0 else line
        for number, line in enumerate(str(stopped.value).splitlines())
    ]


def shown(report):
    """Return what a page shows, without its styles and pictures."""
    bare = re.sub(r"<(style|script|svg)\b.*?</\1>|data:[^\"']+", "", report, flags=re.S)
    return re.sub(r"<[^>]+>", " ", bare)
