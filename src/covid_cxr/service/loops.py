"""Threads that do one thing again and again until the service ends."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from covid_cxr.service.faults import in_words

logger = logging.getLogger(__name__)

_ALIVE_SECONDS = 600.0  # a step that takes longer hangs


@dataclass(frozen=True, kw_only=True)
class Loop:
    """A step that is repeated.

    Attributes:
        name: In log and health.
        step: Returns whether there was something to do.
        pause: Returns when it is time to ask again, or to end, after there was nothing.
    """

    name: str
    step: Callable[[], bool]
    pause: Callable[[], object]


@dataclass
class Pulse:
    """When a loop began the step that it is in, and what its last step failed by.

    Attributes:
        began: In seconds of the monotonic clock; None in a pause, however long.
        fault: Empty if it did not fail.
    """

    began: float | None = None
    fault: str = ""

    @property
    def word(self) -> str:
        """What is wrong; empty if nothing is."""
        began = self.began  # another thread sets it
        if began is not None and (since := time.monotonic() - began) > _ALIVE_SECONDS:
            return f"in one step for {since:.0f} s"
        return self.fault


def start(loop: Loop, stop: threading.Event) -> tuple[threading.Thread, Pulse]:
    """Return the thread that repeats a step until `stop`, and its pulse.

    A step that fails is repeated, and logged once for all failures of a kind in a row.
    """
    pulse = Pulse()

    def repeat() -> None:
        while not stop.is_set():
            pulse.began = time.monotonic()
            try:
                is_more = loop.step()
                pulse.fault = ""
            except Exception as error:
                is_more, words = False, in_words(error)
                if words != pulse.fault:
                    logger.error("%s: %s", loop.name, words)  # noqa: TRY400
                pulse.fault = words
            pulse.began = None
            if not is_more and not stop.is_set():
                loop.pause()

    thread = threading.Thread(target=repeat, name=loop.name, daemon=True)
    thread.start()
    return thread, pulse
