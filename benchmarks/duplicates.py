"""Find duplicates: seconds for whole cohorts, and what the thresholds tell apart.

    PYTHONPATH=src python benchmarks/duplicates.py [--n-images 10000 30000 112120]
    PYTHONPATH=src python benchmarks/duplicates.py --images FOLDER

The first searches random fingerprints among which duplicates and negatives are planted.
The second takes the pictures below FOLDER (of which each is taken to be another one),
stores each of them anew in many ways, and prints how far they get from the original and
how near any two different pictures come (docs/decisions/0010).
"""

import argparse
import resource
import time
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich import get_console
from rich.table import Table

from covid_cxr.patients.duplicates import (
    DuplicateSearch,
    as_words,
    correlate,
    hamming,
    near_pairs,
)
from covid_cxr.radiographs.files import read
from covid_cxr.radiographs.folder import image_files
from covid_cxr.radiographs.geometry import resize
from covid_cxr.radiographs.record import fingerprint
from covid_cxr.radiographs.rendering import UnreadableRadiograph

SEARCH = DuplicateSearch(max_distance=20, max_inverted_distance=48, min_correlation=0.9)
PLANTED = 200
SIZE_PX = 512
Picture = NDArray[np.uint8]


def main() -> None:
    """Print one of the two tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--n-images", type=int, nargs="+", default=[10_000, 30_000, 112_120]
    )
    parser.add_argument("--images", type=Path, help="a folder of different pictures")
    arguments = parser.parse_args()
    if arguments.images:
        get_console().print(measure_pictures(arguments.images))
        return
    table = Table("images", "pairs", "seconds", "planted", "found", "peak memory")
    for n_images in arguments.n_images:
        table.add_row(*search(n_images))
    get_console().print(table)


def search(n_images: int) -> list[str]:
    """Return how the search among that many fingerprints went."""
    rng = np.random.default_rng(n_images)
    words = rng.integers(0, 2**64, (n_images, 4), dtype=np.uint64)
    places = rng.permutation(n_images)[: 2 * PLANTED].reshape(2, PLANTED)
    for number, (first, second) in enumerate(places.T):
        is_negative = number % 2 == 1
        limit = SEARCH.max_inverted_distance if is_negative else SEARCH.max_distance
        copy = flip(words[first], int(rng.integers(limit + 1)), rng)
        words[second] = ~copy if is_negative else copy
    start = time.perf_counter()
    found = np.concatenate(list(near_pairs(words, words, SEARCH, is_within=True)))
    seconds = time.perf_counter() - start
    pairs = {(int(i), int(j)) for i, j in found if i < j}
    expected = {tuple(sorted(map(int, pair))) for pair in places.T}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        f"{n_images:,}",
        f"{n_images * (n_images - 1) // 2:,}",
        f"{seconds:.1f}",
        f"{len(expected)}",
        f"{len(pairs)}" + (", the same" if pairs == expected else ", OTHERS"),
        f"{peak:,.0f} MiB",
    ]


def flip(words: NDArray[np.uint64], n_bits: int, rng: np.random.Generator):
    """Return a fingerprint with so many of its bits turned round."""
    mask = np.zeros(256, np.uint8)
    mask[rng.permutation(256)[:n_bits]] = 1
    return words ^ np.packbits(mask).view(np.uint64)


def measure_pictures(folder: Path) -> Table:
    """Return how far pictures stored anew and different pictures are apart."""
    pictures = list(readable(folder))
    stored = np.stack([resize(picture, size_px=SIZE_PX) for picture in pictures])
    words = as_words(pd.Series([fingerprint(image) for image in stored]))
    table = Table(
        f"{len(pictures)} pictures",
        "distance: median",
        "99 %",
        "largest",
        "correlation: smallest",
        "found",
    )
    for name, change in CHANGES.items():
        changed = np.stack([resize(change(p), size_px=SIZE_PX) for p in pictures])
        others = as_words(pd.Series([fingerprint(image) for image in changed]))
        distance = hamming(words, others).astype(int)
        correlation = correlate(stored, changed)
        add_row(table, name, distance, correlation, is_negative="negative" in name)
    pairs = np.array(list(combinations(range(len(pictures)), 2)))
    distance = hamming(words[pairs[:, 0]], words[pairs[:, 1]]).astype(int)
    for i in np.argsort(distance)[:12]:
        first, second = pairs[i]
        correlation = correlate(stored[[first]], stored[[second]])[0]
        table.add_row(
            "nearest two pictures", str(distance[i]), "", "", f"{correlation:.3f}"
        )
    return table


def add_row(
    table: Table,
    name: str,
    distance: NDArray[np.int64],
    correlation: NDArray[np.float64],
    *,
    is_negative: bool,
) -> None:
    """Add what became of all pictures after one change."""
    limit = SEARCH.max_inverted_distance if is_negative else SEARCH.max_distance
    if is_negative:
        distance, correlation = 256 - distance, -correlation
    is_found = (distance <= limit) & (correlation >= SEARCH.min_correlation)
    table.add_row(
        name,
        f"{np.median(distance):.0f}",
        f"{np.percentile(distance, 99):.0f}",
        f"{distance.max()}",
        f"{correlation.min():.3f}",
        f"{is_found.mean():.1%}",
    )


def readable(folder: Path):
    """Yield the pictures below a folder that can be read."""
    for path in sorted(image_files(folder)):
        try:
            yield read(folder / path).pixels
        except UnreadableRadiograph:
            continue


def through_jpeg(picture: Picture, quality: int) -> Picture:
    """Return the picture after lossy compression."""
    lossy = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(lossy, cv2.IMREAD_GRAYSCALE)


def scaled(picture: Picture, factor: float) -> Picture:
    """Return the picture at another size."""
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=how)


def cropped(picture: Picture, share: float) -> Picture:
    """Return the picture without a margin that makes up this share of each side."""
    height, width = picture.shape
    top, left = int(height * share / 2), int(width * share / 2)
    return np.ascontiguousarray(picture[top : height - top, left : width - left])


def shown(
    picture: Picture, change: Callable[[NDArray[np.float64]], NDArray]
) -> Picture:
    """Return the picture with other grey levels."""
    return np.clip(change(picture.astype(float)), 0, 255).astype(np.uint8)


CHANGES: dict[str, Callable[[Picture], Picture]] = {
    "JPEG, quality 95": lambda picture: through_jpeg(picture, 95),
    "JPEG, quality 75": lambda picture: through_jpeg(picture, 75),
    "JPEG, quality 60": lambda picture: through_jpeg(picture, 60),
    "half the size": lambda picture: scaled(picture, 0.5),
    "three quarters": lambda picture: scaled(picture, 0.75),
    "one and a half": lambda picture: scaled(picture, 1.5),
    "half, JPEG 60": lambda picture: through_jpeg(scaled(picture, 0.5), 60),
    "20 levels brighter": lambda picture: shown(picture, lambda grey: grey + 20),
    "contrast 1.2": lambda p: shown(p, lambda grey: 1.2 * (grey - 128) + 128),
    "gamma 1.3": lambda p: shown(p, lambda grey: 255 * (grey / 255) ** 1.3),
    "1 % cropped": lambda picture: cropped(picture, 0.01),
    "2 % cropped": lambda picture: cropped(picture, 0.02),
    "5 % cropped": lambda picture: cropped(picture, 0.05),
    "negative": lambda picture: 255 - picture,
    "negative, JPEG 75": lambda picture: through_jpeg(255 - picture, 75),
}

if __name__ == "__main__":
    main()
