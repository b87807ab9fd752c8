"""Phase 2: related findings, once for every path that has them."""

from kedro.pipeline import Pipeline

from covid_cxr.pipelines.pointing_game import point
from covid_cxr.pipelines.training_phase import inputs_of, outputs_of, train_and_score
from covid_cxr.study.current import current
from covid_cxr.study.design import Training, TrainingPath


def create_pipeline() -> Pipeline:
    """Return the trainings and scores of phase 2, a namespace for every training."""
    return sum(
        (
            _phase2(path, training)
            for path in current().paths
            for training in path.phase2_trainings
        ),
        Pipeline([]),
    )


def _phase2(path: TrainingPath, training: Training) -> Pipeline:
    trained = Pipeline(
        train_and_score(training),
        namespace=training.name,
        inputs=inputs_of(training),
        outputs=outputs_of(training),
        parameters={"params:compute": "params:compute"},
    )
    return Pipeline([trained, point(training)], tags=[path.name])
