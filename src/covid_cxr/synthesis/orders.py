"""Rows of the synthetic radiographs as records, and their lazy way into files."""

from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from covid_cxr.synthesis.drawing import Exam
from covid_cxr.synthesis.epidemiology import DRAWN, severity_column
from covid_cxr.workers import executor

_ORDERS_AT_ONCE = 16  # drawn in half a second


@dataclass(frozen=True, kw_only=True)
class Order:
    """One radiograph to draw and to file.

    Attributes:
        file: Where it goes, relative to the cohort's folder.
        patient: Whose it is.
        site: Where it is taken.
        study_date: DICOM DA (0008,0020), "" where the cohort has none.
        exam: What is drawn.
    """

    file: str
    patient: str
    site: str
    study_date: str
    exam: Exam

    @property
    def name(self) -> str:
        """The file's name without its folders, as tables cite it."""
        return PurePosixPath(self.file).name

    @property
    def stem(self) -> str:
        """The file's name without its folders and its ending."""
        return PurePosixPath(self.file).stem


def describe(orders: Sequence[Order]) -> pd.DataFrame:
    """Return image, patient, site, view, sex and age, as a manifest lists them."""
    return pd.DataFrame(
        {
            "image": [order.name for order in orders],
            "patient": [order.patient for order in orders],
            "site": [order.site for order in orders],
            "view": [order.exam.view for order in orders],
            "sex": [order.exam.sex for order in orders],
            "age": [str(order.exam.age_years) for order in orders],
        }
    )


@dataclass(frozen=True, kw_only=True)
class RawImages:
    """Image files that are drawn when they are iterated over, one at a time.

    Attributes:
        orders: What to draw, in the order of the files.
        encode: Draws one and returns the bytes of its file; can be pickled.
        workers: Processes that draw.
        texts: What text files beside the images say, by their relative paths.
    """

    orders: tuple[Order, ...]
    encode: Callable[[Order], bytes]
    workers: int
    texts: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self.orders) + len(self.texts)

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        """Yield the relative path and the bytes of each file."""
        yield from self._drawn()
        yield from ((file, text.encode()) for file, text in self.texts.items())

    def _drawn(self) -> Iterator[tuple[str, bytes]]:
        # A few files are drawn sooner than a second process starts.
        if self.workers == 1 or len(self.orders) < 200:
            for order in self.orders:
                yield order.file, self.encode(order)
            return
        waiting: deque[Future[list[tuple[str, bytes]]]] = deque()
        with executor(self.workers, cluster=None) as pool:
            for first in range(0, len(self.orders), _ORDERS_AT_ONCE):
                orders = self.orders[first : first + _ORDERS_AT_ONCE]
                waiting.append(pool.submit(_draw, self.encode, orders))
                # No more than these wait in memory to be written.
                if len(waiting) > 3 * self.workers:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()


def orders_of(radiographs: pd.DataFrame, *, cohort: str) -> tuple[Order, ...]:
    """Return the orders of one cohort, in the table's order.

    Args:
        radiographs: From `admit_patients`.
        cohort: Its name in the study.

    Raises:
        ValueError: If the table has no radiograph of the cohort.
    """
    rows = radiographs.loc[radiographs["cohort"] == cohort]
    if rows.empty:
        raise ValueError(
            f"The synthetic radiographs hold none of the cohort {cohort!r}; got "
            f"{sorted(radiographs['cohort'].unique())}. Run admit_patients again."
        )
    return tuple(_order(row) for row in rows.to_dict("records"))


def _draw(
    encode: Callable[[Order], bytes], orders: tuple[Order, ...]
) -> list[tuple[str, bytes]]:
    return [(order.file, encode(order)) for order in orders]


def _order(row: Mapping[Hashable, Any]) -> Order:
    severities = {name: float(row[severity_column(name)]) for name in DRAWN}
    return Order(
        file=row["file"],
        patient=row["patient"],
        site=row["site"],
        study_date="" if pd.isna(row["study_date"]) else row["study_date"],
        exam=Exam(
            anatomy_seed=row["anatomy_seed"],
            drawing_seed=row["drawing_seed"],
            sex=row["sex"],
            age_years=row["age_years"],
            view=row["view"],
            severities={name: value for name, value in severities.items() if value > 0},
            has_devices=row["has_devices"],
        ),
    )
