"""`covid-cxr doctor`: what this machine has, and what the study misses on it."""

import os
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import click
from dask.system import CPU_COUNT
from distributed.system import MEMORY_LIMIT
from kedro.framework.project import pipelines
from kedro.io import CatalogProtocol

from covid_cxr.console.ending import ending_in_words
from covid_cxr.console.run_console import errors_diverted
from covid_cxr.console.session import of_study, study_context
from covid_cxr.devices.backend import deterministic_tensorflow
from covid_cxr.places import missing_inputs
from covid_cxr.report.code_version import package_versions
from covid_cxr.resume import NODE_RECORDS
from covid_cxr.study.current import current
from covid_cxr.training.network import Network
from covid_cxr.weights.initial_weights import IMAGENET_NETWORKS

GIB = 2**30
DECODERS = {  # of the extra `codecs`, and what they read
    "imagecodecs": "lossless JPEG, and JPEG of more than 8 bits",
    "pyjpegls": "JPEG-LS",
    "pylibjpeg-openjpeg": "JPEG 2000",
    "pylibjpeg-rle": "RLE, fast",
}


@click.command()
@of_study
@ending_in_words
def doctor(env: str | None, params: dict[str, Any], conf_source: str | None) -> None:
    """Say what this machine has, and what the study misses on it.

    Ends with 1 if a path misses files or weights.
    """
    with study_context(env, params, conf_source) as context:
        for line in machine_lines():
            click.echo(line)
        weights, has_weights = initial_weights(context.params["network"])
        click.echo(f"weights       {weights}")
        catalog = context.catalog
        click.echo(f"disk          {free_disk(data_root(catalog))}")
        missing = {p.name: missing_of(p.name, catalog) for p in current().paths}
        click.echo("\n".join(path_lines(missing)))
    if not has_weights or any(missing.values()):
        sys.exit(1)


def machine_lines() -> Iterator[str]:
    """Yield versions, cores, memory, devices and decoders, a line each."""
    versions = package_versions()
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    yield f"versions      {named}"
    yield f"cores         {CPU_COUNT}"
    yield f"memory        {MEMORY_LIMIT / GIB:.1f} GiB"
    yield f"GPUs          {', '.join(gpus()) or 'none that TensorFlow sees'}"
    for package, reads in DECODERS.items():
        remedy = 'not installed: pip install "covid-cxr[codecs]"'
        yield f"decoder       {package} ({reads}): {_version(package) or remedy}"


def gpus() -> list[str]:
    """Return the names of the GPUs that TensorFlow would compute with."""
    with errors_diverted(Path(os.devnull)):
        tf = deterministic_tensorflow()
        devices = tf.config.list_physical_devices("GPU")
        details = [tf.config.experimental.get_device_details(d) for d in devices]
    return [str(detail.get("device_name", "GPU")) for detail in details]


def initial_weights(network: Network) -> tuple[str, bool]:
    """Return where the weights are that the paths start from, and whether they are."""
    weights = network.weights
    if weights == "none":
        return "none: drawn at random", True
    if weights != "imagenet":
        is_there = Path(weights).is_file()
        return f"{weights}: {'found' if is_there else 'no such file'}", is_there
    name = IMAGENET_NETWORKS.get(tuple(network.blocks), network.backbone)
    cache = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "models"
    found = sorted(cache.glob(f"{name.lower()}_weights*notop*"))
    place = (
        f"found ({found[0]})" if found else "not here yet; the first run downloads them"
    )
    return f"ImageNet, {name}: {place}", True


def data_root(catalog: CatalogProtocol[Any, Any]) -> Path:
    """Return the folder that a run would work in."""
    root: Path = catalog[NODE_RECORDS].load().root.parent
    return root


def free_disk(root: Path) -> str:
    """Return what is free in the data root, which need not exist."""
    existing = next(p for p in (root, *root.absolute().parents) if p.exists())
    return f"{shutil.disk_usage(existing).free / GIB:.1f} GiB free in {root}"


def missing_of(path: str, catalog: CatalogProtocol[Any, Any]) -> dict[str, str]:
    """Return the places of the inputs that a registered path would miss."""
    return missing_inputs(pipelines[path], catalog)


def path_lines(missing: dict[str, dict[str, str]]) -> Iterator[str]:
    """Yield what each path needs and misses, then where that would be."""
    for path, places in missing.items():
        misses = f"misses {', '.join(places)}" if places else "has all that it reads"
        yield f"{path:13} {misses}"
    for name, place in sorted(
        {n: p for of in missing.values() for n, p in of.items()}.items()
    ):
        yield f"  {name}: {place}"


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
