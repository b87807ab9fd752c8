"""Who is in each part of each training set: the first table of a clinical paper."""

from collections.abc import Iterator, Mapping

import pandas as pd

from covid_cxr.report.radiograph_flow import PARTS, SplitCohort, with_label

RADIOGRAPHS, PATIENTS = "radiographs", "patients"
AGE = "age in years"

_UNKNOWN = "unknown"
_QUARTILES = {"lower quartile": 0.25, "median": 0.5, "upper quartile": 0.75}


def describe_parts(training_sets: Mapping[str, SplitCohort]) -> pd.DataFrame:
    """Return the characteristics of the parts, one row per characteristic and level.

    Columns: `training_set`, `characteristic`, `level`, `unit` (of what is counted:
    radiographs or patients), and `train`, `validation`, `test` with counts, or with
    years for age; missing where a training set has no such part. Age and sex are those
    of each patient's radiograph at the lowest known age in the part.

    Args:
        training_sets: By name; radiographs with `age_years`, `sex`, `view` and `site`.
    """
    return pd.concat(
        [_describe(name, one) for name, one in training_sets.items()],
        ignore_index=True,
    )


def _describe(name: str, training_set: SplitCohort) -> pd.DataFrame:
    known = training_set.radiographs[["image_id", "age_years", "sex", "view", "site"]]
    images = with_label(name, training_set).merge(known, on="image_id")
    columns = {}
    for part in PARTS:
        rows = images[images["part"] == part]
        if len(rows):
            values = _characteristics(rows, images, training_set.label)
            columns[part] = pd.Series(dict(values), dtype=object)
    table = pd.DataFrame(columns).reindex(columns=list(PARTS))
    table.index.names = ["characteristic", "level", "unit"]
    return table.reset_index().assign(training_set=name)[
        ["training_set", *table.index.names, *PARTS]
    ]


def _characteristics(
    rows: pd.DataFrame, images: pd.DataFrame, label: str
) -> Iterator[tuple[tuple[str, str, str], float]]:
    """Yield each characteristic, level and unit with its value in one part.

    Args:
        rows: Of the part.
        images: Of all parts, for the levels that they have.
        label: The finding.
    """
    patients = rows.sort_values("age_years").drop_duplicates("patient_id")
    yield (RADIOGRAPHS, "all", RADIOGRAPHS), len(rows)
    yield (PATIENTS, "all", PATIENTS), len(patients)
    yield (label, "present", RADIOGRAPHS), int(rows[label].sum())
    for level, quantile in _QUARTILES.items():
        yield (AGE, level, PATIENTS), float(patients["age_years"].quantile(quantile))
    yield (AGE, _UNKNOWN, PATIENTS), int(patients["age_years"].isna().sum())
    for name, counted, unit in (
        ("sex", patients, PATIENTS),
        ("view", rows, RADIOGRAPHS),
        ("site", rows, RADIOGRAPHS),
    ):
        for level in _levels(images[name]):
            yield (name, level, unit), int((counted[name] == level).sum())


def _levels(values: pd.Series) -> list[str]:
    """Return the levels in order, "unknown" last and even if nobody is unknown."""
    return [*sorted(set(values) - {_UNKNOWN}), _UNKNOWN]
