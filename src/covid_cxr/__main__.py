"""The project as `python -m covid_cxr`, or as the installed command `covid-cxr`."""

import sys
from collections.abc import Sequence

from covid_cxr.commands import covid_cxr


def main(args: Sequence[str] | None = None) -> object:
    """Return what the subcommand returns; options alone are those of `run`.

    Args:
        args: As on a command line; None for those that this process was started with.
    """
    is_interactive = hasattr(sys, "ps1")
    return covid_cxr.main(
        args, prog_name="covid-cxr", standalone_mode=not is_interactive
    )


if __name__ == "__main__":
    main()
