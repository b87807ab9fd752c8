"""`study.yml` to a `Study`, or one message that names every fault with its line."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields
from difflib import get_close_matches
from typing import Any

import yaml

from covid_cxr.cohorts.radiograph_table import NO_LABELS
from covid_cxr.cohorts.vocabulary import absent_finding
from covid_cxr.patients.split_targets import NONE, OFFICIAL, OFFICIAL_TEST, SplitTargets
from covid_cxr.sources.adapters import SOURCES
from covid_cxr.study.design import (
    GENERAL,
    PHASE1,
    PHASE3,
    RELATED,
    TARGET,
    Cohort,
    Draw,
    Study,
    Target,
    TrainingPath,
    TrainingSet,
)

# Studies whose printed results are in evaluation/published.py, and their paths.
PUBLISHED: Mapping[str, tuple[str, ...]] = {"fricks_2021": tuple("abcdef")}

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_LETTER = re.compile(r"[a-z0-9]+")
_SET_KEYS = {"cohort": True, "labels": True, "split": True}  # and whether it must be
_POOL_KEYS = {"cohorts": True, "labels": True}
_SET_OPTIONS = {"intensity_sample": False, "title": False}
_POOLED = "pooled"  # what the datasets of the pooled control begin with
_MOST_NAMED = 3  # findings of a target, in its own name
_MEASURED = 2048  # radiographs that mean and deviation are measured on


class MalformedStudyError(ValueError):
    """A study file that is no study."""


def read_study(text: str, *, file: str = "study.yml") -> Study:
    """Return the study that a file states.

    Args:
        text: The file's content, YAML.
        file: What to call it in messages.

    Raises:
        MalformedStudyError: Names every fault with its line, what came and what is
            allowed.
    """
    faults = _Faults()
    study = _read(_root(text, file, faults), faults)
    if faults.found or study is None:
        lines = "\n".join(f"  line {n}: {what}" for n, what in sorted(faults.found))
        raise MalformedStudyError(f"{file} states no study that can be run:\n{lines}")
    return study


@dataclass
class _Faults:
    found: set[tuple[int, str]] = field(default_factory=set)

    def add(self, line: int, what: str) -> None:
        self.found.add((line, what))


@dataclass(frozen=True)
class _Record:
    """A mapping of the file that knows where it stands."""

    place: str
    node: yaml.MappingNode
    faults: _Faults

    @property
    def line(self) -> int:
        return int(self.node.start_mark.line) + 1

    @property
    def keys(self) -> list[str]:
        return [str(key.value) for key, _ in self.node.value]

    def line_of(self, key: str) -> int:
        lines = (k.start_mark.line + 1 for k, _ in self.node.value if k.value == key)
        return int(next(lines, self.line))

    def name_of(self, key: str) -> str:
        return ".".join(filter(None, (self.place, key)))

    def fault(self, key: str, what: str) -> None:
        self.faults.add(self.line_of(key), f"{self.name_of(key)} {what}")

    def value(self, key: str) -> Any:
        """Return a value as Python has it; None where there is none."""
        for k, node in self.node.value:
            if k.value == key:
                return yaml.SafeLoader("").construct_document(node)
        return None

    def check(self, keys: Mapping[str, bool]) -> None:
        """Find keys that are unknown, that come twice, or that are not there."""
        seen: set[str] = set()
        for key in self.keys:
            if key not in keys:
                self.fault(key, f"is not known here{_meant(key, keys)}")
            if key in seen:
                self.fault(key, "stands here twice")
            seen.add(key)
        for key, must_be in keys.items():
            if must_be and key not in seen:
                what = f"{self.name_of(key)} is missing"
                self.faults.add(self.line, what)

    def record(self, key: str) -> "_Record | None":
        for k, node in self.node.value:
            if k.value == key:
                if isinstance(node, yaml.MappingNode):
                    return _Record(self.name_of(key), node, self.faults)
                self.fault(key, f"must be a record, got {_shown(self.value(key))}")
        return None

    def records(self, key: str) -> "Iterator[tuple[str, _Record]]":
        """Yield the records below `key`, whose keys are names."""
        whole = self.record(key)
        if whole is None:
            return
        whole.check(dict.fromkeys(whole.keys, False))
        for name in whole.keys:
            if not _NAME.fullmatch(name):
                whole.fault(name, "must be lower-case letters, digits and underscores")
            elif (one := whole.record(name)) is not None:
                yield name, one

    def text(self, key: str, default: str = "") -> str:
        value = self.value(key)
        if value is None:
            return default
        if isinstance(value, str) and value.strip():
            return value
        self.fault(key, f"must be text, got {_shown(value)}")
        return default

    def words(self, key: str, labels: Sequence[str]) -> str | dict[str, str]:
        """Return one text for all labels, or that of each."""
        if not isinstance(self.value(key), dict):
            return self.text(key)
        stated = self.record(key)
        if stated is None:
            return ""
        stated.check(dict.fromkeys(labels, True))
        return {one: stated.text(one, one.replace("_", " ")) for one in labels}

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.value(key)
        is_list = isinstance(value, list) and all(isinstance(v, str) for v in value)
        if key not in self.keys:
            return ()
        if is_list and value and len(set(value)) == len(value):
            return tuple(value)
        self.fault(key, f"must be a list of different names, got {_shown(value)}")
        return ()


def _root(text: str, file: str, faults: _Faults) -> _Record:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise MalformedStudyError(
            f"{file}, line {line}: no YAML: {error.problem}."
        ) from error
    if not isinstance(node, yaml.MappingNode):
        raise MalformedStudyError(
            f"{file} must hold cohorts, target and paths; conf/base/study.yml is one."
        )
    return _Record("", node, faults)


def _read(root: _Record, faults: _Faults) -> Study | None:
    must_be = {"cohorts": True, "target": True, "paths": True}
    options = dict.fromkeys(("general", "related", "starts", "published"), False)
    root.check({**must_be, **options})
    cohorts = dict(_cohorts(root))
    sets = {one.name: one for one in _training_sets(root, cohorts)}
    _check_names(root, sets)
    published = root.text("published") or None
    if published not in (None, *PUBLISHED):
        root.fault("published", f"is {published!r}; known: {', '.join(PUBLISHED)}")
    starts = dict(_starts(root))
    paths = tuple(_paths(root, sets, starts))
    _check_published(root, paths, PUBLISHED.get(published or "", ()))
    stated = root.record("target")
    if stated is None or PHASE3 not in sets:
        return None
    target = _target(stated, sets[PHASE3].labels)
    if published is not None and len(target.findings) > 1:
        told = ", ".join(target.findings)
        root.fault(
            "published",
            f"is {published!r}, whose target is one finding; here they are {told}",
        )
    if faults.found:
        return None
    used = {name for path in paths for name in path.training_sets}
    drawn = {name: one for name, one in sets.items() if name in used}
    return Study(
        cohorts={c.name: c for c in cohorts.values() if _is_used(c, drawn)},
        training_sets=drawn,
        paths=paths,
        target=target,
        starts=starts,
        published=published,
    )


def _target(record: _Record, labels: Sequence[str]) -> Target:
    """Return what the target is called; labels without words are words themselves."""
    name, reference = record.words("name", labels), record.words("reference", labels)
    own = {label: label.replace("_", " ") for label in labels}
    if len(labels) == 1 and isinstance(name, str):
        own = {labels[0]: name}
    findings = own if isinstance(name, str) else name
    if not isinstance(reference, str):
        alike = len(set(reference.values())) == 1
        told = [f"{findings[one]}: {by}" for one, by in reference.items()]
        reference = reference[labels[0]] if alike else "; ".join(told)
    return Target(
        name=name if isinstance(name, str) else _together(list(name.values())),
        reference=reference,
        findings=findings,
    )


def _together(words: Sequence[str]) -> str:
    """Return the name of findings taken together: all of them, or their number."""
    if len(words) > _MOST_NAMED:
        return f"{len(words)} findings"
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _check_published(
    root: _Record, paths: Sequence[TrainingPath], printed: Sequence[str]
) -> None:
    whole = root.record("paths")
    for path in paths:
        beside = path.published_as
        if whole is not None and beside is not None and beside not in printed:
            listed = ", ".join(printed) or "none without a study in `published`"
            whole.fault(
                path.letter, f"is published_as {beside!r}; printed are {listed}"
            )


def _is_used(cohort: Cohort, sets: Mapping[str, TrainingSet]) -> bool:
    return any(cohort.name in one.cohorts for one in sets.values())


def _cohorts(root: _Record) -> Iterator[tuple[str, Cohort]]:
    for name, record in root.records("cohorts"):
        record.check({"source": True, "title": False, "short": False})
        source = SOURCES.get(named := record.text("source"))
        if source is None:
            if named:
                listed = ", ".join(SOURCES)
                record.fault("source", f"is {named!r}; there are {listed}")
            continue
        yield (
            name,
            Cohort(
                name=name,
                source=named,
                title=record.text("title", source.title),
                short=record.text("short", source.short),
                has_boxes=source.has_boxes,
            ),
        )


def _training_sets(
    root: _Record, cohorts: Mapping[str, Cohort]
) -> Iterator[TrainingSet]:
    general, target = root.record(GENERAL), root.record(TARGET)
    stated = [("general", PHASE1, general)] if general else []
    stated += [(n, f"phase2_{n}", record) for n, record in root.records(RELATED)]
    stated += [("target", PHASE3, target)] if target else []
    target_cohort = target.text("cohort") if target else None
    for key, name, record in stated:
        words = {"name": True, "reference": True} if name == PHASE3 else {}
        is_pooled = "cohorts" in record.keys and name != PHASE3
        keys = _POOL_KEYS if is_pooled else _SET_KEYS
        record.check({**keys, **_SET_OPTIONS, **words})
        if key in (GENERAL, TARGET) and name.startswith("phase2"):
            record.faults.add(record.line, f"related.{key} needs another name")
        found = _training_set(name, record, cohorts)
        if name != PHASE3 and found is not None and target_cohort in found.cohorts:
            record.fault(
                "cohorts" if is_pooled else "cohort",
                f"{'names' if is_pooled else 'is'} {target_cohort}, which the target "
                f"is tested on: a path that learns from it first has seen its test "
                f"patients",
            )
        if found is not None:
            yield found


def _training_set(
    name: str, record: _Record, cohorts: Mapping[str, Cohort]
) -> TrainingSet | None:
    labels = record.texts("labels")
    is_pooled = "cohorts" in record.keys and name != PHASE3
    read = _pooled_draws if is_pooled else _only_draw
    draws = tuple(read(record, labels, cohorts, is_tested=name == PHASE3))
    if not draws or not labels:
        return None
    what = _target(record, labels).name if name == PHASE3 else _what(labels)
    shorts = ", ".join(cohorts[draw.cohort].short for draw in draws)
    title = record.text("title") or f"{what} ({shorts})"
    shown = what if name == PHASE3 else title
    return TrainingSet(
        name=name,
        stage={PHASE1: GENERAL, PHASE3: TARGET}.get(name, RELATED),
        draws=draws,
        labels=labels,
        what=what,
        title=f"Phase {name.removeprefix('phase')[0]}: {shown}",
        intensity_sample=_measured(record),
    )


def _only_draw(
    record: _Record,
    labels: Sequence[str],
    cohorts: Mapping[str, Cohort],
    *,
    is_tested: bool,
) -> Iterator[Draw]:
    """Yield what a training set takes from its one cohort; nothing where it cannot."""
    cohort = _known_cohort(record, "cohort", record.text("cohort"), cohorts)
    if cohort is not None:
        _check_labels(record, labels, cohort.source)
    split = _split(record, labels, is_tested=is_tested)
    if cohort is not None and split is not None:
        _check_official(record, split, cohort.source)
        yield Draw(cohort=cohort.name, labels=tuple(labels), split=split)


def _pooled_draws(
    record: _Record,
    labels: Sequence[str],
    cohorts: Mapping[str, Cohort],
    *,
    is_tested: bool,
) -> Iterator[Draw]:
    """Yield what a training set takes from each of its cohorts, in their order."""
    named = dict(record.records("cohorts"))
    if len(named) < 2:
        record.fault("cohorts", "must name two or more; of one: cohort, and split")
    told: set[str] = set()
    for name, own in named.items():
        own.check({"split": True, "labels": False})
        cohort = _known_cohort(own, "", name, cohorts)
        if cohort is None:
            continue
        known = _told_labels(own, labels, cohort.source)
        told.update(known)
        split = _split(own, known, is_tested=is_tested)
        if split is not None and known:
            _check_official(own, split, cohort.source)
            yield Draw(cohort=name, labels=known, split=split)
    for label in labels:
        if label not in told:
            listed = ", ".join(named)
            record.fault("labels", f"names {label!r}, which none of {listed} tells")


def _check_names(root: _Record, sets: Mapping[str, TrainingSet]) -> None:
    """Find names by which two datasets of the study would be called alike."""
    pools = {name: one for name, one in sets.items() if one.is_pooled}
    cohorts, related = root.record("cohorts"), root.record(RELATED)
    for name in (_POOLED, *pools):
        if cohorts is not None and name in cohorts.keys:
            cohorts.fault(
                name, f"needs another name: {name}_curated is of several cohorts"
            )
    parts = {p.part_of(cohort): p for p in pools.values() for cohort in p.cohorts}
    for name, pool in parts.items():
        if related is not None and name in sets:
            drawn = f"needs another name: {name}_split is a draw of {pool.name}"
            related.fault(name.removeprefix("phase2_"), drawn)


def _known_cohort(
    record: _Record, key: str, name: str, cohorts: Mapping[str, Cohort]
) -> Cohort | None:
    if name and name not in cohorts:
        listed = ", ".join(cohorts) or "none"
        record.fault(key, f"is {name!r}; the cohorts are {listed}")
    return cohorts.get(name)


def _told_labels(
    record: _Record, labels: Sequence[str], source: str
) -> tuple[str, ...]:
    """Return the labels that a cohort tells: those stated, or those of its source."""
    stated, known = record.texts("labels"), SOURCES[source].findings
    _check_labels(record, stated, source)
    for label in stated:
        if label not in labels:
            listed = ", ".join(labels)
            record.fault("labels", f"names {label!r}, none of the set's: {listed}")
    told = stated or (labels if known is None else known)
    if labels and not set(told) & set(labels):
        record.fault("", f"tells none of the labels {', '.join(labels)}")
    return tuple(one for one in labels if one in told)


def _check_official(record: _Record, split: Mapping[str, Any], source: str) -> None:
    wants_official = split["test"] == OFFICIAL or split["eligible"] == OFFICIAL_TEST
    if wants_official and not SOURCES[source].has_official_parts:
        have = ", ".join(n for n, one in SOURCES.items() if one.has_official_parts)
        record.fault(
            "split", f"asks {source} for an official test list; {have} have one"
        )


def _check_labels(record: _Record, labels: Sequence[str], source: str) -> None:
    known = SOURCES[source].findings
    for label in labels:
        if known is not None and label not in known:
            record.fault("labels", f"names {absent_finding(label, source, known)}")
        elif label in NO_LABELS:
            record.fault("labels", f"names {label!r}, which no finding can be called")


def _measured(record: _Record) -> int:
    value = record.value("intensity_sample")
    is_count = isinstance(value, int) and not isinstance(value, bool) and value > 0
    if value is not None and not is_count:
        record.fault("intensity_sample", f"must be a count, got {_shown(value)}")
    return value if is_count else _MEASURED


def _what(labels: Sequence[str]) -> str:
    """Return what is learned in a few words."""
    if len(labels) > 1:
        return f"{len(labels)} findings"
    return labels[0].replace("_", " ")


def _split(
    record: _Record, labels: Sequence[str], *, is_tested: bool
) -> dict[str, Any] | None:
    """Return how the set is drawn, with the defaults of `SplitTargets`."""
    stated = record.record("split")
    if stated is None:
        return None
    known = {
        one.name: one.default is MISSING and one.default_factory is MISSING
        for one in fields(SplitTargets)
    }
    stated.check({**known, "label": len(labels) > 1})
    values = {key: stated.value(key) for key in stated.keys if key in known}
    own = {"label": labels[0], **values} if labels else values
    if labels and own.get("label") not in labels:
        stated.fault("label", f"is {own['label']!r}, none of {', '.join(labels)}")
    if is_tested and own.get("test", NONE) == NONE:
        stated.fault("test", "is none: the target needs a test part")
    try:
        return asdict(SplitTargets(**own))
    except (TypeError, ValueError) as error:
        if "missing" not in str(error):  # said already
            record.fault("split", str(error))
        return None


def _starts(root: _Record) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, record in root.records("starts"):
        changes = {key: record.value(key) for key in record.keys}
        if not changes:
            record.faults.add(
                record.line, f"starts.{name} changes nothing of `network`"
            )
        record.check(dict.fromkeys(record.keys, False))
        yield name, changes


def _paths(
    root: _Record,
    sets: Mapping[str, TrainingSet],
    starts: Mapping[str, Mapping[str, Any]],
) -> Iterator[TrainingPath]:
    whole = root.record("paths")
    if whole is None:
        return
    whole.check(dict.fromkeys(whole.keys, False))
    related = root.record(RELATED)
    stated = [GENERAL] * (root.record(GENERAL) is not None)
    stated += [*(related.keys if related else ()), TARGET]
    first_of: dict[tuple[str | None, ...], str] = {}
    for letter in whole.keys:
        if not _LETTER.fullmatch(letter):
            whole.fault(letter, "must be named by lower-case letters and digits")
        stages, options = _stated_path(whole, letter)
        start = options.get("start") or None
        if start is not None and start not in starts:
            listed = ", ".join(starts) or "none"
            whole.fault(letter, f"starts from {start!r}; the starts are {listed}")
        drawn = tuple(_drawn(whole, letter, stages, sets=sets, stated=stated))
        if stages and stages[-1] != TARGET:
            whole.fault(letter, f"must end in {TARGET}, got {', '.join(stages)}")
        first = first_of.setdefault((start, *stages), letter)
        if stages and first != letter:
            whole.fault(letter, f"is the same path as {first}")
        yield TrainingPath(
            letter=letter,
            training_sets=drawn,
            description=options.get("description") or _describe(drawn, sets),
            published_as=options.get("published_as") or None,
            start=start,
        )
    if not whole.keys:
        root.fault("paths", "holds no path")


def _stated_path(whole: _Record, letter: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the stages of a path, and what else is stated of it.

    A path is a list of stages, or a record that has one.
    """
    if isinstance(whole.value(letter), list):
        return whole.texts(letter), {}
    record = whole.record(letter)
    if record is None:
        return (), {}
    options = ("start", "description", "published_as")
    record.check({"stages": True, **dict.fromkeys(options, False)})
    return record.texts("stages"), {name: record.text(name) for name in options}


def _drawn(
    whole: _Record,
    letter: str,
    stages: Sequence[str],
    *,
    sets: Mapping[str, TrainingSet],
    stated: Sequence[str],
) -> Iterator[str]:
    """Yield the training sets of stages, which come in the order of the phases."""
    named = {GENERAL: PHASE1, TARGET: PHASE3}
    order: list[str] = []
    for stage in stages:
        name = named.get(stage, f"phase2_{stage}")
        if name not in sets and stage in stated:
            continue  # what is wrong with it has been said
        if name not in sets:
            known = list(stated)
            whole.fault(
                letter,
                f"goes through {stage!r}, which is not stated; there are "
                f"{', '.join(known)}{_meant(stage, known)}",
            )
            continue
        order.append(name[: len(PHASE1)])
        yield name
    if order != sorted(order):
        whole.fault(
            letter,
            f"must go from {GENERAL} over related sets to {TARGET}, got "
            f"{', '.join(stages)}",
        )


def _describe(drawn: Sequence[str], sets: Mapping[str, TrainingSet]) -> str:
    before = [sets[name].title.partition(": ")[2] for name in drawn if name != PHASE3]
    if not before:
        return "No radiographs before the target"
    told = ", then ".join(before)
    return f"{told[0].upper()}{told[1:]}"


def _meant(word: str, known: Any) -> str:
    alike = get_close_matches(word, [str(one) for one in known], n=1, cutoff=0.5)
    return f" (is {alike[0]} meant?)" if alike else ""


def _shown(value: Any) -> str:
    return "nothing" if value is None else repr(value)
