"""The command `covid-cxr`: what it starts, and what it does not import for that."""

import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def covid_cxr(project):
    def run(*arguments, timeout=300):
        return subprocess.run(
            [sys.executable, "-m", "covid_cxr", *arguments],
            cwd=project,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run


def test_help_lists_the_commands_without_kedro_and_tensorflow():
    code = (
        "import sys; from covid_cxr.commands import covid_cxr;"
        "covid_cxr.main(['--help'], standalone_mode=False);"
        "print(sorted({'kedro', 'tensorflow', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert "Commands:" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("form", [["run", "--help"], ["--config", "/nowhere/run.yml"]])
def test_options_without_a_command_are_those_of_run(covid_cxr, form):
    done = covid_cxr(*form)

    assert "covid-cxr run [OPTIONS]" in done.stdout + done.stderr


def test_a_misspelt_command_is_none(covid_cxr):
    done = covid_cxr("docter")

    assert done.returncode == 2
    assert "No such command 'docter'" in done.stderr
