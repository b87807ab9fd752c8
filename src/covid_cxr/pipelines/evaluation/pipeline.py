"""The paths' COVID-19 scores to every statistic beyond the paper's, and Figure 3."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from covid_cxr.evaluation.arranged_scores import arrange_paths
from covid_cxr.evaluation.imperfect_labels import find_unlabelled
from covid_cxr.evaluation.subgroups import find_levels
from covid_cxr.pipelines.score_evaluation import (
    compare_with_margins,
    correct_for_labels,
    evaluate_scores,
    judge_levels,
    stand_for_unlabelled,
)
from covid_cxr.pipelines.wiring import each, node
from covid_cxr.study.current import current
from covid_cxr.study.design import TrainingPath

_FIGURE_3 = {"roc_figure": "figure3", "roc_interactive": "figure3_interactive"}


def create_pipeline() -> Pipeline:
    """Return the evaluation of the whole study: all paths, and their ensembles."""
    return Pipeline(
        [
            *_nodes_of(current().paths),
            *compare_with_margins(are_paths=True),
            *judge_levels(are_paths=True),
            *correct_for_labels(),
            node(
                find_unlabelled,
                "unlabelled_scores",
                "params:reference",
                **each([path.name for path in current().paths], "phase3_scores"),
            ),
            *stand_for_unlabelled(),
        ],
        namespace="evaluation",
        prefix_datasets_with_namespace=False,
        outputs=_FIGURE_3,
    )


def create_path_pipeline(path: TrainingPath) -> Pipeline:
    """Return the evaluation of one path; its datasets are `<path>.evaluation.…`."""
    namespace = f"{path.name}.evaluation"
    nodes = Pipeline(_nodes_of([path]))
    free = nodes.inputs()
    return Pipeline(
        nodes,
        namespace=namespace,
        inputs={name for name in free if not name.startswith("params:")},
        parameters={name for name in free if name.startswith("params:")},
        outputs={ours: f"{namespace}.{name}" for ours, name in _FIGURE_3.items()},
        tags=path.name,
    )


def _nodes_of(paths: Sequence[TrainingPath]) -> list[Node]:
    scores = each([path.name for path in paths], "phase3_scores")
    curated = f"{current().target_cohort}_curated"
    return [
        node(arrange_paths, "arranged_scores", **scores),
        node(find_levels, "subgroup_levels", "params:evaluation", radiographs=curated),
        *evaluate_scores(are_paths=True),
    ]
