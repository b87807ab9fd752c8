"""The parameters that follow from a study, under what an environment states of them."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from covid_cxr.sources.adapters import SOURCES
from covid_cxr.study.design import Study, Training


def complete(parameters: Mapping[str, Any], study: Study) -> dict[str, Any]:
    """Return `parameters` with all that every training of the study needs.

    Added are, with what the environment changes in them: `<cohort>_ingestion` and
    `<cohort>_findings`; `<training set>_split`, `_labels` and `_intensity_sample`,
    of several cohorts also `_told`;
    `network_<start>`; and for each training its `recipe`: of all, changed by its
    phase's, changed by its path's.

    Args:
        parameters: As merged from `conf/` and the command line.
        study: Says which training sets and trainings there are.

    Raises:
        ValueError: If labels are stated here, or parameters of a path or a phase that
            the study does not have.
    """
    _refuse_labels(parameters)
    _refuse_unknown_paths(parameters, study)
    follows = dict([*_of_cohorts(study), *_of_training_sets(study)])
    follows["pooled_labels"] = [*study.labels]
    completed = _merge(follows, copy.deepcopy(dict(parameters)))
    for start, changes in study.starts.items():
        name, common = network_of(start), completed.get("network", {})
        completed[name] = {**common, **changes, **completed.get(name, {})}
    for phase in _phases(study):
        own = completed.setdefault(phase, {})
        own["recipe"] = {**completed.get("recipe", {}), **own.get("recipe", {})}
    for training in study.trainings:
        path, _, name = training.name.partition(".")
        if not name:
            continue
        own = completed.setdefault(path, {}).setdefault(name, {})
        common = completed[study.training_set_of(training).phase]["recipe"]
        own["recipe"] = {**common, **own.get("recipe", {})}
    return completed


def network_of(start: str | None) -> str:
    """Return the name of the parameters of the network that a path starts from."""
    return "network" if start is None else f"network_{start}"


def _of_cohorts(study: Study) -> Iterator[tuple[str, Any]]:
    for name, cohort in study.cohorts.items():
        yield f"{name}_findings", [*study.labels_of(name)]
        yield f"{name}_ingestion", dict(SOURCES[cohort.source].ingestion)


def _of_training_sets(study: Study) -> Iterator[tuple[str, Any]]:
    for name, one in study.training_sets.items():
        splits = {draw.cohort: dict(draw.split) for draw in one.draws}
        yield f"{name}_split", splits if one.is_pooled else splits[one.origin]
        yield f"{name}_labels", [*one.labels]
        if one.is_pooled:
            yield f"{name}_told", {draw.cohort: [*draw.labels] for draw in one.draws}
        seed = one.draws[0].split["seed"]
        sample = {"images": one.intensity_sample, "seed": seed}
        yield f"{name}_intensity_sample", sample


def _merge(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return `below` changed value by value by `above`."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(under, dict) and isinstance(value, Mapping):
            merged[key] = _merge(under, value)
        else:
            merged[key] = value
    return merged


def _phases(study: Study) -> list[str]:
    return list(dict.fromkeys(one.phase for one in study.training_sets.values()))


def _refuse_labels(parameters: Mapping[str, Any]) -> None:
    stated = {
        "phase1": "general.labels",
        "phase2": "related.<name>.labels",
        "phase3": "target.labels",
    }
    for phase, place in stated.items():
        own = parameters.get(phase)
        if isinstance(own, Mapping) and "labels" in own:
            raise ValueError(
                f"{phase}.labels is no parameter any more: labels are part of the "
                f"study. State them in study.yml as {place}."
            )


def _refuse_unknown_paths(parameters: Mapping[str, Any], study: Study) -> None:
    phases = {path.name: _own_trainings(path.trainings) for path in study.paths}
    for name, own in parameters.items():
        if not name.startswith("path_"):
            continue
        if name not in phases:
            raise ValueError(
                f"The parameters name the path {name!r}; expected one of "
                f"{', '.join(phases)}. Correct the name or add the path to study.yml."
            )
        unknown = sorted(set(own) - set(phases[name]))
        if unknown:
            raise ValueError(
                f"The parameters of {name} name {', '.join(unknown)}; this path has "
                f"{' and '.join(phases[name])} only. Remove the entry."
            )


def _own_trainings(trainings: tuple[Training, ...]) -> list[str]:
    return [one.name.partition(".")[2] for one in trainings if "." in one.name]
