"""The command line: Kedro's own, whose `run` ends in words (`console.ending`)."""

import copy
from collections.abc import Callable
from typing import Any, cast

import click
from kedro.framework.cli.project import run as kedro_run

from covid_cxr.console.ending import ending_in_words


@click.group(name="covid_cxr")
def cli() -> None:
    """Commands of this project."""


run = copy.copy(kedro_run)
run.callback = ending_in_words(cast("Callable[..., Any]", kedro_run.callback))
cli.add_command(run)
