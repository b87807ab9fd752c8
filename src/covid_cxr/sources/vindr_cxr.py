"""VinDr-CXR: 18,000 radiographs of two hospitals in Hanoi, read by radiologists.

Nguyen et al., Scientific Data 9, 2022. Three readers have read each training image, one
row for each; a test image has one row, the consensus of five. No patient ids are
published: each image is taken for a patient of its own.
"""

import logging
from dataclasses import dataclass

import pandas as pd

from covid_cxr.checks import check_whole
from covid_cxr.cohorts.dicom_headers import read_headers
from covid_cxr.cohorts.radiograph_table import (
    BOX,
    admit,
    first_reason,
    nothing_known,
    require_columns,
    stated,
)
from covid_cxr.cohorts.vocabulary import (
    findings_of,
    refuse_absent,
    terms_of,
    words_for,
)
from covid_cxr.radiographs.folder import RadiographFolder
from covid_cxr.radiographs.unmatched import names_without_file, unmatched_names
from covid_cxr.sources.listed import PLACE, Ingestion
from covid_cxr.sources.published_counts import VINDR_CXR, log_differences
from covid_cxr.user_numbers import PIXELS, line_of, numbers

logger = logging.getLogger(__name__)

SOURCE = "vindr_cxr"
READERS = 3
_CORNERS = ("x_min", "y_min", "x_max", "y_max")
_NOTHING = "No finding"  # rows of an image without a box have it
_OTHER = {"Other disease": "Other diseases"}  # as the table of test labels has it
_VOTES = {"0": 0.0, "0.0": 0.0, "1": 1.0, "1.0": 1.0}


@dataclass(frozen=True, kw_only=True)
class VindrIngestion(Ingestion):
    """How VinDr-CXR is listed.

    Attributes:
        readers_needed: How many of the three readers of a training image must see a
            finding, 1 to 3.
    """

    readers_needed: int = 2

    def __post_init__(self) -> None:
        """Refuse a number of readers that cannot be, and what is no share."""
        super().__post_init__()
        needed = self.readers_needed
        check_whole("readers_needed", needed, least=1, most=READERS, place=PLACE)


def list_vindr_cxr(  # noqa: PLR0913 - four of the publisher's tables
    *,
    train_labels: pd.DataFrame,
    test_labels: pd.DataFrame | None,
    train_annotations: pd.DataFrame | None,
    test_annotations: pd.DataFrame | None,
    images: RadiographFolder,
    findings: list[str],
    ingestion: VindrIngestion,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the radiograph table of VinDr-CXR, its boxes, and the rejected rows.

    Adds `official_part`, "train_val" or "test". View, sex and age come from the DICOM
    headers of the files that are there. The boxes are `image_id, x, y, width, height,
    finding` in pixels of the raw image: all that any reader drew of what the study asks
    for, on images that are positive for it.

    Args:
        train_labels: image_labels_train.csv, as text: a row for each reader.
        test_labels: image_labels_test.csv: the consensus; None if it is absent.
        train_annotations: annotations_train.csv; None if it is absent.
        test_annotations: annotations_test.csv; None if it is absent.
        images: The folder of the DICOM files.
        findings: Labels of the study; an image that is silent on all is rejected.
        ingestion: How many readers are needed.

    Raises:
        ValueError: If columns are missing, or VinDr-CXR has no such finding.
    """
    refuse_absent(findings, SOURCE)
    _refuse_missing_columns(train_labels, test_labels)
    needed = ingestion.readers_needed
    parts = [_read(train_labels, "train_val", n_readers=READERS, needed=needed)]
    if test_labels is not None:
        parts.append(_read(test_labels, "test", n_readers=1, needed=1))
    rows = pd.concat(parts, ignore_index=True)
    in_both = rows["image_id"].duplicated(keep=False)
    headers = read_headers(rows["name"], images)
    silent = nothing_known(rows[[*findings_of(SOURCE)]], findings)
    reason = first_reason(rows, {"in both tables of labels": in_both})
    listing = rows.assign(
        patient_id="vindr:" + rows["image_id"],
        source="vindr-cxr",
        **headers.assign(
            reason=reason.fillna(rows["reason"])
            .fillna(headers["reason"])
            .fillna(silent)
        ),
    )
    if not images.is_synthetic:
        log_differences(SOURCE, _counts(listing), VINDR_CXR)
    radiographs, rejected = admit(SOURCE, listing, images)
    logger.info(
        "%s: no patient ids are published; each of the %d images is taken for a "
        "patient of its own, so that a patient may be in two parts",
        SOURCE,
        len(radiographs),
    )
    boxes = [
        _boxes(table, radiographs, findings)
        for table in (train_annotations, test_annotations)
        if table is not None
    ]
    return radiographs, _together(boxes), rejected


def list_unmatched_vindr_cxr(
    listed: pd.DataFrame,
    rejected: pd.DataFrame,
    train_annotations: pd.DataFrame | None,
    test_annotations: pd.DataFrame | None,
) -> pd.DataFrame:
    """Return names without a file, and boxes without labels, as `unmatched_names`."""
    labelled = {*listed["image_id"], *rejected["image_id"]}
    found = [names_without_file(listed, of="the tables of labels")]
    for table, name in (
        (train_annotations, "annotations_train.csv"),
        (test_annotations, "annotations_test.csv"),
    ):
        if table is None:
            continue
        names = stated(table["image_id"]).dropna().drop_duplicates()
        found.append(
            unmatched_names(
                names[~names.isin(labelled)],
                of=name,
                n_names=len(names),
                reason="have no row in the tables of labels",
            )
        )
    return pd.concat(found, ignore_index=True)


def _refuse_missing_columns(train: pd.DataFrame, test: pd.DataFrame | None) -> None:
    columns = ("image_id", *(term for term in terms_of(SOURCE) if term not in _OTHER))
    require_columns(train, ("rad_id", *columns), table="image_labels_train.csv")
    if test is not None:
        table = "image_labels_test.csv"
        require_columns(test.rename(columns=_OTHER), columns, table=table)


def _read(
    table: pd.DataFrame, part: str, *, n_readers: int, needed: int
) -> pd.DataFrame:
    """Return `image_id, name, official_part, reason` and the findings, by image.

    A finding is known where the readers who are missing could not change it.

    Args:
        table: A row for each reader of an image.
        part: Official.
        n_readers: How many have read an image.
        needed: How many of them must see a finding.
    """
    rows = table.rename(columns=_OTHER)
    names = stated(rows["image_id"]).fillna("(none)")
    cells = rows[[term for term in terms_of(SOURCE) if term not in _OTHER]].apply(
        stated
    )
    votes = cells.apply(lambda column: column.map(_VOTES))
    readers = rows.reindex(columns=["rad_id"]).assign(image=names)
    reason = first_reason(
        rows,
        {
            "no image_id": names == "(none)",
            "a label is neither 0 nor 1": (cells.notna() & votes.isna()).any(axis=1),
            f"more rows than readers ({n_readers})": (
                names.groupby(names).transform("size") > n_readers
            ),
            "two rows of one reader": readers.duplicated(keep=False),
        },
    )
    findings = {}
    for finding, words in words_for(SOURCE).items():
        own = votes[[word for word in words if word not in _OTHER]]
        n_yes = own.eq(1).any(axis=1).groupby(names, sort=False).sum()
        n_no = own.eq(0).all(axis=1).groupby(names, sort=False).sum()
        is_open = (n_yes < needed) & (n_readers - n_no >= needed)
        findings[finding] = (n_yes >= needed).astype("boolean").mask(is_open)
    by_image = pd.DataFrame(findings).assign(
        reason=reason.groupby(names, sort=False).first(), official_part=part
    )
    by_image = by_image.rename_axis("image_id").reset_index()
    return by_image.assign(name=by_image["image_id"] + ".dicom")


def _boxes(
    table: pd.DataFrame, radiographs: pd.DataFrame, asked: list[str]
) -> pd.DataFrame:
    """Return boxes of what is asked, on admitted images that are positive for it."""
    require_columns(table, ("image_id", "class_name", *_CORNERS), table="annotations")
    corners = numbers(table, _CORNERS, form=PIXELS)
    terms = {term: [f for f in own if f in asked] for term, own in _terms().items()}
    drawn = pd.DataFrame(
        {
            "image_id": stated(table["image_id"]),
            "x": corners["x_min"],
            "y": corners["y_min"],
            "width": corners["x_max"] - corners["x_min"],
            "height": corners["y_max"] - corners["y_min"],
            "finding": stated(table["class_name"]).map(terms),
            "line": range(len(table)),
        }
    )
    rows = drawn.explode("finding").dropna(subset="finding")
    positive = {
        (image, finding)
        for finding in asked
        for image in radiographs["image_id"][radiographs[finding].fillna(value=False)]
    }
    pairs = zip(rows["image_id"], rows["finding"], strict=True)
    rows = rows[[pair in positive for pair in pairs]]
    is_box = rows[["x", "y"]].ge(0).all(axis=1) & rows[["width", "height"]].gt(0).all(
        axis=1
    )
    if not is_box.all():
        first = rows[~is_box].iloc[0]
        logger.warning(
            "%s: %d of %d boxes are left out, as that of %s (%s): corners must be at "
            "least 0, and x_max and y_max above x_min and y_min",
            SOURCE,
            (~is_box).sum(),
            len(rows),
            first["image_id"],
            line_of(table, int(first["line"])),
        )
    return rows.loc[is_box, ["image_id", *BOX, "finding"]]


def _terms() -> dict[str, tuple[str, ...]]:
    return {term: own for term, own in terms_of(SOURCE).items() if term != _NOTHING}


def _together(boxes: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the boxes of both tables; none where there are no tables."""
    columns = {"image_id": "str", **dict.fromkeys(BOX, "float64"), "finding": "str"}
    empty = pd.DataFrame(columns=list(columns))
    whole = pd.concat(boxes, ignore_index=True) if boxes else empty
    return whole.astype(columns)


def _counts(listing: pd.DataFrame) -> dict[str, int]:
    """Return the counts that `published_counts.VINDR_CXR` holds."""
    parts = listing["official_part"].value_counts()
    return {
        "images of image_labels_train.csv": int(parts.get("train_val", 0)),
        "images of image_labels_test.csv": int(parts.get("test", 0)),
    }
