"""The commands `covid-cxr check` and `covid-cxr predict`, without Kedro."""

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from covid_cxr.prediction.bundle import REFUSED, open_bundle
from covid_cxr.prediction.refusals import reservations
from covid_cxr.prediction.sources import list_inputs

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
    "--prevalence",
    type=float,
    help="Of cases where the radiographs are from; else that of the validation part.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=os.cpu_count() or 1,
    help="Processes; one per core unless it is stated.",
)
@click.option(
    "--dicom",
    is_flag=True,
    help="Write results as DICOM, too: into the study and of the patient of each "
    "radiograph, with name and ID.",
)
def predict(
    bundle: Path,
    places: tuple[Path, ...],
    *,
    out: Path,
    prevalence: float | None,
    workers: int,
    dicom: bool,
) -> None:
    """Predict the radiographs at PLACES with BUNDLE. Research only.

    PLACES are DICOM, PNG or JPEG files, folders, zips and DICOMDIRs. Exit code 3: some
    files are refused, and the table says why.
    """
    from covid_cxr.prediction.batch import PAGE, TABLE, Job, predict_all  # noqa: PLC0415

    with faults_in_words():
        _refuse_inside(out, places)
        files = list_inputs(places)
        counts = predict_all(
            Job(
                bundle=bundle,
                files=files,
                out=out,
                prevalence=prevalence,
                workers=workers,
                dicom=dicom,
            )
        )
    told = ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))
    click.echo(f"{len(files)} files: {told}\n{out / TABLE}\n{out / PAGE}")
    if counts[REFUSED]:
        raise SystemExit(SOME_REFUSED)


def _refuse_inside(out: Path, places: Iterable[Path]) -> None:
    for place in places:
        if out.resolve().is_relative_to(place.resolve()):
            raise ValueError(
                f"The results would go to {out}, which lies in {place}: their pictures "
                f"would be read as radiographs. Name a folder outside of it (--out)."
            )


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
