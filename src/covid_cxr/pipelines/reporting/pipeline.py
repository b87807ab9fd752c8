"""Scores and histories to tables, figures and one HTML file, for any paths."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from covid_cxr.paths import (
    COHORT_OF_TRAINING_SET,
    TRAINING_PATHS,
    TrainingPath,
)
from covid_cxr.pipelines.reporting.nodes import (
    AUDIT_TABLES,
    IMAGES,
    adjust_for_all_pairs,
    compare_paths,
    count_cohorts,
    count_parts,
    count_rejections,
    draw_auroc_intervals,
    draw_cropping,
    draw_learning_curves,
    draw_roc,
    draw_saliency,
    draw_training_paths,
    list_trainings,
    tabulate_covid,
    tabulate_pneumonia,
    tabulate_seeds,
    write_report,
)
from covid_cxr.report.performance import tabulate_findings


def create_pipeline() -> Pipeline:
    """Return the report of the whole study: all paths, compared."""
    nodes = [*_nodes_of(TRAINING_PATHS), *_comparison(), *_illustrations()]
    return Pipeline(
        [*nodes, _report(nodes, AUDIT_TABLES)],
        namespace="reporting",
        prefix_datasets_with_namespace=False,
    )


def create_path_pipeline(path: TrainingPath) -> Pipeline:
    """Return the report of one path: what it has, and nothing of the others.

    Its tables and figures carry the namespace `<path>.reporting`; the HTML file is
    `<path>.report`.
    """
    nodes = _nodes_of([path])
    pipeline = Pipeline([*nodes, _report(nodes, ())])
    free = pipeline.inputs()
    return Pipeline(
        pipeline,
        namespace=f"{path.name}.reporting",
        inputs={name for name in free if not name.startswith("params:")},
        parameters={name for name in free if name.startswith("params:")},
        outputs={"report": f"{path.name}.report"},
        tags=path.name,
    )


def _nodes_of(paths: Sequence[TrainingPath]) -> list[Node]:
    """Return the nodes that any number of paths has, in the order of the report."""
    nodes = [*_counts(paths)]
    if any(path.has_phase1 for path in paths):
        nodes.append(
            Node(
                tabulate_findings,
                inputs={
                    "scores": "phase1_scores",
                    "labels": "params:phase1.labels",
                    "reporting": "params:reporting",
                },
                outputs="table1",
                name="tabulate_findings",
            )
        )
    refined = [path for path in paths if path.phase2_cohort is not None]
    if refined:
        nodes.append(
            Node(
                tabulate_pneumonia,
                inputs={
                    "part_counts": "part_counts",
                    "labels": "params:phase2.labels",
                    "reporting": "params:reporting",
                    **{path.name: f"{path.name}_phase2_scores" for path in refined},
                },
                outputs="table2",
                name="tabulate_pneumonia",
            )
        )
    return [*nodes, *_covid_scores(paths), _saliency(paths), *_trainings(paths)]


def _counts(paths: Sequence[TrainingPath]) -> list[Node]:
    training_sets = [name for name in COHORT_OF_TRAINING_SET if _is_used(name, paths)]
    cohorts = list(dict.fromkeys(COHORT_OF_TRAINING_SET[n] for n in training_sets))
    curated = _same([f"{cohort}_curated" for cohort in cohorts])
    rejected = _same([f"{cohort}_rejected" for cohort in cohorts])
    return [
        Node(
            count_cohorts,
            inputs={**curated, **rejected},
            outputs="cohort_counts",
            name="count_cohorts",
        ),
        Node(
            count_rejections,
            inputs=rejected,
            outputs="rejection_counts",
            name="count_rejections",
        ),
        Node(
            count_parts,
            inputs={
                "pneumonia_labels": "params:phase2.labels",
                "covid_labels": "params:phase3.labels",
                **_same([f"{name}_split" for name in training_sets]),
                **curated,
            },
            outputs="part_counts",
            name="count_parts",
        ),
    ]


def _covid_scores(paths: Sequence[TrainingPath]) -> list[Node]:
    scores = {path.name: f"{path.name}_phase3_scores" for path in paths}
    return [
        Node(
            tabulate_covid,
            inputs={
                "labels": "params:phase3.labels",
                "reporting": "params:reporting",
                **scores,
            },
            outputs="table3",
            name="tabulate_covid",
        ),
        Node(
            tabulate_seeds,
            inputs={
                "labels": "params:phase3.labels",
                **{path.name: f"{path.name}_phase3_seed_scores" for path in paths},
            },
            outputs="seed_variance",
            name="tabulate_seeds",
        ),
        Node(
            draw_auroc_intervals,
            inputs={"table3": "table3"},
            outputs="auroc_intervals",
            name="draw_auroc_intervals",
        ),
        Node(
            draw_roc,
            inputs={"labels": "params:phase3.labels", **scores},
            outputs=["figure3", "figure3_interactive"],
            name="draw_roc",
        ),
    ]


def _saliency(paths: Sequence[TrainingPath]) -> Node:
    return Node(
        draw_saliency,
        inputs={
            "table3": "table3",
            "store": "covid_store",
            "radiographs": "covid_curated",
            **{path.name: f"{path.name}_phase3_saliency" for path in paths},
        },
        outputs=["figure4", "figure5", "figure6", "figure7"],
        name="draw_saliency",
    )


def _trainings(paths: Sequence[TrainingPath]) -> list[Node]:
    names = [
        *(["phase1"] if any(path.has_phase1 for path in paths) else []),
        *(f"{path.name}_phase2" for path in paths if path.phase2_cohort is not None),
        *(f"{path.name}_phase3" for path in paths),
    ]
    return [
        Node(
            draw_learning_curves,
            inputs={name: f"{name}_history" for name in names},
            outputs="learning_curves",
            name="draw_learning_curves",
        ),
        Node(
            list_trainings,
            inputs={name: f"{name}_provenance" for name in names},
            outputs="trainings",
            name="list_trainings",
        ),
    ]


def _comparison() -> list[Node]:
    scores = {path.name: f"{path.name}_phase3_scores" for path in TRAINING_PATHS}
    given = {"labels": "params:phase3.labels", "reporting": "params:reporting"}
    return [
        Node(
            compare_paths,
            inputs={**given, "evaluation": "params:evaluation", **scores},
            outputs="table4",
            name="compare_paths",
        ),
        Node(
            adjust_for_all_pairs,
            inputs={**given, **scores},
            outputs="table5",
            name="adjust_for_all_pairs",
        ),
    ]


def _illustrations() -> list[Node]:
    return [
        Node(
            draw_training_paths,
            inputs={"part_counts": "part_counts"},
            outputs="figure1",
            name="draw_training_paths",
        ),
        Node(
            draw_cropping,
            inputs={
                "images": "covid_images",
                "crops": "covid_crops",
                "radiographs": "covid_curated",
                "reporting": "params:reporting",
            },
            outputs="figure2",
            name="draw_cropping",
        ),
    ]


def _report(nodes: Sequence[Node], audited: Sequence[str]) -> Node:
    """Return the node that puts into the report whatever `nodes` make.

    The audit is of the whole study: a path alone is reported on without it.
    """
    made = [name for node in nodes for name in node.outputs]
    counts = {"cohorts": "cohort_counts", "rejections": "rejection_counts"}
    shown = {"parts": "part_counts", "trainings": "trainings", **counts}
    shown |= {"seeds": "seed_variance"}
    named = [n for n in made if n.startswith("table") or n in IMAGES]
    return Node(
        write_report,
        inputs={
            "reporting": "params:reporting",
            "figure3_interactive": "figure3_interactive",
            **shown,
            **_same([*named, *audited]),
        },
        outputs="report",
        name="write_report",
    )


def _is_used(training_set: str, paths: Sequence[TrainingPath]) -> bool:
    if training_set == "phase1":
        return any(path.has_phase1 for path in paths)
    cohorts = {f"phase2_{path.phase2_cohort}" for path in paths}
    return training_set == "phase3" or training_set in cohorts


def _same(names: Sequence[str]) -> dict[str, str]:
    return {name: name for name in names}
