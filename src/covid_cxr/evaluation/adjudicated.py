"""General findings against labels that radiologists agreed on, beside those of text.

Table 1 takes its truth from text mining. Some images of NIH's test list have a second,
by Majkowska et al. (Radiology 2020). The AUROC against each stands here on the same
images, so that they differ by their truth alone.
"""

from collections.abc import Mapping

import pandas as pd

from covid_cxr.evaluation.inference_settings import Reporting
from covid_cxr.evaluation.scored_part import ScoredPart, auroc_rows

# Which of NIH's findings an adjudicated one is told by: docs/decisions/0043. Of several
# the largest score counts, and any label. No finding of NIH is a fracture.
TOLD_BY: Mapping[str, tuple[str, ...]] = {
    "pneumothorax": ("pneumothorax",),
    "nodule_or_mass": ("nodule", "mass"),
    "airspace_opacity": ("consolidation", "edema", "infiltration", "pneumonia"),
}
_TRUTHS = ("adjudicated", "text")
_COLUMNS = (
    *("training", "finding", "images", "patients"),
    *(
        f"{truth}_{name}"
        for truth in _TRUTHS
        for name in ("cases", "auroc", "lower", "upper")
    ),
)


def tabulate_adjudicated(
    adjudicated: pd.DataFrame, reporting: Reporting, **scores: pd.DataFrame
) -> pd.DataFrame:
    """Return the AUROCs against both truths, a row for each training and finding.

    Columns: `training, finding, images, patients`, and for the truths `adjudicated` and
    `text` each `…_cases, …_auroc, …_lower, …_upper`, NaN where there is one class only;
    intervals are clustered by patient. No row without an image that has both.

    Args:
        adjudicated: `image_id` and a nullable column for each finding of `TOLD_BY`.
        reporting: For the level of the intervals.
        scores: Of general findings, by training; those of the test part count.
    """
    rows = [
        {"training": training, "finding": finding, **row}
        for training, own in scores.items()
        for finding, told_by in TOLD_BY.items()
        if {*told_by} <= {*own.columns}
        and (row := _row(own, adjudicated, finding, reporting)) is not None
    ]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _row(
    scores: pd.DataFrame, adjudicated: pd.DataFrame, finding: str, reporting: Reporting
) -> dict[str, float] | None:
    told_by = list(TOLD_BY[finding])
    truth = adjudicated[["image_id", finding]].rename(columns={finding: "truth"})
    test = scores[scores["part"] == "test"].merge(truth, on="image_id", validate="1:1")
    known = test[test["truth"].notna() & test[told_by].notna().all(axis=1)]
    if known.empty:
        return None
    truths = (known["truth"], known[told_by].any(axis=1))
    score = known[[f"{name}_score" for name in told_by]].max(axis=1)
    row: dict[str, float] = {
        "images": len(known),
        "patients": known["patient_id"].nunique(),
    }
    for name, is_case in zip(_TRUTHS, truths, strict=True):
        part = ScoredPart(
            is_case=is_case.to_numpy(bool),
            scores=pd.DataFrame({"score": score}),
            patients=known["patient_id"].to_numpy(object),
        )
        row[f"{name}_cases"] = part.sizes["cases"]
        if part.has_both_classes:
            (told,) = auroc_rows(part.estimate(by_patient=True), reporting.level)
            row |= {f"{name}_{key}": value for key, value in told.items()}
    return row
