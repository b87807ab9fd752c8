"""How often are the flags of doubtful renderings wrong? Error rates on real images.

    python benchmarks/polarity.py DATA

Reads the radiographs below DATA that are not stated to be lateral
(covid-chestxray-dataset/images, nih/images, dicom), or, where none of these folders is
there, every PNG, JPEG and DICOM file. Each is measured as it is and inverted, and both
once more as people bring them: cropped, on a page, with a stripe. A file whose header
is wrong on purpose and pictures of test patterns are left out by name.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from covid_cxr.radiographs.contrast import is_contrast_suspect, share_of_few_levels
from covid_cxr.radiographs.files import read
from covid_cxr.radiographs.geometry import resize
from covid_cxr.radiographs.polarity import measure_polarity
from covid_cxr.radiographs.rendering import UnreadableRadiograph
from covid_cxr.statistics.auc import normal_quantile
from covid_cxr.statistics.proportion import wilson_bounds

SIZE_PX = 512
COVID = "covid-chestxray-dataset"
FOLDERS = (f"{COVID}/images", "nih/images", "dicom")
NO_RADIOGRAPHS = {"Fake_MONOHR1.dcm", "mlut_18.dcm", "vlut_04.dcm"}
SUFFIXES = {".png", ".jpg", ".jpeg", ".dcm", ".dicom"}


def main():
    """Print what is flagged of the images, and of what is made of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    images = read_images(parser.parse_args().data)
    print(f"{len(images)} images, {SIZE_PX} px")
    for title, change in CHANGES.items():
        changed = {name: change(pixels) for name, pixels in images.items()}
        report(f"{title}: false polarity flags", changed, is_negative)
        negatives = {name: 255 - pixels for name, pixels in changed.items()}
        report(f"{title}: negatives flagged", negatives, is_negative)
        report(f"{title}: contrast flags", changed, is_contrast_suspect)
    shares = sorted(map(share_of_few_levels, images.values()), reverse=True)
    print(f"largest shares of few levels: {', '.join(f'{s:.3f}' for s in shares[:4])}")
    flat = {name: squeezed(pixels) for name, pixels in images.items()}
    report("8 % of the grey levels: contrast flags", flat, is_contrast_suspect)
    clipped = {name: binary(pixels) for name, pixels in images.items()}
    report("black and white: contrast flags", clipped, is_contrast_suspect)


def report(title, images, judge):
    """Print how many images are judged so, Wilson's interval and up to four names."""
    judged = [name for name, pixels in images.items() if judge(pixels)]
    share = len(judged) / len(images)
    lower, upper = wilson_bounds(share, len(images), normal_quantile(0.95))
    names = f" ({', '.join(judged)})" if 0 < len(judged) <= 4 else ""
    print(
        f"{title}: {len(judged)} of {len(images)}, {share:.1%} "
        f"[{lower:.1%}, {upper:.1%}]{names}"
    )


def is_negative(pixels):
    """Return the flag of polarity."""
    return measure_polarity(pixels).is_suspect


def on_page(pixels, *, margin_px, grey):
    """Return the picture with a margin of one grey on all sides."""
    inside = pixels.shape[0] - 2 * margin_px
    small = cv2.resize(pixels, (inside, inside), interpolation=cv2.INTER_AREA)
    return np.pad(small, margin_px, constant_values=grey)


def cropped(pixels, share):
    """Return the middle of the picture, `share` of each side."""
    cut = round(len(pixels) * (1 - share) / 2)
    return resize(np.ascontiguousarray(pixels[cut:-cut, cut:-cut]), size_px=len(pixels))


def with_stripe(pixels):
    """Return the picture with a white stripe at its right."""
    striped = pixels.copy()
    striped[:, -20:] = 255
    return striped


def squeezed(pixels):
    """Return the picture between grey 100 and 120."""
    return (100 + pixels // 13).astype(np.uint8)


def binary(pixels):
    """Return the picture with nothing between black and white."""
    return np.where(pixels > np.median(pixels), 255, 0).astype(np.uint8)


CHANGES = {
    "as it is": lambda pixels: pixels,
    "white page": lambda pixels: on_page(pixels, margin_px=40, grey=255),
    "thin white frame": lambda pixels: on_page(pixels, margin_px=8, grey=255),
    "large black frame": lambda pixels: on_page(pixels, margin_px=120, grey=0),
    "cropped to 85 %": lambda pixels: cropped(pixels, 0.85),
    "cropped to 70 %": lambda pixels: cropped(pixels, 0.7),
    "white stripe": with_stripe,
}


def read_images(data):
    """Return the images below `data` as a store would hold them, by file name."""
    folders = [data / folder for folder in FOLDERS if (data / folder).is_dir()]
    found = [path for folder in folders or [data] for path in folder.rglob("*")]
    left_out = NO_RADIOGRAPHS | laterals(data / COVID / "metadata.csv")
    images = {}
    for path in sorted(found):
        if path.suffix.lower() in SUFFIXES and path.name not in left_out:
            try:
                images[path.name] = resize(read(path).pixels, size_px=SIZE_PX)
            except UnreadableRadiograph:
                continue
    return images


def laterals(metadata):
    """Return the names of the files that are stated to be lateral views."""
    if not metadata.is_file():
        return set()
    rows = pd.read_csv(metadata)
    return set(rows["filename"][rows["view"] == "L"])


if __name__ == "__main__":
    main()
