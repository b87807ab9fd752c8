"""What the report shows of margins: pairs measure by measure, and their verdicts."""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from covid_cxr.evaluation.non_inferiority import AUROC, SENSITIVITY, SPECIFICITY
from covid_cxr.evaluation.thresholds import YOUDEN
from covid_cxr.figures import margin_lines, note
from covid_cxr.report import wording
from covid_cxr.report.score_figures import panel_per_finding
from covid_cxr.study.current import current

TITLES = {
    AUROC: "AUROC",
    SENSITIVITY: "Sensitivity",
    SPECIFICITY: "Specificity",
    "ppv": "PPV",
    "npv": "NPV",
}
_MOST_PAIRS = 15  # of six classifiers; a figure of more is read by nobody
_NO_PAIR = "A margin is about two classifiers, and there is one."


@dataclass(frozen=True, kw_only=True)
class MarginTables:
    """What the section shows.

    Attributes:
        margin_results: From `evaluation.non_inferiority`.
        margin_figure: PNG file.
    """

    margin_results: pd.DataFrame
    margin_figure: bytes

    @property
    def has_margin(self) -> bool:
        """Whether any margin was stated."""
        return bool(self.margin_results["margin"].notna().any())

    @property
    def has_thresholds(self) -> bool:
        """Whether anything is compared but areas."""
        return bool((self.margin_results["measure"] != AUROC).any())

    @property
    def n_pairs_left_out(self) -> int:
        """How many pairs there are that the figure does not show."""
        n_pairs = len(self.margin_results[["first", "second"]].drop_duplicates())
        return max(0, n_pairs - _MOST_PAIRS)

    @property
    def areas_judged(self) -> pd.DataFrame:
        """The rows of areas, if their margin was stated."""
        table = self.margin_results
        return table[(table["measure"] == AUROC) & table["margin"].notna()]

    @property
    def main(self) -> pd.DataFrame:
        """The rows that the figure shows: areas, and shares at Youden's threshold."""
        return main_rows(self.margin_results)


def main_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of areas, and of shares at the threshold of Youden's index.

    With them those of a predictive value whose margin was stated, at each prevalence.

    Args:
        table: From `evaluation.non_inferiority`.
    """
    is_share = table["measure"].isin([SENSITIVITY, SPECIFICITY])
    is_asked = table["margin"].notna()
    is_main = (table["measure"] == AUROC) | (
        (table["rule"] == YOUDEN) & (is_share | is_asked)
    )
    return table[is_main]


def measure_title(measure: str, prevalence: float | None) -> str:
    """Return the name of a measure, with its prevalence where it has one.

    Args:
        measure: As in the table of margins.
        prevalence: Missing for measures that do not depend on it.
    """
    title = TITLES[measure]
    if prevalence is None or math.isnan(prevalence):
        return title
    return f"{title} at {100 * prevalence:.3g} %"


def short_name(name: str) -> str:
    """Return the letter of a path as in "(b)", or the name of anybody's classifier."""
    letters = {path.name: f"({path.letter})" for path in current().paths}
    return letters.get(name, name)


@panel_per_finding
def draw_margin_figure(results: pd.DataFrame, *, are_paths: bool) -> Any:
    """Return differences, intervals and margins as a matplotlib `Figure`.

    Args:
        results: From `tabulate_margins`.
        are_paths: Whether the classifiers are the paths.
    """
    if results.empty:
        return note.draw_note(_NO_PAIR)
    shown = short_name if are_paths else str
    table = main_rows(results)
    pairs = [
        f"{shown(first)} \N{MINUS SIGN} {shown(second)}"
        for first, second in zip(table["first"], table["second"], strict=True)
    ]
    table = table.assign(pair=pairs)
    titles = map(measure_title, table["measure"], table["prevalence"].astype(float))
    of_each = table.assign(title=list(titles)).groupby("title", sort=False)
    return margin_lines.draw_margins(
        {str(title): rows.head(_MOST_PAIRS) for title, rows in of_each}
    )


def verdict_in_words(row: dict[str, Any], first: str, second: str) -> str:
    """Return what a row shows, or a dash where no margin was stated.

    Args:
        row: Of the table of margins.
        first: Name of the classifier, as the page has it.
        second: Likewise.
    """
    words = {
        "equivalent": "equivalent",
        "first not inferior": f"{first} is not inferior to {second}",
        "second not inferior": f"{second} is not inferior to {first}",
        "not shown": "not shown",
        "unknown": "not known: calls or scores leave no standard error",
    }
    return words.get(row["verdict"], wording.UNKNOWN)
