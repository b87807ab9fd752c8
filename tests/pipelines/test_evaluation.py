"""`evaluation`: the paths' scores to every statistic beyond the paper's."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from kedro.framework.session import KedroSession
from kedro.runner import SequentialRunner
from matplotlib.figure import Figure

from covid_cxr.evaluation.imperfect_labels import StatedReference
from covid_cxr.evaluation.inference_settings import (
    Evaluation,
    Margins,
    Reporting,
)
from covid_cxr.evaluation.scored_part import line_up
from covid_cxr.pipelines.evaluation.pipeline import (
    create_path_pipeline,
    create_pipeline,
)
from covid_cxr.report import wording
from covid_cxr.report.beyond_auroc import EVALUATION_DATASETS, EvaluationTables
from covid_cxr.report.html import make_environment
from covid_cxr.report.score_figures import draw_subgroups
from covid_cxr.statistics.auc import estimate_aucs
from covid_cxr.study.current import current

NAMES = [path.name for path in current().paths]
SEPARATION = dict(zip(NAMES, [1.4, 2.0, 1.4, 1.0, 0.8, 0.6], strict=True))
PARAMETERS = {
    "reference": StatedReference(
        sensitivity=None, specificity=None, unlabelled="refuse"
    ),
    "phase3_labels": ["covid19"],
    "reporting": Reporting(level=0.95, significance=0.05, seed=1),
    "evaluation": Evaluation(
        target_sensitivity=0.9,
        prevalences=[0.1],
        max_false_positive_rate=0.2,
        least_sensitivity=0.8,
        specificity=0.9,
        decision_threshold=0.2,
        bootstrap_replicates=50,
        calibration_bins=4,
        age_edges=[40],
        least_subgroup_patients=10,
        power=0.8,
        primary_auroc="image",
        seed=1,
    ),
    "margins": Margins(
        auroc=0.05, sensitivity=None, specificity=None, ppv=None, npv=None
    ),
}
TABLES = [name for name in EVALUATION_DATASETS if name.endswith("_results")]


def make_radiographs(n_images=240):
    """Return a curated cohort with two images per patient."""
    patient = np.arange(n_images) // 2
    return pd.DataFrame(
        {
            "image_id": [f"i{i:03d}" for i in range(n_images)],
            "patient_id": [f"p{p:03d}" for p in patient],
            "site": np.where(patient % 3, "north", "south"),
            "view": "PA",
            "sex": pd.Series(np.where(patient % 2, "F", None), dtype="str"),
            "age_years": np.where(patient % 5, patient % 90, np.nan),
        }
    )


def make_scores(radiographs, *, separation, seed):
    """Return a path's score table: three fifths validation, two fifths test."""
    patient = radiographs.index // 2
    is_case = patient % 4 > 0
    rng = np.random.default_rng(seed)
    signal = rng.normal(size=len(radiographs)) + separation * (is_case - 0.5)
    return radiographs[["image_id", "patient_id"]].assign(
        part=np.where(patient % 5 < 3, "validation", "test"),
        covid19=is_case,
        covid19_score=1 / (1 + np.exp(-signal)),
    )


@pytest.fixture(scope="module")
def radiographs():
    return make_radiographs()


@pytest.fixture(scope="module")
def scores(radiographs):
    return {
        name: make_scores(radiographs, separation=SEPARATION[name], seed=seed)
        for seed, name in enumerate(NAMES)
    }


@pytest.fixture(scope="module")
def outputs(project, radiographs, scores, tmp_path_factory):
    """Return the folder of results of the whole study, through the catalog."""
    data_root = tmp_path_factory.mktemp("evaluation")
    with KedroSession.create(
        project, env="test", runtime_params={"data_root": str(data_root)}
    ) as session:
        catalog = session.load_context().catalog
        catalog["covid_curated"].save(radiographs)
        for name, table in scores.items():
            catalog[f"{name}_phase3_scores"].save(table)
        SequentialRunner().run(create_pipeline(), catalog)
    return data_root / "08_reporting"


def evaluate(scores, radiographs, pipeline=None):
    """Return what the pipeline makes of these scores, by dataset name."""
    values = {f"params:{name}": value for name, value in PARAMETERS.items()}
    values |= {f"{name}_phase3_scores": table for name, table in scores.items()}
    values["covid_curated"] = radiographs
    for node in (pipeline or create_pipeline()).nodes:
        values |= node.run({name: values[name] for name in node.inputs})
    return values


def render(made):
    """Return the section of the report, with every table and figure as files."""
    shown = {
        name: pd.read_csv(io.StringIO(made[name].to_csv(index=False)))
        if name in TABLES
        else as_png(made[name])
        for name in EVALUATION_DATASETS
    }
    template = make_environment().get_template("evaluation.html.jinja")
    module = template.make_module({"wording": wording})
    return str(module.whole(EvaluationTables(**shown), "95 %", 0.05))


def as_png(figure):
    assert isinstance(figure, Figure)
    stream = io.BytesIO()
    figure.savefig(stream, dpi=30)
    return stream.getvalue()


def test_every_table_and_figure_is_written_for_print(outputs):
    tables = ("auroc", "operating", "calibration", "ensemble", "subgroup")
    figures = ("figure3", "reliability", "decision", "forest")

    for name in (*tables, "reliability", "decision"):
        assert len(pd.read_csv(outputs / f"{name}.csv")) > 0, name
        assert r"\toprule" in (outputs / f"{name}.tex").read_text()
    for name in figures:
        assert (outputs / f"{name}.pdf").stat().st_size > 0, name


def test_all_paths_are_compared_by_patient_and_by_image(outputs, scores):
    test = line_up(scores, label="covid19", part="test")
    table = pd.read_csv(outputs / "auroc.csv").set_index("classifier")

    for by_patient, method, column in [
        (True, "logit", "lower"),
        (False, "wald", "image_lower"),
    ]:
        bounds = test.estimate(by_patient=by_patient).interval(0.95, method)
        assert table.loc[NAMES, column].to_numpy() == pytest.approx(bounds[:, 0])
    assert table.index[table["is_chosen"]].tolist() == ["path_b"]


def test_every_ensemble_stands_beside_the_path_that_validation_chose(outputs, scores):
    table = pd.read_csv(outputs / "ensemble.csv")
    row = table[table["is_chosen"]].set_index("ensemble").loc["mean_probability"]

    assert len(table) == 3 * 6
    test = line_up(scores, label="covid19", part="test")
    both = test.scores.assign(mean=test.scores.mean(axis=1))[["mean", "path_b"]]
    estimates = estimate_aucs(test.is_case, both, cluster=test.patients)
    assert row["member"] == "path_b"
    assert row["p_clustered"] == pytest.approx(estimates.compare(0, 1).p_value)


def test_subgroups_are_those_of_the_curated_radiographs(outputs, scores, radiographs):
    table = pd.read_csv(outputs / "subgroup.csv")
    test = scores["path_a"].query("part == 'test'")["image_id"]
    north = radiographs[radiographs["image_id"].isin(test)]["site"].eq("north").sum()

    assert set(table["variable"]) == {"site", "view", "sex", "age_band"}
    rows = table[table["level"] == "north"]
    assert rows["classifier"].tolist() == NAMES
    assert (rows["images"] == north).all()
    assert "unknown" in set(table.loc[table["variable"] == "sex", "level"])


def test_each_interactive_curve_has_a_band_that_its_legend_hides(outputs):
    traces = json.loads((outputs / "figure3.json").read_text())["data"]

    bands = [t["legendgroup"] for t in traces if t.get("fill") == "toself"]
    curves = [t["legendgroup"] for t in traces if t["mode"] == "lines"]
    assert bands == curves
    assert [title[:8] for title in curves] == [path.title for path in current().paths]


@pytest.fixture(scope="module")
def made(scores, radiographs):
    return evaluate(scores, radiographs)


def test_the_printed_roc_has_the_band_of_the_chosen_path_alone(made):
    (band,) = made["figure3"].axes[0].collections

    assert band.get_facecolor()[0][:3] == pytest.approx((0xD5 / 255, 0x5E / 255, 0))


def test_the_forest_is_of_the_chosen_path(made):
    axes = made["forest_figure"].axes[0]
    auroc = made["auroc_results"].set_index("classifier").loc["path_b", "auroc"]

    assert axes.lines[0].get_xdata() == pytest.approx([auroc, auroc])
    rows = made["subgroup_results"].query("classifier == 'path_b'")["auroc"].notna()
    assert len(axes.get_yticks()) == rows.sum()


def test_the_section_shows_all_of_it(made):
    html = render(made)

    assert html.count("<img") == 3
    assert "Ensembles against Path (b)" in html
    assert html.count("<details>") == 4
    assert "nan" not in html.split("base64")[0]


def test_a_path_alone_has_its_own_datasets_and_no_ensemble(scores, radiographs):
    pipeline = create_path_pipeline(current().paths[2])

    made = evaluate({"path_c": scores["path_c"]}, radiographs, pipeline)

    prefix = "path_c.evaluation."
    assert all(name.startswith(prefix) for name in pipeline.all_outputs())
    own = {name.removeprefix(prefix): value for name, value in made.items()}
    assert own["auroc_results"]["is_chosen"].tolist() == [True]
    assert len(own["ensemble_results"]) == 0
    assert len(own["figure3"].axes[0].collections) == 1
    html = render(own)
    assert "Ensembles" not in html
    assert "Path (c)" in html
    assert not [p.title for p in current().paths if p.title in html][1:]


def test_a_validation_part_of_one_class_leaves_what_needs_it_out(scores, radiographs):
    def cases_only(table):
        is_dropped = (table["part"] == "validation") & ~table["covid19"]
        return table[~is_dropped]

    made = evaluate({n: cases_only(t) for n, t in scores.items()}, radiographs)

    assert len(made["operating_results"]) == 0
    assert not made["auroc_results"]["is_chosen"].any()
    assert made["auroc_results"]["auroc"].notna().all()
    maps = made["calibration_results"].set_index("recalibration")
    assert maps.loc["none", "brier"].notna().all()
    assert maps.loc["platt", "brier"].isna().all()
    assert len(made["ensemble_results"]) == 3 * 6
    html = render(made)
    assert "no validation part with cases and controls" in html
    assert "Ensembles against" not in html
    assert ">nan<" not in html


def test_a_separated_validation_part_leaves_the_map_out(scores, radiographs):
    def separated(table):
        right = np.where(table["covid19"], 0.9, 0.1)
        is_validation = table["part"] == "validation"
        score = table["covid19_score"].mask(is_validation, right)
        return table.assign(covid19_score=score)

    made = evaluate({n: separated(t) for n, t in scores.items()}, radiographs)

    maps = made["calibration_results"].set_index("recalibration")
    assert maps.loc["platt", "brier"].isna().all()
    assert len(made["operating_results"]) == 6 * 2
    assert ">nan<" not in render(made)


def test_scores_that_are_no_probabilities_are_not_calibrated(scores, radiographs):
    log_odds = scores["path_a"].assign(
        covid19_score=lambda t: np.log(t["covid19_score"] / (1 - t["covid19_score"]))
    )

    made = evaluate({**scores, "path_a": log_odds}, radiographs)

    assert len(made["calibration_results"]) == 0
    assert "probabilities" in made["reliability_figure"].texts[0].get_text()
    assert "probabilities" in made["decision_figure"].texts[0].get_text()
    assert set(made["ensemble_results"]["ensemble"]) == {"mean_rank"}
    assert len(made["operating_results"]) == 6 * 2
    assert "outputs that are probabilities" in render(made)


def test_a_single_case_has_an_auroc_without_an_interval(scores, radiographs):
    is_case = scores["path_a"]["covid19"] & (scores["path_a"]["part"] == "test")
    dropped = is_case & is_case.shift(fill_value=False)
    first = is_case[is_case & ~dropped].index[0]
    kept = ~is_case
    kept[first] = True

    made = evaluate({n: t[kept] for n, t in scores.items()}, radiographs)

    table = made["auroc_results"]
    assert (table["cases"] == 1).all()
    assert table["auroc"].notna().all()
    assert table["lower"].isna().all()
    html = render(made)
    assert ">nan<" not in html
    assert ">nan to nan<" not in html


def test_two_paths_with_the_same_scores_do_not_differ(scores, radiographs):
    made = evaluate({**scores, "path_c": scores["path_a"]}, radiographs)

    aurocs = made["auroc_results"].set_index("classifier")["auroc"]
    assert aurocs["path_a"] == aurocs["path_c"]
    rows = made["ensemble_results"].set_index(["ensemble", "member"])["p_clustered"]
    assert rows["mean_rank", "path_a"] == rows["mean_rank", "path_c"]
    assert ">nan<" not in render(made)


def test_six_paths_with_the_same_scores_are_no_better_together(scores, radiographs):
    same = dict.fromkeys(NAMES, scores["path_b"])

    made = evaluate(same, radiographs)

    rows = made["ensemble_results"].set_index("ensemble")
    assert (rows.loc[["mean_probability", "mean_logit"], "p_clustered"] == 1).all()
    assert made["auroc_results"]["is_chosen"].tolist() == [True] + [False] * 5


def test_subgroups_that_are_all_too_small_leave_a_note():
    results = pd.DataFrame({"classifier": ["path_b"], "auroc": [np.nan]})
    auroc = pd.DataFrame({"classifier": ["path_b"], "auroc": 0.8, "is_chosen": True})

    figure = draw_subgroups(results, auroc, are_paths=True)

    assert "No subgroup" in figure.texts[0].get_text()
