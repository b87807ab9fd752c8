"""Kedro settings: soft merge of parameters, and the project's hooks."""

from covid_cxr.console.hooks import ConsoleHooks
from covid_cxr.datasets.whole_files import write_files_whole
from covid_cxr.hooks import (
    DataRootHooks,
    InputCheckHooks,
    KnownParametersHooks,
    LoggingHooks,
    PrintableParametersHooks,
    ReportHooks,
    ThreadHooks,
)
from covid_cxr.places import folder_name
from covid_cxr.resume import NodeRecordHooks
from covid_cxr.study_config import StudyConfigLoader

write_files_whole()

HOOKS = (
    LoggingHooks(),
    KnownParametersHooks(),
    PrintableParametersHooks(),
    ThreadHooks(),
    InputCheckHooks(),
    DataRootHooks(),
    ConsoleHooks(),
    NodeRecordHooks(),
    ReportHooks(),
)

# kedro-viz's run-status hook records a sliced run as if it were a full one.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-viz",)

CONFIG_LOADER_CLASS = StudyConfigLoader
CONFIG_LOADER_ARGS = {
    "custom_resolvers": {"folder_name": folder_name},
    "base_env": "base",
    "default_run_env": "local",
    # An environment changes single values; it does not replace whole records.
    "merge_strategy": {"parameters": "soft", "globals": "soft"},
}
