"""Defects that are planted among the synthetic raw files, and the list of them.

Collections that people put together have the same picture under two names, negatives,
broken files and patients with two results. Here it is known where, so that it can be
seen whether curation and the audit find exactly that.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd

from covid_cxr.checks import check_whole
from covid_cxr.study.current import current
from covid_cxr.study.design import GENERAL, RELATED
from covid_cxr.synthesis.damage import DAMAGES
from covid_cxr.synthesis.orders import Order, RawImages, orders_of

logger = logging.getLogger(__name__)

MISSING, IN_TWO_COHORTS, MIXED_LABELS = "missing", "in_two_cohorts", "mixed_labels"
COPIES = ("copy", "stored_anew", "inverted_copy")
BROKEN = ("corrupt", "truncated", "wrong_size", MISSING)
_OF_SHOWN = ("of_cohort", "of_image_id", "of_file")
_COLUMNS = ("cohort", "image_id", "file", "defect", *_OF_SHOWN)


@dataclass(frozen=True, kw_only=True)
class Defects:
    """How many defects of each kind are planted (parameters_synthesis.yml).

    Attributes:
        seed: Of the choice of images.
        copy: Images per cohort whose file is that of another patient's.
        stored_anew: The same, enlarged, and a PNG through JPEG.
        inverted_copy: The same, as a negative.
        inverted: Images per cohort that are negatives of themselves.
        corrupt: Files per cohort without any meaning.
        truncated: Files per cohort that end half-way.
        wrong_size: Files per cohort whose header names more rows than there are.
        missing: Images per cohort that are listed and have no file.
        in_two_cohorts: Images of the target cohort that show a radiograph of the
            general one; without one, of the first related one.
        mixed_labels: Patients of the target cohort of whom one result is turned round.
    """

    seed: int
    copy: int
    stored_anew: int
    inverted_copy: int
    inverted: int
    corrupt: int
    truncated: int
    wrong_size: int
    missing: int
    in_two_cohorts: int
    mixed_labels: int

    def __post_init__(self) -> None:
        """Refuse what is not a count."""
        place = "parameters_synthesis.yml"
        for name, count in asdict(self).items():
            check_whole(f"defects.{name}", count, least=0, place=place)


@dataclass(frozen=True, kw_only=True)
class PlantedEncoder:
    """Encodes radiographs into files, some of them with a defect; can be pickled.

    Attributes:
        encode: Returns the bytes of a file without a defect.
        defect_of: The defect by file.
        shown: By file, the radiograph that is shown instead of its own.
    """

    encode: Callable[[Order], bytes]
    defect_of: Mapping[str, str]
    shown: Mapping[str, Order]

    def __call__(self, order: Order) -> bytes:
        """Return the bytes of one file."""
        content = self.encode(self.shown.get(order.file, order))
        defect = self.defect_of.get(order.file)
        return content if defect is None else DAMAGES[defect](content)


def no_defects() -> pd.DataFrame:
    """Return the list of defects of a hospital that has none."""
    return pd.DataFrame(columns=list(_COLUMNS), dtype="str")


def choose_defects(radiographs: pd.DataFrame, defects: Defects) -> pd.DataFrame:
    """Return which image gets which defect, one row per defect.

    No patient of a cohort is in two rows, whether with a defect or as the one that a
    copy shows, so each defect can be told from the others.

    Args:
        radiographs: From `admit_patients`.
        defects: How many of each kind.

    Returns:
        `cohort`, `image_id` and `file` of the image, its `defect`, and `of_cohort`,
        `of_image_id` and `of_file` of what a copy shows (missing elsewhere).

    Raises:
        ValueError: If a cohort has too few patients for so many defects, or none that
            could have two results.
    """
    rng = np.random.default_rng([defects.seed, 4])
    pools = {
        cohort: _pool(radiographs, cohort, rng)
        for cohort in radiographs["cohort"].unique()
    }
    _refuse_mixed_labels(radiographs, defects)
    wanted = pd.DataFrame(
        _wanted(defects, list(pools)), columns=["cohort", "defect", "of_cohort"]
    )
    # First every image with a defect takes one, then every copy what it shows.
    takers = pd.concat([wanted["cohort"], wanted["of_cohort"].dropna()])
    places = takers.groupby(takers).cumcount()
    _refuse_too_many(takers, pools)
    files = pd.Series(
        [pools[cohort][place] for cohort, place in zip(takers, places, strict=True)],
        index=takers.index,
        dtype="str",
    )
    chosen = wanted.assign(
        file=files.iloc[: len(wanted)], of_file=files.iloc[len(wanted) :]
    )
    logger.info("%d defects planted", len(chosen))
    image_id = radiographs.set_index(["cohort", "file"])["image_id"]
    return chosen.assign(
        image_id=_image_id(image_id, chosen["cohort"], chosen["file"]),
        of_image_id=_image_id(image_id, chosen["of_cohort"], chosen["of_file"]),
    )[list(_COLUMNS)].astype("str")


def plant(
    images: RawImages,
    radiographs: pd.DataFrame,
    defects: pd.DataFrame,
    *,
    cohort: str,
) -> RawImages:
    """Return the image files of a cohort with its defects.

    Args:
        images: The files without a defect.
        radiographs: From `admit_patients`.
        defects: From `choose_defects`.
        cohort: Its name in the study.
    """
    own = defects[defects["cohort"] == cohort]
    if own.empty:
        return images
    order_of = {
        (of_cohort, order.file): order
        for of_cohort in own["of_cohort"].dropna().unique()
        for order in orders_of(radiographs, cohort=of_cohort)
    }
    copies = own.dropna(subset="of_file")
    what = zip(copies["of_cohort"], copies["of_file"], strict=True)
    shown = dict(zip(copies["file"], map(order_of.__getitem__, what), strict=True))
    missing = set(own.loc[own["defect"] == MISSING, "file"])
    in_file = own[own["defect"].isin(list(DAMAGES))]
    return replace(
        images,
        orders=tuple(order for order in images.orders if order.file not in missing),
        encode=PlantedEncoder(
            encode=images.encode,
            defect_of=dict(zip(in_file["file"], in_file["defect"], strict=True)),
            shown=shown,
        ),
    )


def masked_orders(
    radiographs: pd.DataFrame, defects: pd.DataFrame, *, cohort: str
) -> tuple[Order, ...]:
    """Return the orders of the lung masks of a cohort, PNG files.

    Those that cannot be read or show a picture of somebody else's have none.

    Args:
        radiographs: From `admit_patients`.
        defects: From `choose_defects`.
        cohort: Its name in the study.
    """
    is_sound = defects["defect"].isin(["inverted", MIXED_LABELS])
    unmasked = set(defects.loc[(defects["cohort"] == cohort) & ~is_sound, "file"])
    return tuple(
        replace(order, file=f"{order.stem}.png")
        for order in orders_of(radiographs, cohort=cohort)
        if order.file not in unmasked
    )


def _wanted(defects: Defects, cohorts: list[str]) -> list[tuple[str, str, str | None]]:
    """Return cohort, defect and the cohort of what is shown for every defect."""
    study = current()
    target = study.target_cohort
    before = [*study.cohorts_of(GENERAL), *study.cohorts_of(RELATED), target]
    mixed = [(target, MIXED_LABELS, None)] * defects.mixed_labels
    foreign = [(target, IN_TWO_COHORTS, before[0])] * defects.in_two_cohorts
    own = [
        (cohort, defect, cohort if defect in COPIES else None)
        for cohort in cohorts
        for defect in (*COPIES, "inverted", *BROKEN)
        for _ in range(getattr(defects, defect))
    ]
    return [*mixed, *foreign, *own]


def _refuse_mixed_labels(radiographs: pd.DataFrame, defects: Defects) -> None:
    target = current().target_cohort
    of_target = radiographs[radiographs["cohort"] == target]
    if defects.mixed_labels and not of_target.duplicated("patient").any():
        raise ValueError(
            f"No patient of the cohort {target} has two radiographs, so none can have "
            f"two results; expected 0 for defects.mixed_labels, got "
            f"{defects.mixed_labels}."
        )


def _refuse_too_many(takers: pd.Series, pools: Mapping[str, list[str]]) -> None:
    for cohort, pool in pools.items():
        n_taken = int((takers == cohort).sum())
        if n_taken > len(pool):
            raise ValueError(
                f"{n_taken} patients of the cohort {cohort} are needed for the "
                f"defects, there are {len(pool)}; lower the counts under defects or "
                f"raise its images in parameters_synthesis.yml."
            )


def _pool(
    radiographs: pd.DataFrame, cohort: str, rng: np.random.Generator
) -> list[str]:
    """Return one file of each patient, those first who have several radiographs.

    What RSNA shows again is left out of NIH: it is in two cohorts already.
    """
    of_cohort = radiographs[radiographs["cohort"] == cohort]
    visits = of_cohort.groupby("patient")["file"].transform("size")
    free = of_cohort[~of_cohort["file"].isin(radiographs["nih_file"])]
    shuffled = free.iloc[rng.permutation(len(free))].drop_duplicates("patient")
    is_single = visits[shuffled.index] == 1
    return list(shuffled["file"][is_single.sort_values(kind="stable").index])


def _image_id(known: pd.Series, cohorts: pd.Series, files: pd.Series) -> pd.Series:
    """Return the ids under which ingestion lists the files."""
    named = known.reindex(pd.MultiIndex.from_arrays([cohorts, files]))
    return pd.Series(named.to_numpy(), index=files.index)
