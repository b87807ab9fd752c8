"""What a run says, as log records, which also come home from workers elsewhere.

`NOTE` is a level above INFO, for the few lines that a person reads of a run. Progress
is a record with numbers, of which a display makes what it likes: who computes depends
on none.
"""

import logging

NOTE = logging.INFO + 5
logging.addLevelName(NOTE, "NOTE")

PROGRESS = logging.getLogger("covid_cxr.progress")
PROGRESS.setLevel(logging.INFO)  # without batches, unless a display asks for them


def tell_node(name: str, state: str) -> None:
    """Tell that a node of the flow "begins" or "ends" in this thread."""
    PROGRESS.info("%s %s", name, state, extra={"progress": {state: name}})


def tell_up_to_date(n_nodes: int) -> None:
    """Tell how many nodes of the run need not run again."""
    PROGRESS.info("up to date: %d", n_nodes, extra={"progress": {"n_kept": n_nodes}})


def tell_batch(**event: str | float) -> None:
    """Tell how far the training in this thread is."""
    PROGRESS.debug("%s", event, extra={"progress": event})
