"""Which headers are of a frontal chest radiograph, and how often they had to be judged.

What another element contradicts, and what nobody understands, is for a parameter to
decide; either way the step or the reason says so, and `log_admissions` counts them.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
from pydicom import Dataset

from covid_cxr.checks import check_word
from covid_cxr.radiographs.body_part import (
    CHEST,
    OTHER_PART,
    coded_part,
    described_part,
    is_breast,
    read_body_part,
)
from covid_cxr.radiographs.defined_terms import BODY_PARTS, VIEW_POSITIONS, shown
from covid_cxr.radiographs.dicom_file import code_of, items_of, value_of
from covid_cxr.radiographs.rendering import UnreadableRadiograph
from covid_cxr.radiographs.views import (
    AP,
    FRONTAL,
    NOT_STATED,
    NOT_UNDERSTOOD,
    OTHER_THAN_FRONTAL,
    PA,
    read_description,
    read_orientation,
    read_view,
    read_view_code,
)

logger = logging.getLogger(__name__)

FIELDS, TAG, ADMIT, REJECT = "fields", "tag", "admit", "reject"
BODY_PART_CHOICES = (FIELDS, TAG, ADMIT)
VIEW_CHOICES = (ADMIT, REJECT)

_FRONTAL_VIEWS = (PA, AP, FRONTAL)
_DESCRIBING = (
    "SeriesDescription",
    "ProtocolName",
    "AcquisitionDeviceProcessingDescription",
)
VIEW_KEYWORDS = (
    "ViewPosition",
    "ViewCodeSequence",
    "PatientOrientation",
    "PatientOrientationCodeSequence",
    *_DESCRIBING,
)
# Of PA or AP they make another view, as by a horizontal beam (PS3.3 C.8.11.5).
_MODIFIERS = (
    ("ViewCodeSequence", "ViewModifierCodeSequence"),
    ("PatientOrientationCodeSequence", "PatientOrientationModifierCodeSequence"),
)
_BODY_PART = "BodyPartExamined"
_ADMITTED = ", admitted"
_CONTRADICTED = ", but chest by"
_NOT_A_CHEST = "not a chest"
_UNREAD_VIEW = "view not understood"


@dataclass(frozen=True, kw_only=True)
class Admission:
    """What decides where a header does not say clearly what it is of.

    Attributes:
        body_part: What rejects an image whose BodyPartExamined is another part than the
            chest. "fields": it alone, unless a more telling element says chest; "tag":
            it alone; "admit": nothing.
        view_not_understood: Whether an image whose view is stated, but not understood,
            is to "admit" or to "reject".
    """

    body_part: str = FIELDS
    view_not_understood: str = ADMIT

    def __post_init__(self) -> None:
        """Refuse a choice that does not exist."""
        choices = {"body_part": BODY_PART_CHOICES, "view_not_understood": VIEW_CHOICES}
        for name, words in choices.items():
            check_word(
                f"curation.{name}",
                getattr(self, name),
                words,
                place="parameters_curation.yml",
            )


USUAL = Admission()


def admit_header(dataset: Dataset, admission: Admission) -> tuple[str, ...]:
    """Return what had to be judged about view and body part, as steps.

    Raises:
        UnreadableRadiograph: If it is no frontal view, or not of the chest.
    """
    views = list(_stated_views(dataset))
    for keyword, view in views:
        if view in OTHER_THAN_FRONTAL:
            raise UnreadableRadiograph(f"not frontal: {keyword} {view}")
    return (
        *_judge_view(dataset, views, admission),
        *_judge_body_part(dataset, views, admission),
    )


def stated_view(dataset: Dataset) -> str:
    """Return the view of a header, one of `VIEWS`: one that is not frontal counts."""
    views = [view for _, view in _stated_views(dataset)]
    for wanted in (*OTHER_THAN_FRONTAL, *_FRONTAL_VIEWS, NOT_UNDERSTOOD):
        if wanted in views:
            return wanted
    return NOT_STATED


def log_admissions(store: str, records: pd.DataFrame) -> None:
    """Log how often body part and view had to be judged, and what became of it.

    Args:
        store: For the log.
        records: `steps` and `reason`, either missing.
    """
    steps, reasons = (
        records[name].astype("str").fillna("") for name in ("steps", "reason")
    )
    by_fields = steps.str.contains(_BODY_PART + r"[^;]*" + _CONTRADICTED).sum()
    by_choice = steps.str.contains(_BODY_PART + r"[^;]*" + _ADMITTED).sum()
    no_chest = reasons.str.startswith(_NOT_A_CHEST).sum()
    if by_fields or by_choice or no_chest:
        logger.warning(
            "%s: %d images name another body part than the chest: %d admitted because "
            "other elements say chest, %d admitted because curation.body_part is "
            "admit, %d rejected",
            store,
            by_fields + by_choice + no_chest,
            by_fields,
            by_choice,
            no_chest,
        )
    unread = pd.concat([steps, reasons]).str.extract(
        rf"(?:^|; ){_UNREAD_VIEW}: ([^;]*)", expand=False
    )
    if unread.notna().any():
        is_rejected = reasons.str.startswith(_UNREAD_VIEW)
        logger.warning(
            "%s: the header of %d images states a view that is not understood, such as "
            "%s; %d admitted, %d rejected (curation.view_not_understood)",
            store,
            unread.notna().sum(),
            ", ".join(unread.value_counts().index[:3]),
            unread.notna().sum() - is_rejected.sum(),
            is_rejected.sum(),
        )


def _stated_views(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Yield each element that states a view, with the view.

    Descriptions count where nothing else states one.
    """
    views = [("ViewPosition", read_view(code_of(dataset, "ViewPosition")))]
    coded = items_of(dataset, "ViewCodeSequence")  # of DX: PS3.3 C.8.11.5
    views += [("ViewCodeSequence", _coded_view(item)) for item in coded]
    views += _modified_views(dataset)
    orientation = value_of(dataset, "PatientOrientation")
    if orientation:
        views.append(("PatientOrientation", read_orientation(str(orientation[0]))))
    yield from views
    if any(view in (*_FRONTAL_VIEWS, *OTHER_THAN_FRONTAL) for _, view in views):
        return
    for keyword in _DESCRIBING:
        yield keyword, read_description(code_of(dataset, keyword))


def _modified_views(dataset: Dataset) -> Iterator[tuple[str, str]]:
    for sequence, modifiers in _MODIFIERS:
        for item in items_of(dataset, sequence):
            for modifier in items_of(item, modifiers):
                view = _coded_view(modifier)
                if view in OTHER_THAN_FRONTAL:
                    yield modifiers, view


def _coded_view(item: Dataset) -> str:
    return read_view_code(code_of(item, "CodeValue"), code_of(item, "CodeMeaning"))


def _judge_view(
    dataset: Dataset, views: list[tuple[str, str]], admission: Admission
) -> tuple[str, ...]:
    unread = [keyword for keyword, view in views if view == NOT_UNDERSTOOD]
    if not unread or any(view in _FRONTAL_VIEWS for _, view in views):
        return ()
    word = code_of(dataset, unread[0]) if unread[0] == "ViewPosition" else "?"
    said = f"{_UNREAD_VIEW}: {unread[0]} {shown(word, VIEW_POSITIONS)}"
    if admission.view_not_understood == REJECT:
        raise UnreadableRadiograph(said)
    return (said,)


def _judge_body_part(
    dataset: Dataset, views: list[tuple[str, str]], admission: Admission
) -> tuple[str, ...]:
    tag = code_of(dataset, _BODY_PART)
    part = read_body_part(tag)
    if part == CHEST:
        return ()
    if part != OTHER_PART:
        is_other = admission.body_part == FIELDS and coded_part(dataset) == OTHER_PART
        if is_other:
            raise UnreadableRadiograph(f"{_NOT_A_CHEST}: AnatomicRegionSequence")
        return ()
    said = f"{_BODY_PART} {shown(tag, BODY_PARTS)}"
    if admission.body_part == ADMIT:
        return (f"{said}{_ADMITTED}",)
    decided = described_part(dataset) or _part_by_view(tag, views)
    if admission.body_part == FIELDS and decided and decided[1] == CHEST:
        return (f"{said}{_CONTRADICTED} {decided[0]}",)
    raise UnreadableRadiograph(f"{_NOT_A_CHEST}: {said}")


def _part_by_view(tag: str, views: list[tuple[str, str]]) -> tuple[str, str] | None:
    """Return that a "breast" seen from the front is a chest (PS3.16 CID 4014).

    Of other parts, as abdomen and hand, PA and AP are the usual views.
    """
    frontal = [keyword for keyword, view in views if view in _FRONTAL_VIEWS]
    return (frontal[0], CHEST) if frontal and is_breast(tag) else None
