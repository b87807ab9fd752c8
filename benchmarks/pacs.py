"""Does a service that is killed again and again lose a study, or answer one twice?

    python benchmarks/pacs.py BUNDLE [--studies 200] [--kills 10] [--way node]

A hospital's PACS, drawn, sends each study by C-STORE until it is told that it has
arrived; an Orthanc gets the answers by STOW-RS. Or (`--way orthanc`) the studies lie in
Orthanc, and the service asks for them and answers by Orthanc's own interface. The
service is killed (SIGKILL) at random moments and begun again. Prints how many studies
there are, how many have a report, and how many have two. Orthanc and its DICOMweb
plug-in must be installed.
"""

import argparse
import io
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pydicom
import requests
import yaml
from orthanc_process import Orthanc, program
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE

from covid_cxr.synthesis.dicom_files import as_bytes, new_image
from covid_cxr.synthesis.drawing import Exam, Look, draw_radiograph
from covid_cxr.synthesis.exposure import to_grey
from covid_cxr.synthesis.orders import Order

SIDE_PX, AT_ONCE = 192, 10
LONGEST_SECONDS = 1800


def main():
    """Print what became of the studies; end with 1 if it is not one report each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--way", choices=["node", "orthanc"], default="node")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    if program() is None:
        sys.exit("Orthanc and its DICOMweb plug-in are not installed.")
    with tempfile.TemporaryDirectory(prefix="covid_cxr_pacs_") as folder:
        sys.exit(soak(asked, Path(folder)))


def soak(asked, folder):
    """Return 0 if each study has one report."""
    ports = free_ports(4)
    orthanc = Orthanc(
        folder / "orthanc", port=ports[0], dicom_port=ports[1], node_port=ports[2]
    )
    service = Service(asked, folder, orthanc, ports)
    with ExitStack() as ends:
        ends.callback(orthanc.end)
        orthanc.begin()
        ends.callback(service.end)
        return killed(asked, service, orthanc, ports[2])


def killed(asked, service, orthanc, node_port):
    """Send, kill, count, and print."""
    studies = [draw_study(number) for number in range(asked.studies)]
    began = time.monotonic()
    if asked.way == "orthanc":
        for content in studies:
            orthanc.put(content)
    service.begin()
    sender = threading.Thread(
        target=send_all,
        args=(studies if asked.way == "node" else [], node_port),
        daemon=True,
    )
    sender.start()
    rng = random.Random(asked.seed)  # noqa: S311
    n_reports_at_kills = []
    for number in range(asked.kills):
        goal = asked.studies * (number + 1) // (asked.kills + 1)
        wait_for(lambda goal=goal: len(orthanc.reports()) >= goal)
        time.sleep(rng.uniform(0, 0.5))
        service.kill()
        n_reports_at_kills.append(len(orthanc.reports()))
        service.begin()
    sender.join()
    wait_for(service.is_done)
    seconds = time.monotonic() - began
    service.end()
    sent = sorted(pydicom.dcmread(io.BytesIO(one)).StudyInstanceUID for one in studies)
    reports = Counter(orthanc.reports())
    n_twice = sum(number > 1 for number in reports.values())
    print(
        f"{len(sent)} studies by {asked.way}, killed {asked.kills} times "
        f"(reports then: {n_reports_at_kills}): {sum(reports.values())} reports, "
        f"{len(set(sent) - set(reports))} studies without, {n_twice} with two; "
        f"{seconds:.0f} s"
    )
    return int(sorted(reports.elements()) != sent)


class Service:
    """`covid-cxr serve` in a process that is killed and begun again."""

    def __init__(self, asked, folder, orthanc, ports):
        """Write its settings."""
        self._folder, self._port, self._running = folder, ports[3], None
        caller = {"ae_title": "PACS", "addresses": ["127.0.0.1"]}
        node = {"ae_title": "COVIDCXR", "port": ports[2], "callers": [caller]}
        server = {"url": orthanc.url, "poll_seconds": 0.5}
        web = {"url": f"{orthanc.url}/dicom-web"}
        ways = {
            "node": ({"node": node}, {"dicomweb": web}),
            "orthanc": ({"orthanc": server}, {"orthanc": server}),
        }
        sources, destinations = ways[asked.way]
        settings = {
            "storage": {"folder": str(folder / "queue"), "least_free_bytes": 0},
            "sources": sources,
            "destinations": destinations,
            "retries": {"first_seconds": 0.5},
            "monitor": {"port": self._port},
        }
        config = folder / "service.yml"
        config.write_text(yaml.safe_dump(settings))
        self._command = [
            *(sys.executable, "-m", "covid_cxr", "serve", str(asked.bundle)),
            *("--config", str(config)),
        ]

    def begin(self):
        """Begin, and return when it answers."""
        with (self._folder / "service.log").open("ab") as log:
            self._running = subprocess.Popen(self._command, stdout=log, stderr=log)
        wait_for(self._answers)

    def _answers(self):
        if self._running.poll() is not None:
            raise RuntimeError((self._folder / "service.log").read_text()[-3000:])
        try:
            return self.metrics() is not None
        except requests.RequestException:
            return False

    def metrics(self):
        """Return the text of its metrics."""
        return requests.get(f"http://127.0.0.1:{self._port}/metrics", timeout=20).text

    def is_done(self):
        """Return whether nothing is left to be done."""
        return "queue_errands" not in self.metrics()

    def kill(self):
        """End it as a loss of power would."""
        os.kill(self._running.pid, signal.SIGKILL)
        self._running.wait()

    def end(self):
        """End it as its system would, if it runs."""
        if self._running is not None:
            self._running.terminate()
            self._running.wait(60)


def draw_study(number):
    """Return the DICOM file of a study of one radiograph."""
    rng = np.random.default_rng(number)
    exam = Exam(
        anatomy_seed=number,
        drawing_seed=number,
        sex="FM"[number % 2],
        age_years=int(rng.integers(20, 90)),
        view="PA",
        severities={},
        has_devices=False,
    )
    order = Order(
        file=f"pacs/{number}.dcm",
        patient=f"synthetic {number}",
        site="",
        study_date=time.strftime("%Y%m%d"),
        exam=exam,
    )
    look = Look(sign_contrast=1.0, photons=20_000, magnification=1.0)
    density = draw_radiograph(exam, shape=(SIDE_PX, SIDE_PX), look=look).density
    grey = to_grey(density)
    image = new_image(
        order,
        patient=order.patient,
        sop_class=ComputedRadiographyImageStorage,
        transfer_syntax=ExplicitVRLittleEndian,
    )
    image.PhotometricInterpretation = "MONOCHROME2"
    image.Rows, image.Columns = grey.shape
    image.BitsAllocated, image.BitsStored, image.HighBit = 8, 8, 7
    image.PixelData = grey.tobytes()
    return as_bytes(image)


def send_all(contents, port):
    """Send each file until it has arrived."""
    left = [pydicom.dcmread(io.BytesIO(content)) for content in contents]
    while left:
        several = left[:AT_ONCE]
        arrived = send(several, port)
        left = [one for one in left if one.SOPInstanceUID not in arrived]
        if not arrived:
            time.sleep(0.2)


def send(datasets, port):
    """Return the UIDs of those that have arrived."""
    ae = AE(ae_title="PACS")
    ae.add_requested_context(ComputedRadiographyImageStorage, ExplicitVRLittleEndian)
    association = ae.associate("127.0.0.1", port, ae_title="COVIDCXR")
    arrived = set()
    if association.is_established:
        for one in datasets:
            try:
                status = association.send_c_store(one).get("Status")
            except (RuntimeError, ValueError):  # it was killed
                break
            if status == 0:
                arrived.add(one.SOPInstanceUID)
        association.release()
    return arrived


def wait_for(condition):
    """Return when something is so."""
    late = time.monotonic() + LONGEST_SECONDS
    while not condition():
        if time.monotonic() > late:
            raise TimeoutError("it never came")
        time.sleep(0.2)


def free_ports(number):
    """Return ports that nobody has."""
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


if __name__ == "__main__":
    main()
