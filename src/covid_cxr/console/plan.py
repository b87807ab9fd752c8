"""`covid-cxr plan`: how much the trainings are, and how long they take here at most."""

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pandas as pd
from kedro.io import CatalogProtocol
from rich import get_console
from rich.table import Table

from covid_cxr.console.ending import ending_in_words
from covid_cxr.console.run_console import errors_diverted
from covid_cxr.console.session import of_study, study_context
from covid_cxr.places import place_of
from covid_cxr.study.current import current
from covid_cxr.study.design import Training
from covid_cxr.training.recipe import Recipe
from covid_cxr.training.speed import Speed, measure_speed
from covid_cxr.training.state import ARRAYS, KEPT

SECONDS = 30.0
BYTES_OF_WEIGHT = 4  # float32
GIB = 2**30


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A training that is to be done.

    Attributes:
        name: As in "path_b.phase2".
        n_train: Images that it learns from.
        n_validation: Images that decide when it stops.
        recipe: How it is trained.
    """

    name: str
    n_train: int
    n_validation: int
    recipe: Recipe

    @property
    def most_steps(self) -> int:
        """Steps where nothing stops it early."""
        n_steps = math.ceil(self.n_train / self.recipe.batch_images)
        return n_steps * self.recipe.max_epochs

    def most_hours(self, speed: Speed) -> float:
        """Return what all its epochs take, each with its validation."""
        epoch = self.n_train * speed.training + self.n_validation * speed.validation
        return epoch * self.recipe.max_epochs / 3600


@click.command()
@of_study
@click.option(
    "--seconds",
    default=SECONDS,
    type=click.FloatRange(min=0.0),
    show_default=True,
    help="How long to measure, once the network is traced.",
)
@click.option(
    "--images",
    type=click.IntRange(min=1),
    help="How many training images to assume where a training set is not yet drawn.",
)
@ending_in_words
def plan(
    env: str | None,
    params: dict[str, Any],
    conf_source: str | None,
    seconds: float,
    images: int | None,
) -> None:
    """Say how much the trainings are, and how long they take here at most.

    The images are counted in the splits, so that curation comes first; a short
    measurement with drawn pixels gives the speed of this machine.
    """
    with study_context(env, params, conf_source) as context:
        catalog = context.catalog
        trainings = [planned(t, catalog, images) for t in current().trainings]
        parameters = context.params
        with errors_diverted(Path(os.devnull)):
            speed = measure_speed(
                parameters["network"],
                trainings[0].recipe,
                parameters["compute"],
                seconds=seconds,
            )
    console = get_console()
    console.print(as_table(trainings, speed))
    for line in assumed(trainings, speed, parameters):
        console.print(line, soft_wrap=True, highlight=False)


def planned(
    training: Training, catalog: CatalogProtocol[Any, Any], images: int | None
) -> Planned:
    """Return a training with its images.

    Args:
        training: Of the study.
        catalog: Of the data root.
        images: To assume where its set is not drawn; a tenth of them more validate.

    Raises:
        FileNotFoundError: If its set is not drawn and `images` is None.
    """
    split = catalog[f"{training.training_set}_split"]
    recipe = catalog.load(f"params:{training.name}.recipe")
    if split.exists():
        parts: pd.Series[int] = split.load()["part"].value_counts()
        n_train, n_validation = (
            int(parts.get(name, 0)) for name in ("train", "validation")
        )
    elif images is not None:
        n_train, n_validation = images, math.ceil(images / 10)
    else:
        raise FileNotFoundError(
            f"{training.training_set} is not yet drawn (there is no "
            f"{place_of(split)}). Run `covid-cxr run --pipelines=ingestion,curation` "
            "with the same --env and --params first, or assume a number of training "
            "images: --images=10000."
        )
    return Planned(
        name=training.name, n_train=n_train, n_validation=n_validation, recipe=recipe
    )


def as_table(trainings: Sequence[Planned], speed: Speed) -> Table:
    """Return one row per training, and one of all."""
    table = Table(title="Trainings, at most", title_justify="left")
    table.add_column("training")
    for heading in ("images", "validated", "epochs", "steps", "time"):
        table.add_column(heading, justify="right")
    for one in trainings:
        table.add_row(
            one.name,
            f"{one.n_train:,}",
            f"{one.n_validation:,}",
            f"{one.recipe.max_epochs:,}",
            f"{one.most_steps:,}",
            _time(one.most_hours(speed)),
        )
    table.add_section()
    time = _time(sum(one.most_hours(speed) for one in trainings))
    steps = f"{sum(one.most_steps for one in trainings):,}"
    table.add_row(f"{len(trainings)} trainings", "", "", "", steps, time)
    return table


def assumed(
    trainings: Sequence[Planned], speed: Speed, parameters: dict[str, Any]
) -> Iterator[str]:
    """Yield what the table rests on, and what the disk has to hold."""
    weights = BYTES_OF_WEIGHT * speed.n_weights
    kept = len(trainings) * weights * (1 + len(ARRAYS) * KEPT)
    store = parameters["network"].size_px ** 2 / 2**20
    yield (
        f"Disk: {kept / GIB:.2f} GiB for classifiers and their states "
        f"({speed.n_weights:,} weights), and in an image store {store:.3f} MiB "
        "for each radiograph, before compression."
    )
    yield (
        f"Measured here: {1 / speed.training:.1f} images/s in training and "
        f"{1 / speed.validation:.1f} images/s in validation, {speed.batch_images} at a "
        "time, on one device, without reading and distorting images, which other "
        "threads do meanwhile."
    )
    yield (
        "Assumed: one training after the other, all epochs. Most stop early: after "
        f"{trainings[0].recipe.stop_epochs} epochs without improvement. Saliency maps, "
        "further seeds, left-out sites and the pooled control come on top."
    )
    if parameters["compute"].strategy != "default":
        yield (
            f"compute.strategy is {parameters['compute'].strategy}: more devices take "
            "less time than this."
        )


def _time(hours: float) -> str:
    return f"{hours:,.1f} h" if hours >= 1 else f"{60 * hours:.1f} min"
