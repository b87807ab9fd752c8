"""A small study without a leak, as tables; tests plant leaks into it."""

from dataclasses import dataclass, field

import pandas as pd
import pytest

from covid_cxr.audit.leaks import trace_images
from covid_cxr.audit.lineage import stages_of
from covid_cxr.audit.on_leak import OnLeak
from covid_cxr.audit.verdict import audit_stages
from covid_cxr.study.current import current

WARN_OF_ALL = OnLeak(
    same_image="warn", duplicate="warn", same_patient="warn", unknown_ancestry="warn"
)
PARTS = ["train", "train", "train", "validation", "validation", "test", "test"]


def numbered(cohort, numbers, **columns):
    """Return a curated table with a patient for every image."""
    return pd.DataFrame(
        {
            "image_id": [f"{n:08d}_000.png" for n in numbers]
            if cohort == "nih"
            else [f"{cohort}{n}" for n in numbers],
            "patient_id": [f"{cohort}:{n}" for n in numbers],
            **columns,
        }
    )


def split_of(curated, parts):
    return curated[["image_id", "patient_id"]].assign(part=parts)


@dataclass
class Study:
    """Curated tables and splits of a small study, and its pairs of duplicates.

    NIH patients 1 to 7 are phase 1 (6 and 7 its test part) and 6 to 9 phase 2; RSNA
    and COVID-19 images are of nobody else's.
    """

    curated: dict = field(default_factory=dict)
    splits: dict = field(default_factory=dict)
    duplicates: list = field(default_factory=list)
    weights: str = "imagenet"
    on_leak: OnLeak = WARN_OF_ALL

    def audit(self):
        """Return leaks, leakage and the verdict."""
        images = [
            trace_images(
                training_set,
                cohort=cohort,
                curated=self.curated[cohort],
                split=self.splits[training_set],
            )
            for training_set, cohort in current().origin_of.items()
        ]
        columns = [
            f"{side}_{what}"
            for side in ("first", "second")
            for what in ("cohort", "image_id")
        ]
        return audit_stages(
            stages_of(current().paths),
            pd.concat(images, ignore_index=True),
            pd.DataFrame(self.duplicates, columns=[*columns, "kind"]),
            weights={None: self.weights},
            on_leak=self.on_leak,
        )


@pytest.fixture
def study():
    """Return a study in which nothing leaks."""
    nih = numbered("nih", range(1, 10))
    rsna = numbered("rsna", range(4), nih_image=None)
    covid = numbered("covid", range(7))
    first, last = nih.iloc[:7], nih.iloc[5:]
    refinement = ["train", "train", "validation", "validation"]
    return Study(
        curated={"nih": nih, "rsna": rsna, "covid": covid},
        splits={
            "phase1": split_of(first, PARTS),
            "phase2_nih": split_of(last, refinement),
            "phase2_rsna": split_of(rsna, refinement),
            "phase3": split_of(covid, PARTS),
        },
    )
