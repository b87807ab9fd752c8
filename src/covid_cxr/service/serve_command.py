"""The command `covid-cxr serve`, without Kedro."""

import logging
import os
import signal
import threading
import warnings
from importlib.util import find_spec
from pathlib import Path

import click

from covid_cxr.commands import PACKAGE
from covid_cxr.prediction.bundle import open_bundle
from covid_cxr.prediction.cli import faults_in_words
from covid_cxr.prediction.refusals import reservations
from covid_cxr.service.disk_queue import DiskQueue, dead_errands
from covid_cxr.service.service_settings import ServiceSettings

logger = logging.getLogger(__name__)

_PLACE = click.Path(path_type=Path)
_EXTRA = ("dicomweb_client", "highdicom", "pynetdicom", "watchfiles", "yaml")
_FORMAT = "%(asctime)s %(levelname)s %(message)s"


@click.command()
@click.argument("bundle", type=_PLACE)
@click.option(
    "--config", type=_PLACE, required=True, help="service.yml: docs/how-to/serve.md."
)
@click.option("--dead", is_flag=True, help="List what was laid aside, and end.")
@click.option("--revive", is_flag=True, help="Try all that was laid aside anew.")
def serve(bundle: Path, config: Path, *, dead: bool, revive: bool) -> None:
    """Predict what comes from a PACS with BUNDLE, and send answers. Research only.

    SIGTERM ends it when the radiograph in work is done; after kill -9 it goes on where
    it was.
    """
    with faults_in_words():
        _refuse_without_extra()
        from covid_cxr.service.settings_file import read_record  # noqa: PLC0415

        settings = read_record(
            ServiceSettings, config.read_text("utf-8"), file=str(config)
        )
        if dead:
            _list_dead(settings)
            return
        os.umask(0o077)  # radiographs and answers are nobody else's
        _log_without_patients()
        stop = _stop_at_signals()
        opened = open_bundle(bundle)
        difference = opened.check()
        opened.stated(settings.prevalence)
        queue = DiskQueue(settings.storage, settings.retries, bundle=opened.sha256)
        if revive:
            click.echo(f"{queue.revive()} are tried anew")
        for reservation in reservations(opened.record):
            logger.warning(reservation)
        logger.info("self-test: largest difference %.2g", difference)
        from covid_cxr.service.serving import Service  # noqa: PLC0415

        Service(bundle=opened, settings=settings, queue=queue, stop=stop).run()
        logger.info("ended")


def _stop_at_signals() -> threading.Event:
    """Return an event that is set when the process is told to end."""
    stop = threading.Event()
    # No mask and sigwait: threads of libraries were there before any mask, and a signal
    # that one of them takes would end the process at once.
    for end in (signal.SIGTERM, signal.SIGINT):
        signal.signal(end, lambda *_: stop.set())
    return stop


def _refuse_without_extra() -> None:
    for name in _EXTRA:
        if find_spec(name) is None:
            raise RuntimeError(
                f"covid-cxr serve needs {name}, which is not installed: pip install "
                f'"covid-cxr[predict,serve,codecs]"'
            )


def _list_dead(settings: ServiceSettings) -> None:
    for errand in dead_errands(settings.storage.folder):
        click.echo(
            f"{errand.place} {errand.item}: {errand.attempts} attempts: {errand.reason}"
        )


def _log_without_patients() -> None:
    """Log what we say ourselves, and nothing else: others quote headers and UIDs."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(_FORMAT))
    ours = logging.getLogger(PACKAGE)
    ours.addHandler(handler)
    ours.setLevel(logging.INFO)
    ours.propagate = False
    logging.getLogger().addHandler(logging.NullHandler())
    warnings.simplefilter("ignore")
