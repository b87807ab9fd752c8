"""Numbers and names as readers see them, the same everywhere in the report."""

import math
from collections.abc import Mapping
from typing import Any, TypeGuard

from covid_cxr.study.current import current

OUTCOMES = {
    "true_positive": "True positive",
    "true_negative": "True negative",
    "false_positive": "False positive",
    "false_negative": "False negative",
}
UNKNOWN = "\N{EN DASH}"

_MINUS = "\N{MINUS SIGN}"


def auroc(value: float | None) -> str:
    """Return three decimals, or a dash for NaN."""
    return f"{value:.3f}" if _is_known(value) else UNKNOWN


def interval(lower: float | None, upper: float | None) -> str:
    """Return both bounds, or a dash where they are not known."""
    if not (_is_known(lower) and _is_known(upper)):
        return UNKNOWN
    return f"{lower:.3f} to {upper:.3f}".replace("-", _MINUS)


def estimate(row: Mapping[Any, Any], name: str, *, level: float) -> str:
    """Return an estimate with its interval, as in "0.812 (95 % interval …)".

    Args:
        row: `<name>` with `<name>_lower` and `<name>_upper`; of an AUROC `lower` and
            `upper`.
        name: Of the column.
        level: Of the interval.
    """
    prefix = "" if name == "auroc" else f"{name}_"
    bounds = interval(row[f"{prefix}lower"], row[f"{prefix}upper"])
    value = auroc(row[name]).replace("-", _MINUS)
    told = "not estimable" if bounds == UNKNOWN else bounds
    return f"{value} ({100 * level:g} % interval {told})"


def difference(value: float | None) -> str:
    """Return a signed number with three decimals."""
    if not _is_known(value):
        return UNKNOWN
    return f"{value:+.3f}".replace("-", _MINUS)


def p_value(value: float | None) -> str:
    """Return three decimals, "< 0.001" for less, a dash for NaN."""
    if not _is_known(value):
        return UNKNOWN
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def threshold(value: float | None) -> str:
    """Return three decimals; "none" for one without a bound, a dash for NaN."""
    if _is_known(value) and math.isinf(value):
        return "none"
    return auroc(value)


def count(value: float | None) -> str:
    """Return a whole number with thousands separated."""
    return f"{value:,.0f}" if _is_known(value) else UNKNOWN


def percent(share: float | None, decimals: int = 2) -> str:
    """Return a share as per cent."""
    return f"{100 * share:.{decimals}f} %" if _is_known(share) else UNKNOWN


def label(name: str) -> str:
    """Return the name of a finding, as in "Pleural thickening"."""
    told = current().target.findings.get(name)
    return name.replace("_", " ").capitalize() if told is None else begun(told)


def begun(words: str) -> str:
    """Return words as a sentence or a cell begins with them; the rest is as it is."""
    return f"{words[:1].upper()}{words[1:]}"


def target() -> str:
    """Return what the classifiers tell, as in "COVID-19"."""
    return current().target.name


def classifier(name: str) -> str:
    """Return the title of a path's classifier, or the name of anybody's."""
    titles = {path.name: path.title for path in current().paths}
    return titles.get(name, name)


def cohort(name: str) -> str:
    """Return the name of a cohort."""
    known = current().cohorts.get(name)
    return name if known is None else known.title


def training_set(name: str) -> str:
    """Return the name of a training set."""
    known = current().training_sets.get(name)
    return name if known is None else known.title


def _is_known(value: float | None) -> TypeGuard[float]:
    return value is not None and not math.isnan(value)
