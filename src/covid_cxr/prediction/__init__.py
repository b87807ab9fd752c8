"""A study's classifier on new radiographs: `open_bundle(path).predict(files)`.

What it imports is in the extra `predict`: neither TensorFlow nor Kedro is among it.
"""

from covid_cxr.prediction.bundle import Bundle, open_bundle
from covid_cxr.prediction.dicom_results.results import results_of
from covid_cxr.prediction.dicom_results.subject import NoResultsError
from covid_cxr.prediction.files import InvalidBundleError

__all__ = [
    "Bundle",
    "InvalidBundleError",
    "NoResultsError",
    "open_bundle",
    "results_of",
]
