"""A prediction or a refusal as a Comprehensive SR by TID 1500 (PS3.16).

Scheme 99COVIDCXR holds what no public scheme has a code for. IHE's profile AI Results
asks for this form.
"""

import math
from typing import Any

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from covid_cxr import __version__
from covid_cxr.prediction.bundle import FLAGGED, PREDICTED, REFUSED
from covid_cxr.prediction.dicom_results.subject import NAME, Subject

SCHEME = "99COVIDCXR"
KIND = "report"
_COVID_19 = Code("840539006", "SCT", "COVID-19")
_CHEST_RADIOGRAPHY = Code("399208008", "SCT", "Plain chest X-ray")
_IMAGING = Code("363679005", "SCT", "Imaging")
_STATUS = {
    PREDICTED: "Evaluated",
    FLAGGED: "Evaluated, with a caution",
    REFUSED: "Not evaluated",
}
_NUMBERS = {
    "score": "Score of the network",
    "probability": "Calibrated probability",
    "prevalence": "Assumed prevalence of cases",
    "gate_distance": "Distance from usual radiographs",
}
_CALLS = {
    "positive": Code("10828004", "SCT", "Positive"),
    "negative": Code("260385009", "SCT", "Negative"),
}
_MAX_MEANING = 64


def report(subject: Subject) -> Dataset:
    """Return the structured report of a prediction, or of a refusal."""
    from highdicom.sr import ComprehensiveSR, MeasurementReport

    evidence = subject.evidence()
    content = MeasurementReport(
        observation_context=_observer(subject),
        procedure_reported=_procedure(subject),
        imaging_measurements=[_group(subject, evidence)],
        title=codes.DCM.ImagingMeasurementReport,
    )
    result = ComprehensiveSR(
        evidence=[evidence],
        content=content,
        is_complete=True,
        is_final=False,
        is_verified=False,
        coding_schemes=[_scheme()],
        **subject.new_series(1, KIND),
    )
    return subject.adopt(result)


def own(value: str, meaning: str) -> Code:
    """Return a code of our own scheme."""
    return Code(value, SCHEME, meaning[:_MAX_MEANING])


def _scheme() -> Any:
    from highdicom.coding_schemes import (
        CodingSchemeIdentificationItem,
    )

    return CodingSchemeIdentificationItem(
        designator=SCHEME,
        name="Predictions of covid-cxr",
        responsible_organization=NAME,
    )


def _procedure(subject: Subject) -> Code:
    """Return what was reported on; of what is refused, it may be anything."""
    return _IMAGING if subject.row["status"] == REFUSED else _CHEST_RADIOGRAPHY


def _observer(subject: Subject) -> Any:
    from highdicom.sr import (
        DeviceObserverIdentifyingAttributes,
        ObservationContext,
        ObserverContext,
    )

    device = DeviceObserverIdentifyingAttributes(
        uid=subject.device_uid,
        name=subject.bundle.record["name"],
        manufacturer_name=NAME,
        serial_number=subject.bundle.sha256,
    )
    return ObservationContext(
        observer_device_context=ObserverContext(
            observer_type=codes.DCM.Device, observer_identifying_attributes=device
        )
    )


def _group(subject: Subject, evidence: Dataset) -> Any:
    """Return TID 1501: numbers, decisions, and what is to be known of them."""
    from highdicom.sr import (
        MeasurementsAndQualitativeEvaluations,
        SourceImageForMeasurementGroup,
        TrackingIdentifier,
    )

    group = MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(
            uid=subject.uid("tracking"), identifier=subject.bundle.record["name"]
        ),
        algorithm_id=_algorithm(subject),
        measurements=_numbers(subject),
        qualitative_evaluations=_evaluations(subject),
        source_images=[
            SourceImageForMeasurementGroup(
                evidence.SOPClassUID, evidence.SOPInstanceUID
            )
        ],
    )
    group[0].ContentSequence.extend(_comments(subject))
    return group


def _algorithm(subject: Subject) -> Any:
    """Return TID 4019: which bundle it was, and how a score became a decision."""
    from highdicom.sr import AlgorithmIdentification

    record = subject.bundle.record
    points = record["operating_points"]
    return AlgorithmIdentification(
        name=record["name"],
        version=f"{NAME} {__version__}",
        parameters=[
            f"bundle_sha256={subject.bundle.sha256}",
            f"weights_sha256={record['origin']['weights_sha256']}",
            *(f"threshold of {one['rule']}={one['threshold']!r}" for one in points),
        ],
        manufacturer=NAME,
    )


def _numbers(subject: Subject) -> list[Any]:
    from highdicom.sr import Measurement

    return [
        Measurement(name=own(name, meaning), value=value, unit=codes.UCUM.NoUnits)
        for name, meaning in _NUMBERS.items()
        if math.isfinite(value := float(subject.row.get(name, math.nan)))
    ]


def _evaluations(subject: Subject) -> list[Any]:
    from highdicom.sr import QualitativeEvaluation

    row = subject.row
    told = {
        own("target", "Condition that the classifier is for"): _target(subject),
        own("status", "Status of the prediction"): _status(row["status"]),
    }
    for point in subject.bundle.record["operating_points"]:
        rule = point["rule"]
        if rule in row:
            name = own(rule[:16], f"Decision at the operating point {rule}")
            told[name] = _CALLS[row[rule]]
    if "prediction_set" in row:
        members = row["prediction_set"]
        value = own(members.replace(" ", "_"), f"Cannot be ruled out: {members}")
        told[own("prediction_set", "Prediction set")] = value
    return [QualitativeEvaluation(name=n, value=value) for n, value in told.items()]


def _target(subject: Subject) -> Code:
    """Return the condition; no "Finding", which would be read as if it were there."""
    label = subject.bundle.record["label"]
    if label["name"] == "covid19":
        return _COVID_19
    return own(label["name"][:16], label["words"])


def _status(status: str) -> Code:
    return own(status, _STATUS[status])


def _comments(subject: Subject) -> list[Any]:
    """Return in words what a reader must know."""
    from highdicom.sr import RelationshipTypeValues, TextContentItem

    row = subject.row
    said = [subject.bundle.record["intended_use"]]
    if "reason" in row:
        is_refused = row["status"] == REFUSED
        said.append(f"{'not evaluated' if is_refused else 'caution'}: {row['reason']}")
    return [
        TextContentItem(
            name=codes.DCM.Comment,
            value=words,
            relationship_type=RelationshipTypeValues.CONTAINS,
        )
        for words in said
    ]
