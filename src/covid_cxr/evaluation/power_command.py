"""The command `covid-cxr power`: how many patients, without Kedro or TensorFlow."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click
import pandas as pd
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from covid_cxr.evaluation.planning import Planning, expect, plan_test_set
from covid_cxr.evaluation.score_columns import ScoreColumns
from covid_cxr.evaluation.table_rows import rows_of
from covid_cxr.user_csv import read_user_table

_PLANNING = {
    "auroc_width": "Of the AUROC's interval.",
    "difference": "Of two AUROCs, which a paired test is to find.",
    "margin": "Loss of AUROC that would be accepted (non-inferiority).",
    "sensitivity": "That is expected at --specificity.",
    "specificity": "That the threshold keeps in the test set.",
    "sensitivity_width": "Of the sensitivity's interval.",
    "variance": "binormal, hanley_mcneil or obuchowski.",
    "auroc": "That is expected; of a difference, the smaller one.",
    "share_of_cases": "Of the radiographs.",
    "images_per_patient": "On average.",
    "images_per_patient_sd": "Standard deviation over patients.",
    "within_patient_correlation": "Of the scores of two radiographs of a patient.",
    "auroc_correlation": "Of the AUROCs of two classifiers.",
}
_ELSEWHERE = {
    "level": ("reporting", "Of intervals."),
    "significance": ("reporting", "Of the two-sided test; half of it, one-sided."),
    "power": ("evaluation", "Of each test."),
}
_COLUMNS: Mapping[str, Any] = {
    **dict.fromkeys(("image", "patient", "label", "part", "site", "positive")),
    **dict.fromkeys(("classifiers", "subgroups"), ()),
}
_BLOCKS = ("planning", "reporting", "evaluation", "comparison")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a planning takes: as `kedro run --pipelines=planning` has it from conf."""

    planning: Planning
    columns: ScoreColumns
    level: float
    significance: float
    power: float


def _with_numbers(command: Callable[..., None]) -> Callable[..., None]:
    helps = {**_PLANNING, **{name: told for name, (_, told) in _ELSEWHERE.items()}}
    for name, told in reversed(helps.items()):
        kind = str if name == "variance" else float
        option = f"--{name.replace('_', '-')}"
        command = click.option(option, name, type=kind, help=told)(command)
    return command


@click.command()
@_with_numbers
@click.option(
    "--pilot",
    type=click.Path(path_type=Path),
    help="A table of scores: its test part says what is expected, whatever is stated.",
)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="A CSV file.")
@click.option(
    "--params",
    default="",
    help="As of `run`: what a pilot's columns are, --params=comparison.label=truth.",
)
@click.option("--conf-source", default="conf", type=click.Path(path_type=Path))
@click.option("--env", "-e", help="The environment, a folder in conf/.")
def power(
    pilot: Path | None,
    out: Path | None,
    params: str,
    conf_source: Path,
    env: str | None,
    **stated: float | str | None,
) -> None:
    """Say how many patients a test set needs.

    Four questions are answered: the width of an AUROC's interval, a paired difference
    of two AUROCs, non-inferiority, and the width of a sensitivity's interval. What is
    not stated is taken from the conf folder, if there is one, and from a pilot.
    """
    env = env or os.environ.get("KEDRO_ENV")
    try:
        asked = as_asked(_blocks(conf_source, env, params), stated)
        table = None if pilot is None else read_user_table(pilot.expanduser())
        expected = expect(table, asked.columns, asked.planning)
        strictness = asked.level, asked.significance, asked.power
        planned = plan_test_set(expected, asked.planning, *strictness)
        if out is not None:
            planned.to_csv(out, index=False)
    except (OSError, ValueError, OmegaConfBaseException) as error:
        raise click.ClickException(str(error)) from error
    for line in in_words(planned, expected):
        click.echo(line)


def as_asked(
    blocks: Mapping[str, Mapping[str, Any]], stated: Mapping[str, float | str | None]
) -> Asked:
    """Return what is asked.

    Args:
        blocks: Parameters by their record, as "planning".
        stated: Options by name, None where it is not given; they win.

    Raises:
        ValueError: If a number is stated nowhere, one is unknown, or is none.
    """
    given = {name: value for name, value in stated.items() if value is not None}
    columns = {**_COLUMNS, **blocks["comparison"]}
    planning = {**blocks["planning"], **{k: given[k] for k in _PLANNING if k in given}}
    for block, values, made in (
        ("planning", planning, Planning),
        ("comparison", columns, ScoreColumns),
    ):
        unknown = sorted(values.keys() - {one.name for one in fields(made)})
        if unknown:
            raise ValueError(f"There is no parameter {block}.{', '.join(unknown)}.")
    others: dict[str, Any] = {
        name: given.get(name, blocks[block].get(name))
        for name, (block, _) in _ELSEWHERE.items()
    }
    for name, value in others.items():
        if value is not None and not isinstance(value, int | float):
            place = f"{_ELSEWHERE[name][0]}.{name}"
            raise ValueError(f"{place} must be a number, got {value!r}.")
    every = {**planning, **others}
    missing = [n for n in (*_PLANNING, *_ELSEWHERE) if every.get(n) is None]
    if missing:
        options = " ".join(f"--{name.replace('_', '-')}=…" for name in missing)
        raise ValueError(
            f"Nothing says {options} and there is no conf here that does: state each, "
            f"or name the folder (--conf-source)."
        )
    return Asked(
        planning=Planning(**planning), columns=ScoreColumns(**columns), **others
    )


def in_words(planned: pd.DataFrame, expected: pd.DataFrame) -> Iterator[str]:
    """Yield the lines that the command prints.

    Args:
        planned: From `plan_test_set`.
        expected: From `expect`.
    """
    heads = "patients", "radiographs", "cases", "reached"
    yield f"{'to tell':36s}{''.join(f'{head:>13s}' for head in heads)}"
    for row in rows_of(planned):
        counts = "".join(f"{row[n]:13,d}" for n in ("patients", "images", "cases"))
        yield f"{row['question']:36s}{counts}{row['reached']:13.3f}"
    yield "\nFor the protocol:"
    yield from (f"- {sentence}" for sentence in planned["sentence"])
    yield "\nExpected:"
    for row in rows_of(expected):
        yield f"- {row['quantity']}: {row['value']:.3g} ({row['origin']})"


def _blocks(
    conf_source: Path, env: str | None, params: str
) -> dict[str, dict[str, Any]]:
    """Return the parameters of the conf folder, as Kedro merges them, and of a line."""
    if env and conf_source.is_dir() and not (conf_source / env).is_dir():
        raise ValueError(f"There is no environment {env} in {conf_source}; correct it.")
    merged = DictConfig({block: {} for block in _BLOCKS})
    for folder in (conf_source / "base", conf_source / (env or "local")):
        for file in sorted(folder.rglob("parameters*.yml")):
            merged = DictConfig(OmegaConf.merge(merged, _own(file)))
    merged = DictConfig(OmegaConf.merge(merged, _of_line(params)))
    blocks: dict[str, Any] = OmegaConf.to_container(merged, resolve=True)  # type: ignore[assignment]
    for name in (one for one in blocks if not isinstance(blocks[one], dict)):
        raise ValueError(
            f"{name} holds parameters, as {name}.…=…; got {blocks[name]!r}."
        )
    return blocks


def _own(file: Path) -> dict[str, Any]:
    try:
        found = DictConfig(OmegaConf.load(file))
    except YAMLError as error:
        raise ValueError(f"{file} is no YAML: {error}") from error
    return {str(k): v for k, v in found.items() if k in _BLOCKS and v is not None}


def _of_line(params: str) -> DictConfig:
    line = OmegaConf.from_dotlist([one for one in params.split(",") if one])
    other = [str(name) for name in line if name not in _BLOCKS]
    for block in {block for block, _ in _ELSEWHERE.values()} & {*map(str, line)}:
        if isinstance(line[block], DictConfig):
            known = [n for n, (own, _) in _ELSEWHERE.items() if own == block]
            other += [f"{block}.{k}" for k in line[block] if k not in known]
    if other:
        raise ValueError(
            f"--params states {', '.join(other)}, which plans nothing; it may state "
            f"{', '.join(_BLOCKS)}, as in --params=comparison.label=truth."
        )
    return line
