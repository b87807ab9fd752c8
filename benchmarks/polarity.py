"""Does brightness tell a radiograph from its negative? Two error rates on real images.

    python benchmarks/polarity.py DATA

Reads the frontal radiographs below DATA (covid-chestxray-dataset/images, nih/images,
dicom), each as it is and inverted. A file whose header is wrong on purpose and pictures
of test patterns are left out by name.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from covid_cxr.radiographs.files import read
from covid_cxr.radiographs.geometry import resize
from covid_cxr.radiographs.polarity import measure_polarity
from covid_cxr.radiographs.rendering import UnreadableRadiograph

COVID = "covid-chestxray-dataset"
NO_RADIOGRAPHS = {"Fake_MONOHR1.dcm", "mlut_18.dcm", "vlut_04.dcm"}


def main():
    """Print how far border and centre differ, and how many are judged wrongly."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    paths = [
        *data.glob(f"{COVID}/images/*"),
        *data.glob("nih/images/*"),
        *data.glob("dicom/*"),
    ]
    left_out = laterals(data / COVID / "metadata.csv") | NO_RADIOGRAPHS
    kept = [path for path in sorted(paths) if path.name not in left_out]
    images = [pixels for path in kept if (pixels := stored(path)) is not None]
    report("radiographs flagged", [difference(pixels) for pixels in images], wrong=1)
    report(
        "negatives missed", [difference(255 - pixels) for pixels in images], wrong=-1
    )


def report(name, differences, *, wrong):
    """Print one error rate; `wrong` is the sign of a wrong judgement."""
    ordered = np.sort(wrong * np.array(differences))[::-1]
    n_wrong = int((ordered > 0).sum())
    shown = ", ".join(f"{value:+.3f}" for value in wrong * ordered[:4])
    print(
        f"{name}: {n_wrong} of {len(ordered)} ({n_wrong / len(ordered):.1%}); "
        f"border - centre of the most doubtful: {shown}"
    )


def difference(pixels):
    """Return how much brighter the border is than the centre, -1 to 1."""
    polarity = measure_polarity(pixels)
    return polarity.border_mean - polarity.centre_mean


def stored(path):
    """Return the image as a store would hold it, or None."""
    try:
        return resize(read(path).pixels, size_px=512)
    except UnreadableRadiograph:
        return None


def laterals(metadata):
    """Return the names of the files that are no frontal views."""
    rows = pd.read_csv(metadata)
    return set(rows["filename"][rows["view"] == "L"])


if __name__ == "__main__":
    main()
