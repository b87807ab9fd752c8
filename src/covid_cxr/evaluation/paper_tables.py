"""Tables 1 to 3: how well general findings, related ones and the target are told.

Intervals are patient-clustered logit intervals; Table 3 has the paper's image-level
DeLong Wald intervals beside them. What the paper printed stands in `paper_*` columns,
NaN where it printed nothing, and `minus_paper` is our AUROC minus its.
"""

import logging
from collections.abc import Mapping

import numpy as np
import pandas as pd

from covid_cxr.evaluation.findings import FINDING, stack
from covid_cxr.evaluation.inference_settings import Reporting
from covid_cxr.evaluation.published import TABLE_1, TABLE_2, TABLE_3, published_name
from covid_cxr.evaluation.scored_findings import ScoredFindings, findings_of
from covid_cxr.evaluation.scored_part import (
    ScoredPart,
    ScoredParts,
    auroc_rows,
    line_up,
)
from covid_cxr.study.current import current
from covid_cxr.study.design import Training, TrainingPath

logger = logging.getLogger(__name__)

MACRO_AVERAGE = "macro_average"


def tabulate_general(
    labels: list[str], reporting: Reporting, **scores: pd.DataFrame
) -> pd.DataFrame:
    """Return Table 1; of several trainings of phase 1, one below the other.

    Then the first column is `training`.

    Args:
        labels: Findings, in the order of the table.
        reporting: For the level of the intervals.
        scores: Of phase 1, by training: paths may begin with different networks.
    """
    tables = {n: tabulate_findings(one, labels, reporting) for n, one in scores.items()}
    if len(tables) == 1:
        return next(iter(tables.values()))
    whole = pd.concat(tables, names=["training"]).reset_index("training")
    return whole.reset_index(drop=True)


def tabulate_findings(
    scores: pd.DataFrame, labels: list[str], reporting: Reporting
) -> pd.DataFrame:
    """Return Table 1: the AUROC of every finding on the test part.

    Where phase 1 has none, on the validation part, which also decided when to stop.

    The last row is the macro average over the findings that have an AUROC; unless they
    are the paper's, it is not compared with it. A finding without a case or without a
    control in the test part keeps its row, with NaN.

    Args:
        scores: Of phase 1.
        labels: Findings, in the order of the table.
        reporting: For the level of the intervals.
    """
    ours = pd.DataFrame([_finding_row(scores, label, reporting) for label in labels])
    undefined = ours.loc[ours["auroc"].isna(), "finding"]
    if len(undefined):
        logger.info(
            "Table 1: no AUROC for %s: one class only in the test part",
            ", ".join(undefined),
        )
    average = {"finding": MACRO_AVERAGE, "auroc": ours["auroc"].mean()}
    table = pd.concat([ours, pd.DataFrame([average])], ignore_index=True)
    published = [_published_finding(finding) for finding in table["finding"]]
    compared = _minus_paper(pd.concat([table, pd.DataFrame(published)], axis=1))
    averaged = {*ours.loc[ours["auroc"].notna(), "finding"], MACRO_AVERAGE}
    is_finding = compared["finding"] != MACRO_AVERAGE
    is_comparable = is_finding | (averaged == set(TABLE_1))
    return compared.assign(minus_paper=compared["minus_paper"].where(is_comparable))


def tabulate_related(
    part_counts: pd.DataFrame, reporting: Reporting, **scores: pd.DataFrame
) -> pd.DataFrame:
    """Return Table 2: related findings after phase 2, on that phase's validation part.

    There is no other held-out part in phase 2. `images_of_phase1_patients` says how
    many of the evaluated radiographs belong to patients of phase 1's training part. A
    path with several trainings of phase 2 has a row for each.

    Args:
        part_counts: From `report.radiograph_flow.count_parts`.
        reporting: For the level of the intervals.
        scores: Of phase 2, by training, as in "path_b_phase2".
    """
    study = current()
    rows = []
    for path in study.paths:
        for training in path.phase2_trainings:
            if training.dataset_prefix not in scores:
                continue
            drawn = study.training_set_of(training)
            own = {path.name: scores[training.dataset_prefix]}
            part = line_up(own, label=drawn.label, part="validation")
            is_one = len(path.phase2_trainings) == 1
            after = "" if is_one else f" ({drawn.title})"
            rows.append(
                {
                    "path": path.name,
                    "description": f"{path.description}{after}",
                    **_training_counts(path, training, part_counts),
                    **part.sizes,
                    "images_of_phase1_patients": _seen_in_phase1(
                        path, training, part_counts
                    ),
                    **_clustered(part, reporting),
                    **_published_related(path),
                }
            )
    return _minus_paper(pd.DataFrame(rows))


def tabulate_target(scores: pd.DataFrame, *, reporting: Reporting) -> pd.DataFrame:
    """Return Table 3: the target on the test part, one row per path.

    `auroc`, `lower` and `upper` are clustered by patient; `image_lower` and
    `image_upper` take every image as independent, as in the paper. Of several findings
    each has rows, with the `reason` where nothing is known of it, then the mean of all.

    Args:
        scores: As arranged, with a column per path.
        reporting: For the level of the intervals.
    """
    findings = findings_of(scores)
    if not current().has_findings:
        (parts,) = findings.parts.values()
        return _minus_paper(_target_rows(parts, reporting))
    tables = {
        finding: _target_rows(parts, reporting).assign(reason=parts.test.flaw)
        for finding, parts in findings.parts.items()
    }
    tables[MACRO_AVERAGE] = _average_rows(findings, tables, reporting)
    return _minus_paper(stack(tables))


def _target_rows(parts: ScoredParts, reporting: Reporting) -> pd.DataFrame:
    test, on_validation = parts.test, parts.validation_aurocs
    names = list(test.scores.columns)
    by_patient = auroc_rows(test.estimate(by_patient=True), reporting.level)
    by_image = test.estimate(by_patient=False).interval(reporting.level, "wald")
    rows = []
    for path in (path for path in current().paths if path.name in names):
        k = names.index(path.name)
        rows.append(
            {
                "path": path.name,
                "description": path.description,
                **by_patient[k],
                "image_lower": by_image[k, 0],
                "image_upper": by_image[k, 1],
                **test.sizes,
                "validation_auroc": on_validation[path.name],
                **_published_target(path),
            }
        )
    return pd.DataFrame(rows)


def _average_rows(
    findings: ScoredFindings, tables: Mapping[str, pd.DataFrame], reporting: Reporting
) -> pd.DataFrame:
    """Return the mean over the findings that have an AUROC on test, by path."""
    by_patient, by_image = (
        findings.estimate(by_patient=of).mean for of in (True, False)
    )
    bounds = by_image.interval(reporting.level, "wald")
    on_validation = pd.concat(tables).groupby("path")["validation_auroc"].mean()
    return pd.DataFrame(
        [
            {
                "path": name,
                "description": current().path(name).description,
                **row,
                "image_lower": lower,
                "image_upper": upper,
                "patients": by_patient.n_clusters,
                "validation_auroc": on_validation[name],
            }
            for name, row, (lower, upper) in zip(
                by_patient.names,
                auroc_rows(by_patient, reporting.level),
                bounds,
                strict=True,
            )
        ]
    )


def results_of_paths(table3: pd.DataFrame) -> pd.DataFrame:
    """Return the one row of each path: of several findings, that of their mean."""
    if FINDING not in table3:
        return table3
    return table3[table3[FINDING] == MACRO_AVERAGE]


def chosen_path(table3: pd.DataFrame) -> TrainingPath:
    """Return the path with the highest AUROC on validation, the first of equals.

    The test part has no say in the choice, so that the AUROC reported for the chosen
    path on the test part is not the largest of several by selection.
    """
    rows = results_of_paths(table3)
    best = rows["path"].iloc[int(rows["validation_auroc"].argmax())]
    return current().path(best)


def _finding_row(
    scores: pd.DataFrame, label: str, reporting: Reporting
) -> dict[str, float | str]:
    part_name = "test" if (scores["part"] == "test").any() else "validation"
    if not scores.loc[scores["part"] == part_name, label].notna().any():
        return {"finding": label, "auroc": np.nan}
    part = line_up({"phase1": scores}, label=label, part=part_name)
    return {"finding": label, **_clustered(part, reporting), **part.sizes}


def _clustered(part: ScoredPart, reporting: Reporting) -> dict[str, float]:
    """Return the AUROC of a classifier alone."""
    return auroc_rows(part.estimate(by_patient=True), reporting.level)[0]


def _training_counts(
    path: TrainingPath, training: Training, part_counts: pd.DataFrame
) -> dict[str, float]:
    """Return what was learned from until after `training`, and the last prevalence."""
    train = part_counts[part_counts["part"] == "train"].set_index("training_set")
    last = train.loc[[training.training_set]]
    until = path.training_sets[: path.training_sets.index(training.training_set) + 1]
    learned = train.loc[list(until)]
    n_known = last.get("known", last["images"]).sum()
    return {
        "training_images": learned["images"].sum(),
        "training_positives": learned["positives"].sum(),
        "prevalence_percent": 100 * last["positives"].sum() / n_known,
    }


def _seen_in_phase1(
    path: TrainingPath, training: Training, part_counts: pd.DataFrame
) -> float:
    if not path.has_phase1:
        return 0.0
    is_evaluated = (part_counts["part"] == "validation") & (
        part_counts["training_set"] == training.training_set
    )
    return part_counts.loc[is_evaluated, "images_of_phase1_patients"].sum(min_count=1)


def _published_finding(finding: str) -> dict[str, float]:
    return _printed(
        TABLE_1.get(finding) if current().published else None,
        paper_auroc="paper",
        wang_2017="wang",
        yao_2017="yao",
        guendel_2018="guendel",
        baltruschat_2019="baltruschat",
    )


def _published_related(path: TrainingPath) -> dict[str, float]:
    return _printed(
        TABLE_2.get(published_name(path)),
        paper_training_images="training_images",
        paper_training_positives="training_positives",
        paper_prevalence_percent="prevalence_percent",
        paper_auroc="auroc",
    )


def _published_target(path: TrainingPath) -> dict[str, float]:
    return _printed(
        TABLE_3.get(published_name(path)),
        paper_auroc="auroc",
        paper_lower="lower",
        paper_upper="upper",
    )


def _printed(row: object | None, **columns: str) -> dict[str, float]:
    """Return columns with what the paper printed, NaN where it printed nothing."""
    return {
        column: np.nan if row is None else getattr(row, name)
        for column, name in columns.items()
    }


def _minus_paper(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(minus_paper=table["auroc"] - table["paper_auroc"])
