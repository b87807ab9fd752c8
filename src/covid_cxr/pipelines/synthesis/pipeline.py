"""Patients admitted → defects chosen → the raw files of the study's cohorts drawn."""

from collections.abc import Iterator
from functools import partial, update_wrapper
from typing import Any

from kedro.pipeline import Node, Pipeline

from covid_cxr.pipelines.wiring import node
from covid_cxr.study.current import current
from covid_cxr.synthesis.defects import choose_defects
from covid_cxr.synthesis.hospital import admit_patients
from covid_cxr.synthesis.writers import WRITERS, Writer


def create_pipeline() -> Pipeline:
    """Return the steps that write a synthetic hospital in the published formats."""
    cohorts = current().cohorts.values()
    drawn = [c for c in cohorts if c.source in WRITERS]
    written = [n for c in drawn for n in _write(c.name, WRITERS[c.source])]
    return Pipeline(
        [
            node(admit_patients, "synthetic_radiographs", "params:synthesis"),
            node(
                choose_defects,
                "synthetic_defects",
                "params:defects",
                radiographs="synthetic_radiographs",
            ),
            *written,
        ]
    )


def _write(cohort: str, writer: Writer) -> Iterator[Node]:
    names = [f"{cohort}_{name}" for name in writer.outputs]
    datasets = names if len(names) > 1 else names[0]
    yield _node(writer.write, cohort, datasets, name=f"write_{cohort}")
    if writer.write_masks is not None:
        masks = f"{cohort}_masks"
        yield _node(writer.write_masks, cohort, masks, name=f"write_{masks}")


def _node(write: Any, cohort: str, outputs: list[str] | str, *, name: str) -> Node:
    return node(
        update_wrapper(partial(write, cohort=cohort), write),
        outputs,
        "params:synthesis",
        radiographs="synthetic_radiographs",
        defects="synthetic_defects",
        name=name,
    )
