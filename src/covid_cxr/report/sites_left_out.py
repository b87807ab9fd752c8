"""What the report shows of sites left out."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True, kw_only=True)
class SiteResults:
    """What the report shows of the sites left out, by path.

    Attributes:
        results: From `tabulate_sites`.
        figures: PNG files of `figures.sites.draw_sites`.
    """

    results: Mapping[str, pd.DataFrame]
    figures: Mapping[str, bytes]
