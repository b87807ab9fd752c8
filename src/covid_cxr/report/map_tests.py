"""Where the classifiers look, and whether their maps deserve trust."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from covid_cxr.evaluation.inference_settings import Reporting
from covid_cxr.evaluation.paper_tables import chosen_path
from covid_cxr.evaluation.table_rows import rows_of
from covid_cxr.saliency.regions import ALL, REGIONS
from covid_cxr.study.current import current
from covid_cxr.study.design import TrainingPath

METHOD_NAMES = {
    "grad_cam": "Grad-CAM",
    "grad_cam_plus_plus": "Grad-CAM++",
    "hires_cam": "HiResCAM",
}


@dataclass(frozen=True, kw_only=True)
class SaliencyTables:
    """What is known of the maps of a report's paths, each table with its `path`.

    Attributes:
        explanation_results: From `list_explanations`.
        randomisation_results: How similar maps stay while the classifier forgets.
        region_results: Where their energy lies.
        repeatability_results: How similar they are between seeds.
        pointing_results: Whether those of phase 2 point into the readers' boxes; None
            where no path has such a phase 2.
        general_pointing_results: The same of phase 1, finding by finding.
    """

    explanation_results: pd.DataFrame
    randomisation_results: pd.DataFrame
    region_results: pd.DataFrame
    repeatability_results: pd.DataFrame
    pointing_results: pd.DataFrame | None = None
    general_pointing_results: pd.DataFrame | None = None

    @property
    def summaries(self) -> list[dict[str, Any]]:
        """What each path's maps are worth, in the order of `explanation_results`.

        Records hold `path`; `forgetful`, the row of `randomisation_results` with every
        layer randomised; `regions`, rows of all outcomes together by region;
        `pointing`, its hits over all findings; None where there is no such row. And
        `pairs`, how many pairs of seeds there are, with the means of their `similarity`
        and `between_images` as `repeated` and `repeated_between`.
        """
        return [self._summary(path) for path in self.explanation_results["path"]]

    @property
    def regions(self) -> list[str]:
        """The regions that were measured, the lungs first."""
        return [r for r in REGIONS if r in set(self.region_results["region"])]

    @property
    def falls(self) -> pd.DataFrame:
        """How similar maps stay: a row per block, head first, a column per path."""
        return self.randomisation_results.pivot_table(
            index=["layer", "n_randomised"],
            columns="path",
            values="similarity",
            sort=False,
        ).reset_index()

    @property
    def energies(self) -> list[dict[str, Any]]:
        """Where the energy lies: a record per path and outcome.

        Records hold `path`, `outcome` and, by region, rows of the table as `regions`.
        """
        groups = self.region_results.groupby(["path", "outcome"], sort=False)
        return [
            {
                "path": path,
                "outcome": outcome,
                "regions": {r["region"]: r for r in rows_of(rows)},
            }
            for (path, outcome), rows in groups
        ]

    def method_of(self, path: str) -> str:
        """Return the name of the method by which a path's maps were made."""
        return METHOD_NAMES[self._explanation(path)["method"]]

    def layer_of(self, path: str) -> str:
        """Return the name of the layer that a path's maps are of."""
        return str(self._explanation(path)["layer"])

    def _explanation(self, path: str) -> dict[str, Any]:
        return _of_path(self.explanation_results, path)[0]

    def _summary(self, path: str) -> dict[str, Any]:
        randomised = _of_path(self.randomisation_results, path)
        regions = _of_path(self.region_results, path)
        pairs = self.repeatability_results.query("path == @path")
        pointing = _of_path(self.pointing_results, path)
        return {
            "path": path,
            "forgetful": randomised[-1] if randomised else None,
            "regions": {r["region"]: r for r in regions if r["outcome"] == ALL},
            "pairs": len(pairs),
            "repeated": pairs["similarity"].mean(),
            "repeated_between": pairs["between_images"].mean(),
            "pointing": _over_findings(pointing),
        }


def explained_path(table3: pd.DataFrame, reporting: Reporting) -> TrainingPath:
    """Return the path whose maps are shown in Figures 4 to 7.

    The one asked for, if it is in the report; else the one chosen on validation.

    Args:
        table3: The paths of the report, with their AUROC on validation.
        reporting: Says which path is asked for.
    """
    by_name = {path.name: path for path in current().paths}
    if reporting.saliency_path in set(table3["path"]):
        return by_name[str(reporting.saliency_path)]
    return chosen_path(table3)


def list_explanations(**explanations: dict[str, Any]) -> pd.DataFrame:
    """Return how each path was explained: `path`, `method`, `layer`, `threshold`."""
    names = ("method", "layer", "threshold")
    return pd.DataFrame(
        {"path": path, **{name: explanation[name] for name in names}}
        for path, explanation in explanations.items()
    )


def gather_by_path(**tables: pd.DataFrame) -> pd.DataFrame:
    """Return one table of all paths, with the column `path` first."""
    return _gather(tables, "path")


def gather_by_training(**tables: pd.DataFrame) -> pd.DataFrame:
    """Return one table of all trainings, with the column `training` first."""
    return _gather(tables, "training")


def _gather(tables: Mapping[str, pd.DataFrame], by: str) -> pd.DataFrame:
    filled = [
        table.assign(**{by: name}) for name, table in tables.items() if len(table)
    ] or [next(iter(tables.values())).iloc[:0].assign(**{by: []})]
    columns = [by, *filled[0].columns.drop(by)]
    return pd.concat(filled, ignore_index=True)[columns]


def _over_findings(rows: Sequence[Mapping[str, Any]]) -> dict[str, float] | None:
    """Return `hits` and `hits_of_other_images` of all findings' images together."""
    if not rows:
        return None
    n_images = sum(row["n_images"] for row in rows)
    return {
        name: sum(row["n_images"] * row[name] for row in rows) / n_images
        for name in ("hits", "hits_of_other_images")
    }


def _of_path(table: pd.DataFrame | None, path: str) -> list[dict[str, Any]]:
    return [] if table is None else rows_of(table[table["path"] == path])
