"""The page of predictions: each radiograph with its map, written line by line."""

import html
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from covid_cxr.prediction.bundle import Prediction
from covid_cxr.prediction.refusals import reservations

RESEARCH_ONLY = "Research only: not for diagnosis, and no medical device."
_JPEG_QUALITY = 85
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem;
  padding: 0 1rem; color: #1b1b1b; background: #fff }
.warning { border-left: 4px solid #b3261e; padding: .4rem .8rem; font-weight: 600 }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .5rem; overflow-wrap: anywhere;
  border-bottom: 1px solid #ddd }
img { max-width: 100%; width: 26rem; height: auto }
.refused { color: #8a1c14 } .flagged { color: #7a5200 }
"""


def draw(prediction: Prediction) -> bytes | None:
    """Return a JPEG: the radiograph, and beside it the map over it; None without."""
    pixels = prediction.pixels
    if pixels is None:
        return None
    grey = np.repeat(pixels[..., np.newaxis], 3, axis=2)
    panels = [grey]
    if prediction.heat_map is not None:
        panels.append(overlay(grey, prediction.heat_map))
    _, encoded = cv2.imencode(
        ".jpg", np.hstack(panels), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    )
    return encoded.tobytes()


def overlay(grey: NDArray[np.uint8], heat_map: NDArray[np.float64]) -> Any:
    """Return a map over a picture, both in OpenCV's order of colours (BGR).

    Args:
        grey: Shape (height, width, 3).
        heat_map: On [0, 1], of any shape.
    """
    size = grey.shape[:2][::-1]
    large = cv2.resize(heat_map.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    weight = np.clip(large, 0, 1)[..., np.newaxis]
    levels = np.rint(255 * weight[..., 0]).astype(np.uint8)
    coloured = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)
    mixed = grey * (1 - 0.6 * weight) + coloured * (0.6 * weight)
    return np.rint(mixed).astype(np.uint8)


def write_page(
    place: Path,
    record: Mapping[str, Any],
    counts: Mapping[str, int],
    rows: Iterable[tuple[Mapping[str, Any], str | None]],
) -> None:
    """Write the page of some predictions; it appears when it is whole.

    Args:
        place: Of the HTML file.
        record: Of the bundle.
        counts: How many rows have each status.
        rows: Of the table, each with the place of its picture beside the page.
    """
    part = place.with_suffix(".html.part")
    told = ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))
    label = html.escape(record["label"]["words"])
    reserved = "".join(f"<p>{html.escape(one)}</p>" for one in reservations(record))
    with part.open("w", encoding="utf-8", errors="replace") as page:
        page.write(
            f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width">'
            f"<title>{label}: predictions</title><style>{_STYLE}</style></head><body>"
            f'<h1>{label}: predictions</h1><p class="warning">{RESEARCH_ONLY}</p>'
            f"<p>By {html.escape(record['name'])}: {html.escape(told)}. The map shows "
            f"what spoke for a case.</p>{reserved}<table><thead><tr>"
            f'<th scope="col">Radiograph and map</th><th scope="col">Prediction</th>'
            f"</tr></thead><tbody>\n"
        )
        for row, picture in rows:
            page.write(_row(row, picture))
        page.write("</tbody></table></body></html>\n")
    part.replace(place)


def _row(row: Mapping[str, Any], picture: str | None) -> str:
    image = ""
    if picture is not None:
        name = html.escape(f"Radiograph and map of {row['file']}", quote=True)
        image = f'<img loading="lazy" src="{picture}" alt="{name}">'
    said = "".join(
        f"<br>{html.escape(str(name))}: {html.escape(_shown(value))}"
        for name, value in row.items()
        if name not in {"file", "status"} and value is not None
    )
    return (
        f"<tr><td>{image}</td><td>{html.escape(row['file'])}<br>"
        f'<strong class="{row["status"]}">{row["status"]}</strong>{said}</td></tr>\n'
    )


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
