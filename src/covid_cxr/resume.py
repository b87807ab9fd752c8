"""Which nodes of a run are up to date, and need not run again.

Every run leaves a record of each node beside the data, once all outputs of the node
are saved: hashes of its code, its parameters, its inputs and its outputs. The node is
up to date while all of them are as recorded; one without outputs never is. A table or
a model is known by the hash of its content, a folder of images by the names, sizes and
times of its files; of an image store, every image is checked, too.
"""

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import is_dataclass
from functools import partial
from typing import Any

from fsspec.implementations.local import LocalFileSystem
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from covid_cxr.datasets.image_store import ImageStoreDataset
from covid_cxr.datasets.node_records import Hashes, NodeRecord, NodeRecords
from covid_cxr.datasets.optional import OptionalDataset
from covid_cxr.datasets.training_state import TrainingStateDataset
from covid_cxr.source_code import code_sha256, reaches
from covid_cxr.study.current import current

logger = logging.getLogger(__name__)

NODE_RECORDS = "node_records"  # in the catalog
_STUDY = current.__module__

Catalog = CatalogProtocol[Any, Any]
HashOf = Callable[[str], str | None]  # of a dataset, by its name


class NodeRecordHooks:
    """Record every node that ran, whatever runner ran it and wherever."""

    def __init__(self) -> None:
        """Begin with no node under way."""
        self._under_way: dict[str, tuple[Catalog, Hashes, set[str]]] = {}

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: Catalog) -> None:
        """Hash the code as it is now, for it may be edited while the run goes on."""
        for node in pipeline.nodes:
            _code_sha256(node, catalog)

    @hook_impl
    def before_node_run(self, node: Node, catalog: Catalog) -> None:
        """Note what the node is about to read."""
        if NODE_RECORDS not in catalog:
            return
        ingredients = ingredients_of(node, catalog, partial(data_sha256, catalog))
        self._under_way[node.name] = (catalog, ingredients, set(node.outputs))

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Record the node when this was the last of its outputs."""
        if node.name not in self._under_way:
            return
        catalog, ingredients, awaited = self._under_way[node.name]
        awaited.discard(dataset_name)
        if awaited:
            return
        del self._under_way[node.name]
        outputs = {name: data_sha256(catalog, name) for name in node.outputs}
        record = NodeRecord(ingredients=ingredients, outputs=outputs)
        catalog[NODE_RECORDS].load().write(node.name, record)


def stale_nodes(pipeline: Pipeline, catalog: Catalog) -> list[str]:
    """Return the names of the nodes that must run, in an order in which they can.

    Those whose code, parameters, inputs or outputs are not as recorded, and all that
    depend on them. The log says why.

    Args:
        pipeline: Any part of the study. What is outside it is taken as it is on disk.
        catalog: Holds `node_records`.
    """
    records: NodeRecords = catalog[NODE_RECORDS].load()
    known: dict[str, str | None] = {}

    def sha256_of(name: str) -> str | None:
        if name not in known:
            is_whole = not _is_damaged(catalog[name])
            known[name] = data_sha256(catalog, name) if is_whole else None
        return known[name]

    stale: list[str] = []
    remade: set[str] = set()
    for node in pipeline.nodes:
        if not remade.intersection(node.inputs):
            changed = _changes(node, catalog, records.read(node.name), sha256_of)
            if not changed:
                continue
            logger.info("%s must run: %s", node.name, ", ".join(changed))
        stale.append(node.name)
        remade.update(node.outputs)
    return stale


def ingredients_of(node: Node, catalog: Catalog, sha256_of: HashOf) -> Hashes:
    """Return the hashes of all that the node's outputs depend on."""
    data = [n for n in node.inputs if not isinstance(catalog[n], TrainingStateDataset)]
    inputs = {
        name: _parameter_sha256(catalog, name)
        if name == "parameters" or name.startswith("params:")
        else sha256_of(name)
        for name in data
    }
    code, wiring = _code_sha256(node, catalog), _wiring_sha256(node)
    return {"code": code, "wiring": wiring, **inputs}


def data_sha256(catalog: Catalog, name: str) -> str | None:
    """Return the hash of what a dataset holds.

    Of a file, its content is hashed; of a folder, the name, size and time of change of
    every file. None where there is nothing, or where it is not in files.
    """
    dataset = catalog[name]
    if isinstance(dataset, OptionalDataset) and not dataset.exists():
        return "absent"
    return _files_sha256(dataset) if dataset.exists() else None


def _is_damaged(dataset: Any) -> bool:
    """Return whether a store lost pixels since it was written: its files look alike."""
    return isinstance(dataset, ImageStoreDataset) and dataset.is_damaged()


def _changes(
    node: Node, catalog: Catalog, record: NodeRecord | None, sha256_of: HashOf
) -> list[str]:
    """Return what is not as recorded, for the log."""
    if record is None:
        return ["there is no record that it ended"]
    now = NodeRecord(
        ingredients=ingredients_of(node, catalog, sha256_of),
        outputs={name: sha256_of(name) for name in node.outputs},
    )
    return [f"{name} changed" for name in record.changes(now)]


def _code_sha256(node: Node, catalog: Catalog) -> str:
    """Return the hash of the function's code and of the datasets that save for it."""
    own_package = __name__.partition(".")[0]
    savers = {type(catalog[name]).__module__ for name in node.outputs}
    ours = {name for name in savers if name.partition(".")[0] == own_package}
    modules = sorted({_function_of(node).__module__, *ours})
    hashes = [code_sha256(module) for module in modules]
    # What asks for the study changes with it, like code that says so itself.
    study = [repr(current())] if any(reaches(m, _STUDY) for m in modules) else []
    return _text_sha256(" ".join([*hashes, *study]))


def _wiring_sha256(node: Node) -> str:
    """Return the hash of which function takes and gives which datasets."""
    function = _function_of(node)
    owner = getattr(function, "__self__", None)  # of a method, such as Stage("phase1")
    return _text_sha256(
        f"{owner!r} {function.__qualname__} {node.inputs} {node.outputs}"
    )


def _function_of(node: Node) -> Any:
    function: Any = node.func
    while isinstance(function, partial):
        function = function.func
    return function


def _parameter_sha256(catalog: Catalog, name: str) -> str:
    value = catalog[name].load()
    return _text_sha256(json.dumps(value, sort_keys=True, default=_as_plain))


def _as_plain(value: Any) -> Any:
    return vars(value) if is_dataclass(value) else str(value)


def _files_sha256(dataset: Any) -> str | None:
    if isinstance(dataset, OptionalDataset):
        return _files_sha256(dataset._dataset)
    place = getattr(dataset, "_filepath", None)
    if place is None:
        return None
    filesystem = getattr(dataset, "_fs", None) or LocalFileSystem()
    root = str(filesystem._strip_protocol(str(place)))
    if filesystem.isfile(root):
        with filesystem.open(root) as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    found = filesystem.find(root, detail=True)
    keys = ("size", "mtime", "ETag", "LastModified")
    files = [
        [path.removeprefix(root), *(str(found[path].get(key)) for key in keys)]
        for path in sorted(found)
    ]
    return _text_sha256(json.dumps(files))


def _text_sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
