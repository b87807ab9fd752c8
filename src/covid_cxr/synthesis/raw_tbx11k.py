"""TBX11K: PNG files of three classes, lists, and boxes in the form of COCO."""

import json
from dataclasses import replace
from functools import partial
from typing import Any

from covid_cxr.synthesis.drawing import Box, Look, read_signs
from covid_cxr.synthesis.epidemiology import LABELS, severity_column
from covid_cxr.synthesis.orders import Order, RawImages
from covid_cxr.synthesis.raw_files import Drawn, encode_png, published

SIZE_PX = 512  # height and width of the published files
_CATEGORIES = {
    "ActiveTuberculosis": 1,
    "ObsoletePulmonaryTuberculosis": 2,
    "PulmonaryTuberculosis": 3,
}
_LATENT_EVERY = 5
# Without labels, and of other collections: in neither list.
_UNLISTED = ("imgs/test/test0001.png", "imgs/extra/da/h0001.png")


def tbx11k_file(row: dict[str, Any]) -> str:
    """Return the published path, which says the class."""
    others = (row[severity_column(finding)] for finding in LABELS)
    kind = "tb" if row["is_positive"] else "sick" if any(others) else "health"
    return f"imgs/{kind}/{kind[: 2 if kind == 'tb' else 1]}{row['patient']}.png"


@published(partial(encode_png, published_px=SIZE_PX))
def write_tbx11k(drawn: Drawn) -> tuple[RawImages, str, str, str, str]:
    """Return the image files, both lists and the boxes beside each."""
    parts = {
        part: [o for o in drawn.orders if (int(o.patient) % 5 == 0) is (part == "val")]
        for part in ("train", "val")
    }
    lists = ["".join(f"{_listed(o)}\n" for o in parts[p]) for p in ("train", "val")]
    boxes = [_coco(parts[part], drawn.look) for part in ("train", "val")]
    images = drawn.with_further(
        replace(drawn.orders[0], file=file) for file in _UNLISTED
    )
    return images, lists[0], lists[1], boxes[0], boxes[1]


def _listed(order: Order) -> str:
    return order.file.removeprefix("imgs/")


def _coco(orders: list[Order], look: Look) -> str:
    """Return the boxes of the images that show tuberculosis; the others have none."""
    found = [
        (number, order, box)
        for number, order in enumerate(orders, start=1)
        if order.file.startswith("imgs/tb/")
        and (box := _box_of(order, look)) is not None
    ]
    return json.dumps(
        {
            "images": [
                {"id": number, "file_name": _listed(order), "width": SIZE_PX}
                for number, order in enumerate(orders, start=1)
            ],
            "categories": [{"id": n, "name": name} for name, n in _CATEGORIES.items()],
            "annotations": [
                {
                    "id": place,
                    "image_id": number,
                    "category_id": 2 if int(order.patient) % _LATENT_EVERY == 1 else 1,
                    "bbox": [float(edge) for edge in box],
                }
                for place, (number, order, box) in enumerate(found, start=1)
            ],
        }
    )


def _box_of(order: Order, look: Look) -> Box | None:
    signs = read_signs(order.exam, shape=(SIZE_PX, SIZE_PX), look=look)
    return signs.get("tuberculosis")
