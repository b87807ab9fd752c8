"""The command `covid-cxr`: its subcommands, each imported when it is asked for.

What needs neither Kedro nor TensorFlow thereby starts without them.
"""

import importlib
import os
from dataclasses import dataclass
from pathlib import Path

import click

from covid_cxr import __version__

PACKAGE = __package__
DEFAULT = "run"


@dataclass(frozen=True)
class Subcommand:
    """Where a command is, and what `covid-cxr --help` says of it.

    Attributes:
        place: Module and name, as in "covid_cxr.cli:run".
        about: One sentence.
        is_of_kedro: Whether Kedro must know the project before the module is imported.
    """

    place: str
    about: str
    is_of_kedro: bool = False


SUBCOMMANDS = {
    "run": Subcommand(
        "covid_cxr.cli:run", "Run pipelines of the study.", is_of_kedro=True
    ),
    "doctor": Subcommand(
        "covid_cxr.console.doctor:doctor",
        "Say what this machine has, and what the study misses on it.",
        is_of_kedro=True,
    ),
    "plan": Subcommand(
        "covid_cxr.console.plan:plan",
        "Say how much the trainings are, and how long they take here at most.",
        is_of_kedro=True,
    ),
    "power": Subcommand(
        "covid_cxr.evaluation.power_command:power",
        "Say how many patients a test set needs.",
    ),
    "check": Subcommand(
        "covid_cxr.prediction.cli:check", "Compute the self-test of a bundle."
    ),
    "predict": Subcommand(
        "covid_cxr.prediction.cli:predict", "Predict radiographs with a bundle."
    ),
    "serve": Subcommand(
        "covid_cxr.service.serve_command:serve",
        "Predict what comes from a PACS with a bundle, and send answers.",
    ),
}


class LazyGroup(click.Group):
    """A group that imports a subcommand when it is asked for.

    Options without a subcommand are those of `run`, as Kedro calls a packaged project:
    `python -m covid_cxr --pipelines=…`.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command; None if there is none of this name."""
        entry = SUBCOMMANDS.get(cmd_name)
        return None if entry is None else _imported(entry)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `run` before options that are not the group's own."""
        own = {name for param in self.get_params(ctx) for name in param.opts}
        if args and args[0].startswith("-") and args[0] not in own:
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(n, entry.about) for n, entry in SUBCOMMANDS.items()])


@click.group(cls=LazyGroup, name="covid-cxr")
@click.version_option(__version__)
def covid_cxr() -> None:
    """Staged transfer learning on chest radiographs.

    `covid-cxr COMMAND --help` says more of a command.
    """


def _imported(entry: Subcommand) -> click.Command:
    if entry.is_of_kedro:
        # Kedro's default would be loud, where no project's conf is in this folder.
        if not any(Path("conf").glob("logging.y*ml")):
            from covid_cxr.console.run_console import SETTINGS  # noqa: PLC0415

            os.environ.setdefault("KEDRO_LOGGING_CONFIG", str(SETTINGS))
        from kedro.framework.project import configure_project  # noqa: PLC0415

        configure_project(PACKAGE)
    module, _, name = entry.place.partition(":")
    command: click.Command = getattr(importlib.import_module(module), name)
    return command
