"""Phase 3 of every path without each site in turn, judged at the site left out."""

from kedro.pipeline import Pipeline

from covid_cxr.evaluation.left_out_sites import tabulate_sites
from covid_cxr.figures.site_gains import draw_sites
from covid_cxr.patients.site_splits import split_sites
from covid_cxr.pipelines.wiring import node
from covid_cxr.study.current import current
from covid_cxr.study.design import TrainingPath
from covid_cxr.training.sites import StageWithoutSites


def create_pipeline() -> Pipeline:
    """Return the splits, and the trainings, table and figure of every path.

    It takes curated cohorts, the classifiers that phase 3 starts from and the scores
    of phase 3 from an earlier run. Everything carries the names of its paths as tags:
    `kedro run --pipelines=sites --tags=path_b` needs and makes nothing of the others.
    """
    study = current()
    split = node(
        split_sites,
        ["site_splits", "site_counts"],
        "params:sites",
        curated=f"{study.target_cohort}_curated",
        duplicates=f"{study.target_cohort}_duplicates",
        targets="params:phase3_split",
        tags=[path.name for path in study.paths],
    )
    return sum((_sites(path) for path in study.paths), Pipeline([split]))


def _sites(path: TrainingPath) -> Pipeline:
    written, cohort = f"{path.name}_site", current().target_cohort
    shown = ("results", "figure")
    return Pipeline(
        [
            node(  # one, however many sites
                StageWithoutSites(path.name).train_and_score,
                ["scores", "provenance"],
                *("parent", "parent_provenance", "examples", "curated"),
                *("params:sample", "params:recipe", "params:compute"),
                splits="site_splits",
                states="state",
                name="train",
                tags="gpu",
            ),
            node(
                tabulate_sites,
                "results",
                *("curated", "params:reporting"),
                unseen="scores",
                seen="phase3_scores",
                sites="site_counts",
                split="phase3_split",
                name="tabulate",
            ),
            node(draw_sites, "figure", sites="results", name="draw"),
        ],
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
        outputs={n: f"{written}_{n}" for n in ("scores", "provenance", *shown)},
        parameters={
            "params:recipe": f"params:{path.name}.phase3.recipe",
            "params:sample": "params:phase3_intensity_sample",
            "params:compute": "params:compute",
            "params:reporting": "params:reporting",
        },
        tags=path.name,
    )
