"""Ensembles of classifiers: the paper's own guess, left untested there, of the best."""

import pandas as pd
from scipy.special import expit, logit

from covid_cxr.report.reporting import Reporting
from covid_cxr.report.scored_part import ScoredPart
from covid_cxr.statistics.auc import share_below

ENSEMBLES = ("mean_probability", "mean_logit", "mean_rank")

_TINY = 1e-12  # keeps the log odds of a probability of 0 or 1 finite


def combine(validation: ScoredPart, part: ScoredPart) -> ScoredPart:
    """Return `part` scored by the three ensembles of its classifiers.

    A rank is a score's mid-rank among the validation scores of its classifier, so
    that an ensemble judges each radiograph on its own.

    Args:
        validation: What ranks refer to, scored by the same classifiers.
        part: The radiographs to be scored, with probabilities.
    """
    members = part.scores
    clipped = members.clip(_TINY, 1 - _TINY)
    ranks = {
        name: share_below(validation.scores[name].to_numpy(), members[name].to_numpy())
        for name in members.columns
    }
    columns = {
        "mean_probability": members.mean(axis=1),
        "mean_logit": pd.Series(expit(logit(clipped).mean(axis=1)), members.index),
        "mean_rank": pd.DataFrame(ranks, members.index).mean(axis=1),
    }
    return ScoredPart(
        is_case=part.is_case, scores=pd.DataFrame(columns), patients=part.patients
    )


def tabulate_ensembles(
    validation: ScoredPart, test: ScoredPart, *, reporting: Reporting
) -> pd.DataFrame:
    """Return each ensemble's AUROC on test, against each of its members.

    One row per ensemble and member: `auroc`, `lower`, `upper` of the ensemble;
    `difference` to the member with its interval and p value, by patient.

    Args:
        validation: Scored by the members.
        test: Likewise.
        reporting: For the level of the intervals.
    """
    ensembles = combine(validation, test)
    together = ScoredPart(
        is_case=test.is_case,
        scores=pd.concat([ensembles.scores, test.scores], axis=1),
        patients=test.patients,
    )
    estimates = together.estimate(by_patient=True)
    bounds = estimates.interval(reporting.level, "logit")
    rows = []
    for k, ensemble in enumerate(ENSEMBLES):
        for member in test.scores.columns:
            difference = estimates.compare(ensemble, str(member))
            lower, upper = difference.interval(reporting.level)
            rows.append(
                {
                    "ensemble": ensemble,
                    "auroc": estimates.auc[k],
                    "lower": bounds[k, 0],
                    "upper": bounds[k, 1],
                    "member": member,
                    "difference": difference.estimate,
                    "difference_lower": lower,
                    "difference_upper": upper,
                    "p_clustered": difference.p_value,
                }
            )
    return pd.DataFrame(rows)
