"""What is left of each AUROC where the lungs are hidden, and without any classifier."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from covid_cxr.audit.masked_inputs import (
    BORDER_ONLY,
    CENTRE_REMOVED,
    INPUTS,
    LUNGS_ONLY,
    LUNGS_REMOVED,
)
from covid_cxr.audit.metadata_alone import describe_set, predict_from_metadata
from covid_cxr.evaluation.inference_settings import Reporting
from covid_cxr.evaluation.scored_part import auroc_rows, difference_row, line_up
from covid_cxr.evaluation.table_rows import rows_of
from covid_cxr.study.current import current

WHOLE = "whole"
INTENSITY = "intensity"
MASKED = "_masked"  # ends the name of a path where its masked scores are meant
INPUT_NAMES = {
    WHOLE: "Whole radiograph",
    LUNGS_REMOVED: "Lungs hidden",
    LUNGS_ONLY: "Lungs only",
    CENTRE_REMOVED: "Centre hidden",
    BORDER_ONLY: "Border only",
}
_COLUMNS = [
    *("path", "input", "hidden_share", "auroc", "lower", "upper", "whole_auroc"),
    *("difference", "difference_lower", "difference_upper", "p_value"),
    *("images", "patients"),
]


def tabulate_shortcuts(
    curated: pd.DataFrame,
    split: pd.DataFrame,
    intensity_auroc: pd.DataFrame,
    reporting: Reporting,
    **scores: pd.DataFrame,
) -> pd.DataFrame:
    """Return `compare_inputs` of the paths, with what is known without a classifier.

    Args:
        curated: The target's cohort.
        split: Of phase 3.
        intensity_auroc: From the audit.
        reporting: For the level of the intervals.
        scores: Of phase 3 by path, and masked by path and `MASKED`.
    """
    label = current().target_set.label
    return compare_inputs(
        {name: s for name, s in scores.items() if not name.endswith(MASKED)},
        {n.removesuffix(MASKED): s for n, s in scores.items() if n.endswith(MASKED)},
        describe_without_classifier(
            curated, split, intensity_auroc, label=label, reporting=reporting
        ),
        label=label,
        reporting=reporting,
    )


def compare_inputs(
    scores: Mapping[str, pd.DataFrame],
    masked: Mapping[str, pd.DataFrame],
    without_classifier: pd.DataFrame,
    *,
    label: str,
    reporting: Reporting,
) -> pd.DataFrame:
    """Return the test AUROC of every path and input, then those without a classifier.

    `difference` is the AUROC with the input less that with the whole radiograph,
    `whole_auroc`, of the same images: those with a mask, where one is needed. Intervals
    (logit) and paired p values are by patient and not adjusted for their number.

    Columns: `path` (missing without a classifier), `input, hidden_share, auroc, lower,
    upper, whole_auroc, difference, difference_lower, difference_upper, p_value, images,
    patients`. NaN where no image has a mask, or none of one class has.

    Args:
        scores: Of phase 3, by path.
        masked: From `score_masked_inputs`, by path.
        without_classifier: From `describe_without_classifier`.
        label: The finding.
        reporting: For the level of the intervals.
    """
    rows: list[dict[str, Any]] = []
    for path, whole in scores.items():
        own = masked[path]
        test = whole[whole["part"] == "test"]
        inputs = {
            WHOLE: test.assign(hidden_share=0.0),
            **{
                name: own[(own["input"] == name) & (own["part"] == "test")]
                for name in INPUTS
            },
        }
        rows += [
            {"path": path, "input": name, **_compare(test, shown, label, reporting)}
            for name, shown in inputs.items()
        ]
    rows += rows_of(without_classifier)
    return pd.DataFrame(rows, columns=_COLUMNS)


def describe_without_classifier(
    curated: pd.DataFrame,
    split: pd.DataFrame,
    intensity_auroc: pd.DataFrame,
    *,
    label: str,
    reporting: Reporting,
) -> pd.DataFrame:
    """Return the test AUROCs of metadata alone and of intensity alone.

    Columns: `input` ("metadata: view", …, "intensity"), `auroc, lower, upper, images,
    patients`. Metadata that are the same for all training images are left out.

    Args:
        curated: The cohort's radiographs.
        split: Of phase 3.
        intensity_auroc: From the audit.
        label: The finding.
        reporting: For the level of the intervals.
    """
    described = describe_set("phase3", curated=curated, split=split, label=label)
    metadata = predict_from_metadata(described, level=reporting.level)
    metadata = metadata.assign(
        input="metadata: " + metadata["predictors"],
        n_images=metadata["n_cases"] + metadata["n_controls"],
    )[metadata["n_levels"] > 1]
    of_label = intensity_auroc[intensity_auroc["predicted"] == label]
    table = pd.concat([metadata, of_label.assign(input=INTENSITY)])
    names = {"n_images": "images", "n_patients": "patients"}
    columns = ["input", "auroc", "lower", "upper", *names.values()]
    return table[table["part"] == "test"].rename(columns=names)[columns]


def _compare(
    whole: pd.DataFrame, shown: pd.DataFrame, label: str, reporting: Reporting
) -> dict[str, float]:
    """Return the AUROC of `shown` and its difference to that of the same images."""
    sizes = {
        "hidden_share": shown["hidden_share"].mean(),
        "images": len(shown),
        "patients": shown["patient_id"].nunique(),
    }
    if shown[label].nunique() < 2:
        return sizes
    same = whole[whole["image_id"].isin(shown["image_id"])]
    test = line_up({WHOLE: same, "shown": shown}, label=label, part="test")
    aucs = test.estimate(by_patient=True)
    difference = aucs.compare("shown", WHOLE)
    return {
        **auroc_rows(aucs, reporting.level)[1],
        "whole_auroc": float(aucs.auc[0]),
        **difference_row(difference, reporting.level),
        "p_value": difference.p_value,
        **sizes,
    }
