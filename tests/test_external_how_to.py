"""The how-to of external validation does what it says: its commands are run."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HOW_TO = (ROOT / "docs/how-to/external.md").read_text("utf-8")


@pytest.fixture(scope="module")
def results(follow_how_to):
    """Return the folder of results, once the how-to was followed."""
    folder, printed = follow_how_to(HOW_TO)
    assert "external/another_hospital/report.html" in printed
    return folder / "data/08_reporting/external/another_hospital"


def test_it_ends_in_the_files_that_it_explains(results):
    rows = re.findall(r"^\| (`.*?) \|", HOW_TO, re.MULTILINE)
    explained = {name for row in rows for name in re.findall(r"`([\w.]+)/?`", row)}

    assert explained == {
        path.name for path in results.iterdir() if path.suffix not in {".tex", ".pdf"}
    } - {"report.html", *(f"{n}.png" for n in ("reliability", "decision"))} - {
        f"{n}.svg" for n in ("reliability", "decision", "cohorts")
    }


def test_the_result_holds_the_hash_of_the_protocol(results):
    primary = json.loads((results / "primary.json").read_text())

    assert len(primary["protocol"]["sha256"]) == 64
    assert primary["protocol"]["hypotheses"] == [{"measure": "auroc", "above": 0.5}]
    assert primary["cohort"] == "another_hospital"
