"""Which part of the body a header is of: the chest, or another one.

BodyPartExamined errs both ways, as consoles fill it in by themselves, so that the other
elements that name a part are read too, in English, Spanish, French, German, Italian and
Portuguese. What they say is never written down, only which of them said it.
"""

import re
from collections.abc import Iterator

from pydicom import Dataset

from covid_cxr.radiographs.dicom_file import code_of, items_of
from covid_cxr.radiographs.views import plain_words, says_nothing

CHEST, OTHER_PART, UNDECIDED, NOT_STATED = "chest", "other", "undecided", "not stated"

# Compounds as in "RXTORAX" and "Thoraxaufnahme"; short words stand alone.
_CHEST = re.compile(
    r"CHEST|T[H]?ORA(?:X|KS)|TORACE|POITRINE|BRUSTKORB|BRUSTRAUM|BRUSTORGAN"
    r"|\b(?:CXR|PETTO|PEITO|PECHO|LUNGS?|LUNGEN?|PULM\w*|POUMONS?|POLMON\w*)\b"
)
# Adjectives are of the chest unless they are of its spine, its wall, or its aorta.
_THORACIC = re.compile(r"\b(?:INTRA ?)?TH?ORA[CKZ]\w*")
_OTHER = re.compile(
    r"\b(?:ABD\w*|KUB|BAUCH\w*|VENTRE|ADDOM\w*|BLAS\w*|PELVI\w*|PELVE|BECKEN\w*"
    r"|BACINO|BASSIN|KIDNEYS?|RENAL\w*|NIERE\w*|RIM|RINS|RENE|RENI|RINON\w*|REINS?"
    r"|LIVER|LEBER|FOIE|HIGADO|FEGATO|FIGADO|COLON|RECTUM|STOMACH|BLADDER|AORTA"
    r"|BREASTS?|MAMM\w*|MAMA|SEINS?|SENO|ARTERY|CERVI\w*"
    r"|\w*SPINE|SPINAL\w*|COLUMN\w*|COLUNA|COLONNA|RACHIS|\w*WIRBEL\w*|[HBL]WS"
    r"|\w*LUMB\w*|\w*LOMB\w*|SACR\w*|COCCYX|VERTEBRA\w*"
    r"|RIBS?|RIPPEN\w*|COST\w*|COTES?|STERN\w*|CLAVI\w*|SCAPULA\w*"
    r"|SHOULDERS?|HOMBRO\w*|EPAULE\w*|SCHULTER\w*|SPALLA|OMBRO\w*"
    r"|HEAD|SKULL|BRAIN|SCHADEL\w*|CRANI\w*|CRANE|SINUS\w*|NECK|HALS|CUELLO|COU"
    r"|COLLO|PESCOCO|EXTREMIT\w*|ARMS?|LEGS?|HANDS?|FOOT|FEET|KNEES?|HIPS?|HUFT\w*"
    r"|CADERA\w*|ANCA|HANCHE\w*|QUADRIL|FEMUR|FEMORA\w*|TIBIA\w*|FIBULA\w*|HUMER\w*"
    r"|ELBOWS?|WRISTS?|ANKLES?|FINGERS?|TOES?|MANO|HANDGELENK|KNIE\w*|RODILLA\w*"
    r"|GENOU\w*|GINOCCHIO|JOELHO\w*|PIE|PIED|FUSS|PIEDE|MAO|FOREARM|THIGH|LIMBS?)\b"
)

# PS3.16 CID 4031 and CID 4, in SNOMED RT and CT, with the part in words.
_CODED = {
    "CHEST": "T-D3000 51185008 816094009 302551006 T-D3200 43799004",
    "LUNG": "T-28000 39607008 T-280A0 86598002",
    "CHEST ABDOMEN": "R-FAB52 417437006 R-FAB53 416152001 R-FAB54 416319003 R-FAB55 "
    "416550000 R-FAB56 416775004",
}
_PART_OF_CODE = {code: part for part, codes in _CODED.items() for code in codes.split()}

# From the image to the study: the first that names one part decides.
_OF_THE_SERIES = (
    "AcquisitionDeviceProcessingDescription",
    "SeriesDescription",
    "ProtocolName",
    "PerformedProcedureStepDescription",
)
_OF_THE_STUDY = ("RequestedProcedureDescription", "StudyDescription")
_NESTED = (
    ("PerformedProtocolCodeSequence", "CodeMeaning"),
    ("RequestAttributesSequence", "ScheduledProcedureStepDescription"),
    ("RequestAttributesSequence", "RequestedProcedureDescription"),
    ("RequestedProcedureCodeSequence", "CodeMeaning"),
    ("ProcedureCodeSequence", "CodeMeaning"),
)


def read_body_part(text: str) -> str:
    """Return the part that BodyPartExamined means: chest, other or not stated.

    A text that names the chest and another part is of the chest.

    Args:
        text: As stated; case, accents and punctuation do not matter.
    """
    words = plain_words(text)
    if says_nothing(words):
        return NOT_STATED
    return CHEST if _names_chest(words) else OTHER_PART


def is_breast(text: str) -> bool:
    """Return whether a text names the breast, of which no view is PA or AP."""
    return bool(re.search(r"\b(?:BREASTS?|MAMM\w*|MAMA)\b", plain_words(text)))


def described_part(dataset: Dataset) -> tuple[str, str] | None:
    """Return keyword and part, chest or other, of the element that decides.

    That is the first from the image to the study that names one part only. None where
    none does.
    """
    for keyword, text in _descriptions(dataset):
        part = _only_part(plain_words(text))
        if part != UNDECIDED:
            return keyword, part
    return None


def coded_part(dataset: Dataset) -> str:
    """Return the part that AnatomicRegionSequence means: chest, other, undecided."""
    parts = {_only_part(plain_words(text)) for text in _regions(dataset)}
    return parts.pop() if len(parts) == 1 else UNDECIDED


def _descriptions(dataset: Dataset) -> Iterator[tuple[str, str]]:
    for region in _regions(dataset):
        yield "AnatomicRegionSequence", region
    for keyword in _OF_THE_SERIES:
        yield keyword, code_of(dataset, keyword)
    for sequence, keyword in _NESTED:
        for item in items_of(dataset, sequence):
            yield sequence, code_of(item, keyword)
    for keyword in _OF_THE_STUDY:
        yield keyword, code_of(dataset, keyword)


def _regions(dataset: Dataset) -> Iterator[str]:
    for item in items_of(dataset, "AnatomicRegionSequence"):
        code = code_of(item, "CodeValue")
        yield _PART_OF_CODE.get(code) or code_of(item, "CodeMeaning")


def _only_part(words: str) -> str:
    is_other = bool(_OTHER.search(words))
    if _names_chest(words):
        return UNDECIDED if is_other else CHEST
    return OTHER_PART if is_other else UNDECIDED


def _names_chest(words: str) -> bool:
    if _CHEST.search(words):
        return not re.search(r"\bPULMONARY (?:ART|VEIN|CHAMBER|VENOUS)", words)
    return bool(_THORACIC.search(words)) and not _OTHER.search(words)
