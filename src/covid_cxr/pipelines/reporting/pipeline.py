"""Scores and histories to tables, figures and one HTML file, for any paths."""

from collections.abc import Collection, Sequence

from kedro.pipeline import Node, Pipeline

from covid_cxr.evaluation.comparisons import adjust_for_all_pairs, compare_paths
from covid_cxr.evaluation.masked_aurocs import MASKED, tabulate_shortcuts
from covid_cxr.evaluation.paper_tables import (
    tabulate_findings,
    tabulate_related,
    tabulate_target,
)
from covid_cxr.evaluation.seed_variance import tabulate_seeds
from covid_cxr.pipelines.reporting import nodes
from covid_cxr.pipelines.reporting.documents import document_nodes
from covid_cxr.report.flags import count_flags
from covid_cxr.report.html import write_report
from covid_cxr.report.map_tests import gather_by_path, list_explanations
from covid_cxr.report.radiograph_flow import count_cohorts
from covid_cxr.report.sections import SECTIONS
from covid_cxr.report.trainings import list_timings, list_trainings
from covid_cxr.study.current import current
from covid_cxr.study.design import PHASE3, Training, TrainingPath

# Phase, and what it leaves of each path -> the table of all paths in the report.
TESTS = {
    ("phase3", "randomisation"): "randomisation_results",
    ("phase3", "regions"): "region_results",
    ("phase3", "repeatability"): "repeatability_results",
    ("phase2", "pointing"): "pointing_results",
}


def create_pipeline(made: Collection[str]) -> Pipeline:
    """Return the report of the whole study: all paths, compared.

    Args:
        made: Datasets that other pipelines make; a section may show any of them.
    """
    paths = current().paths
    own = [*_nodes_of(paths), *_comparison(), *_illustrations()]
    return Pipeline(
        _with_report(own, paths, made, is_study=True),
        namespace="reporting",
        prefix_datasets_with_namespace=False,
    )


def create_path_pipeline(path: TrainingPath, made: Collection[str]) -> Pipeline:
    """Return the report of one path: what it has, and nothing of the others.

    Its tables and figures carry the namespace `<path>.reporting`; the HTML file is
    `<path>.report`.

    Args:
        path: Of the study.
        made: Datasets that other pipelines make; those of the path's evaluation are
            `<path>.evaluation.…`.
    """
    prefix = f"{path.name}.evaluation."
    evaluated = {n.removeprefix(prefix): n for n in made if n.startswith(prefix)}
    known = [*made, *evaluated]
    pipeline = Pipeline(_with_report(_nodes_of([path]), [path], known, is_study=False))
    free = pipeline.inputs()
    return Pipeline(
        pipeline,
        namespace=f"{path.name}.reporting",
        inputs={n: evaluated.get(n, n) for n in free if not n.startswith("params:")},
        parameters={name for name in free if name.startswith("params:")},
        outputs={"report": f"{path.name}.report"},
        tags=path.name,
    )


def _with_report(
    own: Sequence[Node],
    paths: Sequence[TrainingPath],
    made: Collection[str],
    *,
    is_study: bool,
) -> list[Node]:
    """Return the nodes with the drafts, and with the report of all that there is."""
    names = [path.name for path in paths]
    shown = [n for one in SECTIONS for n in one.shows(names, is_study=is_study)]
    own = [*own, *document_nodes(own, {*made}.intersection(shown))]
    there = {*made, *(name for node in own for name in node.outputs)}
    report = Node(
        write_report,
        inputs={
            "reporting": "params:reporting",
            **_same([name for name in dict.fromkeys(shown) if name in there]),
        },
        outputs="report",
        name="write_report",
    )
    return [*own, report]


def _nodes_of(paths: Sequence[TrainingPath]) -> list[Node]:
    """Return the nodes that any number of paths has, in the order of the report."""
    return [
        *_counts(paths),
        *_before_the_target(paths),
        *_target_scores(paths),
        *_explanations(paths),
        *_shortcuts(paths),
        *_trainings(paths),
    ]


def _counts(paths: Sequence[TrainingPath]) -> list[Node]:
    cohort_of = current().cohort_of
    used = {name for path in paths for name in path.training_sets}
    training_sets = [name for name in cohort_of if name in used]
    cohorts = list(dict.fromkeys(cohort_of[name] for name in training_sets))
    curated = [f"{cohort}_curated" for cohort in cohorts]
    divided = _same([*curated, *(f"{name}_split" for name in training_sets)])
    by_cohort = {cohort: f"{cohort}_curated" for cohort in cohorts}
    rejected = _same([f"{cohort}_rejected" for cohort in cohorts])
    lost = [f"{cohort}_radiographs" for cohort in cohorts]
    lost += [f"{name}_left_out" for name in training_sets]
    stores = [f"{cohort}_store" for cohort in cohorts]
    return [
        Node(
            nodes.follow_study,
            inputs={**divided, **rejected, **_same(lost)},
            outputs="flow_results",
            name="follow_radiographs",
        ),
        Node(
            nodes.draw_radiograph_flow,
            inputs={"flow_results": "flow_results"},
            outputs="flow_figure",
            name="draw_flow",
        ),
        Node(
            nodes.describe_study,
            inputs=divided,
            outputs="cohort_results",
            name="describe_cohorts",
        ),
        Node(count_flags, inputs=by_cohort, outputs="flag_results", name="count_flags"),
        Node(
            nodes.gather_flagged,
            inputs=_same([*curated, *stores]),
            outputs="flagged_radiographs",
            name="gather_flagged",
        ),
        Node(
            count_cohorts,
            inputs={**by_cohort, **rejected},
            outputs="cohort_counts",
            name="count_cohorts",
        ),
        Node(
            nodes.count_study, inputs=divided, outputs="part_counts", name="count_parts"
        ),
    ]


def _before_the_target(paths: Sequence[TrainingPath]) -> list[Node]:
    """Return the nodes of Tables 1 and 2, of those phases that the paths have."""
    made = []
    if any(path.has_phase1 for path in paths):
        made.append(
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
    refined = [one.dataset_prefix for path in paths for one in path.phase2_trainings]
    if refined:
        made.append(
            Node(
                tabulate_related,
                inputs={
                    "part_counts": "part_counts",
                    "reporting": "params:reporting",
                    **{name: f"{name}_scores" for name in refined},
                },
                outputs="table2",
                name="tabulate_related",
            )
        )
    return made


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
            nodes.draw_auroc_intervals,
            inputs={"table3": "table3"},
            outputs="auroc_intervals",
            name="draw_auroc_intervals",
        ),
    ]


def _explanations(paths: Sequence[TrainingPath]) -> list[Node]:
    """Return the nodes that show and judge the maps of these paths."""
    explanations = {path.name: f"{path.name}_phase3_saliency" for path in paths}
    images = {
        "table3": "table3",
        "store": f"{current().target_cohort}_store",
        "radiographs": f"{current().target_cohort}_curated",
    }
    gathered = {
        results: {n: f"{one.dataset_prefix}_{test}" for n, one in tested.items()}
        for (phase, test), results in TESTS.items()
        if (tested := _tested(paths, phase))
    }
    return [
        Node(
            nodes.draw_outcomes,
            inputs={**images, "reporting": "params:reporting", **explanations},
            outputs=["figure4", "figure5", "figure6", "figure7"],
            name="draw_saliency",
        ),
        Node(
            list_explanations,
            inputs=explanations,
            outputs="explanation_results",
            name="list_explanations",
        ),
        Node(
            nodes.draw_forgetting,
            inputs={"randomisation_results": "randomisation_results"},
            outputs="randomisation_figure",
            name="draw_randomisation",
        ),
        *(
            Node(
                gather_by_path,
                inputs=by_path,
                outputs=results,
                name=f"gather_{results.removesuffix('_results')}",
            )
            for results, by_path in gathered.items()
        ),
        Node(
            nodes.gather_gallery,
            inputs={
                **images,
                "gallery": "params:gallery",
                **{path.name: f"{path.name}_phase3_maps" for path in paths},
            },
            outputs="gallery",
            name="gather_gallery",
        ),
    ]


def _tested(paths: Sequence[TrainingPath], phase: str) -> dict[str, Training]:
    """Return each path's training whose maps are tested; of phase 2, the last one."""
    if phase == PHASE3:
        return {path.name: path.phase3_training for path in paths}
    study = current()
    return {
        path.name: training
        for path in paths
        for training in path.phase2_trainings
        if study.cohort_behind(training).has_boxes
    }


def _shortcuts(paths: Sequence[TrainingPath]) -> list[Node]:
    cohort = current().target_cohort
    drawn = {"curated": f"{cohort}_curated", "split": "phase3_split"}
    whole = {path.name: f"{path.name}_phase3_scores" for path in paths}
    masked = {f"{n}{MASKED}": f"{n}_phase3_masked_scores" for n in whole}
    return [
        Node(
            tabulate_shortcuts,
            inputs={
                **drawn,
                "intensity_auroc": "intensity_auroc",
                "reporting": "params:reporting",
                **whole,
                **masked,
            },
            outputs="shortcut_results",
            name="tabulate_shortcuts",
        ),
        Node(
            nodes.draw_masked_aurocs,
            inputs={"results": "shortcut_results"},
            outputs="shortcut_figure",
            name="draw_shortcuts",
        ),
        Node(
            nodes.draw_masked_example,
            inputs={
                **drawn,
                "store": f"{cohort}_store",
                "lungs": f"{cohort}_lungs",
                "intensity": "phase3_intensity",
                "masked_inputs": "params:audit.masked_inputs",
                "reporting": "params:reporting",
            },
            outputs="masked_radiograph_figure",
            name="draw_masked_radiograph",
        ),
    ]


def _trainings(paths: Sequence[TrainingPath]) -> list[Node]:
    trainings = {one.name: one for path in paths for one in path.trainings}
    in_order = sorted(trainings.values(), key=lambda one: one.training_set[:6])
    names = [one.dataset_prefix for one in in_order]  # phase by phase
    return [
        Node(
            nodes.draw_losses,
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
            nodes.draw_training_paths,
            inputs={"part_counts": "part_counts"},
            outputs="figure1",
            name="draw_training_paths",
        ),
        Node(
            nodes.draw_cropped_example,
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


def _same(names: Sequence[str]) -> dict[str, str]:
    return {name: name for name in names}
