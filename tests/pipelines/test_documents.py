"""Provenance from what the catalog holds."""

import pandas as pd
import pytest

from covid_cxr.pipelines.reporting.documents import trace_run

PARAMETERS = {"synthesis": {"seed": 1}, "curation": {"size_px": 64}}


@pytest.mark.parametrize(
    ("is_synthetic", "expected"),
    [(True, {"synthesis.seed", "curation.size_px"}), (False, {"curation.size_px"})],
)
def test_the_synthetic_hospitals_parameters_are_told_where_it_was_used(
    is_synthetic, expected
):
    curated = pd.DataFrame({"image_id": ["a"], "pixels_sha256": ["1"]})
    split = pd.DataFrame({"image_id": ["a"], "patient_id": ["p"], "part": ["test"]})

    facts = trace_run(
        PARAMETERS,
        covid_curated=curated.assign(is_synthetic=is_synthetic),
        phase3_split=split,
        covid_crops=None,
        path_f_phase3_provenance={"seed": 3},
    )

    stated = set(facts.query("kind == 'parameter'")["name"])
    assert {name for name in stated if not name.startswith("study.")} == expected
    assert "study.target.name" in stated
    hashed = facts.query("kind == 'data'")["name"]
    assert list(hashed) == ["covid_crops", "covid_images", "phase3_split"]
    assert list(facts.query("kind == 'training'")["name"]) == ["path_f_phase3.seed"]
