"""A sample of test radiographs with the maps of every path, to look through.

The sample is drawn by a seeded rule, never by hand, and evenly by outcome, so that
errors are seen as often as successes. Nothing in it names a patient or a file.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.checks import check_whole
from covid_cxr.report.html import as_data_uri
from covid_cxr.report.wording import OUTCOMES

_RADIOGRAPH_PX, _MAP_PX = 256, 64  # at most; the browser enlarges them
_JPEG_QUALITY = 82


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """The gallery's parameters, as read from parameters_reporting.yml.

    Attributes:
        images: Of the test part, at most; 0 for no gallery.
        seed: Of the draw.
    """

    images: int
    seed: int

    def __post_init__(self) -> None:
        """Refuse what is no number of images or no seed."""
        place = "parameters_reporting.yml"
        check_whole("gallery.images", self.images, least=0, place=place)
        check_whole("gallery.seed", self.seed, least=0, place=place)


def draw_images(maps: pd.DataFrame, gallery: Gallery) -> list[str]:
    """Return the ids of a sample: the four outcomes in turn, as far as they go."""
    order = np.random.default_rng(gallery.seed).permutation(len(maps))
    shuffled = maps.sort_values("image_id").iloc[order]
    turn = shuffled.groupby("outcome").cumcount()
    rank = shuffled["outcome"].map({name: i for i, name in enumerate(OUTCOMES)})
    in_turn = shuffled.assign(turn=turn, rank=rank).sort_values(["turn", "rank"])
    drawn = in_turn.head(gallery.images).sort_values("rank", kind="stable")
    return drawn["image_id"].tolist()


def gather_cases(
    images: list[str],
    pixels: NDArray[np.uint8],
    radiographs: pd.DataFrame,
    maps: Mapping[str, pd.DataFrame],
) -> list[dict[str, Any]]:
    """Return the gallery: what is shown of each image, as JSON takes it.

    Each case has `patient` (a random number), `site`, `view`, `radiograph` (address of
    a small JPEG image) and `paths`: by path its `outcome`, `score` and `map` (address
    of a small PNG image in the colours of Figures 4 to 7).

    Args:
        images: Image ids.
        pixels: Their radiographs, shape (n, height, width).
        radiographs: `image_id`, `site`, `view`.
        maps: By path, `image_id`, `patient_index`, `outcome`, `score`, `height`,
            `width` and `map` of every test image.

    Raises:
        ValueError: If an image has no map in one of the paths.
    """
    known = radiographs.set_index("image_id").loc[images]
    explained = {path: _of_images(path, table, images) for path, table in maps.items()}
    first = next(iter(explained.values()))
    return [
        {
            "patient": int(first[image_id]["patient_index"]),
            "site": str(known.loc[image_id, "site"]),
            "view": str(known.loc[image_id, "view"]),
            "radiograph": as_jpeg(radiograph),
            "paths": {
                path: _explanation(records[image_id])
                for path, records in explained.items()
            },
        }
        for image_id, radiograph in zip(images, pixels, strict=True)
    ]


def as_jpeg(pixels: NDArray[np.uint8]) -> str:
    """Return the address of a small JPEG image of a radiograph."""
    small = _shrink(pixels, _RADIOGRAPH_PX)
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    data = cv2.imencode(".jpg", small, options)[1].tobytes()
    return as_data_uri(data, "image/jpeg")


def _of_images(
    path: str, maps: pd.DataFrame, images: list[str]
) -> dict[Hashable, dict[str, Any]]:
    """Return the rows of the images, by image id."""
    found = maps[maps["image_id"].isin(images)].set_index("image_id")
    missing = [image_id for image_id in images if image_id not in found.index]
    if missing:
        raise ValueError(
            f"{len(missing)} of the gallery's {len(images)} radiographs have no map of "
            f"{path}, such as {missing[0]}: the maps are of different test parts. Run "
            f"phase 3 again."
        )
    return {
        key: {str(name): value for name, value in row.items()}
        for key, row in found.to_dict(orient="index").items()
    }


def _explanation(row: Mapping[str, Any]) -> dict[str, Any]:
    values = np.asarray(row["map"], dtype=np.uint8)
    return {
        "outcome": row["outcome"],
        "score": round(float(row["score"]), 4),
        "map": _as_map(values.reshape(int(row["height"]), int(row["width"]))),
    }


def _as_map(values: NDArray[np.uint8]) -> str:
    colours = cv2.applyColorMap(_shrink(values, _MAP_PX), cv2.COLORMAP_JET)
    return as_data_uri(cv2.imencode(".png", colours)[1].tobytes())


def _shrink(image: NDArray[np.uint8], size_px: int) -> NDArray[np.uint8]:
    """Return the image with its longer side at most `size_px`."""
    scale = size_px / max(image.shape)
    if scale >= 1:
        return image
    height, width = (max(1, round(length * scale)) for length in image.shape)
    resized = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, dtype=np.uint8)
