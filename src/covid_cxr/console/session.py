"""The options and the context of commands that look at a study and run nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from kedro.framework.cli.utils import _split_params, validate_conf_source
from kedro.framework.context import KedroContext
from kedro.framework.session import KedroSession

Command = Callable[..., Any]


def of_study(command: Command) -> Command:
    """Give a command the options of `run` that choose a study: `--env`, `--params`."""
    for option in (
        click.option("--conf-source", callback=validate_conf_source),
        click.option(
            "--params",
            default="",
            callback=_split_params,
            help="As of `run`, such as --params=data_root=/somewhere.",
        ),
        click.option("--env", "-e", help="The environment, a folder in conf/."),
    ):
        command = option(command)
    return command


@contextmanager
def study_context(
    env: str | None, params: dict[str, Any], conf_source: str | None
) -> Iterator[KedroContext]:
    """Give the context that a run with these options would have."""
    session = KedroSession.create(
        env=env, runtime_params=params, conf_source=conf_source
    )
    with session:
        yield session.load_context()
