"""The AUROC of each classifier, with every interval that a reviewer may ask for."""

import logging

import numpy as np
import pandas as pd

from covid_cxr.evaluation.arranged_scores import parts_of
from covid_cxr.evaluation.findings import per_finding
from covid_cxr.evaluation.inference_settings import Evaluation, Reporting
from covid_cxr.statistics.auc import AucEstimates
from covid_cxr.statistics.bootstrap import BootstrapAucs, bootstrap_aucs
from covid_cxr.statistics.roc import trace_rocs

logger = logging.getLogger(__name__)

MOST_DRAWN = 200_000_000  # radiographs, in all replicates together
_LEAST_REPLICATES = 200


def affordable_replicates(n_images: int, asked: int) -> int:
    """Return how many replicates are drawn: fewer of very many radiographs.

    From a hundred thousand on an interval by resampling is that by patient within its
    Monte-Carlo error, which is shown beside it, and would take minutes.

    Args:
        n_images: Of the test part.
        asked: Replicates.
    """
    most = max(_LEAST_REPLICATES, MOST_DRAWN // n_images)
    if most < asked:
        logger.warning(
            "Bootstrap: %d replicates instead of %d, for %d radiographs",
            most,
            asked,
            n_images,
        )
    return min(asked, most)


@per_finding
def tabulate_aurocs(
    scores: pd.DataFrame, *, reporting: Reporting, evaluation: Evaluation
) -> pd.DataFrame:
    """Return one row per classifier, of its scores on the test part.

    `lower` and `upper` are by patient (logit), `image_…` by image as in the paper
    (Wald), `bootstrap_…` from resampled patients (BCa) with the larger Monte-Carlo
    error of both ends; `partial_auroc` is McClish's up to `max_false_positive_rate`;
    `is_at_boundary` flags an AUROC of 0 or 1; `caution` says in words which intervals
    to distrust, and is empty where none; `is_chosen` the classifier with the highest
    `validation_auroc`.

    Args:
        scores: As arranged.
        reporting: For the level of the intervals.
        evaluation: For the bootstrap and the partial area.
    """
    parts = parts_of(scores)
    test = parts.test
    by_patient = test.estimate(by_patient=True)
    bounds = by_patient.interval(reporting.level, "logit")
    by_image = test.estimate(by_patient=False).interval(reporting.level, "wald")
    resampled = bootstrap_aucs(
        test.is_case,
        test.scores,
        cluster=test.clusters,
        n_replicates=affordable_replicates(
            len(test.is_case), evaluation.bootstrap_replicates
        ),
        seed=evaluation.seed,
    )
    bootstrap = resampled.interval(reporting.level, "bca")
    end = evaluation.max_false_positive_rate
    curves = trace_rocs(test.is_case, test.scores)
    return pd.DataFrame(
        {
            "classifier": by_patient.names,
            "auroc": by_patient.auc,
            "lower": bounds[:, 0],
            "upper": bounds[:, 1],
            "image_lower": by_image[:, 0],
            "image_upper": by_image[:, 1],
            "bootstrap_lower": bootstrap.bounds[:, 0],
            "bootstrap_upper": bootstrap.bounds[:, 1],
            "bootstrap_error": np.max(bootstrap.monte_carlo_error, axis=1),
            "bootstrap_replicates": len(resampled.replicates),
            "partial_auroc": [curve.partial_area(end) for curve in curves.values()],
            "max_false_positive_rate": end,
            "is_at_boundary": by_patient.is_at_boundary,
            "caution": _cautions(by_patient, resampled),
            "validation_auroc": parts.validation_aurocs.to_numpy(),
            "is_chosen": [name == parts.chosen for name in by_patient.names],
            **test.sizes,
        }
    )


def _cautions(estimates: AucEstimates, resampled: BootstrapAucs) -> list[str]:
    """Return what is wrong with the intervals of each classifier, empty for nothing."""
    said = []
    for k in range(len(estimates.names)):
        reasons = []
        if estimates.is_at_boundary[k]:
            reasons.append(
                "classes wholly separated: only the interval by patient, an exact "
                "bound, says anything"
            )
        elif np.isnan(estimates.standard_error[k]):
            reasons.append("fewer than two patients of a class: no interval is known")
        elif not estimates.has_variance[k]:
            reasons.append("no variance, as of a constant score: no interval is known")
        elif resampled.is_degenerate[k]:
            reasons.append("every replicate is alike: the bootstrap says nothing")
        if resampled.has_few_patients:
            reasons.append(
                f"{resampled.n_patients_of_rarer_class} patients of the rarer class: "
                f"BCa intervals cover less than they say"
            )
        if resampled.left_out is not None:
            reasons.append(
                f"of so many radiographs the bootstrap sums what each patient adds to "
                f"an AUROC, without the terms of two patients at once: about "
                f"{resampled.left_out[k]:.1%} of its standard error"
            )
        said.append("; ".join(reasons))
    return said
