"""DICOM results of a file of a batch, as files."""

from importlib.util import find_spec
from pathlib import Path

from pydicom import Dataset

from covid_cxr.prediction.bundle import Bundle, Prediction
from covid_cxr.prediction.dicom_results.results import results_of
from covid_cxr.prediction.dicom_results.subject import NoResultsError
from covid_cxr.prediction.sources import InputFile
from covid_cxr.radiographs.dicom_file import quiet
from covid_cxr.radiographs.files import read_header
from covid_cxr.radiographs.rendering import UnreadableRadiograph

NONE = "none: "
_KINDS = {"SR": "report", "OT": "map", "PR": "presentation"}


def refuse_without_highdicom() -> None:
    """Say how to install what makes DICOM objects, if it is not there.

    Raises:
        RuntimeError: If it is not.
    """
    if find_spec("highdicom") is None:
        raise RuntimeError(
            "DICOM results need highdicom: pip install 'covid-cxr[predict,dicom]'."
        )


def write_results(
    file: InputFile, prediction: Prediction, bundle: Bundle, *, stem: Path
) -> str:
    """Write the DICOM results of a prediction; return their kinds, or why none.

    A file is there only when it is whole; one that is there is left as it is.

    Args:
        file: What was predicted.
        prediction: What became of it.
        bundle: What made it.
        stem: Place and beginning of the name of each file.

    Raises:
        OSError: If one cannot be written.
    """
    try:
        with file.opened() as path:
            source = read_header(path)
    except UnreadableRadiograph as error:
        return f"{NONE}{error.reason}"
    if source is None:
        return f"{NONE}not a DICOM file"
    try:
        results = results_of(source, prediction, bundle)
    except NoResultsError as error:
        return f"{NONE}{error}"
    for result in results:
        _write(result, stem.with_name(f"{stem.name}-{_KINDS[result.Modality]}.dcm"))
    return ", ".join(_KINDS[result.Modality] for result in results)


def _write(result: Dataset, place: Path) -> None:
    if place.exists():
        return
    part = place.with_suffix(".part")
    with quiet():  # a value that breaks the standard, as in the source, is not quoted
        result.save_as(part, enforce_file_format=True)
    part.replace(place)
