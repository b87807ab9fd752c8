"""Adapters of phase 3: where training and saliency meet."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.radiographs.store import ImageStore
from covid_cxr.saliency.cases import draw_cases, judge_test, scores_of
from covid_cxr.saliency.grad_cam import Images, explained_layer, explainer
from covid_cxr.saliency.map_settings import Saliency
from covid_cxr.saliency.maps import input_batches, maps_of, tabulate_maps
from covid_cxr.saliency.randomisation import randomisation_test
from covid_cxr.study.current import current
from covid_cxr.training.batches import normalise
from covid_cxr.training.recipe import Recipe
from covid_cxr.training.scores import score
from covid_cxr.training.seeds import Repetition, train_further_seeds
from covid_cxr.training.stage import Stage
from covid_cxr.training.state import StateFolder
from covid_cxr.training.strategy import Compute
from covid_cxr.training.training_set import Intensity

DECIMALS = 4  # of a map in JSON: finer than any colour scale


def explain(
    classifier: Any,
    store: ImageStore,
    curated: pd.DataFrame,
    scores: pd.DataFrame,
    intensity: Mapping[str, Any],
    saliency: Saliency,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return a few test cases with their maps, as JSON takes it, and all test maps.

    Args:
        classifier: The path's Keras model; of several labels that one is explained
            whose positives are counted.
        store: The cohort's images.
        curated: `image_id` and `row` in the store.
        scores: As `training.scores.score` returns them.
        intensity: As in training.
        saliency: How maps are made, and how many cases of each outcome are drawn.

    Returns:
        `method`; `layer`, the layer explained; `threshold`, the operating threshold;
        and `cases`, a list of records: `image_id`, `patient_index`, `outcome` (such as
        "true_positive"), `score`, and `map`, rows from top to bottom of values on
        [0, 1]. And a row per test image, in random order: the same columns, with the
        map as `saliency.maps` keeps it.

    Raises:
        ValueError: If the scores have no such cases, or the classifier has no such
            layer.
    """
    judged = judge_test(
        scores_of(scores, current().target_set.label), seed=saliency.seed
    )
    images = _input(judged.images, store, curated, intensity)
    maps = tabulate_maps(judged.images, _explainer(classifier, saliency), images)
    drawn = draw_cases(maps, saliency)
    records = drawn[list(judged.images)].to_dict(orient="records")
    values = maps_of(drawn).round(DECIMALS).tolist() if len(drawn) else []
    return {
        "method": saliency.method,
        "layer": saliency.layer or explained_layer(classifier),
        "threshold": judged.threshold,
        "cases": [
            {**record, "map": one_map}
            for record, one_map in zip(records, values, strict=True)
        ],
    }, maps


def randomise(
    classifier: Any,
    store: ImageStore,
    curated: pd.DataFrame,
    maps: pd.DataFrame,
    intensity: Mapping[str, Any],
    saliency: Saliency,
) -> pd.DataFrame:
    """Return how similar maps stay while the classifier forgets, as `saliency` tests.

    Args:
        classifier: The path's Keras model.
        store: The cohort's images.
        curated: `image_id` and `row` in the store.
        maps: Of the test part, in random order; its first images are taken.
        intensity: As in training.
        saliency: How maps are made, and with how many images.
    """
    images = maps.head(saliency.randomised_images)
    return randomisation_test(
        classifier,
        list(_input(images, store, curated, intensity)),
        make_explainer=partial(_explainer, saliency=saliency),
        seed=saliency.seed,
    )


@dataclass(frozen=True)
class RepeatedStage:
    """A training of the study with several seeds; `train` is the node's function.

    Attributes:
        name: As in "path_b.phase3".
    """

    name: str

    def train(  # noqa: PLR0913 - one argument per dataset of the catalog
        self,
        *,
        scores: pd.DataFrame,
        maps: pd.DataFrame,
        parent: Any,
        parent_provenance: dict[str, Any],
        store: ImageStore,
        curated: pd.DataFrame,
        split: pd.DataFrame,
        intensity: Mapping[str, Any],
        labels: list[str],
        recipe: Recipe,
        repetition: Repetition,
        saliency: Saliency,
        compute: Compute,
        states: StateFolder,
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the scores and the maps of every seed: as given, with `seed`.

        The maps are of the same images in the same order, whatever became of them at
        another seed's threshold.

        Args:
            scores: Of the training with the recipe's own seed, which is not repeated.
            maps: Likewise.
            parent: The Keras model to start from.
            parent_provenance: Where it comes from.
            store: The cohort's images.
            curated: `image_id`, `row` in the store, and a boolean column per label.
            split: `image_id`, `patient_id` and `part`.
            intensity: As in the training with the recipe's own seed.
            labels: What the classifier tells, in the order of its outputs.
            recipe: How it is trained, but for the seed.
            repetition: With how many seeds.
            saliency: How maps are made.
            compute: What the trainings run on.
            states: Where their states are kept, so that none is run twice.
        """
        shared: dict[str, Any] = {
            "store": store,
            "curated": curated,
            "split": split,
            "intensity": intensity,
            "labels": labels,
        }
        images = maps[["image_id", "patient_index"]]
        all_scores = [scores.assign(seed=recipe.seed)]
        all_maps = [maps[[*images, "height", "width", "map"]].assign(seed=recipe.seed)]
        for seed, classifier in train_further_seeds(
            Stage(self.name),
            recipe=recipe,
            repetition=repetition,
            parent=parent,
            parent_provenance=parent_provenance,
            compute=compute,
            states=states,
            **shared,
        ):
            all_scores.append(score(classifier, **shared).assign(seed=seed))
            batches = _input(images, store, curated, intensity)
            own_maps = tabulate_maps(images, _explainer(classifier, saliency), batches)
            all_maps.append(own_maps.assign(seed=seed))
        return (
            pd.concat(all_scores, ignore_index=True),
            pd.concat(all_maps, ignore_index=True),
        )


def _explainer(classifier: Any, saliency: Saliency) -> Any:
    """Explain the output of the finding whose positives are counted."""
    target = current().target_set
    return explainer(
        classifier,
        method=saliency.method,
        layer=saliency.layer,
        output=target.labels.index(target.label),
    )


def _input(
    images: pd.DataFrame,
    store: ImageStore,
    curated: pd.DataFrame,
    intensity: Mapping[str, Any],
) -> Iterator[Images]:
    """Yield batches of the network's input for `images`, in their order."""
    rows = curated.set_index("image_id").loc[images["image_id"], "row"]

    def read(chosen: NDArray[np.int64]) -> Images:
        return normalise(store.read(chosen), Intensity(**intensity))

    return input_batches(read, rows.to_numpy(np.int64), size_px=store.size_px)
