"""A service: what receives, what predicts and what sends, until it is told to end."""

import logging
import threading
from collections.abc import Iterator, Mapping, Set
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus

from covid_cxr.prediction.bundle import Bundle
from covid_cxr.service.answering import predict_waiting
from covid_cxr.service.destinations import deliver, senders
from covid_cxr.service.dicomweb import FROM_DICOMWEB, fetch_dicomweb, poll_dicomweb
from covid_cxr.service.disk_queue import PREDICTION, DiskQueue
from covid_cxr.service.errands import Errands
from covid_cxr.service.loops import Loop, Pulse, start
from covid_cxr.service.monitor import Pages, metrics_of, monitored
from covid_cxr.service.node import listening
from covid_cxr.service.orthanc import FROM_ORTHANC, fetch_orthanc, poll_orthanc
from covid_cxr.service.reception import Reception
from covid_cxr.service.service_settings import ServiceSettings
from covid_cxr.service.tally import Tally
from covid_cxr.service.watched_folder import FROM_FOLDER, Inbox

logger = logging.getLogger(__name__)

_WAKE_SECONDS = 0.5  # a signal is heeded so late at most
_PAUSE_SECONDS = 1.0  # an errand whose turn has come is found so late at most


@dataclass(frozen=True, kw_only=True)
class Service:
    """What serves one bundle.

    Attributes:
        bundle: That predicts.
        settings: Where radiographs come from, where answers go.
        queue: Open for both.
        stop: Set when it is to end.
        tally: What happened.
    """

    bundle: Bundle
    settings: ServiceSettings
    queue: DiskQueue
    stop: threading.Event = field(default_factory=threading.Event)
    tally: Tally = field(default_factory=Tally)

    def run(self) -> None:
        """Serve until `stop` is set; what is being done then is done to its end.

        Raises:
            OSError: If a port is taken, or a file of the settings cannot be read.
            ValueError: If certificates cannot be used.
        """
        reception = Reception(
            self.queue,
            self.settings.storage.largest_instance_bytes,
            self.tally,
        )
        pulses: dict[str, Pulse] = {}
        loops = list(self._loops(reception))
        self._warn_of_what_nobody_does({loop.name for loop in loops})
        with ExitStack() as stack:
            if self.settings.sources.node is not None:
                stack.enter_context(listening(self.settings.sources.node, reception))
            pages: Pages = {
                "/healthz": partial(self._health, pulses),
                "/metrics": self._metrics,
            }
            stack.enter_context(monitored(self.settings.monitor, pages))
            threads = []
            for loop in loops:
                thread, pulses[loop.name] = start(loop, self.stop)
                threads.append(thread)
            logger.info("serving %s", self.bundle.record["name"])
            while not self.stop.wait(_WAKE_SECONDS):
                pass  # handlers of signals run when the main thread wakes
            logger.info("ending; what is being done is done to its end")
            self.queue.wake()
            for thread in threads:
                thread.join()
        self.queue.close()

    def _loops(self, reception: Reception) -> Iterator[Loop]:
        sends = senders(self.settings.destinations)
        predict = predict_waiting(
            self.bundle,
            self.queue,
            settings=self.settings,
            destinations=list(sends),
        )
        acts = {PREDICTION: predict} | {
            place: deliver(send, self.queue) for place, send in sends.items()
        }
        sources = self.settings.sources
        if sources.dicomweb is not None:
            acts[FROM_DICOMWEB] = fetch_dicomweb(sources.dicomweb, reception)
        if sources.orthanc is not None:
            acts[FROM_ORTHANC] = fetch_orthanc(sources.orthanc, reception)
        for place, act in acts.items():
            errands = Errands(queue=self.queue, place=place, act=act, tally=self.tally)
            pause = partial(self.queue.wait, _PAUSE_SECONDS)
            yield Loop(name=place, step=errands.step, pause=pause)
        yield from self._polls(reception)

    def _warn_of_what_nobody_does(self, places: Set[str]) -> None:
        for (place, state), number in self.queue.counts_of_errands().items():
            if place not in places:
                logger.warning(
                    "%d errands %s (%s) are kept, which the settings do not name any "
                    "more; state it again, and they are done",
                    *(number, place, state),
                )

    def _polls(self, reception: Reception) -> Iterator[Loop]:
        sources = self.settings.sources
        for name, web, poll in (
            ("ask dicomweb", sources.dicomweb, poll_dicomweb),
            ("ask orthanc", sources.orthanc, poll_orthanc),
        ):
            if web is not None:
                pause = partial(self.stop.wait, web.poll_seconds)
                yield Loop(name=name, step=poll(web, self.queue), pause=pause)
        if sources.folder is not None:
            inbox = Inbox(sources.folder, reception, self.stop)
            yield Loop(name=FROM_FOLDER, step=inbox.step, pause=inbox.pause)

    def _health(self, pulses: Mapping[str, Pulse]) -> tuple[HTTPStatus, str]:
        faults = [f"{name}: {one.word}" for name, one in pulses.items() if one.word]
        if no_room := self.queue.no_room():
            faults.append(no_room)
        if faults:
            return HTTPStatus.SERVICE_UNAVAILABLE, "\n".join(faults) + "\n"
        return HTTPStatus.OK, "ok\n"

    def _metrics(self) -> tuple[HTTPStatus, str]:
        return HTTPStatus.OK, metrics_of(self.queue, self.tally)
