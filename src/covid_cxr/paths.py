"""The six training paths of Fricks et al. 2021 (Figure 1): the one table of them.

The registry, the wiring of the phases and the report are made from this table, so a
further path is one more record here (and its published AUROC, if there is one).
"""

from dataclasses import dataclass
from typing import Literal

Phase2Cohort = Literal["rsna", "nih"]


@dataclass(frozen=True, kw_only=True)
class TrainingPath:
    """One sequence of trainings that ends in a COVID-19 classifier.

    Attributes:
        letter: Name in the paper, "a" to "f".
        has_phase1: Whether the 14 findings of ChestX-ray14 are learned first.
        phase2_cohort: The pneumonia cohort of phase 2, or None for no phase 2.
        description: What is learned before COVID-19, for tables. The paper calls (d) to
            (f) "standard ImageNet weights", which here is a parameter.
    """

    letter: str
    has_phase1: bool
    phase2_cohort: Phase2Cohort | None
    description: str

    @property
    def name(self) -> str:
        """The path's name in pipelines, namespaces and datasets, as in "path_b"."""
        return f"path_{self.letter}"

    @property
    def title(self) -> str:
        """The path's name in tables and figures, as in "Path (b)"."""
        return f"Path ({self.letter})"

    @property
    def has_boxes(self) -> bool:
        """Whether readers have marked the findings of phase 2 by boxes."""
        return self.phase2_cohort == "rsna"

    @property
    def phase2_parent(self) -> str:
        """The dataset name of the classifier that phase 2 starts from."""
        return "phase1_classifier" if self.has_phase1 else "initial_classifier"

    @property
    def phase3_parent(self) -> str:
        """The dataset name of the classifier that phase 3 starts from."""
        if self.phase2_cohort is not None:
            return f"{self.name}.phase2.classifier"
        return self.phase2_parent


TRAINING_PATHS = (
    TrainingPath(
        letter="a",
        has_phase1=True,
        phase2_cohort="rsna",
        description="General chest x-ray dataset + pneumonia refinement",
    ),
    TrainingPath(
        letter="b",
        has_phase1=True,
        phase2_cohort="nih",
        description="General chest x-ray dataset + additional general radiographs",
    ),
    TrainingPath(
        letter="c",
        has_phase1=True,
        phase2_cohort=None,
        description="General chest x-ray dataset",
    ),
    TrainingPath(
        letter="d",
        has_phase1=False,
        phase2_cohort="rsna",
        description="No general dataset, pneumonia refinement",
    ),
    TrainingPath(
        letter="e",
        has_phase1=False,
        phase2_cohort="nih",
        description="No general dataset, additional general radiographs",
    ),
    TrainingPath(
        letter="f",
        has_phase1=False,
        phase2_cohort=None,
        description="No radiographs before COVID-19",
    ),
)

# The cohort whose images each training set is drawn from.
COHORT_OF_TRAINING_SET = {
    "phase1": "nih",
    "phase2_nih": "nih",
    "phase2_rsna": "rsna",
    "phase3": "covid",
}
