"""Run the project as `python -m covid_cxr` or as the installed command `covid-cxr`."""

import sys
from pathlib import Path

from kedro.framework.cli.utils import find_run_command
from kedro.framework.project import configure_project


def main(*args: str, **kwargs: object) -> object:
    """Return what `kedro run` returns, with the same command-line options."""
    configure_project(Path(__file__).parent.name)
    is_interactive = hasattr(sys, "ps1")
    kwargs["standalone_mode"] = not is_interactive
    return find_run_command(Path(__file__).parent.name)(*args, **kwargs)


if __name__ == "__main__":
    main()
