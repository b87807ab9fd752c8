"""Ensembles of classifiers: the paper's own guess, left untested there, of the best."""

import pandas as pd
from scipy.special import expit, logit

from covid_cxr.report.reporting import Reporting
from covid_cxr.report.scored_part import ScoredPart, ScoredParts
from covid_cxr.statistics.auc import share_below
from covid_cxr.statistics.multiplicity import holm

_TINY = 1e-12  # keeps the log odds of a probability of 0 or 1 finite
_COLUMNS = [
    *("ensemble", "auroc", "lower", "upper", "member", "is_chosen", "difference"),
    *("difference_lower", "difference_upper", "p_clustered", "p_holm"),
]


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
        log_odds = logit(members.clip(_TINY, 1 - _TINY))
        columns["mean_probability"] = members.mean(axis=1)
        columns["mean_logit"] = pd.Series(expit(log_odds.mean(axis=1)), members.index)
    if parts.validation is not None:
        ranks = {
            name: share_below(
                parts.validation.scores[name].to_numpy(), members[name].to_numpy()
            )
            for name in members.columns
        }
        columns["mean_rank"] = pd.DataFrame(ranks, members.index).mean(axis=1)
    return pd.DataFrame(columns, index=members.index)


def tabulate_ensembles(parts: ScoredParts, *, reporting: Reporting) -> pd.DataFrame:
    """Return each ensemble's AUROC on test, against each of its members.

    One row per ensemble and member: `auroc`, `lower`, `upper` of the ensemble;
    `difference` to the member with its interval and p value, by patient, and that p
    value after Holm's adjustment for all rows. `is_chosen` marks the member that
    validation chose. No row for a classifier alone.

    Args:
        parts: Scored by the members.
        reporting: For the level of the intervals.
    """
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
    bounds = estimates.interval(reporting.level, "logit")
    rows = []
    for k, ensemble in enumerate(ensembles.columns):
        for j, member in enumerate(members.columns):
            difference = estimates.compare(k, len(ensembles.columns) + j)
            lower, upper = difference.interval(reporting.level)
            rows.append(
                {
                    "ensemble": ensemble,
                    "auroc": estimates.auc[k],
                    "lower": bounds[k, 0],
                    "upper": bounds[k, 1],
                    "member": member,
                    "is_chosen": member == parts.chosen,
                    "difference": difference.estimate,
                    "difference_lower": lower,
                    "difference_upper": upper,
                    "p_clustered": difference.p_value,
                }
            )
    table = pd.DataFrame(rows)
    return table.assign(p_holm=holm(table["p_clustered"]))
