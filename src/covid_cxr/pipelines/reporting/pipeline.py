"""Scores and histories to tables, figures and one HTML file, for any paths."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from covid_cxr.evaluation.comparisons import adjust_for_all_pairs, compare_paths
from covid_cxr.evaluation.paper_tables import (
    tabulate_findings,
    tabulate_related,
    tabulate_target,
)
from covid_cxr.evaluation.seed_variance import tabulate_seeds
from covid_cxr.pipelines.reporting.cohorts import cohort_nodes
from covid_cxr.pipelines.reporting.documents import document_nodes
from covid_cxr.pipelines.reporting.flags import flag_nodes
from covid_cxr.pipelines.reporting.gallery import gallery_node
from covid_cxr.pipelines.reporting.nodes import (
    IMAGES,
    count_cohorts,
    count_parts,
    draw_auroc_intervals,
    draw_cropping,
    draw_learning_curves,
    draw_training_paths,
    list_timings,
    list_trainings,
    tables_of_section,
    write_report,
)
from covid_cxr.pipelines.reporting.saliency import saliency_nodes
from covid_cxr.pipelines.reporting.shortcuts import shortcut_nodes
from covid_cxr.pipelines.reporting.sites import site_datasets
from covid_cxr.study.current import current
from covid_cxr.study.design import TrainingPath

# Of the pipeline `evaluation`.
EVALUATED = (*tables_of_section("evaluation"), "figure3", "figure3_interactive")
READ = (*EVALUATED, "arranged_scores")
SHORTCUTS = tables_of_section("shortcuts")
EXPLAINED = tables_of_section("saliency")
FLAGGED = tables_of_section("flags")
DRAFTED = (*tables_of_section("provenance"), *tables_of_section("documents"))


def create_pipeline() -> Pipeline:
    """Return the report of the whole study: all paths, compared."""
    nodes = [*_nodes_of(current().paths), *_comparison(), *_illustrations()]
    audited = tables_of_section("audit")
    given = [*audited, *EVALUATED, *SHORTCUTS, *site_datasets(current().paths)]
    drafts = document_nodes(nodes, given)
    return Pipeline(
        [*nodes, *drafts, _report(nodes, [*given, *DRAFTED])],
        namespace="reporting",
        prefix_datasets_with_namespace=False,
    )


def create_path_pipeline(path: TrainingPath) -> Pipeline:
    """Return the report of one path: what it has, and nothing of the others.

    Its tables and figures carry the namespace `<path>.reporting`; the HTML file is
    `<path>.report`.
    """
    nodes = _nodes_of([path])
    given = [*EVALUATED, *SHORTCUTS, *site_datasets([path])]
    drafts = document_nodes(nodes, given)
    pipeline = Pipeline([*nodes, *drafts, _report(nodes, [*given, *DRAFTED])])
    free = pipeline.inputs()
    evaluated = {n: f"{path.name}.evaluation.{n}" for n in free.intersection(READ)}
    return Pipeline(
        pipeline,
        namespace=f"{path.name}.reporting",
        inputs={n: evaluated.get(n, n) for n in free if not n.startswith("params:")},
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
    refined = [one for path in paths for one in path.phase2_trainings]
    if refined:
        nodes.append(
            Node(
                tabulate_related,
                inputs={
                    "part_counts": "part_counts",
                    "reporting": "params:reporting",
                    **{
                        one.dataset_prefix: f"{one.dataset_prefix}_scores"
                        for one in refined
                    },
                },
                outputs="table2",
                name="tabulate_related",
            )
        )
    return [
        *nodes,
        *_target_scores(paths),
        *saliency_nodes(paths),
        gallery_node(paths),
        *shortcut_nodes(paths),
        *_trainings(paths),
    ]


def _counts(paths: Sequence[TrainingPath]) -> list[Node]:
    cohort_of = current().cohort_of
    used = {name for path in paths for name in path.training_sets}
    training_sets = [name for name in cohort_of if name in used]
    cohorts = list(dict.fromkeys(cohort_of[name] for name in training_sets))
    curated = _same([f"{cohort}_curated" for cohort in cohorts])
    rejected = _same([f"{cohort}_rejected" for cohort in cohorts])
    return [
        *cohort_nodes(training_sets),
        *flag_nodes(cohorts),
        Node(
            count_cohorts,
            inputs={**curated, **rejected},
            outputs="cohort_counts",
            name="count_cohorts",
        ),
        Node(
            count_parts,
            inputs={
                **_same([f"{name}_split" for name in training_sets]),
                **curated,
            },
            outputs="part_counts",
            name="count_parts",
        ),
    ]


def _target_scores(paths: Sequence[TrainingPath]) -> list[Node]:
    return [
        Node(
            tabulate_target,
            inputs={"scores": "arranged_scores", "reporting": "params:reporting"},
            outputs="table3",
            name="tabulate_target",
        ),
        Node(
            tabulate_seeds,
            inputs={path.name: f"{path.name}_phase3_seed_scores" for path in paths},
            outputs="seed_variance",
            name="tabulate_seeds",
        ),
        Node(
            draw_auroc_intervals,
            inputs={"table3": "table3"},
            outputs="auroc_intervals",
            name="draw_auroc_intervals",
        ),
    ]


def _trainings(paths: Sequence[TrainingPath]) -> list[Node]:
    trainings = {one.name: one for path in paths for one in path.trainings}
    in_order = sorted(trainings.values(), key=lambda one: one.training_set[:6])
    names = [one.dataset_prefix for one in in_order]  # phase by phase
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
        Node(
            list_timings,
            inputs={name: f"{name}_clock" for name in names},
            outputs="timings",
            name="list_timings",
        ),
    ]


def _comparison() -> list[Node]:
    given = {"scores": "arranged_scores", "reporting": "params:reporting"}
    return [
        Node(
            compare_paths,
            inputs={**given, "evaluation": "params:evaluation"},
            outputs="table4",
            name="compare_paths",
        ),
        Node(
            adjust_for_all_pairs,
            inputs=given,
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
                "images": f"{current().target_cohort}_images",
                "crops": f"{current().target_cohort}_crops",
                "radiographs": f"{current().target_cohort}_curated",
                "reporting": "params:reporting",
            },
            outputs="figure2",
            name="draw_cropping",
        ),
    ]


def _report(nodes: Sequence[Node], given: Sequence[str]) -> Node:
    """Return the node that puts into the report whatever `nodes` make.

    Args:
        nodes: Of this pipeline.
        given: Tables and figures that other pipelines have made.
    """
    made = [name for node in nodes for name in node.outputs]
    counted = {"cohorts": "cohort_counts", "parts": "part_counts"}
    followed = {"flow": "flow_results", "characteristics": "cohort_results"}
    trained = {"trainings": "trainings", "seeds": "seed_variance"}
    shown = {**counted, **followed, **trained, "gallery": "gallery"}
    sections = (*IMAGES, *EXPLAINED, *FLAGGED)
    named = [n for n in made if n.startswith("table") or n in sections]
    return Node(
        write_report,
        inputs={
            "reporting": "params:reporting",
            **shown,
            **_same([*named, *given]),
        },
        outputs="report",
        name="write_report",
    )


def _same(names: Sequence[str]) -> dict[str, str]:
    return {name: name for name in names}
