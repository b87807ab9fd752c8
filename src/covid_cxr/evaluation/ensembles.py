"""Ensembles of classifiers: the paper's own guess, left untested there, of the best."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.evaluation.arranged_scores import parts_of
from covid_cxr.evaluation.findings import per_finding
from covid_cxr.evaluation.inference_settings import Reporting
from covid_cxr.evaluation.scored_part import (
    ScoredPart,
    ScoredParts,
    auroc_rows,
    difference_row,
)
from covid_cxr.prediction.combination import (
    MEAN_LOGIT,
    MEAN_PROBABILITY,
    MEAN_RANK,
    combined,
)
from covid_cxr.statistics.multiplicity import holm

_COLUMNS = [
    *("ensemble", "auroc", "lower", "upper", "member", "is_chosen", "difference"),
    *("difference_lower", "difference_upper", "p_clustered", "p_holm"),
    *("n_certain", "is_decided_by_certain"),
]
_SEEN = 0.0005  # of an AUROC, in the last digit that is printed


def combine(parts: ScoredParts) -> pd.DataFrame:
    """Return the test part's scores by each ensemble that can be made.

    `mean_probability` and `mean_logit` need probabilities. `mean_rank` needs a
    validation part: a rank is a score's mid-rank among the validation scores of its
    classifier, so that an ensemble judges each radiograph on its own.

    Args:
        parts: Scored by the members.
    """
    members = parts.test.scores
    columns = {}
    if parts.test.are_probabilities:
        for rule in (MEAN_PROBABILITY, MEAN_LOGIT):
            columns[rule] = combined(members, rule=rule)
    if parts.validation is not None:
        validation = parts.validation.scores[members.columns]
        known = list(np.sort(validation.to_numpy().T))
        columns[MEAN_RANK] = combined(members, rule=MEAN_RANK, known=known)
    return pd.DataFrame(columns, index=members.index)


def known_scores(
    scores: Mapping[str, pd.DataFrame], label: str
) -> dict[str, NDArray[np.float64]]:
    """Return the validation scores of each classifier that ranks are taken among.

    Args:
        scores: Tables from `training.scores.score`, by classifier.
        label: Whose scores are meant; images of which it is unknown do not count.
    """
    found = {}
    for name, table in scores.items():
        is_known = (table["part"] == "validation") & table[label].notna()
        found[name] = np.sort(table.loc[is_known, f"{label}_score"].to_numpy(float))
    return found


def score_together(
    scores: Mapping[str, pd.DataFrame], *, rule: str, label: str
) -> pd.DataFrame:
    """Return the table of scores of an ensemble, or of one classifier alone.

    Columns are `image_id, patient_id, part`, `<label>` and `<label>_score`.

    Args:
        scores: As for `known_scores`.
        rule: As of `prediction.combination.combined`.
        label: What the classifiers tell.

    Raises:
        ValueError: If they are of different images.
    """
    columns = ["image_id", "patient_id", "part", label]
    first = next(iter(scores.values()))[columns]
    for name, table in scores.items():
        if not table[columns].equals(first):
            raise ValueError(
                f"The scores of {name} are of other images than those of "
                f"{next(iter(scores))}: they are of two runs of the study. Run the "
                f"paths again."
            )
    values = [table[f"{label}_score"].to_numpy(float) for table in scores.values()]
    known = list(known_scores(scores, label).values())
    together = combined(np.stack(values, axis=1), rule=rule, known=known)
    return first.assign(**{f"{label}_score": together})


def tabulate_ensembles(scores: pd.DataFrame, *, reporting: Reporting) -> pd.DataFrame:
    """Return each ensemble's AUROC on test, against each of its members.

    One row per ensemble and member: `auroc`, `lower`, `upper` of the ensemble;
    `difference` to the member with its interval and p value, by patient, and that p
    value after Holm's adjustment for all rows. `is_chosen` marks the member that
    validation chose. `n_certain` counts the members' outputs of exactly 0 or 1, whose
    log odds `mean_logit` holds at those of 1e-12; `is_decided_by_certain` is true where
    another place would give it another AUROC. No row for a classifier alone.

    Args:
        scores: Of the members, as arranged.
        reporting: For the level of the intervals.
    """
    table = _compare_with_members(scores, reporting)
    return table.assign(p_holm=holm(table["p_clustered"]))


@per_finding
def _compare_with_members(scores: pd.DataFrame, reporting: Reporting) -> pd.DataFrame:
    parts = parts_of(scores)
    members = parts.test.scores
    ensembles = combine(parts)
    if ensembles.empty or len(members.columns) < 2:
        return pd.DataFrame(columns=_COLUMNS)
    together = ScoredPart(
        is_case=parts.test.is_case,
        scores=pd.concat([ensembles, members], axis=1),
        patients=parts.test.patients,
    )
    estimates = together.estimate(by_patient=True)
    own = auroc_rows(estimates, reporting.level)
    n_certain, is_decided = _certain(
        parts, dict(zip(estimates.names, estimates.auc, strict=True))
    )
    rows = []
    for k, ensemble in enumerate(ensembles.columns):
        for j, member in enumerate(members.columns):
            difference = estimates.compare(k, len(ensembles.columns) + j)
            rows.append(
                {
                    "ensemble": ensemble,
                    **own[k],
                    "member": member,
                    "is_chosen": member == parts.chosen,
                    **difference_row(difference, reporting.level),
                    "p_clustered": difference.p_value,
                    "n_certain": n_certain * (ensemble == MEAN_LOGIT),
                    "is_decided_by_certain": is_decided and ensemble == MEAN_LOGIT,
                }
            )
    return pd.DataFrame(rows, columns=_COLUMNS)


def _certain(parts: ScoredParts, aurocs: Mapping[str, float]) -> tuple[int, bool]:
    """Return how many outputs have no log odds, and whether they decide `mean_logit`.

    Args:
        parts: Scored by the members.
        aurocs: Of the ensembles.
    """
    n_certain = int(parts.test.is_certain.to_numpy().sum())
    if MEAN_LOGIT not in aurocs or not n_certain:
        return 0, False
    elsewhere = replace(parts, test=parts.test.with_less_certain())
    other = replace(parts.test, scores=combine(elsewhere)[[MEAN_LOGIT]])
    auroc = other.estimate(by_patient=True).auc[0]
    return n_certain, bool(abs(auroc - aurocs[MEAN_LOGIT]) > _SEEN)
