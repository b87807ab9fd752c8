"""Where the numbers come from, and the drafts that are filled with them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.pipeline import Node

import covid_cxr
from covid_cxr.evaluation.inference_settings import Evaluation, Reporting
from covid_cxr.pipelines.wiring import node
from covid_cxr.report.code_version import code_version, package_versions
from covid_cxr.report.documents.checklist import fill_claim, fill_tripod_ai
from covid_cxr.report.documents.document import Document
from covid_cxr.report.documents.evidence import Evidence
from covid_cxr.report.documents.markdown import as_markdown
from covid_cxr.report.documents.model_card import fill_model_card
from covid_cxr.report.leakage_summary import AuditTables
from covid_cxr.report.map_tests import SaliencyTables
from covid_cxr.report.run_facts import Provenance, hash_data, list_provenance
from covid_cxr.report.sections import take_record
from covid_cxr.sources.adapters import SOURCES
from covid_cxr.study.current import current

# In the order of the report; each is a dataset of the same name.
DOCUMENTS: Mapping[str, Callable[[Evidence], Document]] = {
    "model_card": fill_model_card,
    "claim_2024": fill_claim,
    "tripod_ai": fill_tripod_ai,
}

# Records of the report that are evidence, too, by the field of `Evidence`.
_RECORDS = {"audit": AuditTables, "saliency": SaliencyTables}
_DRAWING = ("synthesis", "defects")  # parameters of the synthetic hospital only
_PROVENANCE, _SITES = "_provenance", "_site_results"


def document_nodes(nodes: Sequence[Node], given: Collection[str]) -> list[Node]:
    """Return the nodes that fill provenance and documents from what a report has.

    Args:
        nodes: Of the report.
        given: What other pipelines have made for it.
    """
    read = {name for node in nodes for name in node.inputs}
    had = {*given, *read, *(name for node in nodes for name in node.outputs)}
    cohorts = [cohort for cohort in current().cohorts if f"{cohort}_curated" in read]
    records = _ending(read, _PROVENANCE)
    hashed = [
        *(name for cohort in cohorts for name in (*_raw(cohort), f"{cohort}_curated")),
        *_ending(read, "_split"),
    ]
    filled = [one.name for one in fields(Evidence) if one.name in had]
    tables = (one.name for made in _RECORDS.values() for one in fields(made))
    shown = [name for name in tables if name in had]
    return [
        node(
            trace_run,
            "provenance_results",
            *("params:printable", *hashed, *records),
            name="list_provenance",
        ),
        node(
            fill_documents,
            ["documents", *DOCUMENTS],
            *("params:printable", "params:reporting", "params:evaluation"),
            *("provenance_results", *filled, *shown, *records, *_ending(had, _SITES)),
        ),
    ]


def _raw(cohort: str) -> list[str]:
    """Return the raw tables of a cohort; those that are optional may be absent."""
    study = current()
    tables = list(SOURCES[study.cohorts[cohort].source].tables)
    cropped = ["crops"] if cohort == study.target_cohort else []
    return [f"{cohort}_{table}" for table in [*tables, *cropped]]


def trace_run(printable: dict[str, Any], **read: Any) -> pd.DataFrame:
    """Return the table of provenance.

    Args:
        printable: The parameters, without secrets and places.
        read: `<training>_provenance`, `<cohort>_curated`, `<training set>_split` and
            raw tables, by dataset.
    """
    records, curated, splits = (
        _take(read, ending) for ending in (_PROVENANCE, "_curated", "_split")
    )
    is_drawn = any(table["is_synthetic"].any() for table in curated.values())
    used = {k: own for k, own in printable.items() if is_drawn or k not in _DRAWING}
    return list_provenance(
        code=code_version(Path(covid_cxr.__file__).parent),
        packages=package_versions(),
        data=hash_data(read, curated, splits),
        records=records,
        parameters={"study": asdict(current()), **used},
    )


def fill_documents(
    printable: dict[str, Any],
    reporting: Reporting,
    evaluation: Evaluation,
    provenance_results: pd.DataFrame,
    **found: Any,
) -> tuple[Any, ...]:
    """Return the documents as records for the report, and each as Markdown.

    Args:
        printable: The parameters, without secrets and places.
        reporting: For level and significance.
        evaluation: For power and the smallest subgroup.
        provenance_results: From `trace_run`.
        found: Tables that `Evidence` or its records have as fields,
            `<training>_provenance` and `<path>_site_results`.
    """
    records = {name: take_record(made, found) for name, made in _RECORDS.items()}
    names = {one.name for one in fields(Evidence)}
    tables = {name: table for name, table in found.items() if name in names}
    sites = {n: table for n, table in _take(found, _SITES).items() if table is not None}
    evidence = Evidence(
        parameters=printable,
        reporting=reporting,
        evaluation=evaluation,
        provenance=Provenance(provenance_results=provenance_results),
        records=_take(found, _PROVENANCE),
        sites=sites,
        **records,
        **tables,
    )
    documents = [fill(evidence) for fill in DOCUMENTS.values()]
    shown = [document.as_record() for document in documents]
    return shown, *(as_markdown(document) for document in documents)


def _take(read: dict[str, Any], ending: str) -> dict[str, Any]:
    """Return what is named with `ending`, by the rest of its name, out of `read`."""
    names = [name for name in read if name.endswith(ending)]
    return {name.removesuffix(ending): read.pop(name) for name in names}


def _ending(names: Collection[str], ending: str) -> list[str]:
    return sorted(name for name in names if name.endswith(ending))
