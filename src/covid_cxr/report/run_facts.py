"""Where every number comes from: code, packages, data, parameters, trainings.

One flat table says it all, so that two runs are compared with `diff`. It holds hashes,
counts and settings; no place on a machine, no patient, no secret and no date: what is
made again from the same data, code and parameters is the same table.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from covid_cxr.report.printable import flatten
from covid_cxr.training.provenance import split_sha256

CODE, PACKAGE, DATA = "code", "package", "data"
TRAINING, PARAMETER = "training", "parameter"
ABSENT = "absent"

# A training's record has them as they were when it ran; they may have changed since.
_RECORDED = ("recipe", "network")


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where the numbers come from, as the report shows it.

    Attributes:
        provenance_results: From `list_provenance`.
    """

    provenance_results: pd.DataFrame

    def of(self, kind: str) -> dict[str, str]:
        """Return the values of one kind by their names."""
        table = self.provenance_results
        rows = table[table["kind"] == kind]
        return dict(zip(rows["name"], rows["value"].astype("str"), strict=True))

    @property
    def seeds(self) -> dict[str, str]:
        """Every seed by its name: of trainings, splits and draws."""
        named = {**self.of(TRAINING), **self.of(PARAMETER)}
        return {name: value for name, value in named.items() if name.endswith(".seed")}

    def groups(self, kind: str) -> dict[str, dict[str, str]]:
        """Return the values of one kind, put together by the first word of the name."""
        groups: dict[str, dict[str, str]] = {}
        for name, value in self.of(kind).items():
            first, _, rest = name.partition(".")
            groups.setdefault(first, {})[rest] = value
        return groups


def list_provenance(
    *,
    code: Mapping[str, str],
    packages: Mapping[str, str],
    data: Mapping[str, str],
    records: Mapping[str, Mapping[str, Any]],
    parameters: Mapping[str, Any],
) -> pd.DataFrame:
    """Return one row per fact: `kind`, `name` and `value`, all text.

    Of the trainings, what was recorded when they ran; of everything else, the
    parameters that were in force when this table was made.

    Args:
        code: From `code_version`.
        packages: Versions by package.
        data: Hashes by dataset.
        records: Provenance by training.
        parameters: Without secrets, as from `printable.printable`.
    """
    own = {
        name: {key: value for key, value in record.items() if key != "parents"}
        for name, record in records.items()
    }
    facts = {
        CODE: dict(code),
        PACKAGE: dict(packages),
        DATA: dict(data),
        TRAINING: flatten(own),
        PARAMETER: flatten(dict(sorted(_not_recorded(parameters).items()))),
    }
    rows = [
        {"kind": kind, "name": name, "value": value}
        for kind, named in facts.items()
        for name, value in named.items()
    ]
    return pd.DataFrame(rows, columns=["kind", "name", "value"])


def hash_data(
    raw: Mapping[str, Any],
    curated: Mapping[str, pd.DataFrame],
    splits: Mapping[str, pd.DataFrame],
) -> dict[str, str]:
    """Return SHA-256 hashes of what the run has read, by dataset.

    A raw table is hashed as it was read (comma-separated, without index), a text as it
    is; None is "absent". Of a curated cohort, the ids of its images with the hashes of
    their pixels at full size are hashed, so that the same files give the same hash
    wherever they lie; of a split, which image is in which part.

    Args:
        raw: Tables and texts as published, or None.
        curated: `image_id` and `pixels_sha256`, by cohort.
        splits: By training set.
    """
    hashes = {name: _content_sha256(value) for name, value in raw.items()}
    for cohort, table in curated.items():
        pixels = table[["image_id", "pixels_sha256"]].sort_values("image_id")
        hashes[f"{cohort}_images"] = _content_sha256(pixels)
    for training_set, split in splits.items():
        hashes[f"{training_set}_split"] = split_sha256(split)
    return hashes


def _not_recorded(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that no training has recorded."""
    return {
        step: {key: v for key, v in own.items() if key not in _RECORDED}
        for step, own in parameters.items()
        if step not in _RECORDED and not step.startswith("path_")
    }


def _content_sha256(value: Any) -> str:
    if value is None:
        return ABSENT
    if isinstance(value, pd.DataFrame):
        value = value.to_csv(index=False, lineterminator="\n")
    return hashlib.sha256(str(value).encode()).hexdigest()
