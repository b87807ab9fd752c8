"""What every DICOM file of the synthetic hospital has in common."""

import io
import re

from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import PYDICOM_ROOT_UID, UID, generate_uid

from covid_cxr.synthesis.orders import Order

# What the standard wants to be there, if only without a value (type 2).
_NOT_KNOWN = (
    "PatientBirthDate",
    "ReferringPhysicianName",
    "StudyID",
    "StudyTime",
    "AccessionNumber",
    "Manufacturer",
)
_UID = re.compile(r"\d+(\.\d+)+")


def make_uid(level: str, name: str) -> UID:
    """Return the unique identifier of `name`, always the same.

    Args:
        level: "study", "series" or "image".
        name: Unique in the hospital.
    """
    return generate_uid(
        prefix=PYDICOM_ROOT_UID, entropy_srcs=["synthetic hospital", level, name]
    )


def new_image(
    order: Order, *, patient: str, sop_class: UID, transfer_syntax: UID
) -> Dataset:
    """Return a data set for `order` without its pixels and their description.

    Args:
        order: Whose sex, age and view it names.
        patient: Patient ID (0010,0020) and, as in the RSNA files, name (0010,0010).
        sop_class: SOP Class UID (0008,0016).
        transfer_syntax: Transfer Syntax UID (0002,0010).
    """
    image = Dataset()
    is_uid = _UID.fullmatch(order.stem)  # then the file is named by it
    image_uid = UID(order.stem) if is_uid else make_uid("image", order.stem)
    image.file_meta = FileMetaDataset()
    image.file_meta.MediaStorageSOPClassUID = sop_class
    image.file_meta.MediaStorageSOPInstanceUID = image_uid
    image.file_meta.TransferSyntaxUID = transfer_syntax
    image.SpecificCharacterSet = "ISO_IR 100"
    image.SOPClassUID = sop_class
    image.SOPInstanceUID = image_uid
    image.StudyInstanceUID = make_uid("study", order.stem)
    image.SeriesInstanceUID = make_uid("series", order.stem)
    image.StudyDate = order.study_date or "19010101"
    image.Modality = "CR"
    image.PatientName = patient
    image.PatientID = patient
    image.PatientSex = order.exam.sex
    image.PatientAge = f"{order.exam.age_years:03d}Y"
    image.BodyPartExamined = "CHEST"
    # (0018,5101) knows PA and AP; lying is said elsewhere.
    image.ViewPosition = order.exam.view.split()[0]
    image.SeriesDescription = f"view: {image.ViewPosition}"
    image.PatientOrientation = ["L", "F"]  # as if one faced the patient
    image.SeriesNumber = image.InstanceNumber = 1
    for keyword in _NOT_KNOWN:
        setattr(image, keyword, None)
    image.SamplesPerPixel = 1
    image.PixelRepresentation = 0
    return image


def as_bytes(image: Dataset) -> bytes:
    """Return the DICOM file of `image`."""
    buffer = io.BytesIO()
    dcmwrite(buffer, image, enforce_file_format=True)
    return buffer.getvalue()
