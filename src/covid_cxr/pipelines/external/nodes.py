"""From bundles and a cohort's folder to scores, and what the study knows itself."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from covid_cxr.audit.grey_values import measure_features
from covid_cxr.cohorts.manifest_listing import read_listing
from covid_cxr.cohorts.radiograph_table import (
    COVID19,
    as_rejected,
    describe_reasons,
    first_reason,
)
from covid_cxr.evaluation.ensembles import score_together
from covid_cxr.evaluation.external_flags import COPY
from covid_cxr.evaluation.external_scores import CLASSIFIER, ExternalValidation
from covid_cxr.evaluation.inference_settings import Reporting
from covid_cxr.patients.pseudonyms import pseudonymise
from covid_cxr.prediction.bundle import Bundle, Prediction, open_bundle
from covid_cxr.prediction.refusals import reservations
from covid_cxr.prediction.sources import InputFile
from covid_cxr.radiographs.crops import (
    CropMatching,
    match_crops,
    refuse_unmatched_crops,
)
from covid_cxr.radiographs.folder import RadiographFolder
from covid_cxr.radiographs.geometry import Box
from covid_cxr.radiographs.record import pixels_sha256
from covid_cxr.report.documents.external_checklists import (
    fill_probast_ai,
    fill_tripod_ai_evaluation,
)
from covid_cxr.report.documents.external_evidence import ExternalEvidence
from covid_cxr.report.documents.markdown import as_markdown
from covid_cxr.sources.covid_patients import admit_identified

logger = logging.getLogger(__name__)

_OWN_SOURCE = "external"  # so that ids of two hospitals meet only if somebody says so
_UNMATCHED = "images/crops_unmatched.parquet of the results"
_TOLD = ("label", "origin", "operating_points", "prevalence", "calibration")
_SCORED = ("status", "reason", "score", "probability", "gate_distance")
_MEASURED = ["score", "probability"]
_OF_PICTURE = ("was_trained_on", "pixels_sha256")
_TABLE = [CLASSIFIER, "image_id", "patient_id", "is_case", *_SCORED, *_OF_PICTURE]


def describe_bundles(bundles: list[Path]) -> dict[str, Any]:
    """Return what each bundle says, by its name, once its self-test is passed.

    Args:
        bundles: Their folders or zips.

    Raises:
        FileNotFoundError: If there is none.
        InvalidBundleError: If one is not served here.
        ValueError: If two have one name, or tell different things.
    """
    if not bundles:
        raise FileNotFoundError(
            "There is no bundle; make one of a finished study with `kedro run "
            "--pipelines=bundle`, or name one with --params=bundle=/its/folder."
        )
    found: dict[str, Any] = {}
    for bundle in map(open_bundle, bundles):
        bundle.check()
        name = bundle.record["name"]
        if name in found:
            raise ValueError(f"Two of the bundles are called {name}; take one away.")
        found[name] = {
            "sha256": bundle.sha256,
            **{key: bundle.record[key] for key in _TOLD},
            "reservations": reservations(bundle.record),
        }
    told = {(one["label"]["name"], one["label"]["reference"]) for one in found.values()}
    if len(told) > 1:
        raise ValueError(
            f"The bundles tell different things: "
            f"{', '.join(sorted(f'{name} by {by}' for name, by in told))}. Name one of "
            f"them with --params=bundle=/its/folder."
        )
    return found


def list_cohort(
    manifest: pd.DataFrame,
    images: RadiographFolder,
    rsna_mapping: str | None,
    classifiers: dict[str, Any],
    external: ExternalValidation,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the radiograph table of the cohort, and the rows that cannot be used.

    Args:
        manifest: All columns read as text (`sources/manifest.py`); the outcome stands
            in a column of the label's name, or in `rt_pcr` where that is COVID-19.
        images: The folder of the image files.
        rsna_mapping: As for `list_rsna`, for images whose source is RSNA; or None.
        classifiers: From `describe_bundles`.
        external: For the fewest patients.

    Raises:
        ValueError: If there is no column of the outcome, no usable row, or there are
            fewer patients.
    """
    label = label_of(classifiers)
    listing = read_listing(manifest, labels={_column(manifest, label): label})
    listed, rejected = admit_identified(
        "external",
        listing.assign(source=listing["source"].fillna(_OWN_SOURCE)),
        images,
        labels=[label],
        rsna_mapping=rsna_mapping,
        salt=None,
    )
    reasons = {
        "file missing": listed["file"].isna(),
        "the file of an earlier row": listed["file"].duplicated(),  # 007 and 007.png
    }
    reason = first_reason(listed, reasons)
    out = as_rejected(listed.assign(reason=reason), stage="curation")
    rejected = pd.concat([rejected, out], ignore_index=True)
    kept = listed[reason.isna()].reset_index(drop=True).astype({label: bool})
    n_patients = kept["patient_id"].nunique()
    if n_patients < external.least_patients:
        raise ValueError(
            f"The cohort has {len(kept)} usable radiographs of {n_patients} patients, "
            f"and at least {external.least_patients} patients are needed to say "
            f"anything (external.least_patients). Not usable: "
            f"{describe_reasons(rejected) or 'none'}."
        )
    return kept, rejected


def refuse_known_patients(
    listed: pd.DataFrame, **known: pd.DataFrame | str | None
) -> pd.DataFrame:
    """Return the radiographs, none of which is of a patient that the study knew.

    Args:
        listed: From `list_cohort`.
        known: Splits of the study's training sets, with `patient_id`; and the salts
            by which ids of its cohorts became pseudonyms. None where there is none.

    Raises:
        ValueError: If a patient is in a split.
    """
    splits = [one for one in known.values() if isinstance(one, pd.DataFrame)]
    salts = [one for one in known.values() if isinstance(one, str)]
    patients = listed["patient_id"].drop_duplicates()
    source = patients.str.partition(":")
    hashed = [source[0] + ":" + pseudonymise(source[2], salt=salt) for salt in salts]
    in_study = {patient for split in splits for patient in split["patient_id"]}
    called = pd.concat([patients, *hashed], axis=1)  # as the study may call each
    is_known = called.isin(in_study).any(axis=1)
    both = sorted(patients[is_known])
    if both:
        raise ValueError(
            f"{len(both)} of the cohort's patients are in the study that made the "
            f"classifier, such as {both[0]}: this would be no external validation. "
            f"Take their rows out of manifest.csv; where the same id is another "
            f"person, name another `source` there."
        )
    return listed


def predict_cohort(
    bundles: list[Path],
    radiographs: pd.DataFrame,
    images: RadiographFolder,
    crops: pd.DataFrame | None,
    crops_unmatched: pd.DataFrame,
    crop_matching: CropMatching,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what each bundle says of each radiograph, and features of the pixels.

    Args:
        bundles: As for `describe_bundles`.
        radiographs: Of the cohort; its one boolean column of a finding is the outcome.
        images: The folder of the image files.
        crops: As for `match_crops`; None takes every radiograph whole.
        crops_unmatched: From `list_unmatched_crops`.
        crop_matching: How many crops may find no image.

    Returns:
        `classifier, image_id, patient_id, is_case, status, reason, score, probability`
        (at the prevalence of the bundle's validation part), `gate_distance,
        was_trained_on, pixels_sha256` (of what the network takes), a row per bundle and
        radiograph, without a score where it is refused; and `image_id` with the columns
        of `measure_features`.

    Raises:
        ValueError: If too many crops find no image, or one is no box.
    """
    n_crops = 0 if crops is None else len(crops)
    refuse_unmatched_crops(crops_unmatched, n_crops, crop_matching, kept_in=_UNMATCHED)
    edges, _ = match_crops(crops, radiographs, images)
    boxes: dict[str, Box] = {
        str(name): (x0, y0, x1, y1) for name, x0, y0, x1, y1 in edges.itertuples()
    }
    tables: list[pd.DataFrame] = []
    features: list[pd.DataFrame] = []
    for place in bundles:
        bundle = open_bundle(place)
        # Once: what is measured is of the pixels, whoever predicts.
        measured_in = features if place == bundles[-1] else None
        rows = _predict(bundle, radiographs, images, boxes, features=measured_in)
        label = bundle.record["label"]["name"]
        table = radiographs[["image_id", "patient_id"]].assign(
            **{CLASSIFIER: bundle.record["name"], "is_case": radiographs[label]}
        )
        tables.append(table.join(rows)[_TABLE])
    scores = pd.concat(tables, ignore_index=True)
    measured = {name: scores[name].astype(float) for name in _MEASURED}
    none = pd.DataFrame({"image_id": pd.Series(dtype="str")})
    seen = pd.concat(features, ignore_index=True) if features else none
    return scores.assign(reason=scores["reason"].astype("str"), **measured), seen


def leave_out_copies(
    predicted: pd.DataFrame,
    known: pd.DataFrame,
    unusable: pd.DataFrame,
    classifiers: dict[str, Any],
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return scores, radiographs and rejected rows with every picture once.

    Of a picture under several names the first stays; none, where they differ in the
    outcome: one is wrong.

    Args:
        predicted: From `predict_cohort`.
        known: The radiographs that were predicted.
        unusable: Rows of the manifest that were not.
        classifiers: From `describe_bundles`.
    """
    # As the first bundle curates it that takes it at all.
    taken = predicted.dropna(subset="pixels_sha256").drop_duplicates("image_id")
    shown = known.merge(taken[["image_id", "pixels_sha256"]], on="image_id", how="left")
    by_picture = shown.groupby("pixels_sha256")
    differ = by_picture[label_of(classifiers)].transform("nunique") > 1
    first = by_picture["patient_id"].transform("first")
    is_copy = shown["pixels_sha256"].notna() & shown["pixels_sha256"].duplicated()
    reasons = {
        f"{COPY} a row with another outcome": differ,
        f"{COPY} another patient": is_copy & (first != shown["patient_id"]),
        f"{COPY} an earlier row": is_copy,
    }
    reason = first_reason(shown, reasons)
    out = as_rejected(known.assign(reason=reason), stage="curation")
    kept = known[reason.isna()].reset_index(drop=True)
    is_kept = predicted["image_id"].isin(kept["image_id"])
    return (
        predicted[is_kept].reset_index(drop=True),
        kept,
        pd.concat([unusable, out], ignore_index=True),
    )


def take_internal(
    classifiers: dict[str, Any], **tables: Any
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the scores of the study's test part, and who is in it.

    Paths' scores are taken if they are of the weights in the bundle.

    Args:
        classifiers: From `describe_bundles`.
        tables: `internal_<path>_scores`, `internal_<path>_provenance` and
            `internal_curated`, each None where the study is elsewhere.

    Returns:
        `classifier, image_id, patient_id, is_case, score`; and the rows of the
        radiograph table. Both without rows where no study is at hand.
    """
    curated, found = tables["internal_curated"], []
    for name, one in classifiers.items():
        label = one["label"]["name"]
        scores = None if curated is None else _internal_scores(name, one, tables)
        if scores is None:
            continue
        test = scores[(scores["part"] == "test") & scores[label].notna()]
        found.append(
            test[["image_id", "patient_id"]].assign(
                **{CLASSIFIER: name, "is_case": test[label].astype(bool)},
                score=test[f"{label}_score"].astype(float),
            )
        )
    columns = [CLASSIFIER, "image_id", "patient_id", "is_case", "score"]
    if not found:
        return pd.DataFrame(columns=columns), pd.DataFrame()
    internal = pd.concat(found, ignore_index=True)[columns]
    is_tested = curated["image_id"].isin(internal["image_id"])
    return internal, curated[is_tested].reset_index(drop=True)


def fill_documents(
    primary: Mapping[str, Any],
    radiographs: pd.DataFrame,
    reporting: Reporting,
    **tables: pd.DataFrame,
) -> tuple[str, str]:
    """Return TRIPOD+AI's items on evaluation and PROBAST+AI, as Markdown.

    Args:
        primary: From `state_primary`.
        radiographs: Of the cohort.
        reporting: For the level.
        tables: The results that `ExternalEvidence` has, by its names.
    """
    evidence = ExternalEvidence(
        primary=primary, radiographs=radiographs, reporting=reporting, **tables
    )
    return (
        as_markdown(fill_tripod_ai_evaluation(evidence)),
        as_markdown(fill_probast_ai(evidence)),
    )


def _internal_scores(
    name: str, classifier: Mapping[str, Any], tables: Mapping[str, Any]
) -> pd.DataFrame | None:
    """Return what the study's classifiers say, by the rule of the bundle."""
    origin, scores = classifier["origin"], dict[str, pd.DataFrame]()
    for member in origin["members"]:
        path = member["path"]
        provenance = tables.get(f"internal_{path}_provenance")
        table = tables.get(f"internal_{path}_scores")
        if table is None or provenance is None:
            logger.warning("%s: its study is not in data_root", name)
            return None
        if provenance["weights_sha256"] != member["weights_sha256"]:
            logger.warning("%s is of another study than that in data_root", name)
            return None
        scores[path] = table
    label = classifier["label"]["name"]
    return score_together(scores, rule=origin["rule"], label=label)


def label_of(classifiers: Mapping[str, Any]) -> str:
    """Return the name of what the bundles tell."""
    return str(next(iter(classifiers.values()))["label"]["name"])


def _column(manifest: pd.DataFrame, label: str) -> str:
    """Return the column of the outcome."""
    names = [label, *(["rt_pcr"] if label == COVID19 else [])]
    for name in names:
        if name in manifest.columns:
            return name
    raise ValueError(
        f"The cohort's manifest.csv has no column {' or '.join(names)}, without which "
        f"nothing can be tested; it has {', '.join(map(str, manifest.columns))}. Give "
        f"it one that says positive or negative."
    )


def _predict(
    bundle: Bundle,
    radiographs: pd.DataFrame,
    images: RadiographFolder,
    boxes: Mapping[str, Box],
    *,
    features: list[pd.DataFrame] | None,
) -> pd.DataFrame:
    """Return what a bundle says of each radiograph; add what pixels are to features."""
    names = zip(radiographs["image_id"], radiographs["file"], strict=True)
    inputs = [InputFile(name=name, path=images.root / file) for name, file in names]
    rows = []
    found = bundle.predictions(inputs, boxes=boxes)
    for prediction in _with_progress(found, len(inputs)):
        pixels = prediction.pixels
        shown = None if pixels is None else pixels_sha256(pixels)
        rows.append({**prediction.row, "pixels_sha256": shown})
        if features is not None and pixels is not None:
            measured = measure_features(pixels[None])
            features.append(measured.assign(image_id=prediction.row["file"]))
    table = pd.DataFrame(rows, index=radiographs.index)
    return table.reindex(columns=[*_SCORED, *_OF_PICTURE])


def _with_progress(
    predictions: Iterator[Prediction], total: int
) -> Iterator[Prediction]:
    from rich.progress import track  # noqa: PLC0415

    yield from track(predictions, description="Predicting", total=total, transient=True)
