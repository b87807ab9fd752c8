"""From places that a user names to a request, which its dataset fulfils."""

from pathlib import Path

from covid_cxr.pipelines.prediction.settings import PredictionSettings
from covid_cxr.prediction.request import Request


def request_predictions(
    bundles: list[Path],
    images: Path,
    crops: Path | None,
    prediction: PredictionSettings,
) -> Request:
    """Return what is to be predicted with what.

    Args:
        bundles: The bundle that was named, or all of the study.
        images: A file, a folder, a zip or a DICOMDIR.
        crops: A table of boxes; None takes all images whole.
        prediction: How.

    Raises:
        ValueError: If there are several bundles.
    """
    if len(bundles) > 1:
        names = ", ".join(place.name for place in bundles)
        raise ValueError(
            f"There are {len(bundles)} bundles ({names}), and one predicts; name it "
            f"with --params=bundle=/its/folder."
        )
    return Request(
        bundle=bundles[0],
        places=[images],
        crops=crops,
        prevalence=prediction.prevalence,
        workers=prediction.workers,
    )
