"""What a user asks for, by the command or by Kedro: places of files to predictions."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from covid_cxr.prediction.batch import Job, predict_all
from covid_cxr.prediction.boxes import read_boxes
from covid_cxr.prediction.sources import list_inputs


@dataclass(frozen=True, kw_only=True)
class Request:
    """Which radiographs are to be predicted with which bundle.

    Attributes:
        bundle: Its folder or zip.
        places: Files, folders, zips and DICOMDIRs.
        crops: A table of boxes, as for `read_boxes`; None where all are taken whole.
        prevalence: As for `Bundle.predict`.
        workers: Processes.
        dicom: Whether results are written as DICOM, too.
    """

    bundle: Path
    places: Sequence[Path]
    crops: Path | None
    prevalence: float | None
    workers: int
    dicom: bool = False


def fulfil(request: Request, out: Path) -> Counter[str]:
    """Write a table and pages into `out`; return how many files have each status.

    Args:
        request: What is asked for.
        out: The folder of the results.

    Raises:
        ValueError: If the results would lie in a place that is read, or nothing is to
            be read there, or a box is none.
        OSError: As `predict_all`, and if a place is not there.
    """
    _refuse_inside(out, request.places)
    files = list_inputs(request.places)
    boxes = {} if request.crops is None else read_boxes(request.crops, files)
    return predict_all(
        Job(
            bundle=request.bundle,
            files=files,
            out=out,
            prevalence=request.prevalence,
            workers=request.workers,
            boxes=boxes,
            dicom=request.dicom,
        )
    )


def _refuse_inside(out: Path, places: Sequence[Path]) -> None:
    for place in places:
        if out.resolve().is_relative_to(place.resolve()):
            raise ValueError(
                f"The results would go to {out}, which lies in {place}: their pictures "
                f"would be read as radiographs. Name a folder outside of it (--out)."
            )
