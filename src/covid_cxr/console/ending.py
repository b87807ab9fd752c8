"""How a command ends: after Ctrl-C it says how to go on, after an error what is wrong.

An error that its message explains comes without a traceback, which is in the log.
"""

import functools
import sys
from collections.abc import Callable
from typing import Any

import click

from covid_cxr.console.expected import is_expected
from covid_cxr.console.run_console import RUN_CONSOLE, is_verbose

FAILED = 1
INTERRUPTED = 130  # 128 and the number of SIGINT, as shells have it


def ending_in_words(command: Callable[..., Any]) -> Callable[..., Any]:
    """Return the command, which ends the process in words where it cannot go on."""

    @functools.wraps(command)
    def run_and_tell(*args: Any, **options: Any) -> Any:
        RUN_CONSOLE.log = None  # of a run before in this process
        try:
            return command(*args, **options)
        except KeyboardInterrupt:
            _end(
                "\nInterrupted. What is whole is kept. To go on, give the same command "
                "with --runner=covid_cxr.runners.ResumeRunner (or DaskResumeRunner): "
                "what is up to date does not run again, and a training goes on after "
                "its last whole epoch.",
                status=INTERRUPTED,
            )
        except click.ClickException:
            raise
        except Exception as error:
            if is_verbose() or not is_expected(error):
                _say_where_the_log_is()
                raise
            _end(f"\nError: {error}", status=FAILED)

    return run_and_tell


def _end(message: str, *, status: int) -> None:
    RUN_CONSOLE.end()
    click.echo(message, err=True)
    _say_where_the_log_is()
    sys.exit(status)


def _say_where_the_log_is() -> None:
    RUN_CONSOLE.end()
    if RUN_CONSOLE.log is not None:
        click.echo(f"The log: {RUN_CONSOLE.log}", err=True)
