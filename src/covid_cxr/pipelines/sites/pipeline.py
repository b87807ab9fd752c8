"""Phase 3 of every path without each site in turn, judged at the site left out."""

from kedro.pipeline import Node, Pipeline

from covid_cxr.evaluation.left_out_sites import tabulate_sites
from covid_cxr.figures.site_gains import draw_sites
from covid_cxr.patients.site_splits import split_sites
from covid_cxr.study.current import current
from covid_cxr.study.design import TrainingPath
from covid_cxr.training.sites import StageWithoutSites


def create_pipeline() -> Pipeline:
    """Return the splits, and the trainings, table and figure of every path.

    It takes curated cohorts, the classifiers that phase 3 starts from and the scores
    of phase 3 from an earlier run. Everything carries the names of its paths as tags:
    `kedro run --pipelines=sites --tags=path_b` needs and makes nothing of the others.
    """
    return sum((_sites(path) for path in current().paths), Pipeline([_split()]))


def _split() -> Node:
    return Node(
        split_sites,
        inputs={
            "curated": f"{current().target_cohort}_curated",
            "duplicates": f"{current().target_cohort}_duplicates",
            "targets": "params:phase3_split",
            "sites": "params:sites",
        },
        outputs=["site_splits", "site_counts"],
        name="split_sites",
        tags=[path.name for path in current().paths],
    )


def _sites(path: TrainingPath) -> Pipeline:
    written, cohort = f"{path.name}_site", current().target_cohort
    return Pipeline(
        [_train(path), *_report()],
        namespace=f"{path.name}.sites",
        inputs={
            "parent": path.phase3_training.parent_classifier,
            "parent_provenance": path.phase3_training.parent_provenance,
            "examples": "phase3_examples",
            "curated": f"{cohort}_curated",
            "phase3_scores": f"{path.name}_phase3_scores",
            "state": f"{written}_state",
            **{n: n for n in ("phase3_split", "site_splits", "site_counts")},
        },
        outputs={
            name: f"{written}_{name}"
            for name in ("scores", "provenance", "results", "figure")
        },
        parameters={
            "params:recipe": f"params:{path.name}.phase3.recipe",
            "params:sample": "params:phase3_intensity_sample",
            "params:compute": "params:compute",
            "params:reporting": "params:reporting",
        },
        tags=[path.name],
    )


def _train(path: TrainingPath) -> Node:
    """Return the node that trains without every site; it is one, however many."""
    return Node(
        StageWithoutSites(path.name).train_and_score,
        inputs={
            "examples": "examples",
            "curated": "curated",
            "splits": "site_splits",
            "sample": "params:sample",
            "recipe": "params:recipe",
            "compute": "params:compute",
            "parent": "parent",
            "parent_provenance": "parent_provenance",
            "states": "state",
        },
        outputs=["scores", "provenance"],
        name="train",
        tags=["gpu"],
    )


def _report() -> list[Node]:
    return [
        Node(
            tabulate_sites,
            inputs={
                "unseen": "scores",
                "seen": "phase3_scores",
                "sites": "site_counts",
                "curated": "curated",
                "split": "phase3_split",
                "reporting": "params:reporting",
            },
            outputs="results",
            name="tabulate",
        ),
        Node(draw_sites, inputs={"sites": "results"}, outputs="figure", name="draw"),
    ]
