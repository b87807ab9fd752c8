"""How what a Dask worker says comes home: as log records, over the cluster."""

import logging
from typing import Any

from distributed import Client
from distributed.diagnostics.plugin import ForwardLoggingPlugin
from rich import get_console

from covid_cxr.console.channels import PROGRESS

TOPIC = "covid-cxr-log"


class HomeLogging(ForwardLoggingPlugin):
    """Sends the records of a worker to the run, which has the console and the log."""

    def __init__(self, *, is_own: bool, progress_level: int) -> None:
        """Say what the workers are.

        Args:
            is_own: Whether the run has started them; others keep their consoles.
            progress_level: Of `channels.PROGRESS` in the run.
        """
        super().__init__(None, logging.NOTSET, TOPIC)  # type: ignore[no-untyped-call]
        self._is_own = is_own
        self._progress_level = progress_level

    def setup(self, worker: Any) -> None:
        """Begin, once Kedro has set up the logging of the process."""
        import kedro.framework.project  # noqa: F401, PLC0415

        if self._is_own:
            for handler in logging.root.handlers[:]:
                logging.root.removeHandler(handler)
            get_console().quiet = True  # bars of several workers would mix
        logging.getLogger(__name__.partition(".")[0]).setLevel(logging.INFO)
        PROGRESS.setLevel(self._progress_level)
        super().setup(worker)  # type: ignore[no-untyped-call]


def bring_home(client: Client, *, is_own: bool) -> None:
    """Handle the records of all workers of a cluster in this process, from now on.

    Args:
        client: Of the cluster.
        is_own: Whether the run has started its workers.
    """
    client.subscribe_topic(TOPIC, _handle)  # type: ignore[no-untyped-call]
    plugin = HomeLogging(is_own=is_own, progress_level=PROGRESS.level)
    client.register_plugin(plugin, name=TOPIC)


def _handle(event: tuple[float, dict[str, Any]]) -> None:
    _, attributes = event
    record = logging.makeLogRecord(attributes)
    logging.getLogger(record.name).handle(record)
