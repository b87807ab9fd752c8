"""Sites left out: in the report once `kedro run --pipelines=sites` has been run."""

from collections.abc import Sequence
from typing import Any

from covid_cxr.report.sites_left_out import SiteResults
from covid_cxr.study.current import current
from covid_cxr.study.design import TrainingPath


def site_datasets(paths: Sequence[TrainingPath]) -> list[str]:
    """Return the optional datasets that the section is made from."""
    return [
        f"{path.name}_site_{kind}" for path in paths for kind in ("results", "figure")
    ]


def take_site_results(parts: dict[str, Any]) -> SiteResults | None:
    """Return what there is of the paths' sites; None where the sites were not run.

    Args:
        parts: Of the report, by dataset; those of the sites are taken out.
    """
    results, figures = (
        {
            path.name: found
            for path in current().paths
            if (found := parts.pop(f"{path.name}_site_{kind}", None)) is not None
        }
        for kind in ("results", "figure")
    )
    return SiteResults(results=results, figures=figures) if results else None
