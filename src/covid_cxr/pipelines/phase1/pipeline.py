"""Phase 1: the initial weights of every path, then general findings."""

from kedro.pipeline import Node, Pipeline

from covid_cxr.pipelines.training_phase import inputs_of, outputs_of, train_and_score
from covid_cxr.study.current import current
from covid_cxr.study.design import PHASE1, Training
from covid_cxr.training.network import initialise


def create_pipeline() -> Pipeline:
    """Return the nodes that build the first classifier, train it and score it.

    Where no path learns general findings, the first classifier is all.
    """
    first = Node(
        initialise,
        inputs={"network": "params:network"},
        outputs=["initial_classifier", "initial_provenance"],
        name="initialise_classifier",
    )
    trainings = [t for t in current().trainings if t.training_set == PHASE1]
    return sum((_phase1(training) for training in trainings), Pipeline([first]))


def _phase1(training: Training) -> Pipeline:
    return Pipeline(
        train_and_score(training),
        namespace=training.name,
        inputs=inputs_of(training),
        outputs={**outputs_of(training), "classifier": training.classifier},
        parameters={"params:compute": "params:compute"},
    )
