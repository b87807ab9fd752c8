"""Any number of radiographs to a table and pages, by several processes.

Rows are kept in the order of the files, one line each, as soon as they are known: what
was interrupted goes on after the last whole line. No number depends on which files are
beside one (`network.OnnxNetwork`), so that it ends in the same bits. Memory does not
grow with the files.
"""

import csv
import hashlib
import json
import logging
import os
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from rich.progress import track

from covid_cxr.prediction.bundle import Bundle, Prediction, open_bundle
from covid_cxr.prediction.dicom_results.written import (
    NONE,
    refuse_without_highdicom,
    write_results,
)
from covid_cxr.prediction.page import draw, write_page
from covid_cxr.prediction.refusals import reservations
from covid_cxr.prediction.sources import InputFile
from covid_cxr.radiographs.geometry import Box
from covid_cxr.workers import executor

logger = logging.getLogger(__name__)

TABLE, PAGE, PICTURES = "predictions.csv", "index.html", "pictures"
DICOM = "dicom"  # the folder of such results, and the column that says which there are
_BYTES = "surrogateescape"
_ROWS, _RUN = "rows.jsonl", "run.json"
_AT_ONCE = 8  # files in a process
_AHEAD = 2  # pieces of work that wait for each process


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is predicted with what.

    Attributes:
        bundle: Its folder or zip.
        files: In the order of the table.
        out: The folder that the table goes to.
        prevalence: As for `Bundle.predict`.
        workers: Processes.
        boxes: As for `Bundle.predict`.
        dicom: Whether results are written as DICOM, too.
    """

    bundle: Path
    files: Sequence[InputFile]
    out: Path
    prevalence: float | None
    workers: int
    boxes: Mapping[str, Box] = field(default_factory=dict)
    dicom: bool = False


def predict_all(job: Job) -> Counter[str]:
    """Write a table and pages of predictions; return how many have each status.

    Args:
        job: What is predicted with what.

    Raises:
        InvalidBundleError: If the bundle is not served here.
        ValueError: If the prevalence is not between 0 and 1.
        RuntimeError: If DICOM results are asked for and highdicom is not installed.
        FileExistsError: If the folder holds other predictions.
        OSError: If the table cannot be written, as on a full disk: what is in the
            folder stays, and the same call goes on from there.
    """
    if job.dicom:
        refuse_without_highdicom()
    bundle = open_bundle(job.bundle)
    bundle.check()
    bundle.stated(job.prevalence)  # refused before the folder is this run's
    for reservation in reservations(bundle.record):
        logger.warning(reservation)
    rows = _begin(job, bundle)
    n_done = _n_whole(rows, job)
    with rows.open("a", encoding="utf-8") as kept:
        rest = _predictions(job, n_done)
        n_left = len(job.files) - n_done
        shown = track(rest, description="Predicting", total=n_left, transient=True)
        for number, (row, picture) in enumerate(shown, start=n_done):
            if picture is not None:
                (job.out / _picture(number)).write_bytes(picture)
            kept.write(f"{json.dumps(row)}\n")
            kept.flush()
    return _finish(job, bundle)


def _begin(job: Job, bundle: Bundle) -> Path:
    """Return the file of rows, in a folder that is for this run only."""
    said = {
        "bundle": bundle.record["name"],
        "bundle_sha256": bundle.sha256,
        "prevalence": job.prevalence,
        "n_files": len(job.files),
        # Names, which the rows have, do not tell another folder with files named alike.
        "files_sha256": _sha256(sorted(file.state for file in job.files)),
        "boxes_sha256": _sha256(job.boxes),
    }
    if job.dicom:
        said[DICOM] = True
        (job.out / DICOM).mkdir(parents=True, exist_ok=True)
    (job.out / PICTURES).mkdir(parents=True, exist_ok=True)
    run = job.out / _RUN
    if run.exists() and json.loads(run.read_text("utf-8")) != said:
        raise FileExistsError(
            f"{job.out} holds predictions of another run ({run}); name another folder."
        )
    part = job.out / f"{_RUN}.part"
    part.write_text(json.dumps(said), "utf-8")
    part.replace(run)
    return job.out / _ROWS


def _sha256(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _n_whole(rows: Path, job: Job) -> int:
    """Return how many files are done; a line that was cut off is taken away."""
    if not rows.exists():
        return 0
    n_rows, n_bytes = 0, 0
    with rows.open("rb") as kept:
        for line in kept:
            if not line.endswith(b"\n"):
                break
            _refuse_other_files(json.loads(line), n_rows, job)
            n_rows, n_bytes = n_rows + 1, n_bytes + len(line)
    os.truncate(rows, n_bytes)
    return n_rows


def _refuse_other_files(row: Mapping[str, Any], number: int, job: Job) -> None:
    expected = job.files[number].name if number < len(job.files) else "no further file"
    if row["file"] != expected:
        raise FileExistsError(
            f"{job.out} holds predictions of other files: {row['file']} where "
            f"{expected} is to come; name another folder."
        )


def _predictions(
    job: Job, n_done: int
) -> Iterator[tuple[Mapping[str, Any], bytes | None]]:
    """Yield row and picture of each file that is not done, in their order."""
    if n_done == len(job.files):
        return iter(())
    return _in_pieces(job, range(n_done, len(job.files), _AT_ONCE))


def _in_pieces(
    job: Job, starts: range
) -> Iterator[tuple[Mapping[str, Any], bytes | None]]:
    left = iter(starts)
    with executor(job.workers, cluster=None) as pool:
        waiting: deque[Future[Any]] = deque()
        for start in islice(left, _AHEAD * job.workers):
            waiting.append(_submit(pool, job, start))
        while waiting:
            yield from waiting.popleft().result()
            for start in islice(left, 1):
                waiting.append(_submit(pool, job, start))


def _submit(pool: Executor, job: Job, start: int) -> Future[Any]:
    piece = job.files[start : start + _AT_ONCE]
    stems = [_dicom_stem(job, start + number) for number in range(len(piece))]
    names = [one.name for one in piece if one.name in job.boxes]
    asked = {"prevalence": job.prevalence, "boxes": {n: job.boxes[n] for n in names}}
    return pool.submit(_predict, str(job.bundle), piece, stems, asked)


def _predict(
    bundle: str,
    files: Sequence[InputFile],
    stems: Sequence[Path | None],
    asked: Mapping[str, Any],
) -> list[tuple[Mapping[str, Any], bytes | None]]:
    opened = _opened(bundle)
    found = opened.predictions(files, **asked)
    made: list[tuple[Mapping[str, Any], bytes | None]] = []
    for file, one, stem in zip(files, found, stems, strict=True):
        row = _plain(one)
        if stem is not None:
            row[DICOM] = write_results(file, one, opened, stem=stem)
        made.append((row, draw(one)))
    return made


@lru_cache(maxsize=1)
def _opened(bundle: str) -> Bundle:
    return open_bundle(bundle)


def _plain(prediction: Prediction) -> dict[str, Any]:
    """Return a row as JSON takes it: no number for what is not known."""
    return {
        name: None if value != value else value  # noqa: PLR0124 - only NaN differs
        for name, value in prediction.row.items()
    }


def _picture(number: int) -> str:
    return f"{PICTURES}/{number + 1:07d}.jpg"


def _dicom_stem(job: Job, number: int) -> Path | None:
    return job.out / DICOM / f"{number + 1:07d}" if job.dicom else None


def _finish(job: Job, bundle: Bundle) -> Counter[str]:
    """Write the table and the pages from the rows, and count their statuses."""
    counts = Counter(row["status"] for row in _read(job))
    part = job.out / f"{TABLE}.part"
    # A name that is no UTF-8 is written byte by byte as the file system has it.
    with part.open("w", encoding="utf-8", errors=_BYTES, newline="") as file:
        columns = [*bundle.columns, *([DICOM] if job.dicom else [])]
        table = csv.DictWriter(file, columns)
        table.writeheader()
        table.writerows(_read(job))
    part.replace(job.out / TABLE)
    pictured = (
        (row, _picture(number) if (job.out / _picture(number)).exists() else None)
        for number, row in enumerate(_read(job))
    )
    write_page(job.out / PAGE, bundle.record, counts, pictured)
    if job.dicom:
        _say_without_dicom(job)
    return counts


def _say_without_dicom(job: Job) -> None:
    reasons = Counter(
        row[DICOM].removeprefix(NONE)
        for row in _read(job)
        if row[DICOM].startswith(NONE)
    )
    for reason, number in reasons.most_common():
        logger.warning("no DICOM results of %d files: %s", number, reason)


def _read(job: Job) -> Iterator[dict[str, Any]]:
    with (job.out / _ROWS).open(encoding="utf-8") as kept:
        for line in kept:
            yield json.loads(line)
