"""A real Orthanc with its DICOMweb plug-in, and what may go wrong with it."""

import argparse
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pacs
import pytest
import requests
from orthanc_process import Orthanc, program

from covid_cxr.service.disk_queue import dead_errands

pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <s:pytest.PytestUnraisableExceptionWarning"
)
BENCHMARK = Path(__file__).parents[3] / "benchmarks/pacs.py"


@pytest.fixture
def orthanc(tmp_path, free_port, stated):
    """Return an Orthanc that runs."""
    if program() is None:
        pytest.skip("Orthanc and its DICOMweb plug-in are not installed")
    server = Orthanc(
        tmp_path / "orthanc",
        port=free_port(),
        dicom_port=free_port(),
        node_port=stated["sources"]["node"]["port"],
    )
    server.begin()
    yield server
    server.end()


def _web(url, **changes):
    return {"url": url, "poll_seconds": 0.3, "timeout_seconds": 3.0} | changes


@pytest.mark.parametrize("way", ["orthanc", "dicomweb"])
def test_studies_in_orthanc_are_answered_there_once(
    serve, stated, orthanc, make_dicom, content_of, until, way
):
    paths = {"orthanc": "", "dicomweb": "/dicom-web"}
    images = [make_dicom(number) for number in range(3)]
    other = make_dicom(7, Modality="CT")
    for one in (*images, other):
        orthanc.put(content_of(one))
    stated["sources"] = {way: _web(f"{orthanc.url}{paths[way]}")}
    stated["destinations"] = {way: _web(f"{orthanc.url}{paths[way]}")}
    service = serve(stated)

    expected = sorted(one.StudyInstanceUID for one in images)
    until(lambda: orthanc.reports() == expected, seconds=60)
    late = make_dicom(9)
    orthanc.put(content_of(late))
    expected = sorted([*expected, late.StudyInstanceUID])
    until(lambda: orthanc.reports() == expected, seconds=60)
    time.sleep(2)  # answers make the studies new: nothing may come of that

    assert orthanc.reports() == expected
    assert service.queue.counts_of_instances() == {("predicted", True): 4}


def test_orthanc_sends_by_dicom_and_gets_reports_by_dicom(
    serve, stated, orthanc, make_dicom, content_of, until
):
    stated["destinations"] = {
        "peer": {
            "ae_title": "PACS",
            "calling": "COVIDCXR",
            "host": "127.0.0.1",
            "port": orthanc.dicom_port,
        }
    }
    serve(stated)
    image = make_dicom(1)
    orthanc.put(content_of(image))

    (instance,) = orthanc.ask("instances")
    said = requests.post(
        f"{orthanc.url}/modalities/service/store", instance, timeout=30
    )

    assert said.status_code == 200, said.text
    until(lambda: orthanc.reports() == [image.StudyInstanceUID])


def test_an_orthanc_that_is_down_is_waited_for(
    serve, stated, orthanc, make_dicom, content_of, until
):
    orthanc.put(content_of(make_dicom(1)))
    stated["sources"] = {"orthanc": _web(orthanc.url)}
    stated["destinations"] = {"orthanc": _web(orthanc.url)}
    orthanc.end()
    service = serve(stated)

    health = until(lambda: _health(stated) != (200, "ok\n") and _health(stated))
    orthanc.begin()
    until(lambda: len(orthanc.reports()) == 1, seconds=60)
    until(lambda: _health(stated) == (200, "ok\n"))

    assert health[0] == 503
    assert "cannot be reached" in health[1]
    assert dead_errands(service.queue.folder) == []


def _health(stated):
    url = f"http://127.0.0.1:{stated['monitor']['port']}/healthz"
    answer = requests.get(url, timeout=10)
    return answer.status_code, answer.text


class Between:
    """A proxy before a server that is slow, or answers 500, as often as it is told."""

    def __init__(self, url):
        self.faults = []  # each of "500", "nonsense", "cut", or seconds of delay
        between = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                length = int(self.headers.get("Content-Length") or 0)
                content = self.rfile.read(length)
                fault = between.faults.pop(0) if between.faults else 0.0
                if fault == "cut":
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                if isinstance(fault, float):
                    time.sleep(fault)
                    self._pass_on(content)
                    return
                self.send_response(500 if fault == "500" else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "3")
                self.end_headers()
                self.wfile.write(b"{{{")

            def do_POST(self):
                self.do_GET()

            def _pass_on(self, content):
                kept = {
                    name: value
                    for name, value in self.headers.items()
                    if name in {"Content-Type", "Accept"}
                }
                said = requests.request(
                    self.command,
                    url + self.path,
                    headers=kept,
                    data=content,
                    timeout=30,
                )
                try:
                    self.send_response(said.status_code)
                    kind = said.headers.get("Content-Type", "text/plain")
                    self.send_header("Content-Type", kind)
                    self.send_header("Content-Length", str(len(said.content)))
                    self.end_headers()
                    self.wfile.write(said.content)
                except OSError:
                    pass  # it waited no longer

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def between(orthanc):
    """Return a proxy before Orthanc."""
    proxy = Between(orthanc.url)
    yield proxy
    proxy.end()


@pytest.mark.parametrize("fault", ["500", "nonsense", "cut", 2.0])
def test_a_faulty_orthanc_delays_and_loses_nothing(
    serve, stated, orthanc, between, make_dicom, content_of, until, fault
):
    images = [make_dicom(number) for number in range(2)]
    for one in images:
        orthanc.put(content_of(one))
    between.faults = [fault, 0.0] * 6  # every second answer
    web = _web(between.url, timeout_seconds=0.5)
    stated["sources"], stated["destinations"] = {"orthanc": web}, {"orthanc": web}
    service = serve(stated)

    expected = sorted(one.StudyInstanceUID for one in images)
    until(lambda: orthanc.reports() == expected, seconds=60)
    until(lambda: service.queue.counts_of_errands() == {}, seconds=60)

    assert between.faults == []
    assert orthanc.reports() == expected
    assert service.queue.counts_of_instances() == {("predicted", True): 2}


def test_a_study_that_orthanc_cannot_give_is_laid_aside_and_others_go_on(
    serve, stated, orthanc, make_dicom, content_of, until
):
    images = [make_dicom(number) for number in range(3)]
    for one in images:
        orthanc.put(content_of(one))
    stored = orthanc.storage.rglob("*-*-*-*-*")
    lost = max(stored, key=lambda file: file.stat().st_size)  # the image, not its JSON
    orthanc.end()  # it has a copy in memory
    lost.write_bytes(b"")
    orthanc.begin()
    stated["sources"] = {"orthanc": _web(orthanc.url)}
    stated["destinations"] = {"orthanc": _web(orthanc.url)}
    stated["retries"]["attempts"] = 3
    service = serve(stated)

    until(lambda: len(orthanc.reports()) == 2, seconds=60)
    (dead,) = until(lambda: dead_errands(service.queue.folder))

    assert dead.place == "from orthanc"
    assert "answers" in dead.reason


def test_a_benchmark_that_fails_leaves_no_service(
    orthanc, one_bundle, tmp_path, monkeypatch
):
    folder = tmp_path / "soak"
    folder.mkdir()
    begun = []
    begin = pacs.Service.begin

    def noted(service):
        begin(service)
        begun.append(service._running)

    def fails(_):
        raise RuntimeError("it cannot be killed")

    monkeypatch.setattr(pacs.Service, "begin", noted)
    monkeypatch.setattr(pacs.Service, "kill", fails)
    asked = argparse.Namespace(
        bundle=one_bundle, studies=1, kills=1, way="orthanc", seed=0
    )

    with pytest.raises(RuntimeError, match="cannot be killed"):
        pacs.soak(asked, folder)

    (running,) = begun
    try:
        assert running.poll() is not None
    finally:
        running.kill()
        running.wait()


@pytest.mark.parametrize("way", ["node", "orthanc"])
def test_the_benchmark_counts_a_report_for_each_study(orthanc, one_bundle, way):
    done = subprocess.run(
        [
            *(sys.executable, str(BENCHMARK), str(one_bundle)),
            *("--studies", "6", "--kills", "1", "--way", way),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 reports, 0 studies without, 0 with two" in done.stdout
