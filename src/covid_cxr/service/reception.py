"""The one door into the queue, whatever way a radiograph comes."""

import logging
from dataclasses import dataclass, field
from io import BytesIO

from pydicom.uid import (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
    SecondaryCaptureImageStorage,
)

from covid_cxr.prediction.dicom_results.subject import IDENTIFIERS, NAME
from covid_cxr.radiographs.dicom_file import is_uid, quiet, read_dataset, value_of
from covid_cxr.service.disk_queue import DiskQueue
from covid_cxr.service.faults import (
    QueueFullError,
    TooLargeError,
    UnacceptableInstanceError,
)
from covid_cxr.service.tally import Tally

logger = logging.getLogger(__name__)

# Images that may be chest radiographs; each gets an answer, be it a refusal.
IMAGE_CLASSES = (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
    SecondaryCaptureImageStorage,
)
MODALITIES = ("CR", "DX")  # of series that may hold some


@dataclass(frozen=True)
class Reception:
    """What takes instances in.

    Attributes:
        queue: Where they are kept.
        largest_bytes: Of one.
        tally: What is counted of them.
    """

    queue: DiskQueue
    largest_bytes: int
    tally: Tally = field(default_factory=Tally)

    def take(self, content: bytes, *, source: str, uid: str | None = None) -> None:
        """Keep a radiograph; when this returns, nothing loses it.

        What is known already is not kept again.

        Args:
            content: DICOM file.
            source: How it came, for log and metrics.
            uid: What its SOPInstanceUID must be; None for any.

        Raises:
            UnacceptableInstanceError: If it can get no answer.
            QueueFullError: If there is no room for it.
            OSError: If it cannot be written.
        """
        try:
            self._refuse_large(content)
            header = _header(content, uid)
            if header["Manufacturer"] == NAME:  # an answer, perhaps of another service
                return
            is_new = self.queue.receive(header["SOPInstanceUID"], content)
        except (UnacceptableInstanceError, QueueFullError) as error:
            self.tally.add("rejected", source=source, reason=type(error).__name__)
            logger.warning("an instance %s is not received: %s", source, error)
            raise
        self.tally.add("received", source=source, is_new=str(is_new).lower())
        logger.info(
            "instance %s %s: %s",
            self.queue.key_of(header["SOPInstanceUID"])[:12],
            source,
            "received" if is_new else "known already",
        )

    def _refuse_large(self, content: bytes) -> None:
        if len(content) > self.largest_bytes:
            raise TooLargeError(
                f"it has more than {self.largest_bytes} bytes (largest_instance_bytes)"
            )


def _header(content: bytes, uid: str | None) -> dict[str, str]:
    """Return the UIDs of a radiograph whose answers can be filed, and who made it.

    Raises:
        UnacceptableInstanceError: If they cannot.
    """
    names = [*IDENTIFIERS, "Manufacturer"]
    try:
        with quiet():
            dataset = read_dataset(
                BytesIO(content), stop_before_pixels=True, specific_tags=names
            )
            header = {name: str(value_of(dataset, name) or "") for name in names}
    except Exception as error:  # whatever pydicom raises on a damaged file
        raise UnacceptableInstanceError(
            f"it cannot be read as DICOM ({type(error).__name__})"
        ) from error
    for name in IDENTIFIERS:
        if not is_uid(header[name]):
            raise UnacceptableInstanceError(
                f"it has no valid {name}, without which its answer belongs nowhere"
            )
    if header["SOPClassUID"] not in IMAGE_CLASSES:
        raise UnacceptableInstanceError(
            "it is no CR, DX or Secondary Capture image by its SOPClassUID"
        )
    if uid is not None and header["SOPInstanceUID"] != uid:
        raise UnacceptableInstanceError(
            "its SOPInstanceUID is not the one that it was announced by"
        )
    return header
