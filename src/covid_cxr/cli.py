"""The command line: Kedro's own, whose `run` says after Ctrl-C how to go on."""

import copy
import functools
import sys
from collections.abc import Callable
from typing import Any, cast

import click
from kedro.framework.cli.project import run as kedro_run

INTERRUPTED = 130  # 128 and the number of SIGINT, as shells have it


@click.group(name="covid_cxr")
def cli() -> None:
    """Commands of this project."""


def _interruptible(command: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(command)
    def run_until_interrupted(*args: Any, **options: Any) -> Any:
        try:
            return command(*args, **options)
        except KeyboardInterrupt:
            click.echo(
                "\nInterrupted. What is whole is kept. To go on, give the same command "
                "with --runner=covid_cxr.runners.ResumeRunner (or DaskResumeRunner): "
                "what is up to date does not run again, and a training goes on after "
                "its last whole epoch.",
                err=True,
            )
            sys.exit(INTERRUPTED)

    return run_until_interrupted


run = copy.copy(kedro_run)
run.callback = _interruptible(cast("Callable[..., Any]", kedro_run.callback))
cli.add_command(run)
