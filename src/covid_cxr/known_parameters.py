"""Which parameters there are: a misspelt one is refused, wherever it comes from.

Kedro takes any name, and a node reads only those that it asks for: a misspelt control
would look as if it were on. Known is what `conf/base` says, and what catalogs ask for
by `${runtime_params:…}`.
"""

import re
from collections.abc import Iterator, Mapping
from copy import copy
from difflib import get_close_matches
from typing import Any

from covid_cxr.datasets.local import local_path
from covid_cxr.study_config import StudyConfigLoader

_ASKED_FOR = re.compile(r"\$\{runtime_params:\s*(\w+)")
_PLACES = ("data_root", "covid_root")


def refuse_unknown(
    parameters: Mapping[str, Any], known: Mapping[str, Any], *, elsewhere: set[str]
) -> None:
    """Refuse parameters that nothing reads.

    Args:
        parameters: As merged from all sources.
        known: Those of `conf/base` and the study; below an empty record, or a value,
            any name is allowed.
        elsewhere: Names that are read by catalogs.

    Raises:
        ValueError: Names each of them, with the known name that is most like it.
    """
    names = [*_names(known), *elsewhere]
    unknown = [name for name in _unknown(parameters, known) if name not in elsewhere]
    if unknown:
        shown = []
        for name in unknown:
            alike = get_close_matches(name, names, n=1, cutoff=0.5)
            shown.append(f"{name} (is {alike[0]} meant?)" if alike else name)
        raise ValueError(
            f"No step reads the parameters {', '.join(shown)}: they would have no "
            f"effect. Correct them on the command line, in conf/local or in the "
            f"environment; all that there are stand in conf/base."
        )


def refuse_urls(places: Mapping[str, Any]) -> None:
    """Refuse to work in a place that is no folder of this machine.

    Args:
        places: Parameters and globals.

    Raises:
        ValueError: If a root is a URL.
    """
    for name in _PLACES:
        if isinstance(place := places.get(name), str):
            try:
                local_path(place)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error


def known_parameters(loader: StudyConfigLoader) -> dict[str, Any]:
    """Return the parameters of `conf/base` and of the study, without an environment."""
    # A new loader would take `${globals:…}` over for the whole process, and what an
    # environment says in its globals.yml would be gone.
    base = copy(loader)
    base.env, base.runtime_params, base.data = loader.base_env, {}, {}
    known: dict[str, Any] = base["parameters"]
    return known


def asked_for_by_catalogs(loader: StudyConfigLoader) -> set[str]:
    """Return the names of all runtime parameters that configuration files ask for."""
    return {name for text in loader.texts() for name in _ASKED_FOR.findall(text)}


def _unknown(
    parameters: Mapping[str, Any], known: Mapping[str, Any], prefix: str = ""
) -> Iterator[str]:
    for name, value in parameters.items():
        if name not in known:
            yield f"{prefix}{name}"
        else:
            yield from _unknown_below(f"{prefix}{name}", value, known[name])


def _unknown_below(name: str, value: Any, known: Any) -> Iterator[str]:
    if isinstance(value, Mapping) and isinstance(known, Mapping) and known:
        yield from _unknown(value, known, f"{name}.")


def _names(known: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in known.items():
        yield f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from _names(value, f"{prefix}{name}.")
