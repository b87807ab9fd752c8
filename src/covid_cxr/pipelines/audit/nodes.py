"""Adapters from the catalog: one argument per cohort and training set."""

from typing import Any

import pandas as pd

from covid_cxr.audit import metadata_alone, verdict
from covid_cxr.audit.leaks import trace_images
from covid_cxr.audit.lineage import stages_of
from covid_cxr.audit.on_leak import OnLeak
from covid_cxr.cohorts.label_by_source import sources_of_one_class, warn_of_sources
from covid_cxr.patients.pooling import of_cohort
from covid_cxr.study.current import current
from covid_cxr.study.parameters import network_of


def audit_leaks(
    on_leak: OnLeak, **inputs: Any
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Return the leaks image by image, their counts for every stage, and the verdict.

    Args:
        on_leak: The verdict on each kind.
        inputs: `network_weights` and `network_<start>_weights`, of the classifiers that
            paths start from; `<training set>_split`, `<cohort>_curated`,
            `<cohort>_duplicates` and `duplicates_across`.
    """
    study = current()
    within = [
        inputs[f"{cohort}_duplicates"].assign(first_cohort=cohort, second_cohort=cohort)
        for cohort in study.cohorts
    ]
    duplicates = pd.concat([inputs["duplicates_across"], *within], ignore_index=True)
    images = [
        trace_images(
            name,
            cohort=cohort,
            curated=inputs[f"{cohort}_curated"],
            split=of_cohort(inputs[f"{name}_split"], cohort, among=one.cohorts),
        )
        for name, one in study.training_sets.items()
        for cohort in one.cohorts
    ]
    return verdict.audit_stages(
        stages_of(study.paths),
        pd.concat(images),
        duplicates,
        weights={s: inputs[f"{network_of(s)}_weights"] for s in study.used_starts},
        on_leak=on_leak,
    )


def find_shortcuts(
    level: float, **inputs: Any
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return what the metadata tell of each training set's label.

    Args:
        level: Of the intervals.
        inputs: `<training set>_split`, `<training set>_label` and `<origin>_curated`.

    Returns:
        Cross-tables, associations, AUROCs of metadata alone, and the sources that have
        one class only.
    """
    described, sources = [], []
    for name, origin in current().origin_of.items():
        curated, split = inputs[f"{origin}_curated"], inputs[f"{name}_split"]
        label = inputs[f"{name}_label"]
        described.append(
            metadata_alone.describe_set(name, curated=curated, split=split, label=label)
        )
        drawn = curated[curated["image_id"].isin(split["image_id"])]
        warn_of_sources(name, drawn, label)
        one_class = sources_of_one_class(drawn, label).assign(
            training_set=name, label=label
        )
        sources.append(one_class.set_index(["training_set", "label"]).reset_index())
    return (
        pd.concat(map(metadata_alone.cross_tabulate, described), ignore_index=True),
        pd.concat(map(metadata_alone.associate, described), ignore_index=True),
        pd.concat(
            [metadata_alone.predict_from_metadata(d, level=level) for d in described],
            ignore_index=True,
        ),
        pd.concat(sources, ignore_index=True),
    )
