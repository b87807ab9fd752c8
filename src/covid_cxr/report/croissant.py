"""The study's data as other programs read it: Croissant 1.0, in JSON-LD.

MLCommons' format (mlcommons.org/croissant/1.0) with its vocabulary of responsible AI
(mlcommons.org/croissant/RAI/1.0). Described are the study's own tables: which images a
cohort has, which part they are in and why others are in none. The radiographs are their
publishers'; each cohort stands with its licence, citation and address.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from covid_cxr.report import wording
from covid_cxr.sources.adapters import SOURCES
from covid_cxr.study.current import current

# What a table's name ends in -> its folder below the data root, and what it is.
TABLES: Mapping[str, tuple[str, str]] = {
    "_curated": ("03_primary", "radiographs that have pixels, with their labels"),
    "_split": ("05_model_input", "images with their patient and part"),
    "_left_out": ("05_model_input", "curated images in no part, with the reason"),
}
# Of a curated table: what an image is known by. Sex, age, site and date stay unsaid.
_KNOWN_BY = ("image_id", "patient_id", "source", "view", "is_synthetic")
_KINDS = {"b": "sc:Boolean", "i": "sc:Integer", "u": "sc:Integer", "f": "sc:Float"}
_NO_PATIENTS = "no patient ids are published, each image is taken for a patient"

_CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{
        name: f"cr:{name}"
        for name in (
            *("citeAs", "column", "equivalentProperty", "extract", "field"),
            *("fileObject", "fileProperty", "fileSet", "format", "includes"),
            *("isLiveDataset", "jsonPath", "key", "md5", "parentField", "path"),
            *("recordSet", "references", "regex", "repeated", "replace"),
            *("samplingRate", "separator", "source", "subField", "transform"),
        )
    },
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
}


def describe_data(**tables: pd.DataFrame) -> dict[str, Any]:
    """Return the Croissant record of the study's data.

    The `contentUrl` of a file is its place below the data root, and it has no hash:
    `datasets.croissant` puts in both, where the files are.

    Args:
        tables: `<cohort>_curated`, `<training set>_split`, `<training set>_left_out`.
    """
    cohorts = [name for name in current().cohorts if f"{name}_curated" in tables]
    is_drawn = any(tables[f"{name}_curated"]["is_synthetic"].any() for name in cohorts)
    drawn = "SYNTHETIC: drawn by a program, no patients. " if is_drawn else ""
    described = {name: _columns(name, table) for name, table in tables.items()}
    return {
        "@context": dict(_CONTEXT),
        "@type": "sc:Dataset",
        "conformsTo": [
            "http://mlcommons.org/croissant/1.0",
            "http://mlcommons.org/croissant/RAI/1.0",
        ],
        "name": f"{wording.target()} on chest radiographs: data of a study",
        "description": f"{drawn}Cohorts, parts and exclusions of a study that trains "
        f"classifiers of {wording.target()} on chest radiographs. The radiographs are "
        f"with their publishers.",
        "license": [_licence(name) for name in cohorts],
        "isBasedOn": [_work(name) for name in cohorts],
        **_responsible(cohorts),
        "distribution": [_file(name) for name in described],
        "recordSet": [_records(name, table) for name, table in described.items()],
    }


def _columns(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of a table that are described."""
    if not name.endswith("_curated"):
        return table
    findings = table.select_dtypes("boolean").columns
    return table[[c for c in table if c in _KNOWN_BY or c in findings]]


def _licence(cohort: str) -> str:
    return SOURCES[current().cohorts[cohort].source].licence or "as its owner states"


def _work(cohort: str) -> dict[str, Any]:
    """Return a cohort as the work that the study's tables are made from."""
    stated = current().cohorts[cohort]
    source = SOURCES[stated.source]
    known = {"citation": source.origin, "url": source.url}
    return {
        "@type": "sc:Dataset",
        "name": stated.title,
        "license": _licence(cohort),
        **{name: value for name, value in known.items() if value},
    }


def _responsible(cohorts: list[str]) -> dict[str, str]:
    """Return what is known of how the data came about, in the RAI vocabulary."""
    sources = {name: SOURCES[current().cohorts[name].source] for name in cohorts}
    titles = {name: current().cohorts[name].title for name in cohorts}
    labels = [f"{titles[n]}: {s.reference}" for n, s in sources.items() if s.reference]
    limits = [
        f"{titles[n]}: {_NO_PATIENTS}" for n, s in sources.items() if not s.has_patients
    ]
    told = {
        "rai:dataAnnotationProtocol": "; ".join(labels),
        "rai:dataLimitations": "; ".join(limits),
        "rai:dataUseCases": "training, choosing and testing classifiers; not for care",
        "rai:personalSensitiveInformation": "ids of images and patients as published "
        "or replaced; no names and no dates in what is described",
    }
    return {name: text for name, text in told.items() if text}


def _file(name: str) -> dict[str, Any]:
    folder, what = _table_of(name)
    return {
        "@type": "cr:FileObject",
        "@id": f"{name}.parquet",
        "name": f"{name}.parquet",
        "description": what,
        "contentUrl": f"{folder}/{name}.parquet",
        "encodingFormat": "application/x-parquet",
    }


def _records(name: str, table: pd.DataFrame) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": _table_of(name)[1],
        "key": {"@id": f"{name}/image_id"},
        "field": list(_fields(name, table)),
    }


def _fields(name: str, table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for column, kind in table.dtypes.items():
        yield {
            "@type": "cr:Field",
            "@id": f"{name}/{column}",
            "name": str(column),
            "dataType": _KINDS.get(kind.kind, "sc:Text"),
            "source": {
                "fileObject": {"@id": f"{name}.parquet"},
                "extract": {"column": str(column)},
            },
        }


def _table_of(name: str) -> tuple[str, str]:
    return next(told for ending, told in TABLES.items() if name.endswith(ending))
