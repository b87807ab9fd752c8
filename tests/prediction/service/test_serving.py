"""A service in this process: folders, refusals, what is laid aside, metrics."""

import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pydicom
import pytest
import requests
import yaml
from click.testing import CliRunner

from covid_cxr.commands import covid_cxr
from covid_cxr.service import answering, loops, serve_command
from covid_cxr.service.disk_queue import (
    DEAD,
    PREDICTION,
    WAITING,
    DiskQueue,
    dead_errands,
)

pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <s:pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture
def watched(stated, tmp_path):
    """Return a folder that is watched, instead of a node."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    stated["sources"] = {"folder": {"path": str(folder), "stable_seconds": 0.3}}
    return folder


def _results(tmp_path):
    return [pydicom.dcmread(one) for one in (tmp_path / "results").glob("*.dcm")]


def _reports(tmp_path):
    return [one for one in _results(tmp_path) if one.Modality == "SR"]


def test_files_of_a_watched_folder_are_answered_and_kept(
    serve, stated, watched, make_dicom, content_of, until, tmp_path
):
    (watched / "day").mkdir()
    first = content_of(make_dicom(1))
    (watched / "a.dcm").write_bytes(first)
    service = serve(stated)
    (watched / "day/a.dcm").write_bytes(content_of(make_dicom(2)))
    (watched / "chest.png").write_bytes(b"\x89PNG no DICOM")
    (watched / ".hidden.dcm").write_bytes(content_of(make_dicom(3)))

    until(lambda: len(_reports(tmp_path)) == 2)
    until(lambda: len(list((watched / "refused").iterdir())) == 2)
    until(lambda: len(list((watched / "taken").iterdir())) == 2)

    assert (watched / "taken/a.dcm").read_bytes() == first
    assert (watched / "taken/a-1.dcm").exists()
    reason = (watched / "refused/chest.png.txt").read_text()
    assert "no valid SOPClassUID" in reason
    assert (watched / ".hidden.dcm").exists()
    until(lambda: service.queue.counts_of_instances() == {("predicted", True): 2})


def test_a_file_is_taken_when_it_has_stopped_growing(
    serve, stated, watched, make_dicom, content_of, until, tmp_path
):
    content = content_of(make_dicom(1))
    serve(stated)

    with (watched / "slow.dcm").open("wb") as file:
        for first in range(0, len(content), len(content) // 6):
            file.write(content[first : first + len(content) // 6])
            file.flush()
            time.sleep(0.15)
            assert not (watched / "taken/slow.dcm").exists()

    (report,) = until(lambda: _reports(tmp_path))
    assert report.PatientID == "SECRET1"
    assert (watched / "taken/slow.dcm").read_bytes() == content


def test_a_file_that_cannot_be_read_keeps_no_other_waiting(
    serve, stated, watched, make_dicom, content_of, until, monkeypatch
):
    (watched / "a.dcm").write_bytes(content_of(make_dicom(1)))
    (watched / "b.dcm").write_bytes(content_of(make_dicom(2)))
    _lock(monkeypatch, "a.dcm")
    serve(stated)

    until((watched / "taken/b.dcm").exists)

    assert (watched / "a.dcm").exists()
    until(lambda: requests.get(_url(stated, "healthz"), timeout=5).status_code == 503)


def _lock(monkeypatch, name):
    """Let nobody read a file; root, whom tests may run as, reads any other way."""
    read = Path.open

    def refuse(file, *arguments, **options):
        if file.name == name:
            raise PermissionError(13, "Permission denied")
        return read(file, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)


def test_answers_to_a_destination_that_is_named_no_more_are_not_forgotten(
    serve, stated, settings_of, caplog
):
    settings = settings_of(stated)
    queue = DiskQueue(settings.storage, settings.retries, bundle="another")
    queue.receive("1.2.3", b"radiograph")
    errand = queue.next(PREDICTION)
    queue.answer(errand, {"1.2.4": b"report"}, status="", destinations=["to peer"])
    queue.close()

    service = serve(stated)

    assert "1 errands to peer (waiting) are kept" in caplog.text
    assert service.queue.counts_of_errands() == {("to peer", WAITING): 1}


@pytest.mark.parametrize("answers", [["SR"], ["SR", "OT"], ["SR", "OT", "PR"]])
def test_those_answers_are_sent_that_are_asked_for(
    serve, stated, send, make_dicom, until, tmp_path, answers
):
    service = serve(stated | {"answers": answers})

    send(stated, [make_dicom(1)])
    until(lambda: service.queue.counts_of_instances() == {("predicted", True): 1})

    assert sorted(one.Modality for one in _results(tmp_path)) == sorted(answers)


def test_a_refusal_is_an_answer_too(serve, stated, send, make_dicom, until, tmp_path):
    service = serve(stated)

    send(stated, [make_dicom(1, ViewPosition="LL")])

    (report,) = until(lambda: _reports(tmp_path))
    assert "Not evaluated" in str(report)
    until(lambda: service.queue.counts_of_instances() == {("refused", True): 1})


def test_what_cannot_be_answered_is_laid_aside_listed_and_tried_anew(
    serve, stated, send, make_dicom, until, tmp_path, monkeypatch, one_bundle
):
    stated["retries"]["predictions"] = 2

    def fails(*_):
        raise ValueError("value of a header: Secret^Name")

    with monkeypatch.context() as broken:
        broken.setattr(answering, "results_of", fails)
        service = serve(stated)
        assert send(stated, [make_dicom(1)]) == [0]
        until(lambda: service.queue.counts_of_errands() == {(PREDICTION, DEAD): 1})
        listed = _list_dead(stated, one_bundle, tmp_path)
    assert re.search(r"prediction [0-9a-f]{64}: 2 attempts: ValueError", listed)

    assert service.queue.revive() == 1
    until(lambda: len(_reports(tmp_path)) == 1)
    assert _list_dead(stated, one_bundle, tmp_path) == ""


def test_what_can_never_be_answered_is_laid_aside_at_once(
    serve, stated, watched, make_dicom, content_of, until
):
    stated["retries"] |= {"first_seconds": 300.0, "longest_seconds": 300.0}
    content = content_of(make_dicom(1))
    # A character set that the file does not state: it would be another patient.
    unreadable = content.replace(b"Secret^Name", b"S\xfccret^Name")
    (watched / "a.dcm").write_bytes(unreadable)
    service = serve(stated)

    until(lambda: service.queue.counts_of_errands() == {(PREDICTION, DEAD): 1})
    (dead,) = dead_errands(service.queue.folder)
    assert dead.attempts == 1
    assert "NoResultsError" in dead.reason


def _list_dead(stated, bundle, tmp_path):
    """Return what the command lists while the service runs."""
    config = tmp_path / "service.yml"
    config.write_text(yaml.safe_dump(stated))
    command = ["serve", str(bundle), "--config", str(config), "--dead"]
    done = CliRunner().invoke(covid_cxr, command)
    assert done.exit_code == 0, done.output
    return done.output


def _url(stated, page):
    return f"http://127.0.0.1:{stated['monitor']['port']}/{page}"


def test_a_log_names_no_patient_and_no_uid(
    serve, stated, send, make_dicom, until, caplog, monkeypatch
):
    def fails(*_):
        raise ValueError("value of a header: Secret^Name")

    monkeypatch.setattr(answering, "results_of", fails)
    serve(stated)

    send(stated, [make_dicom(1), make_dicom(2, StudyInstanceUID=None)])
    until(lambda: "laid aside" in caplog.text)

    ours = [r.getMessage() for r in caplog.records if r.name.startswith("covid_cxr")]
    assert ours
    assert not re.search(r"secret|1\.2\.826", " ".join(ours), re.IGNORECASE)


def test_metrics_are_those_that_prometheus_reads(
    serve, stated, send, make_dicom, until
):
    service = serve(stated)
    send(stated, [make_dicom(1), make_dicom(2, StudyInstanceUID=None)])
    until(lambda: service.queue.counts_of_instances() == {("predicted", True): 1})

    answer = requests.get(_url(stated, "metrics"), timeout=5)
    lines = answer.text.splitlines()

    # https://prometheus.io/docs/instrumenting/exposition_formats, of text 0.0.4
    sample = r'[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [0-9.e+-]+'
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert all(
        re.fullmatch(sample, line) or re.fullmatch(r"# TYPE \w+ (gauge|counter)", line)
        for line in lines
    )
    assert 'covid_cxr_received_total{source="from node",is_new="true"} 1' in lines
    assert (
        'covid_cxr_rejected_total{source="from node",'
        'reason="UnacceptableInstanceError"} 1' in lines
    )
    assert 'covid_cxr_queue_instances{status="predicted",done="true"} 1' in lines
    assert "covid_cxr_queue_bytes 0" in lines
    assert requests.get(_url(stated, "patients"), timeout=5).status_code == 404


def test_a_service_without_room_is_not_healthy(serve, stated):
    stated["storage"]["least_free_bytes"] = 10**15
    serve(stated)

    answer = requests.get(_url(stated, "healthz"), timeout=5)

    assert answer.status_code == 503
    assert "are kept free" in answer.text


@pytest.mark.parametrize("hangs_in", ["step", "pause"])
def test_a_long_step_is_no_good_health_and_a_long_pause_is(monkeypatch, hangs_in):
    monkeypatch.setattr(loops, "_ALIVE_SECONDS", 0.1)
    stop = threading.Event()
    acts = {"step": lambda: False, "pause": stop.wait} | {hangs_in: stop.wait}

    thread, pulse = loops.start(loops.Loop(name="it", **acts), stop)
    time.sleep(0.5)
    word = pulse.word
    stop.set()
    thread.join(10)

    assert bool(word) == (hangs_in == "step")


def test_serving_needs_neither_tensorflow_nor_kedro():
    code = (
        "import sys, covid_cxr.service.serve_command, covid_cxr.service.serving;"
        "print(sorted({'kedro', 'tensorflow', 'keras', 'dask'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_what_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(serve_command, "find_spec", lambda name: None)

    done = CliRunner().invoke(
        covid_cxr, ["serve", str(tmp_path), "--config", str(tmp_path / "none.yml")]
    )

    assert done.exit_code == 1
    assert 'pip install "covid-cxr[predict,serve,codecs]"' in done.output
