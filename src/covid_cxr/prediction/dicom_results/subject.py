"""Whom results are of: what is taken over from a radiograph's header, and new UIDs."""

import json
import uuid
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from pydicom import Dataset, dcmwrite
from pydicom.charset import convert_encodings, default_encoding
from pydicom.uid import UID

from covid_cxr import __version__
from covid_cxr.prediction.bundle import Bundle, Prediction
from covid_cxr.radiographs.dicom_file import is_uid, value_of

NAME = "covid-cxr"
DISCLAIMER = "RESEARCH ONLY - not for diagnosis"
IDENTIFIERS = (  # what it is, and where its results belong
    "SOPClassUID",
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "StudyInstanceUID",
)
# Of the modules Patient, General Study and Patient Study (PS3.3 C.7.1.1, C.7.2.1-2).
_ALWAYS = (  # type 2: there, if only without a value
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
    "StudyID",
    "AccessionNumber",
)
_WHERE_KNOWN = (
    "IssuerOfPatientID",
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
    "StudyDescription",
    "PatientAge",
)
_OF_WHOM = (
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "StudyID",
    "AccessionNumber",
)
_UNDECODED = "\N{REPLACEMENT CHARACTER}"
_UNICODE = "ISO_IR 192"
_FIRST_SERIES = 9000  # far from those of devices


class NoResultsError(ValueError):
    """A file that no DICOM results can belong to, and why."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """A prediction, and the radiograph that it is of.

    Attributes:
        source: The radiograph's header, which no message may quote.
        prediction: What became of it.
        bundle: What made it.
    """

    source: Dataset = field(repr=False)
    prediction: Prediction
    bundle: Bundle

    def __post_init__(self) -> None:
        """Refuse what cannot be referred to, or would be of another patient."""
        for keyword in IDENTIFIERS:
            uid = value_of(self.source, keyword)
            if not is_uid(uid):
                raise NoResultsError(
                    f"the file has no valid {keyword}, by which DICOM results would "
                    f"belong to it"
                )
        if "Rows" not in self.source:  # PS3.3 C.18.3 and C.18.4
            raise NoResultsError("the file holds no image, as which it is reported on")
        for keyword in _OF_WHOM:
            if not _is_decoded(self.source, keyword):
                raise NoResultsError(
                    f"{keyword} is not in the character set that the file states, "
                    f"and would be another in DICOM results"
                )
        try:
            dcmwrite(BytesIO(), self.adopt(Dataset()), implicit_vr=False)
        except Exception as error:  # not bounded, and may quote the value
            raise NoResultsError(
                "what the file says of patient and study cannot be stored again"
            ) from error

    @property
    def row(self) -> Mapping[str, Any]:
        """The prediction's row of the table, without what is not known."""
        known = self.prediction.row.items()
        return {name: value for name, value in known if value not in (None, "")}

    def uid(self, role: str) -> UID:
        """Return the UID that `role` has for this radiograph and this bundle, always.

        Another prevalence, other steps from file to pixels, another reason, or another
        version of this software make other results.
        """
        row = self.row
        return _derived_uid(
            str(self.source.SOPInstanceUID),
            self.bundle.sha256,
            __version__,
            *(row.get(name) for name in ("prevalence", "steps", "reason")),
            role,
        )

    @property
    def device_uid(self) -> UID:
        """The UID of the bundle as what observed."""
        return _derived_uid(self.bundle.sha256, "device")

    def new_series(self, number: int, kind: str) -> dict[str, Any]:
        """Return what highdicom asks of the only object of a new series.

        Args:
            number: Of the kind, from 1.
            kind: In a word, as the description of the series has it.
        """
        return {
            "series_instance_uid": self.uid(f"series of {kind}"),
            "series_number": _FIRST_SERIES + number,
            "sop_instance_uid": self.uid(kind),
            "instance_number": 1,
            "manufacturer": NAME,
            "manufacturer_model_name": self.bundle.record["name"][:64],
            "software_versions": __version__,
            "device_serial_number": self.bundle.sha256,
            "series_description": f"{DISCLAIMER}: {kind}",
        }

    def evidence(self) -> Dataset:
        """Return the header that highdicom is given: what identifies the radiograph."""
        bare = Dataset()
        for keyword in IDENTIFIERS:
            setattr(bare, keyword, value_of(self.source, keyword))
        for keyword in _ALWAYS:
            setattr(bare, keyword, None)
        return bare

    def adopt(self, result: Dataset) -> Dataset:
        """Return `result`, which is being built, as of the source's patient and study.

        Values are as the source has them, also those that break the standard; what
        cannot be read is empty. Text is stored as Unicode.
        """
        result.SpecificCharacterSet = _UNICODE
        for keyword in (*_ALWAYS, *_WHERE_KNOWN):
            is_read = _is_decoded(self.source, keyword)
            value = value_of(self.source, keyword) if is_read else None
            if value is not None or keyword in _ALWAYS:
                setattr(result, keyword, deepcopy(value))
        return result


def _is_decoded(source: Dataset, keyword: str) -> bool:
    """Return whether a text is in the character set that the file states."""
    text = str(value_of(source, keyword) or "")
    # pydicom reads as Latin-1, which it may be, what is to be ASCII (PS3.5 6.1.2.1) or
    # in a set that it does not know.
    stated = convert_encodings(value_of(source, "SpecificCharacterSet"))
    sets = ["ascii" if one == default_encoding else one for one in stated]
    return _UNDECODED not in text and all(
        any(_has(one, character) for one in sets) for character in text
    )


def _has(encoding: str, character: str) -> bool:
    try:
        character.encode(encoding)
    except (UnicodeError, LookupError):  # the latter of what encodes no text
        return False
    return True


def _derived_uid(*names: Any) -> UID:
    """Return a UID that follows from `names`, derived from a UUID (PS3.5 B.2)."""
    return UID(f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(names)).int}")
