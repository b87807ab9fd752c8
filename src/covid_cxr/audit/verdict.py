"""The verdict on every stage: which of its numbers are held out, and what to do."""

import logging
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from covid_cxr.audit.leaks import (
    COMPARISON,
    compare_parts,
    find_leaks,
)
from covid_cxr.audit.lineage import INITIAL, AuditedStage
from covid_cxr.audit.on_leak import (
    CLEAN,
    DUPLICATE,
    FAIL,
    KINDS,
    SAME_IMAGE,
    SAME_PATIENT,
    UNKNOWN_ANCESTRY,
    WARN,
    OnLeak,
)

logger = logging.getLogger(__name__)

# Starting weights of which it is known that no chest radiograph shaped them.
WEIGHTS_WITHOUT_RADIOGRAPHS = ("imagenet", "none")
NAMED_PATIENTS = 5

_KEYS = [*COMPARISON, "kind"]
_COUNTS = ["n_images", "n_patients", "of_images", "of_patients"]
_WORDS = {
    SAME_IMAGE: "the same image",
    DUPLICATE: "a duplicate",
    SAME_PATIENT: "the same patient",
    UNKNOWN_ANCESTRY: "what the initial weights were trained on is not known",
}


def audit_stages(
    stages: Sequence[AuditedStage],
    images: pd.DataFrame,
    duplicates: pd.DataFrame,
    *,
    weights: Mapping[str | None, str],
    on_leak: OnLeak,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Return the leaks image by image, their counts for every stage, and the verdict.

    The counts have one row for every held-out part, part that shaped its classifier
    and kind, also where nothing leaks: `stage, part, earlier_stage, earlier_part, kind,
    n_images, n_patients, of_images, of_patients, verdict`.

    Args:
        stages: The trainings.
        images: From `leaks.trace_images`, of all training sets.
        duplicates: Pairs of images, as `leaks.find_leaks` takes them.
        weights: `network.weights`, "imagenet", "none" or a file, by start.
        on_leak: The verdict on each kind.
    """
    comparisons = compare_parts(stages)
    leaks = find_leaks(comparisons, images, duplicates)
    sizes = (
        images.groupby(["training_set", "part"])
        .agg(of_images=("image_id", "size"), of_patients=("patient_id", "nunique"))
        .reset_index()
    )
    # Also leaves out the parts that a training set does not have.
    sized = comparisons.merge(sizes, on=["training_set", "part"])
    leakage = _count(sized, leaks, on_leak)
    told = WEIGHTS_WITHOUT_RADIOGRAPHS
    of_unknown = [stage.name for stage in stages if weights[stage.start] not in told]
    if of_unknown:
        of_stages = sized[sized["stage"].isin(of_unknown)]
        unknown = _unknown_ancestry(of_stages, on_leak)
        leakage = pd.concat([leakage, unknown], ignore_index=True)
    return leaks, leakage, conclude(leakage, leaks)


def conclude(leakage: pd.DataFrame, leaks: pd.DataFrame) -> dict[str, Any]:
    """Return the verdict as JSON takes it.

    `verdict` is the worst of all, `stages` the worst of each stage, `findings` what
    leaks, in words.

    Args:
        leakage: The counts, from `audit_stages`.
        leaks: Image by image.
    """
    findings = leakage[leakage["verdict"] != CLEAN]
    return {
        "verdict": _worst(leakage["verdict"]),
        "stages": {
            str(stage): _worst(verdicts)
            for stage, verdicts in leakage.groupby("stage", sort=False)["verdict"]
        },
        "findings": [
            {"verdict": row["verdict"], "text": _describe(row, leaks)}
            for row in findings.to_dict(orient="records")
        ],
    }


def judge(audit_verdict: dict[str, Any]) -> None:
    """Log what leaks, and stop the run where a leak is to fail it.

    Args:
        audit_verdict: From `conclude`.

    Raises:
        ValueError: Lists the leaks that fail, with their counts and what to do.
    """
    texts = {
        verdict: [
            f["text"] for f in audit_verdict["findings"] if f["verdict"] == verdict
        ]
        for verdict in (WARN, FAIL)
    }
    for text in texts[WARN]:
        logger.warning("leakage audit: %s", text)
    if not texts[FAIL]:
        logger.info(
            "leakage audit: %d leaks to warn of, none to fail", len(texts[WARN])
        )
        return
    raise ValueError(
        f"The leakage audit found {len(texts[FAIL])} leaks that fail the run:\n  "
        + "\n  ".join(texts[FAIL])
        + "\nThe images are in the dataset `leaks`, all counts in `leakage`. Take the "
        "images out of the earlier training or of the evaluation and draw the split "
        "again (`kedro run --pipelines=curation`); or, for a leak that is to be "
        "reported and not to stop the run, set its kind in audit.on_leak to warn. A "
        "patient in two parts of one training set always fails."
    )


def _count(sized: pd.DataFrame, leaks: pd.DataFrame, on_leak: OnLeak) -> pd.DataFrame:
    """Return the counts and the verdict of every comparison and kind."""
    counts = (
        leaks.groupby(_KEYS)
        .agg(n_images=("image_id", "size"), n_patients=("patient_id", "nunique"))
        .reset_index()
    )
    table = sized.merge(pd.DataFrame({"kind": KINDS}), how="cross")
    table = table.merge(counts, on=_KEYS, how="left").fillna(
        {"n_images": 0, "n_patients": 0}
    )
    broken = pd.MultiIndex.from_frame(_in_two_parts(leaks)[_KEYS])
    is_broken = pd.MultiIndex.from_frame(table[_KEYS]).isin(broken)
    answer = table["kind"].map(asdict(on_leak)).mask(table["n_images"] == 0, CLEAN)
    table = table.assign(verdict=np.where(is_broken, FAIL, answer))
    return table[[*_KEYS, *_COUNTS, "verdict"]].astype(dict.fromkeys(_COUNTS, "int64"))


def _unknown_ancestry(sized: pd.DataFrame, on_leak: OnLeak) -> pd.DataFrame:
    """Return a finding for every held-out part: all of it may have been learned.

    What the weights in a file were trained on is not written in them: radiographs of
    the same patients, perhaps.
    """
    parts = sized.drop_duplicates(["stage", "part"])
    table = parts.assign(
        earlier_stage=INITIAL,
        earlier_part="unknown",
        kind=UNKNOWN_ANCESTRY,
        n_images=parts["of_images"],
        n_patients=parts["of_patients"],
        verdict=on_leak.unknown_ancestry,
    )
    return table[[*_KEYS, *_COUNTS, "verdict"]]


def _in_two_parts(leaks: pd.DataFrame) -> pd.DataFrame:
    """Return the leaks of patients who are in two parts of one training set.

    Not those known to be one patient by the ChestX-ray14 image only: to take every
    RSNA image for a patient of its own is a choice (`patient_identity: kaggle_id`).
    """
    leaks = leaks[leaks["kind"] == SAME_PATIENT]
    is_one_stage = leaks["stage"] == leaks["earlier_stage"]
    return leaks[is_one_stage & (leaks["patient_id"] == leaks["earlier_patient_id"])]


def _worst(verdicts: pd.Series) -> str:
    found = set(verdicts)
    return next(verdict for verdict in (FAIL, WARN, CLEAN) if verdict in found)


def _describe(row: Mapping[Hashable, Any], leaks: pd.DataFrame) -> str:
    """Return a finding in words; names patients only where a split is broken."""
    where = f"{row['stage']}, {row['part']}"
    if row["kind"] == UNKNOWN_ANCESTRY:
        return f"{where}: {_WORDS[row['kind']]}"
    text = (
        f"{where}: {row['n_images']:,} of {row['of_images']:,} images, of "
        f"{row['n_patients']:,} of {row['of_patients']:,} patients: "
        f"{_WORDS[row['kind']]} is in {row['earlier_stage']}, {row['earlier_part']}"
    )
    is_this = (leaks[_KEYS] == [row[key] for key in _KEYS]).all(axis=1)
    patients = sorted(set(_in_two_parts(leaks[is_this])["patient_id"]))
    named = ", ".join(patients[:NAMED_PATIENTS])
    return f"{text} ({named})" if named else text
