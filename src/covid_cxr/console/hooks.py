"""The console of a run, as Kedro's hooks begin and end it."""

import logging
from pathlib import Path
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from rich import get_console

from covid_cxr.console.channels import NOTE, tell_node
from covid_cxr.console.run_console import RUN_CONSOLE
from covid_cxr.resume import NODE_RECORDS

logger = logging.getLogger(__name__)


class ConsoleHooks:
    """Say what a run does: a few lines, a live display, and everything in its log."""

    def __init__(self) -> None:
        """Begin without nodes."""
        self._unsaved: dict[str, set[str]] = {}

    # After the data root is this run's, whose log it is that begins.
    @hook_impl(trylast=True)
    def before_pipeline_run(
        self,
        run_params: dict[str, Any],
        pipeline: Pipeline,
        catalog: CatalogProtocol[Any, Any],
    ) -> None:
        """Open the console and the log of the run."""
        if NODE_RECORDS not in catalog:
            return
        root: Path = catalog[NODE_RECORDS].load().root.parent
        RUN_CONSOLE.begin(root, _steps(pipeline), get_console())
        logger.log(
            NOTE,
            "%s begins: %d nodes, environment %s, in %s",
            ", ".join(run_params.get("pipeline_names") or ["the study"]),
            len(pipeline.nodes),
            run_params.get("env") or "local",
            root,
        )

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Tell that a node is at work."""
        self._unsaved[node.name] = set(node.outputs)
        tell_node(node.name, "begins")

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """Tell that a node without outputs is done."""
        if not node.outputs:
            tell_node(node.name, "ends")

    # Much is computed only when it is saved, so a node ends with its last output.
    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Tell that a node is done."""
        unsaved = self._unsaved[node.name]
        unsaved.discard(dataset_name)
        if not unsaved:
            tell_node(node.name, "ends")

    @hook_impl(tryfirst=True)
    def after_pipeline_run(self) -> None:
        """Give the terminal back before the last word."""
        RUN_CONSOLE.end()

    @hook_impl
    def on_pipeline_error(self, error: Exception) -> None:
        """Keep the traceback in the log."""
        logger.info("the run ends with an error", exc_info=error)
        RUN_CONSOLE.end()


def _steps(pipeline: Pipeline) -> dict[str, str]:
    """Return by node name the first registered pipeline that has it."""
    steps: dict[str, str] = {}
    for step, registered in pipelines.items():
        for node in registered.nodes:
            steps.setdefault(node.name, step)
    return {node.name: steps.get(node.name, node.name) for node in pipeline.nodes}
