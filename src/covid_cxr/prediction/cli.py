"""The commands `covid-cxr check` and `covid-cxr predict`, without Kedro."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from covid_cxr.prediction.bundle import REFUSED, open_bundle
from covid_cxr.prediction.refusals import reservations
from covid_cxr.workers import available_cores

FAULT, SOME_REFUSED = 1, 3  # exit codes
_FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
_PLACE = click.Path(path_type=Path)


@click.command()
@click.argument("bundle", type=_PLACE)
def check(bundle: Path) -> None:
    """Compute the self-test of BUNDLE, a folder or a zip."""
    with faults_in_words():
        opened = open_bundle(bundle)
        difference = opened.check()
    known = opened.record["self_test"]
    click.echo(
        f"{opened.record['name']}: {len(known['images'])} drawn radiographs, largest "
        f"difference {difference:.2g} (allowed: {known['tolerance']:g})"
    )
    for reservation in reservations(opened.record):
        click.echo(reservation)


@click.command()
@click.argument("bundle", type=_PLACE)
@click.argument("places", type=_PLACE, nargs=-1, required=True)
@click.option("-o", "--out", type=_PLACE, required=True, help="Folder of the results.")
@click.option(
    "--crops",
    type=_PLACE,
    help="CSV of boxes to cut out (image, x0, y0, x1, y1), as crops.csv of a study.",
)
@click.option(
    "--prevalence",
    type=float,
    help="Of cases where the radiographs are from; else that of the validation part.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=available_cores,
    help="Processes; one per core unless it is stated.",
)
@click.option(
    "--dicom",
    is_flag=True,
    help="Write results as DICOM, too: into the study and of the patient of each "
    "radiograph, with name and ID.",
)
def predict(  # noqa: PLR0913 - one argument per option
    bundle: Path,
    places: tuple[Path, ...],
    *,
    out: Path,
    crops: Path | None,
    prevalence: float | None,
    workers: int,
    dicom: bool,
) -> None:
    """Predict the radiographs at PLACES with BUNDLE. Research only.

    PLACES are DICOM, PNG or JPEG files, folders, zips and DICOMDIRs. Exit code 3: some
    files are refused, and the table says why.
    """
    from covid_cxr.prediction.batch import PAGE, TABLE  # noqa: PLC0415
    from covid_cxr.prediction.request import Request, fulfil  # noqa: PLC0415

    request = Request(
        bundle=bundle,
        places=places,
        crops=crops,
        prevalence=prevalence,
        workers=workers,
        dicom=dicom,
    )
    with faults_in_words():
        counts = fulfil(request, out)
    told = ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))
    click.echo(f"{counts.total()} files: {told}\n{out / TABLE}\n{out / PAGE}")
    if counts[REFUSED]:
        raise SystemExit(SOME_REFUSED)


@contextmanager
def faults_in_words() -> Iterator[None]:
    """Say what is wrong in one sentence, and end with the code of a fault."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise click.ClickException(
                f"The disk is full, or a file may not grow: {error}. What is done is "
                f"kept; make room and give the same command again."
            ) from error
        raise click.ClickException(str(error)) from error
    except (ValueError, RuntimeError) as error:
        raise click.ClickException(str(error)) from error
