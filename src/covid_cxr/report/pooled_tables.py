"""What a page shows of sites and subgroups, pooled and compared."""

from dataclasses import dataclass, fields
from typing import Any

import pandas as pd

from covid_cxr.figures import note, pooled_forest
from covid_cxr.figures.palette import classifier_colours
from covid_cxr.report import wording
from covid_cxr.report.score_figures import panel_per_finding

_NOTHING = "No grouping has three levels that can be pooled for this classifier."


@dataclass(frozen=True, kw_only=True)
class PooledTables:
    """What the section shows.

    Attributes:
        pooled_results: From `evaluation.pooled_levels`.
        between_results: Likewise.
        interaction_results: Likewise.
        pooled_figure: PNG file.
    """

    pooled_results: pd.DataFrame
    between_results: pd.DataFrame
    interaction_results: pd.DataFrame
    pooled_figure: bytes

    @property
    def has_pooled(self) -> bool:
        """Whether anything could be pooled."""
        return len(self.pooled) > 0

    @property
    def pooled(self) -> pd.DataFrame:
        """The rows with an AUROC."""
        return self.pooled_results[self.pooled_results["auroc"].notna()]

    @property
    def not_pooled(self) -> list[dict[str, Any]]:
        """Why the others have none, once where it is so of every classifier."""
        table = self.pooled_results
        n_classifiers = table["classifier"].nunique()
        keys = [n for n in ("finding", "variable", "why_not", "left_out") if n in table]
        words = table[[*keys, "classifier"]].astype("object")
        rows = words.where(words.notna(), "")[table["auroc"].isna()]
        return [
            {
                **dict(zip(keys, key, strict=True)),
                "classifiers": None
                if own["classifier"].nunique() == n_classifiers
                else list(own["classifier"]),
            }
            for key, own in rows.groupby(keys, sort=False)
        ]


POOLED_DATASETS = tuple(field.name for field in fields(PooledTables))


@panel_per_finding
def draw_pooled_levels(
    pooled: pd.DataFrame,
    subgroups: pd.DataFrame,
    auroc: pd.DataFrame,
    *,
    are_paths: bool,
) -> Any:
    """Return the forest plot of the classifier that validation chose, else the first.

    Args:
        pooled: From `pool_levels`.
        subgroups: From `tabulate_subgroups`.
        auroc: From `tabulate_aurocs`; says which classifier that is.
        are_paths: Whether the classifiers are the paths.
    """
    chosen = auroc.loc[auroc["is_chosen"].astype(bool), "classifier"]
    name = chosen.iloc[0] if len(chosen) else auroc["classifier"].iloc[0]
    own = pooled[(pooled["classifier"] == name) & pooled["auroc"].notna()]
    if own.empty:
        return note.draw_note(_NOTHING)
    label = wording.label if are_paths else str
    rows = own.assign(title=[label(variable) for variable in own["variable"]])
    levels = subgroups[(subgroups["classifier"] == name) & subgroups["auroc"].notna()]
    colours = classifier_colours(auroc["classifier"], are_paths=are_paths)
    return pooled_forest.draw_pooled(
        levels, rows.to_dict(orient="records"), colour=colours[name]
    )
