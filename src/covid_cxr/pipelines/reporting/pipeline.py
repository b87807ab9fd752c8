"""Scores and histories to tables, figures and one HTML file, for any paths."""

from collections.abc import Collection, Iterator, Sequence

from kedro.pipeline import Node, Pipeline

from covid_cxr.evaluation.adjudicated import tabulate_adjudicated
from covid_cxr.evaluation.comparisons import adjust_for_all_pairs, compare_paths
from covid_cxr.evaluation.masked_aurocs import MASKED, tabulate_shortcuts
from covid_cxr.evaluation.paper_tables import (
    tabulate_general,
    tabulate_related,
    tabulate_target,
)
from covid_cxr.evaluation.seed_variance import tabulate_seeds
from covid_cxr.pipelines.reporting import nodes
from covid_cxr.pipelines.reporting.documents import document_nodes
from covid_cxr.pipelines.wiring import each, node
from covid_cxr.report.croissant import describe_data
from covid_cxr.report.flags import count_flags
from covid_cxr.report.html import write_report
from covid_cxr.report.map_tests import (
    gather_by_path,
    gather_by_training,
    list_explanations,
)
from covid_cxr.report.radiograph_flow import count_cohorts
from covid_cxr.report.sections import SECTIONS
from covid_cxr.report.trainings import list_timings, list_trainings
from covid_cxr.sources.adapters import SOURCES
from covid_cxr.study.current import current
from covid_cxr.study.design import PHASE1, PHASE3, Training, TrainingPath

# Phase, and what it leaves of each path -> the table of all paths in the report.
TESTS = {
    ("phase3", "randomisation"): "randomisation_results",
    ("phase3", "regions"): "region_results",
    ("phase3", "repeatability"): "repeatability_results",
    ("phase2", "pointing"): "pointing_results",
}
GENERAL_POINTING = "general_pointing_results"  # of phase 1, which paths share


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
    there = {*made, *(name for one in own for name in one.outputs)}
    report = node(
        write_report,
        "report",
        "params:reporting",
        *(name for name in dict.fromkeys(shown) if name in there),
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
    used = {name for path in paths for name in path.training_sets}
    drawn = [one for name, one in current().training_sets.items() if name in used]
    names = [one.name for one in drawn]
    cohorts = list(dict.fromkeys(cohort for one in drawn for cohort in one.cohorts))
    by_cohort = each(cohorts, "curated")
    rejected = each(cohorts, "rejected").values()
    left_out = each(names, "left_out").values()
    pools = [f"{one.origin}_curated" for one in drawn if one.is_pooled]
    divided = [*by_cohort.values(), *pools, *each(names, "split").values()]
    listed = each(cohorts, "radiographs").values()
    stores = each(cohorts, "store").values()
    return [
        node(
            nodes.follow_study,
            "flow_results",
            *(*divided, *rejected, *listed, *left_out),
        ),
        node(nodes.draw_radiograph_flow, "flow_figure", "flow_results"),
        node(nodes.describe_study, "cohort_results", *divided),
        node(describe_data, "croissant", *divided, *left_out),
        node(count_flags, "flag_results", **by_cohort),
        node(nodes.gather_flagged, "flagged_radiographs", *by_cohort.values(), *stores),
        node(count_cohorts, "cohort_counts", *rejected, **by_cohort),
        node(nodes.count_study, "part_counts", *divided),
    ]


def _before_the_target(paths: Sequence[TrainingPath]) -> Iterator[Node]:
    """Yield the nodes of Tables 1 and 2, of those phases that the paths have."""
    reporting = "params:reporting"
    if learned := _general(paths):
        general = each([one.dataset_prefix for one in learned], "scores")
        labels = "params:phase1_labels"
        yield node(tabulate_general, "table1", reporting, labels=labels, **general)
        cohort, *others = current().cohorts_behind(PHASE1)
        if SOURCES[cohort.source].list_adjudicated is not None and not others:
            yield node(
                tabulate_adjudicated,
                "adjudicated_results",
                reporting,
                adjudicated=f"{cohort.name}_adjudicated",
                **general,
            )
    refined = [one.dataset_prefix for path in paths for one in path.phase2_trainings]
    if refined:
        related = each(refined, "scores")
        yield node(tabulate_related, "table2", reporting, "part_counts", **related)


def _target_scores(paths: Sequence[TrainingPath]) -> list[Node]:
    return [
        node(tabulate_target, "table3", "params:reporting", scores="arranged_scores"),
        node(tabulate_seeds, "seed_variance", **_phase3(paths, "seed_scores")),
        node(nodes.draw_auroc_intervals, "auroc_intervals", "table3"),
    ]


def _explanations(paths: Sequence[TrainingPath]) -> Iterator[Node]:
    """Yield the nodes that show and judge the maps of these paths."""
    study = current()
    explanations = _phase3(paths, "saliency")
    images = {
        "store": f"{study.target_cohort}_store",
        "radiographs": f"{study.target_cohort}_curated",
    }
    yield node(
        nodes.draw_outcomes,
        ["figure4", "figure5", "figure6", "figure7"],
        *("table3", "params:reporting"),
        **images,
        **explanations,
    )
    yield node(list_explanations, "explanation_results", **explanations)
    yield node(nodes.draw_forgetting, "randomisation_figure", "randomisation_results")
    for (phase, test), results in TESTS.items():
        if tested := _tested(paths, phase):
            yield node(
                gather_by_path,
                results,
                name=f"gather_{results.removesuffix('_results')}",
                **{n: f"{one.dataset_prefix}_{test}" for n, one in tested.items()},
            )
    pointed = [one for one in _general(paths) if study.has_pointing(one)]
    if pointed:
        general = each([one.dataset_prefix for one in pointed], "pointing")
        yield node(gather_by_training, GENERAL_POINTING, **general)
    yield node(
        nodes.gather_gallery,
        "gallery",
        *("table3", "params:gallery"),
        **images,
        **_phase3(paths, "maps"),
    )


def _phase3(paths: Sequence[TrainingPath], kind: str) -> dict[str, str]:
    """Return the dataset of a kind that phase 3 leaves of each path."""
    return each([path.name for path in paths], f"phase3_{kind}")


def _general(paths: Sequence[TrainingPath]) -> list[Training]:
    """Return the trainings on general findings, which paths share."""
    trainings = {one.name: one for path in paths for one in path.trainings}
    return [one for one in trainings.values() if one.training_set == PHASE1]


def _tested(paths: Sequence[TrainingPath], phase: str) -> dict[str, Training]:
    """Return each path's training whose maps are tested; of phase 2, the last one."""
    if phase == PHASE3:
        return {path.name: path.phase3_training for path in paths}
    study = current()
    return {
        path.name: training
        for path in paths
        for training in path.phase2_trainings
        if study.has_pointing(training)
    }


def _shortcuts(paths: Sequence[TrainingPath]) -> list[Node]:
    cohort = current().target_cohort
    masked = _phase3(paths, "masked_scores")
    return [
        node(
            tabulate_shortcuts,
            "shortcut_results",
            *("intensity_auroc", "params:reporting"),
            curated=f"{cohort}_curated",
            split="phase3_split",
            **_phase3(paths, "scores"),
            **{f"{name}{MASKED}": scores for name, scores in masked.items()},
        ),
        node(nodes.draw_masked_aurocs, "shortcut_figure", results="shortcut_results"),
        node(
            nodes.draw_masked_example,
            "masked_radiograph_figure",
            *("params:audit.masked_inputs", "params:reporting"),
            examples="phase3_examples",
            lungs=f"{cohort}_lungs",
        ),
    ]


def _trainings(paths: Sequence[TrainingPath]) -> list[Node]:
    trainings = {one.name: one for path in paths for one in path.trainings}
    in_order = sorted(trainings.values(), key=lambda one: one.training_set[:6])
    names = [one.dataset_prefix for one in in_order]  # phase by phase
    return [
        node(nodes.draw_losses, "learning_curves", **each(names, "history")),
        node(list_trainings, "trainings", **each(names, "provenance")),
        node(list_timings, "timings", **each(names, "clock")),
    ]


def _comparison() -> list[Node]:
    return [
        node(
            compare_paths,
            "table4",
            *("params:reporting", "params:evaluation"),
            scores="arranged_scores",
        ),
        node(
            adjust_for_all_pairs, "table5", "params:reporting", scores="arranged_scores"
        ),
    ]


def _illustrations() -> list[Node]:
    cohort = current().target_cohort
    return [
        node(nodes.draw_training_paths, "figure1", "part_counts"),
        node(
            nodes.draw_cropped_example,
            "figure2",
            "params:reporting",
            images=f"{cohort}_images",
            crops=f"{cohort}_crops",
            radiographs=f"{cohort}_curated",
        ),
    ]
