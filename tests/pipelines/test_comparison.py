"""`comparison`: the statistics for anybody's table of scores."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from covid_cxr.statistics.auc import estimate_aucs


def make_table(n_images=240, seed=1):
    rng = np.random.default_rng(seed)
    patient = rng.integers(0, n_images // 2, n_images)
    is_case = (np.arange(n_images) < n_images // 2).astype(int)[patient]
    signal = rng.standard_normal((n_images, 3)) + 1.2 * is_case[:, None]
    probability = 1 / (1 + np.exp(-signal))
    return pd.DataFrame(
        {
            "image": [f"x{i}.png" for i in range(n_images)],
            "patient": patient,
            "label": np.where(rng.random(n_images) < 0.9, is_case, 1 - is_case),
            "fold": np.where(patient % 3 == 0, "validation", "test"),
            "ward": patient % 2,
            "resnet": probability[:, 0],
            "vit & co": probability[:, 1],
            "dull": probability[:, 2] * 0.5,
        }
    )


@pytest.fixture(scope="module")
def outputs(run_kedro, tmp_path_factory):
    """Return the folder of results for a table with a validation part."""
    root = tmp_path_factory.mktemp("comparison")
    make_table().to_csv(root / "mine.csv", index=False)
    params = {
        "scores": str(root / "mine.csv"),
        "comparison": {"part": "fold", "subgroups": ["ward"]},
        "evaluation": {"bootstrap_replicates": 100},
        "margins": {"auroc": 0.05},
    }
    run_kedro("comparison", data_root=root, params=params)
    return root / "08_reporting/comparison"


def test_the_tables_are_those_of_the_test_rows(outputs):
    table = make_table()
    test = table[table["fold"] == "test"]
    estimates = estimate_aucs(
        test["label"] == 1,
        test[["resnet", "vit & co", "dull"]],
        cluster=test["patient"],
    )

    aurocs = pd.read_csv(outputs / "auroc.csv").set_index("classifier")
    pairs = pd.read_csv(outputs / "pair.csv").set_index(["first", "second"])
    assert aurocs["auroc"].to_numpy() == pytest.approx(estimates.auc)
    assert aurocs["lower"].to_numpy() == pytest.approx(
        estimates.interval(method="logit")[:, 0]
    )
    difference = estimates.compare("resnet", "dull")
    assert pairs.loc[("resnet", "dull"), "p_clustered"] == pytest.approx(
        difference.p_value
    )
    assert len(pd.read_csv(outputs / "adjusted.csv")) == 3
    assert len(pd.read_csv(outputs / "operating.csv")) == 3 * 2 * 3
    assert set(pd.read_csv(outputs / "calibration.csv")["recalibration"]) == {
        *("none", "temperature", "platt"),
    }


def test_subgroups_and_ensembles_are_those_of_the_users_classifiers(outputs):
    table = make_table()
    test = table[table["fold"] == "test"]

    subgroups = pd.read_csv(outputs / "subgroup.csv")
    assert set(subgroups["variable"]) == {"ward"}
    assert subgroups["level"].tolist() == [0, 0, 0, 1, 1, 1]
    assert subgroups["images"].drop_duplicates().sum() == len(test)
    ensembles = pd.read_csv(outputs / "ensemble.csv")
    assert len(ensembles) == 3 * 3
    assert set(ensembles["member"]) == {"resnet", "vit & co", "dull"}


def test_a_margin_on_the_command_line_has_its_verdicts(outputs):
    table = pd.read_csv(outputs / "margin.csv").set_index("measure")

    assert (table.loc["auroc", "margin"] == 0.05).all()
    assert table.loc["auroc", "verdict"].notna().all()
    assert table.drop("auroc")["verdict"].isna().all()
    assert "Within a margin" in (outputs / "report.html").read_text()


def test_tables_and_figures_are_there_for_print(outputs):
    for name in ("auroc.tex", "roc.pdf", "reliability.svg", "forest.png"):
        assert (outputs / name).stat().st_size > 100


def test_the_file_shows_every_classifier_and_loads_nothing(outputs):
    html = (outputs / "report.html").read_text()

    assert "vit &amp; co" in html
    assert ": nan" not in html
    assert "fold" in html.split('id="discrimination"')[0]  # what was taken, at the top
    assert "Benjamini-Hochberg" in html
    assert html.count('<img src="data:image/png;base64') == 5
    assert "Ensembles against" in html
    assert "ward: 0" in html.lower()
    assert '<link rel="stylesheet"' not in html
    assert 'src="http' not in html


def test_without_validation_and_probabilities_the_rest_is_still_there(
    run_kedro, tmp_path
):
    table = make_table().drop(columns=["fold", "ward"])
    table.assign(resnet=5 * table["resnet"] - 2).to_parquet(tmp_path / "mine.parquet")
    params = {
        "scores": str(tmp_path / "mine.parquet"),
        "evaluation": {"bootstrap_replicates": 100},
    }

    run_kedro("comparison", data_root=tmp_path, params=params)

    folder = tmp_path / "08_reporting/comparison"
    assert len(pd.read_csv(folder / "auroc.csv")) == 3
    assert len(pd.read_csv(folder / "operating.csv")) == 0
    html = (folder / "report.html").read_text()
    assert "no validation part" in html
    assert 'id="ensembles-table"' not in html
    assert 'id="subgroups-table"' not in html
    assert "outputs that are probabilities" in html


@pytest.mark.slow
def test_the_command_runs_without_tensorflow(project, tmp_path):
    make_table(80).drop(columns=["fold", "ward"]).to_csv(
        tmp_path / "mine.csv", index=False
    )
    code = (
        "import sys\n"
        "from kedro.framework.cli import main\n"
        f"sys.argv = ['kedro', 'run', '--pipelines=comparison', "
        f"'--params=scores={tmp_path}/mine.csv,data_root={tmp_path},"
        f"evaluation.bootstrap_replicates=50']\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as ended:\n"
        "    assert not ended.code, ended.code\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
        "print('light')\n"
    )

    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.rstrip().endswith("light")
    assert "08_reporting/comparison/report.html" in result.stdout


def test_one_classifier_is_evaluated_without_a_comparison(run_kedro, tmp_path):
    table = make_table()[["image", "patient", "label", "fold", "resnet"]]
    table.to_csv(tmp_path / "mine.csv", index=False)
    params = {"scores": str(tmp_path / "mine.csv"), "comparison": {"part": "fold"}}

    run_kedro("comparison", data_root=tmp_path, params=params)

    folder = tmp_path / "08_reporting/comparison"
    assert len(pd.read_csv(folder / "pair.csv")) == 0
    html = (folder / "report.html").read_text()
    assert "1 classifier on" in html
    assert 'id="comparisons"' not in html
    assert "Sensitivity and specificity" in html


def test_a_table_without_rows_is_told_so(run_kedro, tmp_path):
    make_table().head(0).to_csv(tmp_path / "mine.csv", index=False)

    with pytest.raises(ValueError, match="has no rows"):
        run_kedro(
            "comparison",
            data_root=tmp_path,
            params={"scores": str(tmp_path / "mine.csv")},
        )


def test_a_table_that_is_not_there_is_named(run_kedro, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.csv"):
        run_kedro("comparison", data_root=tmp_path, params={"scores": "/nowhere.csv"})
