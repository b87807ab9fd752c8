"""Adapters from the catalog: scores, and where the images were taken."""

import pandas as pd

from covid_cxr.evaluation import left_out_sites as report
from covid_cxr.evaluation.settings import Reporting


def tabulate_sites(  # noqa: PLR0913 - one argument per dataset of the catalog
    *,
    unseen: pd.DataFrame,
    seen: pd.DataFrame,
    sites: pd.DataFrame,
    curated: pd.DataFrame,
    split: pd.DataFrame,
    labels: list[str],
    reporting: Reporting,
) -> pd.DataFrame:
    """Return the AUROC at each site, trained without it and, where it was, with it.

    Args:
        unseen: Scores of the classifiers that were trained without a site.
        seen: Scores of phase 3.
        sites: From `split_sites`.
        curated: `image_id` and `site`.
        split: Of phase 3; a site that it does not train at is not seen.
        labels: Of phase 3: one.
        reporting: For the level of the intervals.
    """
    site = curated.set_index("image_id")["site"]
    trained_at = site[split.loc[split["part"] == "train", "image_id"]].unique()
    located = seen.assign(site=seen["image_id"].map(site))
    return report.tabulate_sites(
        unseen,
        located[located["site"].isin(trained_at)],
        sites,
        label=labels[0],
        reporting=reporting,
    )
