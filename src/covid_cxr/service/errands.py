"""One errand after the other: done, tried again later, or laid aside."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from covid_cxr.service.disk_queue import DiskQueue, Errand
from covid_cxr.service.faults import QueueFullError, in_words, is_final
from covid_cxr.service.tally import Tally

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Errands:
    """What is done at one place.

    Attributes:
        queue: That they are in.
        place: As in `Errand`.
        act: Does one, and leaves it finished in the queue.
        tally: What is counted of them.
    """

    queue: DiskQueue
    place: str
    act: Callable[[Errand], None]
    tally: Tally

    def step(self) -> bool:
        """Do the errand whose turn it is; return whether there was one.

        Raises:
            QueueFullError: If there is no room, which is no fault of the errand.
        """
        errand = self.queue.next(self.place)
        if errand is None:
            return False
        if self.queue.is_spent(errand):
            reason = errand.reason or "the service ended each time it was done"
            self.queue.fail(errand, reason)
            self._say_laid_aside(errand, "it was begun and never ended")
            return True
        try:
            self.act(errand)
        except QueueFullError:
            self.queue.postpone(errand)
            raise
        except Exception as error:
            self._failed(errand, error)
            return True
        self.tally.add("errands", place=self.place, outcome="done")
        logger.info("%s: done", errand.name)
        return True

    def _failed(self, errand: Errand, error: Exception) -> None:
        whole = f"{type(error).__name__}: {error}"  # stays with the image, in the queue
        if self.queue.fail(errand, whole, is_final=is_final(error)):
            self._say_laid_aside(errand, in_words(error))
            return
        self.tally.add("errands", place=self.place, outcome="failed")
        logger.warning(
            "%s: failed, attempt %d: %s", errand.name, errand.attempts, in_words(error)
        )

    def _say_laid_aside(self, errand: Errand, reason: str) -> None:
        self.tally.add("errands", place=self.place, outcome="dead")
        logger.error(
            "%s: laid aside after %d attempts: %s; `covid-cxr serve --dead` lists it, "
            "`--revive` tries it anew",
            *(errand.name, errand.attempts, reason),
        )
