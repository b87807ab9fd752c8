"""SIIM-ACR Pneumothorax 2019: radiographs of the NIH cohort, outlined anew as runs."""

from functools import partial
from itertools import pairwise
from pathlib import PurePosixPath

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.synthesis.dicom_files import make_uid
from covid_cxr.synthesis.drawing import mark_signs
from covid_cxr.synthesis.epidemiology import severity_column
from covid_cxr.synthesis.hospital_settings import Synthesis
from covid_cxr.synthesis.orders import RawImages
from covid_cxr.synthesis.patients_nih import admit_nih
from covid_cxr.synthesis.raw_files import Drawn, encode_jpeg_dicom, published

SIZE_PX = 1024  # height and width of the published files and masks
_ROOT = "1.2.276.0.7230010.3.1.4.8323329"


def admit_siim(cohort: str, synthesis: Synthesis) -> pd.DataFrame:
    """Return radiographs of the NIH cohort: all with the finding, and others."""
    nih = admit_nih(synthesis)
    rng = np.random.default_rng([synthesis.seed, 6])
    is_ill = nih[severity_column("pneumothorax")].to_numpy() > 0
    order = rng.permutation(len(nih))
    order = order[np.argsort(~is_ill[order], kind="stable")]
    chosen = nih.iloc[np.sort(order[: synthesis.images_of(cohort)])]
    names = [
        f"{_ROOT}.{1000 + number}.15178{seed % 100_000:05d}.{number}"
        for number, seed in enumerate(chosen["drawing_seed"], start=1)
    ]
    files = [
        f"dicom-images-train/{make_uid('study', name)}/{make_uid('series', name)}/"
        f"{name}.dcm"
        for name in names
    ]
    admitted = chosen.assign(
        cohort=cohort, nih_file=chosen["file"], file=files, image_id=names
    )
    return admitted.reset_index(drop=True)


@published(partial(encode_jpeg_dicom, published_px=SIZE_PX))
def write_siim_pneumothorax(
    drawn: Drawn,
) -> tuple[RawImages, pd.DataFrame, pd.DataFrame]:
    """Return the image files, `stage_2_train.csv` and whose images of NIH they are.

    An image has a row for each mask, or one with -1 where nobody sees any.
    """
    shape = (SIZE_PX, SIZE_PX)
    masks = []
    for order in drawn.orders:
        marked = mark_signs(order.exam, shape=shape, look=drawn.look)
        is_marked = marked.get("pneumothorax")
        masks += [
            (order.stem, runs)
            for runs in (["-1"] if is_marked is None else _masks(is_marked, shape))
        ]
    names = [PurePosixPath(file).name for file in drawn.rows["nih_file"]]
    mapping = pd.DataFrame(
        {"ImageId": [order.stem for order in drawn.orders], "nih_image": names}
    )
    table = pd.DataFrame(masks, columns=["ImageId", "EncodedPixels"])
    return drawn.images, table, mapping


def _masks(is_marked: NDArray[np.bool_], shape: tuple[int, int]) -> list[str]:
    """Return each connected part of a sketch as runs in pixels of `shape`."""
    n_parts, parts = cv2.connectedComponents(is_marked.astype(np.uint8))
    resized = cv2.resize(
        parts.astype(np.float32), shape[::-1], interpolation=cv2.INTER_NEAREST
    )
    return [_runs(resized == part) for part in range(1, n_parts)]


def _runs(mask: NDArray[np.bool_]) -> str:
    """Return pairs of pixels left out and pixels in the mask, down the columns."""
    down = mask.T.ravel().astype(np.int8)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], down, [0]])))
    lengths = [second - first for first, second in pairwise([0, *edges.tolist()])]
    return " ".join(map(str, lengths))
