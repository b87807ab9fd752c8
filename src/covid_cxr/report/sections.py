"""The sections of the report, in their order: what each shows, and when it is there.

A section is an entry here, `templates/<name>.html.jinja` with a macro `section`, and
where bare tables do not do, a record in a module of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from covid_cxr.report.beyond_auroc import EvaluationTables
from covid_cxr.report.flags import FlagTables
from covid_cxr.report.leakage_summary import AuditTables
from covid_cxr.report.map_tests import SaliencyTables
from covid_cxr.report.margin_tables import MarginTables
from covid_cxr.report.measure_tables import MeasureTables
from covid_cxr.report.pooled_tables import PooledTables
from covid_cxr.report.question_tables import QuestionTables
from covid_cxr.report.reference_tables import ReferenceTables, UnlabelledTables
from covid_cxr.report.run_facts import Provenance
from covid_cxr.report.without_lungs import ShortcutTables


@dataclass(frozen=True, kw_only=True)
class Section:
    """A section of the report; it is there if the run has anything that it shows.

    Attributes:
        name: Of its template, and its place in the page.
        title: In the contents; may be a template.
        datasets: What it shows; in the template, those that a run lacks are None.
        by_path: What it shows of each path, as in "site_results"; in the template,
            mappings by path.
        records: What the template takes in place of bare datasets, by name: dataclasses
            whose fields are named as them; None where a field without default is not
            there.
        of_study: Those of its records that the report of a path alone is without.
        rows_of: A table; where it has no rows, the section is not there.
    """

    name: str
    title: str
    datasets: tuple[str, ...] = ()
    by_path: tuple[str, ...] = ()
    records: Mapping[str, type[Any]] = field(default_factory=dict)
    of_study: tuple[str, ...] = ()
    rows_of: str | None = None

    def shows(self, paths: Sequence[str], *, is_study: bool = True) -> list[str]:
        """Return the datasets that it would show of these paths."""
        left_out = () if is_study else self.of_study
        records = [made for name, made in self.records.items() if name not in left_out]
        return [
            *self.datasets,
            *(f"{path}_{name}" for name in self.by_path for path in paths),
            *(one.name for record in records for one in fields(record)),
        ]

    def context(self, found: Mapping[str, Any], paths: Sequence[str]) -> dict[str, Any]:
        """Return what its template speaks of, by name.

        Args:
            found: What the run has, by dataset.
            paths: Of the report.
        """
        return {
            **{name: found.get(name) for name in self.datasets},
            **{name: _of_paths(found, name, paths) for name in self.by_path},
            **{name: take_record(made, found) for name, made in self.records.items()},
        }


SECTIONS = (
    Section(
        name="summary",
        title="Summary",
        datasets=("table3", "table4", "table5", "auroc_intervals"),
    ),
    Section(name="flow", title="Flow", datasets=("flow_results", "flow_figure")),
    Section(
        name="data",
        title="Data",
        datasets=(
            *("cohort_counts", "part_counts", "cohort_results"),
            *("figure1", "figure2"),
        ),
        records={"flags": FlagTables},
    ),
    Section(name="phase1", title="Phase 1", datasets=("table1", "adjudicated_results")),
    Section(name="phase2", title="Phase 2", datasets=("table2",)),
    Section(
        name="phase3",
        title="Phase 3",
        datasets=("table3", "figure3", "figure3_interactive", "seed_variance"),
    ),
    Section(
        name="evaluation",
        title="Beyond the AUROC",
        records={"evaluation": EvaluationTables},
    ),
    Section(
        name="questions", title="Which AUROC", records={"questions": QuestionTables}
    ),
    Section(
        name="margins",
        title="Within a margin",
        records={"margins": MarginTables},
        of_study=("margins",),
    ),
    Section(
        name="measures", title="Further measures", records={"measures": MeasureTables}
    ),
    Section(
        name="pooled",
        title="Across sites and subgroups",
        records={"pooled": PooledTables},
        of_study=("pooled",),
    ),
    Section(
        name="reference",
        title="If the reference errs",
        records={"reference": ReferenceTables},
        of_study=("reference",),
        rows_of="reference_results",
    ),
    Section(
        name="unlabelled",
        title="Without a label",
        records={"unlabelled": UnlabelledTables},
        of_study=("unlabelled",),
        rows_of="unlabelled_auroc_results",
    ),
    Section(
        name="saliency",
        title="Where it looks",
        datasets=(
            *("figure4", "figure5", "figure6", "figure7"),
            "randomisation_figure",
        ),
        records={"saliency": SaliencyTables},
    ),
    Section(name="gallery", title="Gallery", datasets=("gallery",)),
    Section(
        name="audit",
        title="{{ 'Leakage and shortcuts' if audit else 'Shortcuts' }}",
        datasets=("masked_radiograph_figure", "shortcut_figure"),
        records={"audit": AuditTables, "shortcuts": ShortcutTables},
        of_study=("audit",),
    ),
    Section(
        name="sites", title="Sites left out", by_path=("site_results", "site_figure")
    ),
    Section(
        name="trainings", title="Trainings", datasets=("trainings", "learning_curves")
    ),
    Section(name="provenance", title="Provenance", records={"provenance": Provenance}),
    Section(name="documents", title="Drafts for reviewers", datasets=("documents",)),
    Section(name="care", title="Read with care", datasets=("table3",)),
)


def take_record(made: type[Any], found: Mapping[str, Any]) -> Any:
    """Return the record of these datasets; None where one that it needs is not there.

    Args:
        made: A dataclass whose fields are named as datasets.
        found: What the run has, by dataset.
    """
    known = {name: value for name, value in found.items() if value is not None}
    own = {f.name: known[f.name] for f in fields(made) if f.name in known}
    needed = {f.name for f in fields(made) if f.default is MISSING}
    return made(**own) if needed <= own.keys() else None


def sections_of(found: Mapping[str, Any], paths: Sequence[str]) -> list[Section]:
    """Return the sections that have something to show, in their order."""
    return [
        one
        for one in SECTIONS
        if any(_is_there(found.get(name)) for name in one.shows(paths))
        and (one.rows_of is None or _has_rows(found.get(one.rows_of)))
    ]


def _of_paths(
    found: Mapping[str, Any], name: str, paths: Sequence[str]
) -> dict[str, Any]:
    of_paths = {path: found.get(f"{path}_{name}") for path in paths}
    return {path: own for path, own in of_paths.items() if _is_there(own)}


def _has_rows(table: Any) -> bool:
    return table is not None and len(table) > 0


def _is_there(value: Any) -> bool:
    return value is not None and not (isinstance(value, list) and not value)
