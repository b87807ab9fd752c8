"""A radiograph that waits becomes DICOM objects that say what the classifier says."""

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import pydicom

from covid_cxr.prediction.bundle import Bundle
from covid_cxr.prediction.dicom_results.results import results_of
from covid_cxr.prediction.sources import InputFile
from covid_cxr.radiographs.dicom_file import quiet, read_dataset
from covid_cxr.service.disk_queue import DiskQueue, Errand
from covid_cxr.service.service_settings import ServiceSettings


def predict_waiting(
    bundle: Bundle,
    queue: DiskQueue,
    *,
    settings: ServiceSettings,
    destinations: Sequence[str],
) -> Callable[[Errand], None]:
    """Return what predicts one instance, and keeps its answers in the queue.

    A refusal is an answer, too.

    Args:
        bundle: That predicts.
        queue: That the instance and the answers are in.
        settings: The prevalence, and which answers are sent.
        destinations: Where the answers go.
    """

    def act(errand: Errand) -> None:
        place = queue.radiograph(errand.item)
        file = InputFile(name=errand.item, path=place)
        (prediction,) = bundle.predictions([file], prevalence=settings.prevalence)
        results = results_of(_header(place), prediction, bundle)
        queue.answer(
            errand,
            {
                str(one.SOPInstanceUID): _content(one)
                for one in results
                if one.Modality in settings.answers
            },
            status=str(prediction.row["status"]),
            destinations=destinations,
        )

    return act


def _header(place: Path) -> pydicom.Dataset:
    with quiet(), place.open("rb") as file:
        return read_dataset(file, stop_before_pixels=True)


def _content(dataset: pydicom.Dataset) -> bytes:
    content = BytesIO()
    pydicom.dcmwrite(content, dataset, enforce_file_format=True)
    return content.getvalue()
