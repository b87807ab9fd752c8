"""Colours that colour-blind readers can tell apart (Okabe and Ito 2008)."""

from collections.abc import Iterable

from covid_cxr.paths import TRAINING_PATHS

# Without yellow, which is too pale for a line on white.
PATH_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#555555")

INK = "#1d2733"
MUTED = "#6b7785"
GRID = "#d9dee4"
PAPER = "#9a6700"  # what the paper printed, wherever it stands beside our numbers

_POSITIONS = {path.name: k for k, path in enumerate(TRAINING_PATHS)}


def path_colour(position: int) -> str:
    """Return the colour of the path at `position` in the table of paths."""
    return PATH_COLOURS[position % len(PATH_COLOURS)]


def classifier_colours(names: Iterable[str]) -> dict[str, str]:
    """Return the colour of each classifier: a path's own, or by position.

    Args:
        names: Of paths, as in "path_b", or of anybody's classifiers, in one order.
    """
    return {name: path_colour(_POSITIONS.get(name, k)) for k, name in enumerate(names)}
