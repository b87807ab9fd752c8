"""What do the rules find that tell of pixels alone, and what do they refuse wrongly?

    python benchmarks/refused_pictures.py FOLDER [--metadata metadata.csv]

Reads the radiographs below FOLDER, leaves out those whose `view` in the metadata
(`filename, patientid, view`, as in covid-chestxray-dataset) is L, plants each defect in
every one of them, and prints for each rule how many of the defect it finds and how many
of the whole ones it flags, with Wilson's 95 % interval by patient. No rule was fitted
to these radiographs but for its limit, where one is printed. Rules marked "left out"
are not part of the package: they were tried.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from covid_cxr.radiographs.clipping import is_clipped_suspect
from covid_cxr.radiographs.geometry import resize
from covid_cxr.radiographs.orientation import is_turned_suspect
from covid_cxr.statistics.proportion import clustered_share

SIZES_PX, LONGEST_PX = (64, 128, 256), 640
SUFFIXES = {".png", ".jpg", ".jpeg"}


def main():
    """Print a row per rule and defect."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--metadata", type=Path)
    asked = parser.parse_args()
    pictures, patients = read_frontals(asked.folder, asked.metadata)
    print(f"{len(pictures)} radiographs of {len(set(patients))} patients")
    for title, judge, defects in RULES:
        print(f"{title}: {told([judge(one) for one in pictures], patients)} wrongly")
        for defect in defects:
            planted = [
                DEFECTS[defect](one, np.random.default_rng(seed))
                for seed, one in enumerate(pictures)
            ]
            found = told([judge(one) for one in planted], patients)
            print(f"    {defect:34} {found}")


def read_frontals(folder, metadata):
    """Return pictures of three channels, and the patient of each."""
    table = pd.DataFrame(columns=["patientid", "view"])
    if metadata is not None:
        known = pd.read_csv(metadata, dtype=str).drop_duplicates("filename")
        table = known.set_index("filename")
    pictures, patients = [], []
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES):
        row = table.reindex([path.name]).iloc[0]
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if row["view"] == "L" or picture is None:
            continue
        factor = min(1, LONGEST_PX / max(picture.shape))
        pictures.append(
            cv2.resize(
                picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA
            )
        )
        stated = isinstance(row["patientid"], str)
        patients.append(row["patientid"] if stated else path.stem.split("-")[0])
    return pictures, np.array(patients)


def told(flagged, patients):
    """Return a count with its share and interval."""
    hits = np.array(flagged, bool)
    codes = pd.factorize(patients)[0]
    share, _ = clustered_share(hits, np.ones(len(hits), bool), codes)
    low, high = share.interval()
    return (
        f"{hits.sum()} of {len(hits)} ({100 * share.estimate:.1f} %, "
        f"{100 * low:.1f} to {100 * high:.1f} %)"
    )


def grey(picture):
    """Return luminance, as a study reads a picture."""
    return cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_BGR2GRAY)


def stored(judge, size_px):
    """Return a rule on the stored pixels of a picture."""
    return lambda picture: judge(resize(grey(picture), size_px=size_px))


def has_window(picture):
    """Return whether a bar of one colour, neither black nor white, lies at an edge."""
    small = cv2.resize(picture, (192, 192), interpolation=cv2.INTER_AREA).astype(int)
    for turns in range(4):
        seen = np.rot90(small, turns)
        band = np.median(seen[:4].reshape(-1, 3), axis=0)
        is_band = (np.abs(seen - band).max(axis=2) <= 6).mean(axis=1) > 0.5
        if 12 < band.mean() < 244 and is_band[:4].all():
            return True
    return False


def is_coloured(picture):
    """Return whether a tenth of the pixels has a tint."""
    values = picture.astype(int)
    return (values.max(axis=2) - values.min(axis=2) > 12).mean() > 0.1


def has_moire(picture):
    """Return whether a frequency stands out, off the axes, in the middle."""
    seen = grey(picture).astype(float)
    height, width = seen.shape
    if min(height, width) < 256:
        return False
    top, left = (height - 256) // 2, (width - 256) // 2
    tile = seen[top : top + 256, left : left + 256]
    window = np.hanning(256)[:, None] * np.hanning(256)
    power = np.log(
        np.abs(np.fft.fftshift(np.fft.fft2((tile - tile.mean()) * window))) + 1
    )
    apart = power - cv2.blur(power, (15, 15))
    y, x = np.mgrid[-128:128, -128:128]
    is_out = (np.hypot(y, x) < 32) | (np.abs(y) < 4) | (np.abs(x) < 4)
    return cv2.blur(np.where(is_out, -9, apart), (3, 3)).max() > 2


def screenshot(picture, rng):
    """Return a picture in a viewer's window: bars, text, perhaps a panel."""
    height, width = picture.shape[:2]
    bar, panel = (
        int(height * rng.uniform(0.04, 0.09)),
        int(width * rng.choice([0, 0.15])),
    )
    shade = int(rng.choice([rng.integers(25, 60), rng.integers(200, 245)]))
    ink = (225 if shade < 128 else 30,) * 3
    page = np.full((height + 2 * bar, width + panel, 3), shade, np.uint8)
    page[bar : bar + height, panel:] = picture
    scale = bar / 40
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(page, "Viewer - 1/1", (bar, int(0.7 * bar)), font, scale, ink)
    for row in range(10 if panel else 0):
        at = (4, bar + (row + 1) * height // 12)
        cv2.putText(page, f"Series {row}", at, font, panel / 220, ink)
    return page


def photograph(picture, rng):
    """Return a screen taken at an angle: surround, moire, colour cast, noise."""
    height, width = picture.shape[:2]
    corners = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
    inwards = np.float32([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    moved = corners + np.float32(
        inwards * rng.uniform(0.03, 0.12, (4, 2)) * [width, height]
    )
    y, x = np.mgrid[:height, :width]
    angle, period = rng.uniform(0, np.pi), rng.uniform(2.5, 6)
    wave = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period)
    shown = grey(picture) * (1 + rng.uniform(0.04, 0.12) * wave)
    matrix = cv2.getPerspectiveTransform(corners, moved)
    surround = int(rng.choice([15, 60, 140]))
    seen = cv2.warpPerspective(
        shown.astype(np.float32), matrix, (width, height), borderValue=surround
    )
    fall = 1 - 0.3 * ((x / width - 0.5) ** 2 + (y / height - 0.5) ** 2)
    noisy = seen * fall + rng.normal(0, 4, seen.shape)
    cast = 1 + rng.uniform(-0.12, 0.12, 3)
    return np.clip(noisy[..., None] * cast, 0, 255).astype(np.uint8)


def clipped(share):
    """Return a defect that cuts off so much of the grey values at each end."""

    def cut(picture, rng):
        del rng
        seen = grey(picture).astype(float)
        low, high = np.percentile(seen, [100 * share, 100 - 100 * share])
        cut = np.clip(255 * (seen - low) / max(high - low, 1), 0, 255)
        return cv2.cvtColor(cut.astype(np.uint8), cv2.COLOR_GRAY2BGR)

    return cut


DEFECTS = {
    **{
        f"turned by {90 * k} degrees": lambda picture, _, k=k: np.rot90(picture, k)
        for k in (1, 2, 3)
    },
    **{f"clipped, {100 * s:g} % at each end": clipped(s) for s in (0.05, 0.1, 0.2)},
    "screenshot": screenshot,
    "photograph": photograph,
}
TURNED, CLIPPED = list(DEFECTS)[:3], list(DEFECTS)[3:6]
RULES = (
    *(
        (f"turned, {size} px", stored(is_turned_suspect, size), TURNED)
        for size in SIZES_PX
    ),
    *(
        (f"clipped, {size} px", stored(is_clipped_suspect, size), CLIPPED)
        for size in SIZES_PX
    ),
    ("a bar at an edge (left out)", has_window, ["screenshot"]),
    ("tinted (left out)", is_coloured, ["photograph"]),
    ("moire (left out)", has_moire, ["photograph"]),
)


if __name__ == "__main__":
    main()
