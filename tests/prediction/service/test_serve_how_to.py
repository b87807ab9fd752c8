"""The how-to of serving does what it says, as far as the programs are there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pydicom
import pytest
import yaml

from covid_cxr.service.service_settings import ServiceSettings
from covid_cxr.service.settings_file import read_record

ROOT = Path(__file__).parents[3]
HOW_TO = (ROOT / "docs/how-to/serve.md").read_text("utf-8")
YAML = re.findall(r"```yaml\n(.*?)```", HOW_TO, re.DOTALL)


@pytest.mark.parametrize("number", range(len(YAML)))
def test_what_it_states_is_read(number, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("results", "inbox"):
        (tmp_path / name).mkdir()
    for name in ("service.crt", "service.key", "hospital.crt"):
        (tmp_path / name).touch()

    stated = yaml.safe_load(YAML[0]) | yaml.safe_load(YAML[number])
    read = read_record(ServiceSettings, yaml.safe_dump(stated), file="service.yml")

    assert read.storage.folder == Path("queue")


def test_its_commands_end_in_a_report(one_bundle, make_dicom, free_port, tmp_path):
    if shutil.which("storescu") is None:
        pytest.skip("dcmtk is not installed")
    (commands,) = re.findall(r"```bash\n(.*?)```", HOW_TO, re.DOTALL)
    ports = {"11112": str(free_port()), "9464": str(free_port())}
    text, settings = commands, YAML[0]
    for stated, free in ports.items():
        text, settings = text.replace(stated, free), settings.replace(stated, free)
    shutil.copytree(one_bundle, tmp_path / "bundle")
    make_dicom(1).save_as(tmp_path / "chest.dcm", enforce_file_format=True)
    (tmp_path / "service.yml").write_text(settings)
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin/covid-cxr"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m covid_cxr "$@"\n')
    command.chmod(0o755)

    done = subprocess.run(
        [shutil.which("bash"), "-e", "-c", text],
        cwd=tmp_path,
        env={
            **os.environ,
            "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT / "src"),
        },
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.rstrip().endswith("ok")
    results = [pydicom.dcmread(one) for one in (tmp_path / "results").glob("*.dcm")]
    assert "SR" in {one.Modality for one in results}
    assert {one.PatientID for one in results} == {"SECRET1"}


def test_it_shows_every_source_and_destination():
    stated = [yaml.safe_load(one) for one in YAML]
    kinds = {
        part: {name for one in stated for name in one.get(part, {})}
        for part in ("sources", "destinations")
    }

    assert kinds["sources"] == {"node", "dicomweb", "orthanc", "folder"}
    assert kinds["destinations"] == {"peer", "dicomweb", "orthanc", "folder"}
