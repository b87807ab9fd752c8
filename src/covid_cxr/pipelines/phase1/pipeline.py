"""Phase 1: the initial weights of every path, then general findings."""

from kedro.pipeline import Node, Pipeline

from covid_cxr.pipelines.pointing_game import point
from covid_cxr.pipelines.training_phase import inputs_of, outputs_of, train_and_score
from covid_cxr.pipelines.wiring import node
from covid_cxr.study.current import current
from covid_cxr.study.design import PHASE1, Training, initial
from covid_cxr.study.parameters import network_of
from covid_cxr.training.network import initialise


def create_pipeline() -> Pipeline:
    """Return the nodes that build the first classifier, train it and score it.

    Where no path learns general findings, the first classifier is all.
    """
    study = current()
    first = [_initialise(start) for start in study.used_starts]
    trainings = [t for t in study.trainings if t.training_set == PHASE1]
    return sum((_phase1(training) for training in trainings), Pipeline(first))


def _initialise(start: str | None) -> Node:
    of_start = "" if start is None else f"_{start}"
    return node(
        initialise,
        [f"{initial(start)}_classifier", f"{initial(start)}_provenance"],
        network=f"params:{network_of(start)}",
        name=f"initialise{of_start}_classifier",
    )


def _phase1(training: Training) -> Pipeline:
    trained = Pipeline(
        train_and_score(training),
        namespace=training.name,
        inputs=inputs_of(training),
        outputs={**outputs_of(training), "classifier": training.classifier},
        parameters={
            "params:compute": "params:compute",
            "params:recipe": "params:phase1.recipe",
        },
    )
    return trained + point(training)
