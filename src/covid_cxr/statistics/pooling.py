"""AUCs of sets of patients with none in common: sites, cohorts, subgroups.

`average_aucs` speaks of the sets that there are. Here a further set is asked for, whose
AUC differs by more than chance (random effects), and whether two sets, or the gain of
a model over another, differ. Logits are pooled, so that bounds stay in [0, 1].
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, expit, logit, stdtrit

from covid_cxr.statistics.auc import AucDifference, AucEstimates, normal_quantile

Floats = NDArray[np.float64]

FEWEST_POOLED = 3  # of two sets nobody can tell how sets vary


@dataclass(frozen=True, kw_only=True)
class PooledAuc:
    """The AUC of one model over k sets, as of sets drawn at random.

    Attributes:
        auc: Of the average set, on the logit scale.
        bounds: Hartung and Knapp's interval of it (Stat Med 2001;20:3875).
        prediction: Interval of the AUC in a further set (Higgins, Thompson and
            Spiegelhalter, J R Stat Soc A 2009;172:137); NaN with fewer than 3 sets.
        between_variance: Of the logits between sets (Paule and Mandel, J Res Natl Bur
            Stand 1982;87:377).
        heterogeneity_p_value: Cochran's Q, of "all sets have one AUC".
        n_sets: How many there are.
    """

    auc: float
    bounds: tuple[float, float]
    prediction: tuple[float, float]
    between_variance: float
    heterogeneity_p_value: float
    n_sets: int


def pool_aucs(
    estimates: Sequence[AucEstimates], model: str, *, level: float = 0.95
) -> PooledAuc:
    """Return the AUC of a model over several sets, and in a further one.

    Args:
        estimates: Of each set, with this model among others.
        model: Its name.
        level: Coverage.

    Raises:
        ValueError: If there are fewer than two sets, one lacks the model, or its AUC
            is 0 or 1 there or has no variance.
    """
    normal_quantile(level)  # refuses what is no level
    if len(estimates) < 2:
        raise ValueError(f"Pooling needs at least 2 sets, got {len(estimates)}.")
    places = [_place(each, model) for each in estimates]
    aucs = np.array([each.auc[k] for each, k in zip(estimates, places, strict=True)])
    errors = [e.standard_error[k] for e, k in zip(estimates, places, strict=True)]
    return pool_logits(logit(aucs), (errors / (aucs * (1 - aucs))) ** 2, level=level)


def pool_logits(effects: Floats, variances: Floats, *, level: float) -> PooledAuc:
    """Return the pooled share of logits with their variances, shapes (k,).

    Args:
        effects: At least two.
        variances: Above 0.
        level: Coverage.
    """
    # Imported here, because statsmodels takes as long to import as Kedro.
    from statsmodels.stats.meta_analysis import combine_effects  # noqa: PLC0415

    k = len(effects)
    found = combine_effects(effects, variances, method_re="iterated", use_t=True)
    centre, error = float(found.mean_effect_re), float(found.sd_eff_w_re_hksj)
    between = max(0.0, float(found.tau2))
    margin = stdtrit(k - 1, (1 + level) / 2) * error
    further = np.nan
    if k > 2:
        further = stdtrit(k - 2, (1 + level) / 2) * np.sqrt(between + error**2)
    return PooledAuc(
        auc=float(expit(centre)),
        bounds=(float(expit(centre - margin)), float(expit(centre + margin))),
        prediction=(float(expit(centre - further)), float(expit(centre + further))),
        between_variance=between,
        heterogeneity_p_value=float(chdtrc(k - 1, found.q)),
        n_sets=k,
    )


def compare_unpaired(
    first: AucEstimates, second: AucEstimates, model: str
) -> AucDifference:
    """Return the AUC of a model in one set minus that in another, tested.

    Args:
        first: Of one set.
        second: Of another, with no patient in both.
        model: Its name.

    Raises:
        ValueError: If a set lacks the model, or its AUC is 0 or 1 there or has no
            variance.
    """
    i, j = _place(first, model), _place(second, model)
    parts = [first.covariance[i, i], second.covariance[j, j]]
    freedoms = [first.degrees_of_freedom(i), second.degrees_of_freedom(j)]
    variance = sum(parts)
    spread = float(np.square(parts) @ (1 / np.array(freedoms)))
    freedom = variance**2 / spread if spread else np.inf
    return AucDifference(
        estimate=float(first.auc[i] - second.auc[j]),
        standard_error=float(np.sqrt(variance)),
        degrees_of_freedom=float(freedom),
    )


def interaction_p_value(differences: Sequence[AucDifference]) -> float:
    """Return the p value of "one model gains as much on another in every subgroup".

    Cochran's Q of the paired differences. Of several variables, each with its
    subgroups, the p values are one family for `multiplicity`.

    Args:
        differences: In subgroups with no patient in two of them; at least two.

    Raises:
        ValueError: If there are fewer, or a standard error is 0 or unknown.
    """
    errors = np.array([each.standard_error for each in differences])
    if len(errors) < 2 or not (errors > 0).all():
        raise ValueError(
            f"An interaction needs at least 2 subgroups, each with a known standard "
            f"error, got {len(errors)} with {', '.join(f'{e:g}' for e in errors)}."
        )
    values = np.array([each.estimate for each in differences])
    weights = 1 / errors**2
    mean = weights @ values / weights.sum()
    return float(chdtrc(len(values) - 1, weights @ (values - mean) ** 2))


def _place(estimates: AucEstimates, model: str) -> int:
    if model not in estimates.names:
        raise ValueError(
            f"There is no model {model!r} in a set of {', '.join(estimates.names)}."
        )
    k = estimates.names.index(model)
    if not estimates.has_variance[k]:
        raise ValueError(
            f"The AUC of {model} in a set of {estimates.n_clusters} patients is "
            f"{estimates.auc[k]:.3g} with no known error; leave the set out, or join "
            f"it with another."
        )
    return k
