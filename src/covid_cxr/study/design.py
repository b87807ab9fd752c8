"""The record of a study, and the names that follow from it.

A study trains a classifier along several paths. A path goes through up to three stages:
general findings (phase 1, once for all paths), related findings (phase 2, on one
training set or several after another), and the target (phase 3).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

GENERAL, RELATED, TARGET = "general", "related", "target"  # stages, as in study.yml
PHASE1, PHASE3 = "phase1", "phase3"


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """Radiographs that were published or collected together.

    Attributes:
        name: In datasets and folders, as in "rsna".
        source: Which format its files have: a name in `sources.adapters.SOURCES`.
        title: In tables, as in "RSNA Pneumonia Challenge 2018".
        short: In figures, as in "RSNA".
        has_boxes: Whether readers have marked findings by boxes.
    """

    name: str
    source: str
    title: str
    short: str
    has_boxes: bool


@dataclass(frozen=True, kw_only=True)
class Draw:
    """What a training set takes from one cohort.

    Attributes:
        cohort: Its name.
        labels: Those of the set that the cohort tells; its radiographs do not count
            for the others.
        split: How it is drawn: fields of `patients.split_targets.SplitTargets`.
    """

    cohort: str
    labels: tuple[str, ...]
    split: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True, kw_only=True)
class TrainingSet:
    """Radiographs of one cohort or of several, drawn for the trainings of one stage.

    Attributes:
        name: In datasets: "phase1", "phase2_<name in study.yml>" or "phase3".
        stage: GENERAL, RELATED or TARGET.
        draws: From each cohort.
        labels: Columns of the radiograph tables, in the order of the outputs.
        what: What is learned, in a few words, as in "pneumonia".
        title: With phase and cohort, as in "Phase 2: pneumonia (RSNA)".
        intensity_sample: Radiographs that mean and deviation are measured on.
    """

    name: str
    stage: str
    draws: tuple[Draw, ...]
    labels: tuple[str, ...]
    what: str
    title: str
    intensity_sample: int

    @property
    def phase(self) -> str:
        """The phase that it is for, as in "phase2"."""
        return self.name.partition("_")[0]

    @property
    def label(self) -> str:
        """The label whose positives are counted, and evened between the parts."""
        return str(self.draws[0].split["label"])

    @property
    def cohorts(self) -> tuple[str, ...]:
        """The names of the cohorts that it is drawn from."""
        return tuple(draw.cohort for draw in self.draws)

    @property
    def is_pooled(self) -> bool:
        """Whether these are several: an image's id is then led by its cohort."""
        return len(self.draws) > 1

    @property
    def origin(self) -> str:
        """Whose curated radiographs it is drawn from: its cohort's, or a pool's."""
        return self.name if self.is_pooled else self.draws[0].cohort

    @property
    def tested(self) -> dict[str, Any]:
        """How the test part of each cohort that has one is drawn."""
        ways = {draw.cohort: draw.split["test"] for draw in self.draws}
        return {cohort: way for cohort, way in ways.items() if way != "none"}

    def part_of(self, cohort: str) -> str:
        """Return what the datasets of the draw from one cohort begin with."""
        return f"{self.name}_{cohort}" if self.is_pooled else self.name

    def split_parameter(self, cohort: str) -> str:
        """Return the name of the parameters by which it is drawn from a cohort."""
        return f"{self.name}_split{f'.{cohort}' if self.is_pooled else ''}"

    @property
    def label_parameter(self) -> str:
        """The name of the parameter that says which label is counted."""
        return f"{self.split_parameter(self.cohorts[0])}.label"

    def told_by(self, label: str) -> tuple[str, ...]:
        """Return the names of the cohorts that tell a label."""
        return tuple(one.cohort for one in self.draws if label in one.labels)


@dataclass(frozen=True, kw_only=True)
class Training:
    """One training of a path.

    Attributes:
        name: As in "phase1" or "path_b.phase2"; what phase 1 trains is no path's own.
        training_set: What it learns from, as in "phase2_rsna".
        parent: The training whose classifier it starts from; None for initial weights.
        start: Which network and weights its path begins with; None: the study's.
    """

    name: str
    training_set: str
    parent: str | None
    start: str | None = None

    @property
    def dataset_prefix(self) -> str:
        """What the names of its results begin with, as in "path_b_phase2"."""
        return self.name.replace(".", "_")

    @property
    def classifier(self) -> str:
        """The dataset of its classifier."""
        return _classifier_of(self.name)

    @property
    def parent_classifier(self) -> str:
        """The dataset of the classifier that it starts from."""
        return _classifier_of(self.parent or initial(self.start))

    @property
    def parent_provenance(self) -> str:
        """The dataset of that classifier's provenance."""
        return f"{(self.parent or initial(self.start)).replace('.', '_')}_provenance"


@dataclass(frozen=True, kw_only=True)
class TrainingPath:
    """A sequence of trainings that ends in a classifier of the target.

    Attributes:
        letter: Short name, as in "a".
        training_sets: What it learns from, in order; the last is "phase3".
        description: What is learned before the target, for tables.
        published_as: Name of the published path whose numbers stand beside its own.
        start: Which network and weights it begins with, a name in `Study.starts`;
            None: those of the parameters `network`.
    """

    letter: str
    training_sets: tuple[str, ...]
    description: str
    published_as: str | None = None
    start: str | None = None

    @property
    def name(self) -> str:
        """The path's name in pipelines, namespaces and datasets, as in "path_b"."""
        return f"path_{self.letter}"

    @property
    def title(self) -> str:
        """The path's name in tables and figures, as in "Path (b)"."""
        return f"Path ({self.letter})"

    @property
    def has_phase1(self) -> bool:
        """Whether general findings are learned first."""
        return PHASE1 in self.training_sets

    @property
    def trainings(self) -> tuple[Training, ...]:
        """All trainings behind the path's classifier, its own last.

        Paths that begin alike share the training on general findings.
        """
        refined = [s for s in self.training_sets if s.startswith("phase2")]
        found: list[Training] = []
        for training_set in self.training_sets:
            # One training of phase 2 needs no further name.
            last = "phase2" if refined == [training_set] else training_set
            name = f"{self.name}.{last}"
            if training_set == PHASE1:
                name = PHASE1 if self.start is None else f"{PHASE1}_{self.start}"
            found.append(
                Training(
                    name=name,
                    training_set=training_set,
                    parent=found[-1].name if found else None,
                    start=self.start,
                )
            )
        return tuple(found)

    @property
    def phase2_trainings(self) -> tuple[Training, ...]:
        """Those on related findings, in order."""
        return tuple(t for t in self.trainings if t.training_set.startswith("phase2"))

    @property
    def phase3_training(self) -> Training:
        """The last one, on the target."""
        return self.trainings[-1]


def initial(start: str | None) -> str:
    """Return what the names of untrained classifiers begin with."""
    return "initial" if start is None else f"initial_{start}"


def _classifier_of(training: str) -> str:
    """Return the dataset of a classifier; a path's own stays in its namespace."""
    return f"{training}{'.' if '.' in training else '_'}classifier"


@dataclass(frozen=True, kw_only=True)
class Target:
    """What the paths' classifiers tell, in words.

    Attributes:
        name: Of all findings together, as in "COVID-19".
        reference: The reference standard, as in "RT-PCR"; of each finding where they
            differ.
        findings: Of each label, as in {"covid19": "COVID-19"}.
    """

    name: str
    reference: str
    findings: Mapping[str, str] = field(hash=False)


@dataclass(frozen=True, kw_only=True)
class Study:
    """A whole study, as `study.yml` states it.

    Attributes:
        cohorts: By name.
        training_sets: By name, those of phase 1 first.
        paths: In the order of tables and figures.
        target: What phase 3 learns.
        starts: By name, what a path that begins with it changes in `network`.
        published: Name of the study whose printed results stand beside; None without.
    """

    cohorts: Mapping[str, Cohort]
    training_sets: Mapping[str, TrainingSet]
    paths: tuple[TrainingPath, ...]
    target: Target
    starts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)
    published: str | None = None

    @property
    def target_set(self) -> TrainingSet:
        """The training set of phase 3."""
        return self.training_sets[PHASE3]

    @property
    def stated_finding(self) -> str:
        """The finding of the target whose positives are counted, in words.

        Of several, the one that is meant wherever the study looks at one alone.
        """
        return self.target.findings[self.target_set.label]

    @property
    def has_findings(self) -> bool:
        """Whether the classifiers tell several findings."""
        return len(self.target_set.labels) > 1

    @property
    def target_cohort(self) -> str:
        """The name of the cohort that the classifiers are tested on."""
        return self.target_set.draws[0].cohort

    @cached_property
    def origin_of(self) -> dict[str, str]:
        """Whose curated radiographs each training set is drawn from."""
        return {name: one.origin for name, one in self.training_sets.items()}

    @property
    def trainings(self) -> tuple[Training, ...]:
        """All trainings once, parents before their children, path by path."""
        found = {one.name: one for path in self.paths for one in path.trainings}
        return tuple(found.values())

    def training_set_of(self, training: Training) -> TrainingSet:
        """Return what a training learns from."""
        return self.training_sets[training.training_set]

    def cohorts_behind(self, training_set: str) -> list[Cohort]:
        """Return the cohorts that a training set is drawn from."""
        return [self.cohorts[n] for n in self.training_sets[training_set].cohorts]

    @property
    def related_name(self) -> str:
        """What phase 2 learns, in a few words, if its training sets agree."""
        sets = (s for s in self.training_sets.values() if s.stage == RELATED)
        learned = {one.what for one in sets}
        return learned.pop() if len(learned) == 1 else "related findings"

    def labels_of(self, cohort: str) -> tuple[str, ...]:
        """Return all labels that the study learns from a cohort."""
        draws = (one for s in self.training_sets.values() for one in s.draws)
        told = (one.labels for one in draws if one.cohort == cohort)
        return tuple(dict.fromkeys(label for labels in told for label in labels))

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels that the study learns."""
        drawn = (label for s in self.training_sets.values() for label in s.labels)
        return tuple(dict.fromkeys(drawn))

    @property
    def used_starts(self) -> list[str | None]:
        """The starts that paths begin with; None for that of the parameters."""
        return list(dict.fromkeys(path.start for path in self.paths))

    def cohorts_of(self, stage: str) -> list[str]:
        """Return the cohorts that a stage learns from, as in `RELATED`."""
        drawn = (s for s in self.training_sets.values() if s.stage == stage)
        return list(dict.fromkeys(cohort for one in drawn for cohort in one.cohorts))

    def has_pointing(self, training: Training) -> bool:
        """Return whether its maps are held against readers' boxes, of one cohort."""
        drawn = self.training_set_of(training)
        return not drawn.is_pooled and self.cohorts[drawn.origin].has_boxes

    def path(self, name: str) -> TrainingPath:
        """Return the path of this name, as in "path_b".

        Raises:
            KeyError: If there is none.
        """
        for path in self.paths:
            if path.name == name:
                return path
        raise KeyError(name)
