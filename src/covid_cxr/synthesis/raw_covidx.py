"""COVIDx CXR-4: PNG files in three folders, and beside them a label file of each."""

from dataclasses import replace
from typing import Any

from covid_cxr.synthesis.orders import RawImages
from covid_cxr.synthesis.raw_files import Drawn, encode_png, published

SITE_SHARES = {"bimcv": 0.5, "stonybrook": 0.3, "sirm": 0.2}


def covidx_file(row: dict[str, Any]) -> str:
    """Return the published path; patients' ids hold blanks, names of files do not."""
    number = int(row["patient"][-4:])
    part = {0: "test", 1: "val"}.get(number % 5, "train")
    return f"{part}/{row['site']}-{number:04d}-{row['visit']:02d}.png"


@published(encode_png)
def write_covidx(drawn: Drawn) -> RawImages:
    """Return the image files, and `train.txt`, `val.txt` and `test.txt`.

    The first line of the training file has a grade in place of a class.
    """
    first = drawn.rows.iloc[0]
    lines = {"train.txt": [f"{first['patient']} graded.png level1 {first['site']}"]}
    columns = ("patient", "image_id", "file", "covid19", "site")
    for patient, name, file, is_case, site in zip(
        *(drawn.rows[column] for column in columns), strict=True
    ):
        result = "positive" if is_case else "negative"
        part = file.partition("/")[0]
        line = f"{patient} {name} {result} {site}"
        lines.setdefault(f"{part}.txt", []).append(line)
    texts = {file: "\n".join(own) + "\n" for file, own in lines.items()}
    return replace(drawn.images, texts=texts)
