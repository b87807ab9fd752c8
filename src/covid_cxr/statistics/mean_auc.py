"""The mean of AUCs over sets of patients with none in common, such as hospitals."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from covid_cxr.statistics.auc import AucEstimates


def average_aucs(estimates: Sequence[AucEstimates]) -> AucEstimates:
    """Return the mean of each model's AUC over k sets, each counted alike.

    Its covariance is the sum of theirs over k squared. That is what further patients of
    the same sets would change; how much a further set may differ is not in it. It is
    NaN for a model with an AUC of 0 or 1 in a set, or a constant score, where the
    variance says nothing.

    Args:
        estimates: Of the same models in each set.

    Raises:
        ValueError: If there is no set, or they are of different models.
    """
    names = {each.names for each in estimates}
    if len(names) != 1:
        raise ValueError(
            f"A mean is of the same models in each set, got {len(estimates)} sets of "
            f"{len(names)} different lists of models."
        )
    k = len(estimates)
    covariance = np.sum([each.covariance for each in estimates], axis=0) / k**2
    is_unknown = ~np.all([each.has_variance for each in estimates], axis=0)
    parts = [part for each in estimates for part in each.variance_parts]
    return AucEstimates(
        names=names.pop(),
        auc=np.mean([each.auc for each in estimates], axis=0),
        covariance=np.where(is_unknown | is_unknown[:, np.newaxis], np.nan, covariance),
        n_cases=sum(each.n_cases for each in estimates),
        n_controls=sum(each.n_controls for each in estimates),
        n_clusters=sum(each.n_clusters for each in estimates),
        variance_parts=tuple(
            replace(part, covariance=part.covariance / k**2) for part in parts
        ),
    )
