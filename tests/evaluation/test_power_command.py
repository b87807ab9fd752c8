"""`covid-cxr power` plans as the pipeline `planning` does, and starts light."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from covid_cxr.evaluation.power_command import power

EVERYTHING = [
    *("--auroc=0.85", "--auroc-width=0.1", "--difference=0.05", "--margin=0.05"),
    *("--sensitivity=0.9", "--specificity=0.8", "--sensitivity-width=0.1"),
    *("--variance=binormal", "--share-of-cases=0.5", "--images-per-patient=2.3"),
    *("--images-per-patient-sd=1.5", "--within-patient-correlation=0.5"),
    *("--auroc-correlation=0.5", "--level=0.95", "--significance=0.05", "--power=0.8"),
]


@pytest.fixture
def pilot(tmp_path):
    rng = np.random.default_rng(3)
    patient = np.repeat(np.arange(50), 2)
    truth = np.repeat(np.arange(50) % 2, 2)
    signal = 1.2 * truth[:, None] + rng.standard_normal((100, 2))
    table = {"image": range(100), "patient": patient, "right": truth}
    place = tmp_path / "pilot.csv"
    scores = pd.DataFrame({**table, "resnet": signal[:, 0], "vit": signal[:, 1]})
    scores.to_csv(place, index=False)
    return place


@pytest.fixture
def plan(project, tmp_path):
    def run(*options):
        done = CliRunner().invoke(
            power, [*options, f"--conf-source={project}/conf", f"-o{tmp_path}/plan.csv"]
        )
        assert done.exit_code == 0, done.output
        return pd.read_csv(tmp_path / "plan.csv"), done.output

    return run


def test_it_plans_as_the_pipeline_does(run_kedro, tmp_path, plan):
    stated = {"auroc": 0.78, "auroc_width": 0.08, "share_of_cases": 0.3, "margin": 0.07}
    run_kedro("planning", data_root=tmp_path, params={"planning": stated})

    found, printed = plan(
        *(f"--{name.replace('_', '-')}={value}" for name, value in stated.items())
    )

    of_pipeline = pd.read_csv(tmp_path / "08_reporting/planning.csv")
    pd.testing.assert_frame_equal(found, of_pipeline)
    for row in of_pipeline.itertuples():
        assert row.sentence in printed
        assert f"{row.patients:,}" in printed.split("For the protocol")[0]


def test_it_learns_from_a_pilot_as_the_pipeline_does(run_kedro, tmp_path, plan, pilot):
    params = {"pilot": str(pilot), "comparison": {"label": "right"}}
    run_kedro("planning", data_root=tmp_path, params=params)

    found, printed = plan(f"--pilot={pilot}", "--params=comparison.label=right")

    pd.testing.assert_frame_equal(
        found, pd.read_csv(tmp_path / "08_reporting/planning.csv")
    )
    assert "pilot of 50 patients, resnet and vit" in printed


def test_an_environment_says_what_base_does_not(tmp_path):
    for folder, text in (
        ("base", "planning: {auroc: 0.85, margin: 0.05}"),
        ("mine", "planning: {auroc: 9e-1}"),  # a float to Kedro, text to plain YAML
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "parameters_planning.yml").write_text(text)
    others = [one for one in EVERYTHING if not one.startswith(("--auroc=", "--marg"))]

    done = CliRunner().invoke(
        power, [*others, f"--conf-source={tmp_path}", "--env=mine"]
    )

    assert "an AUROC of 0.9 is expected" in done.output
    assert "by an AUROC of 0.05, if both have 0.9" in done.output


def test_everything_may_be_stated_where_there_is_no_conf(tmp_path, plan):
    nowhere = f"--conf-source={tmp_path}"

    stated = CliRunner().invoke(power, [*EVERYTHING, nowhere])
    lacking = CliRunner().invoke(power, [*EVERYTHING[1:], nowhere])

    assert stated.output == plan()[1]
    assert lacking.exit_code == 1
    assert "says --auroc=… and there is no conf" in lacking.output


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--auroc=2"], "planning.auroc must lie between 0 and 1, got 2"),
        (["--variance=delong"], "planning.variance must be one of binormal"),
        (["--params=planning.aurok=0.8"], "no parameter planning.aurok"),
        (["--params=planning=3"], "planning holds parameters, as planning.…=…; got 3"),
        (["--params=reporting.level=high"], "reporting.level must be a number, got"),
        (["--params=reporting.levle=0.9"], "states reporting.levle, which plans noth"),
        (["--params=evaluation.level=0.9"], "states evaluation.level, which plans no"),
        (["--env=tset"], "There is no environment tset in "),
        (["--level=nan"], "level must lie between 0 and 1, got nan"),
        (["--power=1"], "power must lie between 0 and 1, got 1"),
        (["--params=data_root=/x"], "states data_root, which plans nothing"),
        (["--pilot=/nowhere/x.csv"], "no table at /nowhere/x.csv"),
        (["--pilot=/nowhere/x.doc"], "is a .csv, .tsv or .parquet file"),
    ],
)
def test_what_cannot_be_planned_is_refused_in_words(project, options, told):
    done = CliRunner().invoke(power, [*options, f"--conf-source={project}/conf"])

    assert done.exit_code == 1
    assert told in done.output


def test_a_parameter_file_that_is_no_yaml_is_named(tmp_path):
    (tmp_path / "base").mkdir()
    (tmp_path / "base/parameters_planning.yml").write_text("planning: {auroc: [")

    done = CliRunner().invoke(power, [*EVERYTHING, f"--conf-source={tmp_path}"])

    assert done.exit_code == 1
    assert "parameters_planning.yml is no YAML" in done.output


def test_it_starts_without_kedro_tensorflow_and_matplotlib(project, pilot):
    code = (
        "import sys; from covid_cxr.commands import covid_cxr;"
        f"covid_cxr.main(['power', '--pilot={pilot}', "
        "'--params=comparison.label=right'], standalone_mode=False);"
        "heavy = {'kedro', 'tensorflow', 'keras', 'matplotlib', 'sklearn'};"
        "print(sorted(heavy & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines()[-1] == "[]"
