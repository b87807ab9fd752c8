"""Radiographs that curation flags for a person to look at: how many, and some of them.

Which ones are shown is drawn by a rule, never by hand, and from every cohort and flag
in turn. Nothing of what is shown names a patient or a file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from covid_cxr.radiographs import contrast, polarity

MOST_SHOWN = 24


@dataclass(frozen=True, kw_only=True)
class Flag:
    """What a flag says.

    Attributes:
        title: Of its images.
        rule: By which an image is flagged.
        error_rates: What was measured of the rule.
    """

    title: str
    rule: str
    error_rates: str


FLAGS = {
    "is_polarity_suspect": Flag(
        title="May be a negative",
        rule=(
            "both the air above the shoulders is brighter than the middle of the chest "
            "and the lungs are brighter than the mediastinum"
        ),
        error_rates=polarity.ERROR_RATES,
    ),
    "is_contrast_suspect": Flag(
        title="Hardly any contrast",
        rule="32 of the 256 grey levels hold 90 % of the pixels or more",
        error_rates=contrast.ERROR_RATES,
    ),
}


@dataclass(frozen=True, kw_only=True)
class FlagTables:
    """What the report shows of flagged radiographs.

    Attributes:
        flag_results: From `count_flags`.
        flagged_radiographs: From `show_flagged`.
    """

    flag_results: pd.DataFrame
    flagged_radiographs: list[dict[str, Any]]

    @property
    def rules(self) -> list[Flag]:
        """The flags in the order of the columns."""
        return list(FLAGS.values())

    @property
    def cohorts(self) -> list[dict[str, Any]]:
        """For each cohort its `name`, `images` and the `flagged` of each flag."""
        return [
            {
                "name": name,
                "images": int(rows["images"].iloc[0]),
                "flagged": rows.set_index("flag")["flagged"].loc[[*FLAGS]].to_list(),
            }
            for name, rows in self.flag_results.groupby("cohort", sort=False)
        ]

    @property
    def n_flagged(self) -> int:
        """Images with a flag or two."""
        of_cohorts = self.flag_results.groupby("cohort")["flagged_by_any"]
        return int(of_cohorts.first().sum())


def count_flags(**curated: pd.DataFrame) -> pd.DataFrame:
    """Return `cohort, flag, images, flagged, flagged_by_any`, a row for each flag.

    Args:
        curated: Radiographs with pixels and their flags, by cohort.

    Raises:
        ValueError: If a table lacks a flag.
    """
    _refuse_unflagged(curated)
    return pd.DataFrame(
        [
            {
                "cohort": cohort,
                "flag": flag,
                "images": len(radiographs),
                "flagged": int(radiographs[flag].sum()),
                "flagged_by_any": int(radiographs[[*FLAGS]].any(axis=1).sum()),
            }
            for cohort, radiographs in curated.items()
            for flag in FLAGS
        ]
    )


def draw_flagged(curated: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return `cohort, row` and the flags of at most 24 flagged radiographs.

    Those of each cohort and flag are taken in turn, in the order of the hashes of their
    pixels: as good as random, and the same for the same images.

    Args:
        curated: Radiographs with pixels and their flags, by cohort.

    Raises:
        ValueError: If a table lacks a flag.
    """
    _refuse_unflagged(curated)
    columns = ["cohort", "row", *FLAGS]
    groups = []
    for cohort, radiographs in curated.items():
        ordered = radiographs.sort_values(["pixels_sha256", "row"])
        for flag in FLAGS:
            flagged = ordered[ordered[flag].to_numpy(bool)].assign(cohort=cohort)
            groups.append(flagged[columns].assign(turn=range(len(flagged))))
    in_turn = pd.concat(groups).sort_values("turn", kind="stable")
    drawn = in_turn.drop_duplicates(["cohort", "row"]).head(MOST_SHOWN)
    rank = drawn["cohort"].map({cohort: i for i, cohort in enumerate(curated)})
    by_cohort = drawn.iloc[np.argsort(rank.to_numpy(), kind="stable")]
    return by_cohort[columns].reset_index(drop=True)


def show_flagged(drawn: pd.DataFrame, addresses: Sequence[str]) -> list[dict[str, Any]]:
    """Return what is shown of each radiograph, as JSON takes it.

    Each has its `cohort`, the titles of its `flags` and the address of its
    `radiograph`.

    Args:
        drawn: From `draw_flagged`, n rows.
        addresses: Of small images of the same n radiographs, as in `gallery.as_jpeg`.
    """
    return [
        {
            "cohort": row["cohort"],
            "flags": [flag.title for name, flag in FLAGS.items() if row[name]],
            "radiograph": address,
        }
        for row, address in zip(drawn.to_dict("records"), addresses, strict=True)
    ]


def _refuse_unflagged(curated: Mapping[str, pd.DataFrame]) -> None:
    for cohort, radiographs in curated.items():
        lacking = [flag for flag in FLAGS if flag not in radiographs]
        if lacking:
            raise ValueError(
                f"The curated radiographs of {cohort} lack {', '.join(lacking)}: they "
                "are of an earlier version. Run curation again "
                "(kedro run --pipelines=curation)."
            )
