"""`covid-cxr doctor` and `plan`, of a study that is there and of one that is not."""

import pytest
from click.testing import CliRunner

from covid_cxr.console.doctor import doctor
from covid_cxr.console.plan import Planned, plan
from covid_cxr.training.speed import Speed, _seconds_per_image


@pytest.fixture
def invoke(project, monkeypatch):
    """Return a function that runs a command on a data root in `conf/test`."""
    monkeypatch.chdir(project)

    def run(command, root, *options):
        options = ["--env=test", f"--params=data_root={root}", *options]
        return CliRunner().invoke(command, options)

    return run


def test_doctor_says_what_each_path_misses_and_where_it_would_be(invoke, tmp_path):
    done = invoke(doctor, tmp_path)

    assert done.exit_code == 1
    lines = done.output.splitlines()
    (path_f,) = [line for line in lines if line.startswith("path_f")]
    assert path_f.split() == ["path_f", "misses", "covid_images"]
    assert f"  covid_images: {tmp_path}/01_raw/covid" in lines
    assert any(line.startswith("cores") for line in lines)
    assert any(line.startswith("GPUs") for line in lines)


@pytest.mark.slow
def test_doctor_finds_nothing_amiss_with_the_synthetic_hospital(invoke, hospital):
    done = invoke(doctor, hospital)

    assert done.exit_code == 0, done.output
    assert "path_a        has all that it reads" in done.output


def test_plan_without_a_split_says_what_to_do(invoke, tmp_path):
    done = invoke(plan, tmp_path)

    assert done.exit_code == 1
    assert "phase1 is not yet drawn" in done.output
    assert "--pipelines=ingestion,curation" in done.output


def test_plan_counts_the_trainings_and_says_what_it_assumed(invoke, tmp_path):
    done = invoke(plan, tmp_path, "--images=33", "--seconds=0")

    assert done.exit_code == 0, done.output
    assert "11 trainings" in done.output
    assert "33" in done.output
    assert "Assumed: one training after the other, all epochs" in done.output


def test_the_most_hours_are_all_epochs_of_all_images(make_recipe):
    speed = Speed(training=0.5, validation=0.1, batch_images=16, n_weights=1)
    planned = Planned(
        name="phase1",
        n_train=33,
        n_validation=10,
        recipe=make_recipe(batch_images=16, max_epochs=100),
    )

    assert planned.most_steps == 300
    assert planned.most_hours(speed) == pytest.approx(100 * (33 * 0.5 + 1) / 3600)


@pytest.mark.parametrize(("seconds", "largest"), [(0.0, 1), (60.0, 6)])
def test_batches_grow_to_the_recipes_as_long_as_there_is_time(seconds, largest):
    sizes = []

    found, _ = _seconds_per_image(sizes.append, 6, seconds)

    assert found == max(sizes) == largest
