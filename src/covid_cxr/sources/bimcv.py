"""The layout `bimcv`: BIMCV-COVID19+ and BIMCV-COVID19-, of the Valencian Region.

de la Iglesia Vaya et al. 2020, arXiv:2006.01174. Both collections keep subjects and
sessions in the names of their 16-bit PNG files,

    sub-S03047/ses-E07985/mod-rx/sub-S03047_ses-E07985_run-1_bp-chest_vp-ap_cr.png

with the view after "vp-". A session is of the collection whose table of labels has
it: `labels_covid19_posi.tsv`, or `labels_SARS-cov-2_nega.tsv` (each as `labels*posi*`
and `labels*neg*`). All subjects of the first had a positive test, no session of the
second had. The collections number their subjects apart: `listjoin_ok.tsv` says which
negative subject is which positive one.
"""

import logging
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pandas as pd

from covid_cxr.cohorts.radiograph_table import (
    COVID19,
    age_in_years,
    first_reason,
    frontal_view,
    is_lateral,
    is_view_not_stated,
    is_view_not_understood,
    require_columns,
    sex,
)
from covid_cxr.radiographs.defined_terms import VIEW_POSITIONS
from covid_cxr.radiographs.folder import RadiographFolder
from covid_cxr.radiographs.unmatched import names_rejected
from covid_cxr.user_csv import read_user_csv

logger = logging.getLogger(__name__)

POSITIVE, NEGATIVE = "positive", "negative"
LABEL_FILES = {POSITIVE: "labels*posi*.tsv", NEGATIVE: "labels*neg*.tsv"}
JOIN_FILE = "listjoin*.tsv"
PARTICIPANTS_FILE = "participants.tsv"

_IN_NO_TABLE = "its session is in no table of labels"
_NO_FILE = {
    collection: f"in the labels of the {collection} collection, but none of its files "
    "is in the folder"
    for collection in LABEL_FILES
}
_LABEL_COLUMNS = ("PatientID", "ReportID")
_JOIN_COLUMNS = ("covid19_neg", "covid19_posi")
_PARTICIPANT_COLUMNS = ("participant", "age", "gender")
_SUBJECT, _SESSION = r"(S\d+)", r"(E\d+)"
_FILE = r"^sub-(?P<subject>S\d+)_ses-(?P<session>E\d+)_"
_OTHER = r"/sub-S\d+_ses-(?P<session>E\d+)_[^/]*$"


def read_bimcv(images: RadiographFolder) -> pd.DataFrame:
    """Return the listing of the collections' files (see `covid.py`).

    Both collections are one source: they come from the same hospitals, and share
    patients.

    Args:
        images: The folder of one collection or of both, each in a folder of its own.

    Raises:
        ValueError: If there is no table of labels, or a table lacks columns.
    """
    labels = _label_files(images)
    paths = pd.Series(sorted(images.files), dtype="str")
    names = paths.map(lambda path: PurePosixPath(path).name).astype("str")
    tags = names.str.extract(_FILE).assign(
        view=names.str.extract(r"_vp-([A-Za-z]+)[_.]", expand=False)
    )
    sessions = {name: _sessions(files) for name, files in labels.items()}
    is_positive = tags["session"].isin(sessions[POSITIVE])
    is_negative = tags["session"].isin(sessions[NEGATIVE])
    collection = pd.Series(NEGATIVE, index=paths.index).mask(is_positive, POSITIVE)
    people = _participants(images, labels).reindex(
        pd.MultiIndex.from_arrays([collection, tags["subject"]])
    )
    listing = pd.DataFrame(
        {
            "image_id": names,
            "name": paths,
            "patient": _patients(tags["subject"], is_positive, images),
            "source": "bimcv",
            "view": frontal_view(tags["view"], quotable=VIEW_POSITIONS),
            "sex": sex(people["sex"]).to_numpy(),
            "age_years": age_in_years(people["age"]).to_numpy(),
            COVID19: is_positive.astype("boolean"),
            "reason": _reason(tags, is_positive, is_negative),
        }
    )
    # The tables of labels name sessions of CT, too: files, but no radiographs.
    others = pd.Series(images.others, dtype="str").str.extract(_OTHER)["session"]
    absent = _without_file(sessions, {*tags["session"], *others})
    return pd.concat([listing, absent], ignore_index=True)


def unmatched_sessions(listed: pd.DataFrame, rejected: pd.DataFrame) -> pd.DataFrame:
    """Return sessions without files, files without a session, as `unmatched_names`."""
    session = listed["image_id"].str.extract(_FILE)["session"]
    n_usable = session.groupby(listed[COVID19].to_numpy(bool)).nunique()
    absent = [
        names_rejected(
            rejected,
            _NO_FILE[collection],
            of=f"the labels of BIMCV's {collection} collection",
            n_matched=int(n_usable.get(collection == POSITIVE, 0)),
            reason="are sessions without a file in the folder",
        )
        for collection in LABEL_FILES
    ]
    unknown = names_rejected(
        rejected,
        _IN_NO_TABLE,
        of="the folder of BIMCV",
        n_matched=int(session.notna().sum()),
        reason="are files of a session that is in no table of labels",
    )
    return pd.concat([*absent, unknown])


def _without_file(sessions: Mapping[str, set[str]], found: set[str]) -> pd.DataFrame:
    """Return listing rows for sessions that only the tables of labels name."""
    rows = [
        (f"ses-{session}", _NO_FILE[collection])
        for collection, named in sessions.items()
        for session in sorted(named - found)
    ]
    absent = pd.DataFrame(rows, columns=["image_id", "reason"], dtype="str")
    return absent.assign(source="bimcv")


def _reason(
    tags: pd.DataFrame, is_positive: pd.Series, is_negative: pd.Series
) -> pd.Series:
    """Return why a file cannot be used; missing if it can."""
    return first_reason(
        tags,
        {
            "its name has no subject and session": tags["session"].isna(),
            "lateral view": is_lateral(tags["view"]),
            "view not stated": is_view_not_stated(tags["view"]),
            "view not understood": is_view_not_understood(tags["view"]),
            "its session is in the labels of both collections": (
                is_positive & is_negative
            ),
            _IN_NO_TABLE: ~is_positive & ~is_negative,
        },
    )


def _label_files(images: RadiographFolder) -> dict[str, list[Path]]:
    """Return the tables of labels of each collection; at least one there is."""
    files = {
        collection: images.named(pattern) for collection, pattern in LABEL_FILES.items()
    }
    if not any(files.values()):
        raise ValueError(
            f"covid_ingestion.layout is bimcv, but there is no "
            f"{' and no '.join(LABEL_FILES.values())} below {images.root}; put "
            f"derivatives/labels of the collections there."
        )
    return files


def _sessions(files: list[Path]) -> set[str]:
    """Return the sessions that tables of labels have, as "E07985"."""
    found: set[str] = set()
    for path in files:
        table = read_user_csv(path)
        require_columns(table, _LABEL_COLUMNS, table=path.name)
        found.update(table["ReportID"].str.extract(_SESSION, expand=False).dropna())
    return found


def _patients(
    subjects: pd.Series, is_positive: pd.Series, images: RadiographFolder
) -> pd.Series:
    """Return subjects in the numbering of the positive collection, where it has them.

    Others of the negative collection are "neg-S03047".
    """
    files = images.named(JOIN_FILE)
    joined: dict[str, str] = {}
    for path in files:
        table = read_user_csv(path)
        require_columns(table, _JOIN_COLUMNS, table=path.name)
        number = {
            name: table[name].str.extract(_SUBJECT, expand=False)
            for name in _JOIN_COLUMNS
        }
        joined.update(zip(number["covid19_neg"], number["covid19_posi"], strict=True))
    if not files and is_positive.any() and not is_positive.all():
        logger.warning(
            "bimcv: there is no %s: patients who are in both collections cannot be "
            "recognised, and may come to stand in two parts",
            JOIN_FILE,
        )
    of_negative = subjects.map(joined).astype("str").fillna("neg-" + subjects)
    return subjects.where(is_positive, of_negative)


def _participants(
    images: RadiographFolder, labels: dict[str, list[Path]]
) -> pd.DataFrame:
    """Return `sex, age` as published, by collection and subject."""
    tables = [
        pd.DataFrame({"collection": [], "subject": [], "sex": [], "age": []}, dtype=str)
    ]
    for path in images.named(PARTICIPANTS_FILE):
        below = [
            collection
            for collection, files in labels.items()
            if any(file.is_relative_to(path.parent) for file in files)
        ]
        if len(below) != 1:
            logger.warning(
                "bimcv: %s has the labels of %d collections below it, not of one; sex "
                "and age stay unknown. Keep each collection in a folder of its own",
                path.relative_to(images.root),
                len(below),
            )
            continue
        tables.append(_participants_of(path, below[0]))
    people = pd.concat(tables).drop_duplicates(["collection", "subject"])
    return people.set_index(["collection", "subject"])


def _participants_of(path: Path, collection: str) -> pd.DataFrame:
    """Return `collection, subject, sex, age` of one participants.tsv."""
    table = read_user_csv(path)
    require_columns(table, _PARTICIPANT_COLUMNS, table=path.name)
    return pd.DataFrame(
        {
            "collection": collection,
            "subject": table["participant"].str.extract(_SUBJECT, expand=False),
            "sex": table["gender"].str.extract(r"([MF])", expand=False),
            # Several ages stand in a list, "['067Y', '068Y']": the first is taken.
            "age": table["age"].str.extract(r"(\d+[YMWD]?)", expand=False),
        }
    )
