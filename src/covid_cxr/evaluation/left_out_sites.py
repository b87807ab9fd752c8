"""AUROC at sites that the classifier was not trained at, one left out in turn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from covid_cxr.evaluation.inference_settings import Reporting
from covid_cxr.evaluation.scored_part import auroc_rows, difference_row, line_up
from covid_cxr.statistics.auc import AucEstimates
from covid_cxr.statistics.mean_auc import average_aucs
from covid_cxr.study.current import current

MEAN = "mean of sites"
UNSEEN, SEEN = "unseen", "seen"

COLUMNS = (
    *("site", "images", "patients", "cases", "auroc", "lower", "upper"),
    *("shared_images", "shared_unseen", "shared_seen", "difference"),
    *("difference_lower", "difference_upper", "p_clustered", "reason"),
)


def tabulate_sites(
    unseen: pd.DataFrame,
    seen: pd.DataFrame,
    sites: pd.DataFrame,
    curated: pd.DataFrame,
    split: pd.DataFrame,
    reporting: Reporting,
) -> pd.DataFrame:
    """Return one row per site, and the mean of those that were left out.

    `auroc`, `lower` and `upper` are of the classifier that was trained without the
    site, on all of the site's images. `shared_…` are of the `shared_images` that the
    path's own classifier, trained at all sites, was tested on too: `shared_unseen` and
    `shared_seen` are the AUROCs of the two classifiers there, `difference` is seen
    minus unseen, tested as a pair. Intervals are by patient (logit). What cannot be
    known is NaN.

    Args:
        unseen: Of the classifiers trained without the `site` that each row names:
            `image_id, patient_id, part`, the label and `<label>_score`.
        seen: Of the classifier trained at all sites, likewise.
        sites: `site, images, patients, cases, reason`.
        curated: `image_id` and `site`.
        split: Of phase 3; a site that it does not train at is not seen.
        reporting: For the level of the intervals.
    """
    label = current().target_set.label
    site = curated.set_index("image_id")["site"]
    trained_at = site[split.loc[split["part"] == "train", "image_id"]].unique()
    seen = seen.assign(site=seen["image_id"].map(site))
    seen = seen[seen["site"].isin(trained_at)]
    judged = {
        site: _judge(unseen[unseen["site"] == site], seen[seen["site"] == site], label)
        for site in sites.loc[sites["reason"].isna(), "site"]
    }
    known = {site: left_out.record(reporting) for site, left_out in judged.items()}
    rows: list[Mapping[Any, Any]] = [
        {**row, **known.get(row["site"], {})} for row in sites.to_dict("records")
    ]
    if len(judged) > 1:
        mean = _mean(list(judged.values()))
        rows.append({"site": MEAN, **mean.record(reporting)})
    return pd.DataFrame(rows, columns=list(COLUMNS))


@dataclass(frozen=True, kw_only=True)
class _LeftOut:
    """What is known of a site that was left out, or of the mean of several.

    Attributes:
        unseen: Of the classifier trained without the site, on all its images.
        shared: Of both classifiers on the test images that they share; None where
            these are of one class only.
    """

    unseen: AucEstimates
    shared: AucEstimates | None

    def record(self, reporting: Reporting) -> dict[str, Any]:
        """Return a row of the table, but for the site's name."""
        row = {
            "images": self.unseen.n_cases + self.unseen.n_controls,
            "patients": self.unseen.n_clusters,
            "cases": self.unseen.n_cases,
            **auroc_rows(self.unseen, reporting.level)[0],
        }
        return row | _compare(self.shared, reporting)


def _judge(unseen: pd.DataFrame, seen: pd.DataFrame, label: str) -> _LeftOut:
    """Return what the scores of one site say."""
    tests = [table[table["part"] == "test"] for table in (unseen, seen)]
    ids = set(tests[0]["image_id"]) & set(tests[1]["image_id"])
    shared = [table[table["image_id"].isin(ids)] for table in tests]
    classes = set(shared[0][label])
    both = dict(zip((UNSEEN, SEEN), shared, strict=True))
    return _LeftOut(
        unseen=_estimate({UNSEEN: unseen}, label),
        shared=_estimate(both, label) if len(classes) == 2 else None,
    )


def _estimate(tables: Mapping[str, pd.DataFrame], label: str) -> AucEstimates:
    return line_up(tables, label=label, part="test").estimate(by_patient=True)


def _compare(shared: AucEstimates | None, reporting: Reporting) -> dict[str, Any]:
    """Return what training at the site changes, on the same images, if any."""
    if shared is None:
        return {}
    difference = shared.compare(SEEN, UNSEEN)
    auroc = dict(zip(shared.names, shared.auc, strict=True))
    return {
        "shared_images": shared.n_cases + shared.n_controls,
        "shared_unseen": auroc[UNSEEN],
        "shared_seen": auroc[SEEN],
        **difference_row(difference, reporting.level),
        "p_clustered": difference.p_value,
    }


def _mean(sites: Sequence[_LeftOut]) -> _LeftOut:
    """Return the mean, in which every site counts alike, however many images it has.

    It has a difference if every site has one.
    """
    shared = [site.shared for site in sites if site.shared is not None]
    return _LeftOut(
        unseen=average_aucs([site.unseen for site in sites]),
        shared=average_aucs(shared) if len(shared) == len(sites) else None,
    )
