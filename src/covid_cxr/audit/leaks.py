"""Leaks: held-out images that a classifier, or an ancestor of it, has learned from.

A stage is evaluated on its validation and test parts. An image there leaks if it, a
duplicate of it or another image of its patient was in the training part of the stage
or of one of its ancestors, or in a validation part that chose their weights.

Two images are the same if they are the same image of ChestX-ray14 (every RSNA image is
one, under another name) or have the same pixels, directly or through further copies.
Two patients are the same if their ids are, or those of the ChestX-ray14 patients behind
their images.
"""

from collections.abc import Sequence

import pandas as pd

from covid_cxr.audit.lineage import AuditedStage
from covid_cxr.audit.on_leak import DUPLICATE, SAME_IMAGE, SAME_PATIENT
from covid_cxr.patients.linked import first_of_linked
from covid_cxr.sources.nih import patient_of_image

HELD_OUT_PARTS = ("validation", "test")
LEARNED_PARTS = ("train", "validation")
COMPARISON = ["stage", "part", "earlier_stage", "earlier_part"]
LEAK_COLUMNS = [
    *COMPARISON,
    *("kind", "image_id", "patient_id", "earlier_image_id", "earlier_patient_id"),
]
_IDENTITY = ["cohort", "image_id", "patient_id", "image", "patient"]
_EARLIER_PART = ["earlier_training_set", "earlier_part"]


def compare_parts(stages: Sequence[AuditedStage]) -> pd.DataFrame:
    """Return every held-out part beside every part that shaped its classifier.

    Columns: `COMPARISON`, and `training_set` and `earlier_training_set`, of which the
    parts are.
    """
    return pd.DataFrame(
        [
            {
                "stage": stage.name,
                "training_set": stage.training_set,
                "part": part,
                "earlier_stage": earlier.name,
                "earlier_training_set": earlier.training_set,
                "earlier_part": earlier_part,
            }
            for stage in stages
            for part in HELD_OUT_PARTS
            for earlier in (stage, *stage.ancestors)
            for earlier_part in _learned_before(stage, part, earlier)
        ]
    )


def trace_images(
    training_set: str, *, cohort: str, curated: pd.DataFrame, split: pd.DataFrame
) -> pd.DataFrame:
    """Return a training set's images with who and what is behind their names.

    Columns: `training_set, part, cohort, image_id`, `patient_id` (of the radiograph
    table, not of the split, which may have been edited), and `image` and `patient`
    (those of ChestX-ray14 where they are known).

    Args:
        training_set: Its name.
        cohort: Name of the cohort that it is drawn from.
        curated: `image_id`, `patient_id` and, where images are those of ChestX-ray14
            under other names, `nih_image`.
        split: `image_id` and `part`.

    Raises:
        ValueError: If an image of the split is not among the curated ones.
    """
    lost = split.loc[~split["image_id"].isin(curated["image_id"]), "image_id"]
    if len(lost):
        raise ValueError(
            f"{len(lost)} images of {training_set}_split are not among the curated "
            f"radiographs of {cohort}, such as {lost.iloc[0]}; draw the split again "
            "with `kedro run --pipelines=curation`."
        )
    image = f"{cohort}:" + curated["image_id"]
    patient = curated["patient_id"]
    if "nih_image" in curated.columns:
        nih_image = curated["nih_image"].astype("str")
        image = ("nih:" + nih_image).fillna(image)
        patient = patient_of_image(nih_image).fillna(patient)
    known = curated.assign(cohort=cohort, image=image, patient=patient)[_IDENTITY]
    return (
        split[["image_id", "part"]]
        .merge(known, on="image_id", validate="1:1")
        .assign(training_set=training_set)
    )


def find_leaks(
    comparisons: pd.DataFrame, images: pd.DataFrame, duplicates: pd.DataFrame
) -> pd.DataFrame:
    """Return the leaks image by image: the columns of `LEAK_COLUMNS`.

    One row for each held-out image, part that it leaks from and kind, with the first
    such image there. Kinds overlap: the same image is of the same patient, too.

    Args:
        comparisons: From `compare_parts`.
        images: From `trace_images`, of all training sets.
        duplicates: `first_cohort`, `first_image_id`, `second_cohort`,
            `second_image_id` and `kind` ("exact" or "near") of each pair.
    """
    links = _links(duplicates)
    picture_of = _pictures(images, links[links["kind"] == "exact"])
    images = images.assign(picture=_names(images).map(picture_of))
    held_out = images[images["part"].isin(HELD_OUT_PARTS)]
    earlier = images.add_prefix("earlier_").sort_values("earlier_image_id")
    near = _near_pictures(links[links["kind"] == "near"], picture_of)
    first_earlier = earlier.drop_duplicates([*_EARLIER_PART, "earlier_picture"])
    shared = [
        _sharing(held_out, earlier, "image").assign(kind=SAME_IMAGE),
        _sharing(held_out, earlier, "picture").assign(kind=SAME_IMAGE),
        held_out.merge(near, on="picture")
        .merge(first_earlier, on="earlier_picture")
        .assign(kind=DUPLICATE),
        _sharing(held_out, earlier, "patient_id").assign(kind=SAME_PATIENT),
        _sharing(held_out, earlier, "patient").assign(kind=SAME_PATIENT),
    ]
    first = pd.concat(shared, ignore_index=True).drop_duplicates(
        ["training_set", "part", "image_id", "kind", *_EARLIER_PART]
    )
    leaks = comparisons.merge(first, on=["training_set", "part", *_EARLIER_PART])
    return leaks[LEAK_COLUMNS].astype("str")


def _learned_before(
    stage: AuditedStage, part: str, earlier: AuditedStage
) -> tuple[str, ...]:
    """Return the parts of `earlier` that shaped the weights `part` is held out from."""
    if earlier is not stage:
        return LEARNED_PARTS
    return LEARNED_PARTS[: HELD_OUT_PARTS.index(part) + 1]


def _sharing(held_out: pd.DataFrame, earlier: pd.DataFrame, what: str) -> pd.DataFrame:
    """Return held-out images with the first image of each part that shares `what`."""
    first = earlier.drop_duplicates([*_EARLIER_PART, f"earlier_{what}"])
    return held_out.merge(first, left_on=what, right_on=f"earlier_{what}")


def _names(images: pd.DataFrame) -> pd.Series:
    """Return names that tell images of all cohorts apart."""
    return images["cohort"] + ":" + images["image_id"]


def _links(duplicates: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs as `kind` and the names of both images."""
    return pd.DataFrame(
        {
            "kind": duplicates["kind"],
            **{
                f"{end}_image_id": duplicates[f"{end}_cohort"]
                + ":"
                + duplicates[f"{end}_image_id"]
                for end in ("first", "second")
            },
        }
    )


def _pictures(images: pd.DataFrame, exact: pd.DataFrame) -> dict[str, str]:
    """Return for each image's name the first that has the same pixels.

    Pairs name each copy beside the first one only, which need not be in any split.
    """
    paired = exact[["first_image_id", "second_image_id"]].to_numpy().ravel()
    names = sorted({*_names(images), *paired})
    return first_of_linked(names, exact, of="image_id")


def _near_pictures(near: pd.DataFrame, picture_of: dict[str, str]) -> pd.DataFrame:
    """Return near pictures as `picture` and `earlier_picture`, from either side."""
    ends = [
        near[f"{end}_image_id"].map(lambda name: picture_of.get(name, name))
        for end in ("first", "second")
    ]
    sides = [
        pd.DataFrame({"picture": one, "earlier_picture": other})
        for one, other in (ends, ends[::-1])
    ]
    return pd.concat(sides, ignore_index=True).drop_duplicates().astype("str")
