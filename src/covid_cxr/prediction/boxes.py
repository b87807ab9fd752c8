"""Boxes that are cut out of radiographs before they are predicted, from a table."""

import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from covid_cxr.prediction.sources import InputFile
from covid_cxr.radiographs.crops import match_crops
from covid_cxr.radiographs.folder import RadiographFolder
from covid_cxr.radiographs.geometry import Box

logger = logging.getLogger(__name__)


def read_boxes(table: Path, files: Sequence[InputFile]) -> dict[str, Box]:
    """Return what to cut out of each file that a table of crops names, by its name.

    It is the table of a study (`crops.csv`), and names files as there
    (`radiographs.crops.match_crops`). Those that it does not name are taken whole.

    Args:
        table: A CSV file with `image, x0, y0, x1, y1` in pixels of the raw image.
        files: That are to be predicted.

    Raises:
        FileNotFoundError: If there is no table.
        ValueError: If it is none, names no file, or pyarrow, which reads it, is absent.
    """
    names = [one.name for one in files]
    listed = pd.DataFrame({"image_id": names, "file": names})
    found = RadiographFolder(
        root=Path(), files=tuple(names), others=(), is_synthetic=False
    )
    edges, unmatched = match_crops(_read(table), listed, found)
    if edges.empty:
        raise ValueError(
            f"None of the {len(unmatched)} boxes in {table} is of one of the "
            f"{len(files)} files, such as {names[0]}; name them by their path or file "
            f"name, or leave the table out (--crops) to take all of them whole."
        )
    if len(unmatched):
        logger.warning(
            "%s: %d of %d boxes are of no file that is predicted, or of several, such "
            "as %s (%s)",
            table,
            len(unmatched),
            len(unmatched) + len(edges),
            unmatched["image"].iloc[0],
            unmatched["place"].iloc[0],
        )
    return {str(row[0]): tuple(row[1:]) for row in edges.itertuples()}


def _read(table: Path) -> pd.DataFrame:
    try:
        from covid_cxr.user_csv import read_user_csv  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ValueError(
            f"{table} is read with {error.name}, which is not installed here: `pip "
            f"install {error.name}`."
        ) from error
    return read_user_csv(table)
