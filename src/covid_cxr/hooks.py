"""What happens around a run: readable logs, checks, the last word."""

import logging
from functools import partial
from typing import Any

import pandas as pd
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from rich import get_console
from rich.logging import RichHandler
from rich.markup import escape
from rich.table import Table

from covid_cxr.console.run_console import RUN_CONSOLE
from covid_cxr.data_root import DataRootLock, refuse_unwritable
from covid_cxr.datasets.node_records import NodeRecords
from covid_cxr.devices.backend import limit_threads
from covid_cxr.evaluation.findings import FINDING
from covid_cxr.known_parameters import (
    asked_for_by_catalogs,
    known_parameters,
    refuse_unknown,
    refuse_urls,
)
from covid_cxr.places import file_of, missing_inputs, place_of, shortened
from covid_cxr.report.answer import has_answer, study_answer
from covid_cxr.report.printable import printable
from covid_cxr.report.wording import begun
from covid_cxr.resume import NODE_RECORDS
from covid_cxr.study.current import current
from covid_cxr.study_config import StudyConfigLoader

logger = logging.getLogger(__name__)

_ANSWERED = {"table3", "table4", "table5", "cohort_counts"}


class LoggingHooks:
    """Keep square brackets in our log lines from being read as rich markup."""

    @hook_impl
    def after_context_created(self) -> None:
        """Let markup through for Kedro's own lines only: `[/data]` is no tag."""
        for handler in logging.getLogger().handlers:
            if isinstance(handler, RichHandler):
                handler.addFilter(_mark_up_kedro_only)


class KnownParametersHooks:
    """Refuse parameters that nothing reads, and places that nothing can write to."""

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Look at the parameters as they came, before other hooks add to them.

        Raises:
            ValueError: If a parameter is unknown, or the data root is a URL.
        """
        loader = context.config_loader
        if not isinstance(loader, StudyConfigLoader):  # somebody's own
            return
        parameters, stated = loader["parameters"], loader.runtime_params or {}
        refuse_unknown(
            {**stated, **parameters},
            known_parameters(loader),
            elsewhere=asked_for_by_catalogs(loader),
        )
        refuse_urls({**loader["globals"], **parameters, **stated})


class PrintableParametersHooks:
    """Give the report all parameters, as far as they may be printed."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Add `params:printable`: no secret, and no place on this machine."""
        parameters = context.config_loader["parameters"]
        context.config_loader["parameters"] = {
            **parameters,
            "printable": printable(_of_the_study(parameters)),
        }


class ThreadHooks:
    """Let this run's processes compute with as many threads as `compute` says."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Tell TensorFlow before it is first imported."""
        compute = context.config_loader["parameters"].get("compute", {})
        if n_threads := compute.get("threads"):
            limit_threads(n_threads)


class InputCheckHooks:
    """Stop a run whose raw files are missing before it does anything."""

    @hook_impl
    def before_pipeline_run(
        self, pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]
    ) -> None:
        """Refuse to run when a file that nothing in the run writes is not there.

        Raises:
            FileNotFoundError: Names every missing dataset with its path.
        """
        missing = missing_inputs(pipeline, catalog)
        if missing:
            raise FileNotFoundError(
                f"{len(missing)} inputs of this run are missing:\n"
                + "\n".join(f"  {name}: {place}" for name, place in missing.items())
                + "\nPut the files there or name their folder with "
                "--params=data_root=…, what is not of the study with bundle=…, "
                "images=… or cohort=…; run the steps that write them first; or make "
                "synthetic ones with `kedro run --env=demo --pipelines=synthesis`."
            )


class DataRootHooks:
    """Give a data root to one run at a time, and only to one that can write there."""

    def __init__(self) -> None:
        """Begin without a data root."""
        self._lock: DataRootLock | None = None

    # Last: Kedro says of no error before the first node that the run has ended.
    @hook_impl(trylast=True)
    def before_pipeline_run(
        self, pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]
    ) -> None:
        """Take the data root's lock.

        Raises:
            PermissionError: If an output's folder cannot be written to.
            DataRootHeldError: If another run has the lock.
        """
        self._release()  # of a run in this process that was interrupted
        if NODE_RECORDS not in catalog:
            return
        kept = (catalog[n] for n in pipeline.all_outputs() if n in catalog)
        outputs = [file for dataset in kept if (file := file_of(dataset))]
        records: NodeRecords = catalog[NODE_RECORDS].load()
        root = records.root.parent
        refuse_unwritable([root, *(file.parent for file in outputs)])
        lock = DataRootLock(root)
        lock.take()
        self._lock = lock

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Let other runs in."""
        self._release()

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Let other runs in."""
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None


class ReportHooks:
    """Say at the end of a run what came out and where the report is."""

    @hook_impl
    def after_pipeline_run(
        self, pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]
    ) -> None:
        """Print the AUROC of each path and the place of each report."""
        outputs = pipeline.all_outputs()
        console = get_console()
        # Words and places of users: brackets in them are no markup.
        say = partial(console.print, markup=False, highlight=False, soft_wrap=True)
        for name in sorted(outputs):
            if name.rsplit(".", 1)[-1] == "table3":
                level = catalog.load("params:reporting.level")
                console.print(_as_rich_table(catalog.load(name), level))
        if outputs >= _ANSWERED and has_answer():
            say(_answer(catalog))
        for name in sorted(outputs):
            if name.endswith("report"):
                say(f"Report: {place_of(catalog[name])}")
        if RUN_CONSOLE.log is not None:
            say(f"Log:    {shortened(RUN_CONSOLE.log)}")


def _answer(catalog: CatalogProtocol[Any, Any]) -> str:
    return study_answer(
        *(catalog.load(name) for name in ("table3", "table4", "table5")),
        cohort_counts=catalog.load("cohort_counts"),
        reporting=catalog.load("params:reporting"),
    )


def _of_the_study(parameters: dict[str, Any]) -> dict[str, Any]:
    """Leave out how cohorts are read that the study does not have."""
    ending = "_ingestion"
    known = current().cohorts
    return {
        name: value
        for name, value in parameters.items()
        if not name.endswith(ending) or name.removesuffix(ending) in known
    }


def _mark_up_kedro_only(record: logging.LogRecord) -> bool:
    record.markup = record.name.split(".")[0] == "kedro"
    return True


def _as_rich_table(table3: pd.DataFrame, level: float) -> Table:
    study = current()
    title = escape(f"{begun(study.target.name)} on the test part")
    table = Table(title=title, title_justify="left")
    printed = ["in the paper"] if study.published else []
    several = ["finding"] if FINDING in table3 else []
    for heading in (*several, "path", "AUROC", f"{100 * level:g} % interval", *printed):
        table.add_column(heading)
    for row in table3.to_dict("records"):
        interval = f"{row['lower']:.3f} to {row['upper']:.3f}"
        published = "" if pd.isna(row["paper_auroc"]) else f"{row['paper_auroc']:.3f}"
        table.add_row(
            *(str(row[name]) for name in (*several, "path")),
            "unknown" if pd.isna(row["auroc"]) else f"{row['auroc']:.3f}",
            "unknown" if pd.isna(row["lower"]) else interval,
            *([published] if study.published else []),
        )
    return table
