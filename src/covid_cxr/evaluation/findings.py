"""Targets of several findings: what is told of one finding, told of each.

A function of one table of scores stays one of a single finding. Decorated by
`per_finding`, it takes the findings of a table with a column `finding` one after the
other; a table without one is of the only finding, and goes through as it is.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial, wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar

import pandas as pd

from covid_cxr.study.current import current

FINDING = "finding"

P = ParamSpec("P")
R = TypeVar("R")


def stack(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the tables of all findings, one below the other, with their `finding`.

    That of a target of one finding is returned as it is.

    Args:
        tables: By finding; one without rows adds none.
    """
    if not current().has_findings:
        (table,) = tables.values()
        return table
    filled = {finding: one for finding, one in tables.items() if len(one)}
    whole = pd.concat(filled or tables, names=[FINDING]).reset_index(FINDING)
    return whole.reset_index(drop=True)


def per_finding(tabulate: Callable[P, R]) -> Callable[P, R]:
    """Return the function that does for each finding what `tabulate` does for one.

    Args:
        tabulate: From a table and whatever else to one table, or to several.
    """

    @wraps(tabulate)
    def tabulate_each(*args: P.args, **given: P.kwargs) -> Any:
        of_each = split_by_finding(tabulate, *args, **given)
        if of_each is None:
            return tabulate(*args, **given)
        found: dict[str, Any] = {finding: of() for finding, of in of_each.items()}
        if all(isinstance(one, pd.DataFrame) for one in found.values()):
            return stack(found)
        by_table = zip(*found.values(), strict=True)
        return tuple(stack(dict(zip(found, one, strict=True))) for one in by_table)

    return tabulate_each


def split_by_finding(
    function: Callable[P, R], *args: P.args, **given: P.kwargs
) -> dict[str, Callable[[], R]] | None:
    """Return the calls of `function` for each finding; None for a table of one.

    Whatever has a column `finding` is split, if the first argument has one.
    """
    named = signature(function).bind(*args, **given).arguments
    first = next(iter(named.values()))
    if FINDING not in first:
        return None
    return {
        finding: partial(
            function, **{n: about(one, finding) for n, one in named.items()}
        )
        for finding in _told(first)
    }


def _told(table: pd.DataFrame) -> Iterator[str]:
    """Yield the findings, of scores those with cases and controls in the test part.

    Table 3 says of the others why nothing is known.
    """
    for finding, rows in table.groupby(FINDING, sort=False):
        if (
            "is_case" not in rows
            or rows.query("part == 'test'")["is_case"].nunique() == 2
        ):
            yield str(finding)


def of_finding(table: pd.DataFrame, finding: str) -> pd.DataFrame:
    """Return the rows of one finding, without the column that says so."""
    own = table[table[FINDING] == finding].drop(columns=FINDING)
    return own.reset_index(drop=True)


def about(value: Any, finding: str) -> Any:
    """Return a table of all findings as of one; whatever else as it is."""
    is_of_all = isinstance(value, pd.DataFrame) and FINDING in value
    return of_finding(value, finding) if is_of_all else value
