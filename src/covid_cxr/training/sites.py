"""A training repeated without each site in turn, and judged at the site left out."""

import logging
from dataclasses import dataclass
from typing import Any

import pandas as pd

from covid_cxr.cohorts.intensity import IntensitySample, measure_intensity
from covid_cxr.radiographs.store import ImageStore
from covid_cxr.training.recipe import Recipe
from covid_cxr.training.scores import score
from covid_cxr.training.stage import Stage
from covid_cxr.training.state import StateFolder
from covid_cxr.training.strategy import Compute

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StageWithoutSites:
    """A training of the study without each site; `train_and_score` is the node's.

    Attributes:
        path: As in "path_b".
    """

    path: str

    def train_and_score(  # noqa: PLR0913 - one argument per dataset of the catalog
        self,
        *,
        parent: Any,
        parent_provenance: dict[str, Any],
        store: ImageStore,
        curated: pd.DataFrame,
        splits: pd.DataFrame,
        sample: IntensitySample,
        labels: list[str],
        recipe: Recipe,
        compute: Compute,
        states: StateFolder,
    ) -> tuple[pd.DataFrame, dict[str, dict[str, Any]]]:
        """Return the scores of every site's classifier, and their provenance.

        All start from the same parent. Nothing is known of the site that is left out,
        not even how bright its images are: the intensity is that of the others. A
        training that is over is not run again, and one that was interrupted goes on
        after its last epoch.

        Args:
            parent: The Keras model to start from.
            parent_provenance: Where it comes from.
            store: The cohort's images.
            curated: `image_id`, `row` in the store, and a boolean column per label.
            splits: `site, image_id, patient_id, part`: a split per site left out.
            sample: Of training images, for their intensity.
            labels: What the classifier tells, in the order of its outputs.
            recipe: How it is trained.
            compute: What the trainings run on.
            states: Where their states are kept.

        Returns:
            As `training.scores.score`, with the `site` left out: its own images are
            the test part, the validation part is of the others; and one record of
            provenance per site.
        """
        columns = [f"{label}{kind}" for label in labels for kind in ("", "_score")]
        tables, provenance = [], {}
        for site, split in splits.groupby("site"):
            logger.info("%s: training without %s", self.path, site)
            data: dict[str, Any] = {
                "store": store,
                "curated": curated,
                "split": split,
                "intensity": measure_intensity(store, curated, split, sample),
                "labels": labels,
            }
            stage = Stage(_stage(self.path, site))
            classifier, _, provenance[str(site)], _ = stage.train(
                parent=parent,
                parent_provenance=parent_provenance,
                recipe=recipe,
                compute=compute,
                states=states,
                **data,
            )
            tables.append(score(classifier, **data).assign(site=site))
        return _together(tables, columns), provenance


def _stage(path: str, site: object) -> str:
    """Return the training's name; its last word keys the random numbers, as ever."""
    return f"{path}.without {site}.phase3"


def _together(tables: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """Return one table of all sites; an empty one where there is none to leave out."""
    named = ["site", "image_id", "patient_id", "part", *columns]
    if not tables:
        return pd.DataFrame(columns=named)
    return pd.concat(tables, ignore_index=True)[named]
