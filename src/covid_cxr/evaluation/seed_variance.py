"""How much of a path's AUROC is the luck of its seed, and how much of its test part."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.evaluation.arranged_scores import arrange_paths, parts_of
from covid_cxr.evaluation.findings import per_finding


def tabulate_seeds(**scores: pd.DataFrame) -> pd.DataFrame:
    """Return the spread of the test AUROC over seeds, one row per path.

    With A_s the AUROC of seed s and SE_s its standard error, clustered by patient:
    `sampling_variance` = mean of SE_s^2, NaN where an SE_s is 0, which says nothing;
    `seed_variance` = sum of (A_s - mean)^2, divided by n - 1; `total_variance` = their
    sum, that of one training tested on new patients; `seed_share` = seed_variance /
    total_variance. With one seed, what needs two is NaN.

    Args:
        scores: Scores of phase 3 with their `seed`, by path.
    """
    return pd.concat(
        [
            _tabulate_path(
                arrange_paths(**{str(n): one for n, one in table.groupby("seed")}), path
            )
            for path, table in scores.items()
        ],
        ignore_index=True,
    )


@per_finding
def _tabulate_path(scores: pd.DataFrame, path: str) -> pd.DataFrame:
    estimates = parts_of(scores).test.estimate(by_patient=True)
    error = np.where(estimates.has_variance, estimates.standard_error, np.nan)
    return pd.DataFrame([{"path": path, **_spread(estimates.auc, error)}])


def _spread(
    auroc: NDArray[np.float64], standard_error: NDArray[np.float64]
) -> dict[str, float]:
    """Return a row of the table."""
    sampling = float(np.mean(standard_error**2))
    between = float(np.var(auroc, ddof=1)) if len(auroc) > 1 else np.nan
    return {
        "n_seeds": len(auroc),
        "mean_auroc": float(np.mean(auroc)),
        "sd_auroc": between**0.5,
        "lowest_auroc": float(np.min(auroc)),
        "highest_auroc": float(np.max(auroc)),
        "sampling_variance": sampling,
        "seed_variance": between,
        "total_variance": sampling + between,
        "seed_share": between / (sampling + between),
    }
