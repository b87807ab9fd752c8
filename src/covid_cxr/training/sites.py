"""A training repeated without each site in turn, and judged at the site left out."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from covid_cxr.cohorts.intensity import IntensitySample
from covid_cxr.devices.strategy import Compute
from covid_cxr.training.examples import Examples, assemble
from covid_cxr.training.recipe import Recipe
from covid_cxr.training.scores import score
from covid_cxr.training.stage import Stage

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StageWithoutSites:
    """A training of the study without each site; `train_and_score` is the node's.

    Attributes:
        path: As in "path_b".
    """

    path: str

    def train_and_score(
        self,
        *,
        examples: Examples,
        curated: pd.DataFrame,
        splits: pd.DataFrame,
        sample: IntensitySample,
        recipe: Recipe,
        compute: Compute,
        **parent: Any,
    ) -> tuple[pd.DataFrame, dict[str, dict[str, Any]]]:
        """Return the scores of every site's classifier, and their provenance.

        All start from the same parent. Nothing is known of the site that is left out,
        not even how bright its images are: the intensity is that of the others. A
        training that is over is not run again, and one that was interrupted goes on
        after its last epoch.

        Args:
            examples: Of phase 3 with all sites.
            curated: Radiographs of the same cohort.
            splits: `site, image_id, patient_id, part`: a split per site left out.
            sample: Of training images, for their intensity.
            recipe: How it is trained.
            compute: What the trainings run on.
            parent: What else `Stage.train` takes.

        Returns:
            As `training.scores.score`, with the `site` left out: its own images are
            the test part, the validation part is of the others; and one record of
            provenance per site.
        """
        tables, provenance = [], {}
        for site, split in splits.groupby("site"):
            logger.info("%s: training without %s", self.path, site)
            without = assemble(
                curated, split, examples.labels, sample, store=examples.store
            )
            classifier, _, provenance[str(site)], _ = self._stage(site).train(
                examples=without, recipe=recipe, compute=compute, **parent
            )
            tables.append(score(classifier, without).assign(site=site))
        return _together(tables, examples.labels), provenance

    def _stage(self, site: object) -> Stage:
        """Return the training; its last word keys the random numbers, as ever."""
        return Stage(f"{self.path}.without {site}.phase3")


def _together(tables: list[pd.DataFrame], labels: Sequence[str]) -> pd.DataFrame:
    """Return one table of all sites; an empty one where there is none to leave out."""
    columns = [f"{label}{kind}" for label in labels for kind in ("", "_score")]
    named = ["site", "image_id", "patient_id", "part", *columns]
    if not tables:
        return pd.DataFrame(columns=named)
    return pd.concat(tables, ignore_index=True)[named]
