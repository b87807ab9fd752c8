"""Names in a list that find nothing: a table keeps all, and too many stop the run.

Of a download that is not whole, or a list of something else, there would otherwise come
a smaller cohort, and hardly a word.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

logger = logging.getLogger(__name__)

COLUMNS = {"list": "str", "image": "str", "reason": "str", "n_names": "int64"}
NO_FILE = "have no file in the folder"
_NAMED = 10


@dataclass(frozen=True, kw_only=True)
class UnmatchedBound:
    """How many names of a list may find nothing.

    Attributes:
        share: Of the names of each list, 0 to 1; above it the run stops.
        parameter: Where it is set, as "nih_ingestion.max_unmatched_share".
        kept_in: The file below the data root that has all of the names.
    """

    share: float
    parameter: str
    kept_in: str


def unmatched_names(
    names: Sequence[str] | pd.Series, *, of: str, n_names: int, reason: str
) -> pd.DataFrame:
    """Return `list, image, reason, n_names` of names that find nothing.

    Args:
        names: Those of the list that find nothing.
        of: The list.
        n_names: How many names the list has, those included.
        reason: What is wrong with them, as "have no file in the folder".
    """
    columns = {"list": of, "image": list(names), "reason": reason, "n_names": n_names}
    return pd.DataFrame(columns).astype(COLUMNS)


def names_without_file(listed: pd.DataFrame, *, of: str) -> pd.DataFrame:
    """Return the names whose file is not in the folder, as `unmatched_names`.

    Args:
        listed: `image_id`, and `file`: missing where there is none.
        of: The list.
    """
    names = listed.loc[listed["file"].isna(), "image_id"]
    return unmatched_names(names, of=of, n_names=len(listed), reason=NO_FILE)


def names_rejected(
    rejected: pd.DataFrame, wanted: str, *, of: str, n_matched: int, reason: str
) -> pd.DataFrame:
    """Return the names that were rejected for finding nothing, as `unmatched_names`.

    Args:
        rejected: `image_id` and `reason`.
        wanted: The reason in that table.
        of: The list.
        n_matched: How many names of the list did find something.
        reason: As for `unmatched_names`.
    """
    names = rejected.loc[rejected["reason"] == wanted, "image_id"]
    return unmatched_names(names, of=of, n_names=n_matched + len(names), reason=reason)


def refuse_unmatched(unmatched: pd.DataFrame, bound: UnmatchedBound) -> None:
    """Say how many names of each list find nothing, and which; refuse too many.

    Args:
        unmatched: As from `unmatched_names`, of any number of lists.
        bound: How many may.

    Raises:
        ValueError: Names each list of which more find nothing, and the first ten.
    """
    refused = []
    for (of, reason), rows in unmatched.groupby(["list", "reason"], sort=False):
        n_names = int(rows["n_names"].iloc[0])
        different = rows["image"].unique()
        found = (
            f"{len(rows)} of {n_names} names in {of} {reason}: "
            f"{', '.join(different[:_NAMED])}"
            f"{', …' if len(different) > _NAMED else ''}"
        )
        if len(rows) > bound.share * n_names:
            refused.append(found)
        else:
            logger.warning("%s (all are in %s)", found, bound.kept_in)
    if refused:
        raise ValueError(
            f"Too much of a list finds nothing: {'; '.join(refused)}. At most a share "
            f"of {bound.share:g} of each list may. All of them are in {bound.kept_in} "
            f"below the data root. Complete or correct the files and lists; or, if "
            f"there is no more of them, raise {bound.parameter}."
        )
