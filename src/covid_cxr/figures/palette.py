"""Colours that colour-blind readers can tell apart (Okabe and Ito 2008), and dashes.

Where classifiers are more than the colours, dashes tell apart those of one colour.
"""

from collections.abc import Iterable

from covid_cxr.study.current import current

# Without yellow, which is too pale for a line on white.
PATH_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#555555")

Dashes = tuple[float, ...]  # on and off, in widths of the line; none for a whole line

_DASHES: tuple[Dashes, ...] = (
    *((), (5, 1.8), (1.2, 1.4), (6, 1.6, 1.2, 1.6)),
    *((9, 2.4), (6, 1.5, 1.2, 1.5, 1.2, 1.5)),
)

INK = "#1d2733"
MUTED = "#6b7785"
GRID = "#d9dee4"
PAPER = "#9a6700"  # what the paper printed, wherever it stands beside our numbers


def path_colour(position: int) -> str:
    """Return the colour of the path at `position` in the table of paths."""
    return PATH_COLOURS[position % len(PATH_COLOURS)]


def classifier_colours(
    names: Iterable[str], *, are_paths: bool = True
) -> dict[str, str]:
    """Return the colour of each classifier: a path's own, or by position.

    Args:
        names: Of paths, as in "path_b", or of anybody's classifiers, in one order.
        are_paths: Whether "path_b" is the path of that name.
    """
    places = _places(names, are_paths=are_paths)
    return {name: path_colour(place) for name, place in places.items()}


def classifier_dashes(
    names: Iterable[str], *, are_paths: bool = True
) -> dict[str, Dashes]:
    """Return the dashes of each classifier, which differ where colours are the same."""
    places = _places(names, are_paths=are_paths)
    return {name: _dashes(place // len(PATH_COLOURS)) for name, place in places.items()}


def _places(names: Iterable[str], *, are_paths: bool) -> dict[str, int]:
    own = {path.name: k for k, path in enumerate(current().paths)} if are_paths else {}
    return {name: own.get(name, k) for k, name in enumerate(names)}


def _dashes(lap: int) -> Dashes:
    """Return those of the curves that go through the colours for the lap-th time."""
    times, kind = divmod(lap, len(_DASHES))
    longer = tuple(length * (1 + times) for length in _DASHES[kind])
    return longer if longer or not times else (12.0 + 6 * times, 3.0)
