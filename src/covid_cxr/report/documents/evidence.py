"""What a run left, as the documents are filled from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import pandas as pd

from covid_cxr.evaluation.findings import FINDING, about
from covid_cxr.evaluation.inference_settings import Evaluation, Reporting
from covid_cxr.evaluation.paper_tables import chosen_path, results_of_paths
from covid_cxr.report import wording
from covid_cxr.report.leakage_summary import AuditTables
from covid_cxr.report.map_tests import SaliencyTables
from covid_cxr.report.run_facts import Provenance
from covid_cxr.study.current import current
from covid_cxr.study.design import TrainingPath

TEST_SET = "phase3"  # the training set whose test part the classifiers are judged on


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything that a document may state; None for what the run does not have.

    Attributes:
        reporting: Level and significance.
        evaluation: Settings of the evaluation.
        parameters: Without secrets, as from `printable.printable`.
        provenance: Code, packages, data, trainings.
        records: Provenance by training, as in "path_b_phase3".
        cohort_counts: From `radiograph_flow.count_cohorts`.
        flow_results: From `radiograph_flow.follow_radiographs`.
        part_counts: From `radiograph_flow.count_parts`.
        cohort_results: From `characteristics.describe_parts`.
        trainings: From `trainings.list_trainings`.
        table3: The target on the test part.
        seed_variance: From `seed_variance.tabulate_seeds`.
        table4: Pairs of paths.
        table5: Pairs of paths, adjusted.
        audit: Leakage and shortcuts.
        operating_results: Operating points.
        calibration_results: Calibration on the test part.
        subgroup_results: AUROC by site, view, sex and age band.
        ensemble_results: AUROC of the ensembles of all paths.
        shortcut_results: AUROC where a part of the radiograph is hidden.
        sites: AUROC at sites that were left out of training, by path.
        saliency: Whether the maps deserve trust.
        finding: Of several, the one that the tables are about; None for all.
        path: Name of the path that is told of; None for the best on validation.
    """

    reporting: Reporting
    evaluation: Evaluation
    parameters: Mapping[str, Any]
    provenance: Provenance
    records: Mapping[str, Mapping[str, Any]]
    cohort_counts: pd.DataFrame
    flow_results: pd.DataFrame
    part_counts: pd.DataFrame
    cohort_results: pd.DataFrame
    trainings: pd.DataFrame
    table3: pd.DataFrame
    seed_variance: pd.DataFrame
    table4: pd.DataFrame | None = None
    table5: pd.DataFrame | None = None
    audit: AuditTables | None = None
    operating_results: pd.DataFrame | None = None
    calibration_results: pd.DataFrame | None = None
    subgroup_results: pd.DataFrame | None = None
    ensemble_results: pd.DataFrame | None = None
    shortcut_results: pd.DataFrame | None = None
    sites: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    saliency: SaliencyTables | None = None
    finding: str | None = None
    path: str | None = None

    @property
    def by_finding(self) -> dict[str, "Evidence"]:
        """What there is of each finding of several that has an AUROC on test.

        All are of the path that is best on validation in the mean of the findings.
        """
        if FINDING not in self.table3:
            return {}
        whole: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        return {
            finding: Evidence(
                **{name: about(value, finding) for name, value in whole.items()}
                | {"finding": finding, "path": self.chosen.name}
            )
            for finding in current().target_set.labels
            if finding not in self.flaws
        }

    @property
    def flaws(self) -> dict[str, str]:
        """Why a finding of several has no AUROC on test, by finding."""
        rows = self.table3.reindex(columns=[FINDING, "reason"]).dropna()
        return dict(zip(rows[FINDING], rows["reason"], strict=True))

    @property
    def told(self) -> str:
        """What the classifiers tell: all findings together, or the one in question."""
        target = current().target
        return target.name if self.finding is None else target.findings[self.finding]

    @property
    def paths(self) -> list[TrainingPath]:
        """The paths of the run, in the order of the study."""
        names = set(self.table3["path"])
        return [path for path in current().paths if path.name in names]

    @property
    def chosen(self) -> TrainingPath:
        """The path that the documents are about: the best on validation."""
        return (
            chosen_path(self.table3) if self.path is None else current().path(self.path)
        )

    @property
    def result(self) -> dict[str, Any]:
        """The chosen path's row of Table 3; of several findings, their mean."""
        return self.row_of(self.chosen.name)

    @property
    def record(self) -> Mapping[str, Any]:
        """The provenance of the chosen path's last training."""
        return self.records[f"{self.chosen.name}_phase3"]

    @property
    def lineage(self) -> list[Mapping[str, Any]]:
        """The records of the trainings behind the chosen classifier, its own last."""
        return [
            *(own for own in self.record.get("parents", []) if "recipe" in own),
            *([self.record] if "recipe" in self.record else []),
        ]

    @property
    def level(self) -> str:
        """The level of every interval, as in "95 %"."""
        return f"{100 * self.reporting.level:g} %"

    @property
    def synthetic(self) -> list[str]:
        """The names of the cohorts that a program drew."""
        drawn = self.cohort_counts.loc[
            self.cohort_counts["is_synthetic"].astype(bool), "cohort"
        ]
        return [wording.cohort(name) for name in drawn]

    @property
    def layout(self) -> str | None:
        """Of a source with several layouts, the one of the target's cohort."""
        ingestion = f"{current().target_cohort}_ingestion"
        layout = self.parameters.get(ingestion, {}).get("layout")
        return None if layout is None else str(layout)

    @property
    def test_split(self) -> Mapping[str, Any]:
        """How the split was drawn that the classifiers are judged on."""
        split: Mapping[str, Any] = self.parameters.get(f"{TEST_SET}_split", {})
        return split

    def row_of(self, path: str) -> dict[str, Any]:
        """Return a path's row of Table 3; of several findings, their mean."""
        rows = results_of_paths(self.table3)
        row = rows[rows["path"] == path].iloc[0]
        return {str(key): value for key, value in row.items()}

    def of_chosen(self, table: pd.DataFrame | None) -> pd.DataFrame | None:
        """Return the rows on the chosen path's classifier; None where there is none."""
        if table is None or "classifier" not in table:
            return None
        rows = table[table["classifier"] == self.chosen.name]
        return rows if len(rows) else None

    def estimate(self, row: Mapping[Any, Any], name: str = "auroc") -> str:
        """Return an estimate with its interval, in words.

        Args:
            row: `<name>` with `<name>_lower` and `<name>_upper`; of an AUROC `lower`
                and `upper`.
            name: Of the column.
        """
        return wording.estimate(row, name, level=self.reporting.level)
