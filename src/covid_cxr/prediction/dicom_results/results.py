"""All DICOM results of one prediction."""

from pydicom import Dataset

from covid_cxr.prediction.bundle import Bundle, Prediction
from covid_cxr.prediction.dicom_results.capture import capture
from covid_cxr.prediction.dicom_results.presentation import presentation
from covid_cxr.prediction.dicom_results.structured_report import report
from covid_cxr.prediction.dicom_results.subject import Subject
from covid_cxr.radiographs.dicom_file import quiet


def results_of(
    source: Dataset, prediction: Prediction, bundle: Bundle
) -> tuple[Dataset, ...]:
    """Return DICOM objects of a prediction: new series of the radiograph's study.

    The first is a structured report (Comprehensive SR, TID 1500), which a refusal has,
    too. Then follow a picture of the map (Secondary Capture) and a presentation state
    (GSPS), where the radiograph has a score and its header says how it is shown.
    Patient and study are those of the source. The same radiograph, bundle, prevalence,
    steps and version always give the same UIDs.

    Args:
        source: The radiograph's header; its pixels are not needed.
        prediction: From `Bundle.predictions`.
        bundle: What gave it.

    Raises:
        NoResultsError: If the source has no UIDs to refer to, is no image, or has a
            patient whose name or ID cannot be read.
    """
    with quiet():
        subject = Subject(source=source, prediction=prediction, bundle=bundle)
        made = (report(subject), capture(subject), presentation(subject))
    return tuple(one for one in made if one is not None)
