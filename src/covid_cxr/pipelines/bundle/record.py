"""`bundle.json`, and the texts beside it."""

import json
import logging
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import pandas as pd
from safetensors.numpy import save

import covid_cxr
from covid_cxr.datasets.bundle_folder import BundleFiles
from covid_cxr.evaluation.arranged_scores import arrange_paths
from covid_cxr.evaluation.aurocs import tabulate_aurocs
from covid_cxr.evaluation.inference_settings import Evaluation, Reporting
from covid_cxr.evaluation.thresholds import tabulate_operating_points
from covid_cxr.pipelines.bundle.networks import Exported, StudyMembers
from covid_cxr.pipelines.bundle.settings import Bundling
from covid_cxr.prediction.bundle import GATE, SEEN
from covid_cxr.prediction.combination import ALONE, IN_WORDS
from covid_cxr.prediction.files import RECORD, SCHEMA_VERSION, check_record, sha256_of
from covid_cxr.prediction.members import RANKS
from covid_cxr.prediction.page import RESEARCH_ONLY
from covid_cxr.prediction.refusals import reservations
from covid_cxr.prediction.seen import SeenPictures
from covid_cxr.radiographs.curation import Curation
from covid_cxr.radiographs.pooled_store import records_of
from covid_cxr.radiographs.record import RENDERING_VERSION, is_cropped
from covid_cxr.sources.adapters import SOURCES
from covid_cxr.study.current import current
from covid_cxr.training.examples import Examples
from covid_cxr.training.scores import BATCH_IMAGES

logger = logging.getLogger(__name__)


def assemble_bundle(  # noqa: PLR0913 - one argument per dataset of the catalog
    *,
    exported: Exported,
    seen: SeenPictures,
    fitted: Mapping[str, Any],
    usual: Mapping[str, Any],
    scores: pd.DataFrame,
    members: StudyMembers,
    examples: Examples,
    licence: str,
    curation: Curation,
    reporting: Reporting,
    evaluation: Evaluation,
    bundle: Bundling,
) -> BundleFiles:
    """Return all files of a bundle."""
    origin = _origin(members)
    arranged = arrange_paths(**{origin["classifier"]: scores})
    points = tabulate_operating_points(
        arranged, reporting=reporting, evaluation=evaluation
    )
    aurocs = tabulate_aurocs(arranged, reporting=reporting, evaluation=evaluation)
    content = {
        **exported.content,
        GATE: save(dict(usual)),
        SEEN: save(dict(seen.arrays())),
        "LICENSE": licence.encode(),
        "reference.csv": points.to_csv(index=False, lineterminator="\n").encode(),
    }
    if members.known:
        content[RANKS] = save(dict(members.known))
    versions = [one["versions"] for one in members.provenances.values()]
    record = {
        "schema_version": SCHEMA_VERSION,
        "name": f"covid_cxr-{origin['classifier']}-{origin['weights_sha256'][:8]}",
        "intended_use": RESEARCH_ONLY,
        "label": _label(),
        "origin": origin,
        "software": {
            **ChainMap(*versions),
            "covid_cxr": covid_cxr.__version__,
            **{name: version(name) for name in ("onnx", "tf2onnx", "onnxruntime")},
        },
        "preprocessing": {
            "rendering_version": RENDERING_VERSION,
            "size_px": curation.size_px,
            "body_part": curation.body_part,
            "view_not_understood": curation.view_not_understood,
            "cropped_share": _cropped_share(examples),
        },
        "intensity": asdict(examples.intensity),
        "batch_images": BATCH_IMAGES,
        "operating_points": _operating_points(points),
        **fitted,
        "self_test": exported.self_test,
    }
    content["MODEL_CARD.md"] = model_card(record, aurocs, points).encode()
    content["DATA_LICENSES.md"] = data_licences().encode()
    record["files"] = {name: sha256_of(one) for name, one in sorted(content.items())}
    check_record(record)
    content[RECORD] = f"{json.dumps(record, indent=2)}\n".encode()
    logger.info(
        "%s has %d MB", record["name"], sum(map(len, content.values())) // 10**6
    )
    return BundleFiles(name=record["name"], content=content)


def model_card(
    record: Mapping[str, Any], aurocs: pd.DataFrame, points: pd.DataFrame
) -> str:
    """Return what a user of the bundle should know, in Markdown."""
    label, gate, auroc = record["label"], record["gate"], aurocs.iloc[0]
    interval = "its interval is unknown: too few patients"
    if pd.notna(auroc["lower"]):
        interval = f"{auroc['lower']:.3f} to {auroc['upper']:.3f} by patient"
    at_points = "\n".join(
        f"- {row.rule}, score from {row.threshold:.4f} on: sensitivity "
        f"{row.sensitivity:.3f}, specificity {row.specificity:.3f}"
        for row in points.drop_duplicates("rule").itertuples()
    )
    limits = reservations(record)
    if gate["limit"] is not None:
        limits.append(
            f"As unlike its radiographs it refuses {100 * gate['refused_share']:g} % "
            f"of patients like those of the validation part ({gate['n_patients']} "
            f"patients set the limit)."
        )
    at_limits = "\n".join(f"- {limit}" for limit in limits)
    trained = "\n".join(
        f"- {one['path']}: {', '.join(one['trainings'])}"
        for one in record["origin"]["members"]
    )
    sets, seen = record["prediction_sets"], record["seen"]
    return f"""# {record["name"]}

**{record["intended_use"]}**

Tells {label["words"]} (reference standard: {label["reference"]}) from one frontal chest
radiograph. Its score is {IN_WORDS[record["origin"]["rule"]]}, trained in the stages:

{trained}

On the makers' test part: AUROC {auroc["auroc"]:.3f} ({interval}).
At thresholds frozen on validation:

{at_points}

- Calibrated where {100 * record["prevalence"]:.3g} % are cases; state the prevalence
  where it is another.
- Prediction sets cover each class at {100 * sets["coverage"]:g} %, set by
  {sets["n_cases"]} patients with and {sets["n_controls"]} without it.
{at_limits}
- Youngest patient known: {_shown(record["youngest_years"])} years.
- It knows the hashes of {seen["n_training"]} pictures that it was trained on and
  {seen["n_validation"]} that it was chosen and calibrated on, and says so
  of them. It holds no radiograph and no patient id.
"""


def data_licences() -> str:
    """Return under which terms the radiographs are that the study's cohorts hold."""
    rows = [
        f"- {cohort.title}: {SOURCES[cohort.source].licence or 'its owner says'}"
        for cohort in current().cohorts.values()
    ]
    return "\n".join(["# Terms of the radiographs behind the weights", "", *rows, ""])


def _origin(members: StudyMembers) -> dict[str, Any]:
    """Return whose score it is."""
    of_members = [
        {
            "path": name,
            "stage": provenance["stage"],
            "weights_sha256": provenance["weights_sha256"],
            "trainings": [one.name for one in current().path(name).trainings],
        }
        for name, provenance in members.provenances.items()
    ]
    if members.rule == ALONE:
        (one,) = of_members
        name, weights = one["path"], one["weights_sha256"]
    else:
        name = members.rule
        hashes = "".join(one["weights_sha256"] for one in of_members)
        weights = sha256_of(hashes.encode())
    return {
        "classifier": name,
        "rule": members.rule,
        "weights_sha256": weights,
        "members": of_members,
    }


def _cropped_share(examples: Examples) -> float:
    """Return the share of training and validation images that were cut to a box."""
    steps = records_of(examples.store)["steps"]
    known = examples.part("train", "validation").rows
    return float(is_cropped(steps.iloc[known]).mean())


def _label() -> dict[str, str]:
    study = current()
    return {
        "name": study.target_set.label,
        "words": study.target.name,
        "reference": study.target.reference,
    }


def _operating_points(points: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the thresholds that validation chose, one for each rule."""
    once = points.drop_duplicates("rule")
    columns = ["rule", "target_sensitivity", "threshold"]
    known = once[columns].astype(object).where(once[columns].notna(), None)
    return [{str(k): v for k, v in row.items()} for row in known.to_dict("records")]


def _shown(years: float | None) -> str:
    return "unknown" if years is None else f"{years:g}"
