"""Adapters of phase 3: where training and saliency meet."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd

from covid_cxr.saliency.cases import draw_cases, judge_test, scores_of
from covid_cxr.saliency.grad_cam import Explain, explained_layer, explainer
from covid_cxr.saliency.map_settings import Saliency
from covid_cxr.saliency.maps import maps_of, tabulate_maps
from covid_cxr.saliency.randomisation import randomisation_test
from covid_cxr.study.current import current
from covid_cxr.training.batches import input_batches
from covid_cxr.training.examples import Examples
from covid_cxr.training.recipe import Recipe
from covid_cxr.training.scores import score
from covid_cxr.training.seeds import Repetition, train_further_seeds
from covid_cxr.training.stage import Stage

DECIMALS = 4  # of a map in JSON: finer than any colour scale


def explain(
    classifier: Any, examples: Examples, scores: pd.DataFrame, saliency: Saliency
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return a few test cases with their maps, as JSON takes it, and all test maps.

    Args:
        classifier: The path's Keras model; of several labels that one is explained
            whose positives are counted.
        examples: As in training.
        scores: As `training.scores.score` returns them.
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
    maps = _map(judged.images, examples, _explainer(classifier, saliency))
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
    classifier: Any, examples: Examples, maps: pd.DataFrame, saliency: Saliency
) -> pd.DataFrame:
    """Return how similar maps stay while the classifier forgets, as `saliency` tests.

    Args:
        classifier: The path's Keras model.
        examples: As in training.
        maps: Of the test part, in random order; its first images are taken.
        saliency: How maps are made, and with how many images.
    """
    images = maps["image_id"].head(saliency.randomised_images)
    return randomisation_test(
        classifier,
        list(input_batches(examples.of(images))),
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

    def train(
        self,
        *,
        scores: pd.DataFrame,
        maps: pd.DataFrame,
        examples: Examples,
        recipe: Recipe,
        repetition: Repetition,
        saliency: Saliency,
        **training: Any,
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the scores and the maps of every seed: as given, with `seed`.

        The maps are of the same images in the same order, whatever became of them at
        another seed's threshold.

        Args:
            scores: Of the training with the recipe's own seed, which is not repeated.
            maps: Likewise.
            examples: What it is trained on.
            recipe: How it is trained, but for the seed.
            repetition: With how many seeds.
            saliency: How maps are made.
            training: What else `Stage.train` takes; `states` keeps each training from
                being run twice.
        """
        images = maps[["image_id", "patient_index"]]
        all_scores = [scores.assign(seed=recipe.seed)]
        all_maps = [maps[[*images, "height", "width", "map"]].assign(seed=recipe.seed)]
        for seed, classifier in train_further_seeds(
            Stage(self.name),
            recipe=recipe,
            repetition=repetition,
            examples=examples,
            **training,
        ):
            all_scores.append(score(classifier, examples).assign(seed=seed))
            own_maps = _map(images, examples, _explainer(classifier, saliency))
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


def _map(images: pd.DataFrame, examples: Examples, explain: Explain) -> pd.DataFrame:
    """Return the maps of `images`, a row for each, in their order."""
    batches = input_batches(examples.of(images["image_id"]))
    return tabulate_maps(images, explain, batches)
