"""Which attributes of a DICOM header may identify the patient: their names, no values.

The attributes are those of the Basic Application Level Confidentiality Profile (PS3.15
Table E.1-1) that a radiograph may hold. Unique identifiers are left out, since every
object has them and a replaced one looks like an original; of nested items only the
sequence that holds them is looked at.
"""

from pydicom import Dataset
from pydicom.datadict import tag_for_keyword

BURNED_IN_ANSWERS = frozenset({"YES", "NO"})
NOT_STATED = "not stated"
PRIVATE_TAGS = "private tags"

_KEYWORDS = {
    "the patient": "PatientName PatientID IssuerOfPatientID OtherPatientIDs "
    "OtherPatientIDsSequence OtherPatientNames PatientBirthDate PatientBirthTime "
    "PatientBirthName PatientMotherBirthName PatientAddress PatientTelephoneNumbers "
    "PatientInsurancePlanCodeSequence MilitaryRank BranchOfService EthnicGroup "
    "Occupation CountryOfResidence RegionOfResidence PatientReligiousPreference "
    "MedicalRecordLocator ResponsiblePerson ReferencedPatientSequence "
    "AdditionalPatientHistory PatientComments CurrentPatientLocation AdmissionID",
    "staff and places": "InstitutionName InstitutionAddress "
    "InstitutionalDepartmentName InstitutionCodeSequence ReferringPhysicianName "
    "ReferringPhysicianAddress ReferringPhysicianTelephoneNumbers "
    "PerformingPhysicianName PhysiciansOfRecord NameOfPhysiciansReadingStudy "
    "OperatorsName RequestingPhysician RequestingService "
    "ScheduledPerformingPhysicianName StationName DeviceSerialNumber DetectorID "
    "PlateID CassetteID",
    "the order": "AccessionNumber StudyID RequestAttributesSequence "
    "PerformedProcedureStepID FillerOrderNumberImagingServiceRequest "
    "PlacerOrderNumberImagingServiceRequest",
    "times": "StudyDate SeriesDate AcquisitionDate ContentDate AcquisitionDateTime "
    "StudyTime SeriesTime AcquisitionTime ContentTime PerformedProcedureStepStartDate "
    "PerformedProcedureStepEndDate DateOfLastCalibration AdmittingDate",
    "free text": "StudyDescription SeriesDescription ImageComments StudyComments "
    "AcquisitionComments AdmittingDiagnosesDescription "
    "PerformedProcedureStepDescription RequestedProcedureDescription",
}
_IDENTIFYING = {
    tag_for_keyword(keyword): keyword
    for keywords in _KEYWORDS.values()
    for keyword in keywords.split()
}


def identifying_attributes(dataset: Dataset) -> tuple[str, ...]:
    """Return the keywords of identifying attributes that are not empty, sorted.

    All private attributes together are `PRIVATE_TAGS`: what they hold is not known.
    """
    found = set()
    for tag in dataset.keys():  # noqa: SIM118 - a dataset iterates over its elements
        keyword = PRIVATE_TAGS if tag.is_private else _IDENTIFYING.get(tag)
        if keyword is not None and _has_value(dataset, tag):
            found.add(keyword)
    return tuple(sorted(found))


def burned_in_annotation(dataset: Dataset) -> str:
    """Return what (0028,0301) says of text in the pixels: YES, NO or "not stated"."""
    answer = str(dataset.get("BurnedInAnnotation") or "").strip().upper()
    return answer if answer in BURNED_IN_ANSWERS else NOT_STATED


def _has_value(dataset: Dataset, tag: int) -> bool:
    """Return whether an element holds anything; it stays as it was read from the file.

    To interpret an element may fail, and that is no reason to lose the radiograph.
    """
    value = dataset.get_item(tag).value
    if isinstance(value, bytes):
        return bool(value.strip(b" \0"))
    return value is not None and str(value).strip() != ""
