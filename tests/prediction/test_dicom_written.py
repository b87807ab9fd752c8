"""`covid-cxr predict --dicom`: files beside the table, and what has none."""

import csv
import logging
import shutil
import zipfile

import pydicom
import pytest
from click.testing import CliRunner

from covid_cxr.prediction import open_bundle, results_of
from covid_cxr.prediction.cli import predict


@pytest.fixture
def mixed(radiograph, chests, tmp_path):
    """Return a folder: two DICOM radiographs, a lateral one, one without UIDs, a PNG.

    One of the DICOM files is in a zip.
    """
    folder = tmp_path / "mixed"
    folder.mkdir()
    shutil.copy(chests / "chest_0.png", folder / "a.png")
    shutil.copy(radiograph("b.dcm"), folder)
    shutil.copy(radiograph("c.dcm", ViewPosition="LL"), folder)
    shutil.copy(radiograph("d.dcm", StudyInstanceUID=None), folder)
    with zipfile.ZipFile(folder / "e.zip", "w") as archive:
        archive.write(radiograph("inside.dcm", PatientName="Zara^Zip"), "inside.dcm")
    return folder


@pytest.fixture
def predicted(tmp_path):
    """Return a function that runs the command and returns it with its table."""

    def run(bundle, place, *options, code=3):
        command = [bundle, place, "-o", tmp_path / "out", "--workers=1", *options]
        done = CliRunner().invoke(predict, [str(word) for word in command])
        assert done.exit_code == code, done.output
        with (tmp_path / "out/predictions.csv").open(newline="") as file:
            return done.output, list(csv.DictReader(file))

    return run


def test_each_radiograph_has_files_or_a_reason_why_not(
    write_bundle, mixed, predicted, tmp_path, caplog
):
    bundle = write_bundle()

    with caplog.at_level(logging.WARNING):
        _, rows = predicted(bundle, mixed, "--dicom")

    assert {row["file"]: row["dicom"] for row in rows} == {
        "a.png": "none: not a DICOM file",
        "b.dcm": "report, map, presentation",
        "c.dcm": "report",
        "d.dcm": "none: the file has no valid StudyInstanceUID, by which DICOM results "
        "would belong to it",
        "e.zip/inside.dcm": "report, map, presentation",
    }
    assert sorted(path.name for path in (tmp_path / "out/dicom").iterdir()) == [
        "0000002-map.dcm",
        "0000002-presentation.dcm",
        "0000002-report.dcm",
        "0000003-report.dcm",
        "0000005-map.dcm",
        "0000005-presentation.dcm",
        "0000005-report.dcm",
    ]
    written = pydicom.dcmread(tmp_path / "out/dicom/0000005-map.dcm")
    assert written.PatientName == "Zara^Zip"
    assert "no DICOM results of 1 files: not a DICOM file" in caplog.text
    score = next(row["score"] for row in rows if row["file"] == "b.dcm")
    report = pydicom.dcmread(tmp_path / "out/dicom/0000002-report.dcm")
    assert f"{float(score)!r}" in report.to_json()


def test_python_gives_the_same_objects(write_bundle, mixed, predicted, tmp_path):
    bundle = write_bundle()
    predicted(bundle, mixed, "--dicom")

    (prediction,) = open_bundle(bundle).predictions([mixed / "b.dcm"])
    source = pydicom.dcmread(mixed / "b.dcm")
    results = results_of(source, prediction, open_bundle(bundle))

    written = [pydicom.dcmread(p) for p in (tmp_path / "out/dicom").glob("0000002-*")]
    assert {one.SOPInstanceUID for one in results} == {
        one.SOPInstanceUID for one in written
    }


def test_nothing_of_the_patient_is_elsewhere(
    write_bundle, mixed, predicted, tmp_path, caplog
):
    with caplog.at_level(logging.DEBUG):
        said, _ = predicted(write_bundle(), mixed, "--dicom")

    out = tmp_path / "out"
    texts = [path.read_text() for path in out.iterdir() if path.is_file()]
    assert len(texts) == 4
    for text in (*texts, said, caplog.text):
        for secret in ("ller", "Zara", "P-17", "19600102"):
            assert secret not in text


def test_without_the_option_no_dicom_is_written(
    write_bundle, mixed, predicted, tmp_path
):
    _, rows = predicted(write_bundle(), mixed)

    assert "dicom" not in rows[0]
    assert not (tmp_path / "out/dicom").exists()


def test_an_interrupted_run_writes_what_is_missing_and_nothing_twice(
    write_bundle, mixed, predicted, tmp_path
):
    bundle = write_bundle()
    _, whole = predicted(bundle, mixed, "--dicom")
    out = tmp_path / "out"
    kept = (out / "dicom/0000002-map.dcm").read_bytes()
    rows = (out / "rows.jsonl").read_text().splitlines(keepends=True)
    (out / "rows.jsonl").write_text("".join(rows[:2]) + rows[2][:9])
    for path in (out / "dicom").glob("0000005-*"):
        path.unlink()

    _, again = predicted(bundle, mixed, "--dicom")

    assert again == whole
    assert (out / "dicom/0000002-map.dcm").read_bytes() == kept
    assert len(list((out / "dicom").iterdir())) == 7


def test_a_folder_of_predictions_without_dicom_is_not_gone_on_with(
    write_bundle, mixed, predicted, tmp_path
):
    bundle = write_bundle()
    predicted(bundle, mixed)

    said, _ = predicted(bundle, mixed, "--dicom", code=1)

    assert "name another folder" in said


def test_without_highdicom_the_command_says_how_to_install_it(
    write_bundle, mixed, tmp_path, monkeypatch
):
    place = "covid_cxr.prediction.dicom_results.written.find_spec"
    monkeypatch.setattr(place, lambda name: None)
    command = [write_bundle(), mixed, "-o", tmp_path / "out", "--dicom"]

    done = CliRunner().invoke(predict, [str(word) for word in command])

    assert done.exit_code == 1
    assert "pip install 'covid-cxr[predict,dicom]'" in done.output
    assert not (tmp_path / "out").exists()
