"""What happens in a service, counted."""

import threading
from collections import Counter
from collections.abc import Mapping


class Tally:
    """Events by name and labels, from any number of threads."""

    def __init__(self) -> None:
        """Begin with none."""
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()

    def add(self, event: str, amount: float = 1, **labels: str) -> None:
        """Count an event, which has `labels`."""
        with self._lock:
            # Counters of the library are of whole numbers by type, not by nature.
            self._counts[event, tuple(labels.items())] += amount  # type: ignore[assignment]

    def counts(self) -> Mapping[tuple[str, tuple[tuple[str, str], ...]], float]:
        """Return how often each event was, by its name and labels."""
        with self._lock:
            return dict(self._counts)
