"""A service in this process or its own, radiographs for it, and those it answers to."""

import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
import yaml
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    ComprehensiveSRStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    GrayscaleSoftcopyPresentationStateStorage,
    SecondaryCaptureImageStorage,
)
from pynetdicom import AE, evt

from covid_cxr.prediction import open_bundle
from covid_cxr.service.disk_queue import DiskQueue
from covid_cxr.service.service_settings import ServiceSettings
from covid_cxr.service.serving import Service
from covid_cxr.service.settings_file import read_record

OURS, THEIRS = "COVIDCXR", "PACS"
ANSWERS = (
    ComprehensiveSRStorage,
    SecondaryCaptureImageStorage,
    GrayscaleSoftcopyPresentationStateStorage,
)
ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _collected():
    """Collect the sockets that pynetdicom leaves, while their test is to blame."""
    yield
    gc.collect()


def _until(condition, *, seconds=30):
    """Wait until something is so, and fail if it never is."""
    late = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < late, "it never came"
        time.sleep(0.02)
    return found


@pytest.fixture(scope="session")
def until():
    """Return `_until`."""
    return _until


def _free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture
def free_port():
    """Return a function that returns a port that nobody has."""
    return _free_port


@pytest.fixture(scope="session")
def make_dicom(drawn_chest):
    """Return a function that draws a DX as a device sends it, a data set."""

    def make(number=0, **changes):
        image = Dataset()
        image.SOPClassUID = DigitalXRayImageStorageForPresentation
        image.SOPInstanceUID = f"1.2.826.0.1.3680043.9.9999.{number + 1}"
        image.StudyInstanceUID = f"1.2.826.0.1.3680043.9.9999.1.{number + 1}"
        image.SeriesInstanceUID = f"1.2.826.0.1.3680043.9.9999.2.{number + 1}"
        image.PatientID, image.PatientName = f"SECRET{number}", "Secret^Name"
        image.PatientBirthDate, image.PatientSex, image.PatientAge = "", "F", "061Y"
        image.StudyDate, image.StudyTime = time.strftime("%Y%m%d"), "101010"
        image.AccessionNumber = image.StudyID = image.ReferringPhysicianName = ""
        image.Modality, image.BodyPartExamined = "DX", "CHEST"
        image.ViewPosition, image.Manufacturer = "PA", "drawn"
        image.SeriesNumber = image.InstanceNumber = 1
        image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
        image.PresentationLUTShape, image.PixelIntensityRelationship = "IDENTITY", "LOG"
        pixels = drawn_chest(number).astype(np.uint16)
        image.Rows, image.Columns = pixels.shape
        image.BitsAllocated, image.BitsStored, image.HighBit = 16, 8, 7
        image.PixelRepresentation = 0
        image.PixelData = pixels.tobytes()
        image.file_meta = FileMetaDataset()
        image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        for keyword, value in changes.items():
            if value is None:
                del image[keyword]
            else:
                setattr(image, keyword, value)
        image.file_meta.MediaStorageSOPClassUID = image.get("SOPClassUID", "1.2")
        image.file_meta.MediaStorageSOPInstanceUID = image.get("SOPInstanceUID", "1.2")
        return image

    return make


@pytest.fixture(scope="session")
def content_of():
    """Return a function from a data set to the content of its file."""

    def content(dataset):
        file = BytesIO()
        pydicom.dcmwrite(file, dataset, enforce_file_format=True)
        return file.getvalue()

    return content


@pytest.fixture(scope="session")
def one_bundle(make_bundle, tmp_path_factory):
    """Return the folder of the bundle that is served."""
    return make_bundle(tmp_path_factory.mktemp("served") / "bundle")


@pytest.fixture
def stated(tmp_path, free_port):
    """Return what a `service.yml` states: a node, and a folder for answers."""
    (tmp_path / "results").mkdir()
    caller = {"ae_title": THEIRS, "addresses": ["127.0.0.1"]}
    return {
        "storage": {
            "folder": str(tmp_path / "queue"),
            "least_free_bytes": 0,
            "most_bytes": 10**9,
        },
        "sources": {
            "node": {
                "ae_title": OURS,
                "port": free_port(),
                "callers": [caller],
                "timeout_seconds": 5.0,
            }
        },
        "destinations": {"folder": {"path": str(tmp_path / "results")}},
        "retries": {"first_seconds": 0.05, "longest_seconds": 0.2},
        "monitor": {"port": free_port()},
    }


def _settings_of(stated):
    return read_record(ServiceSettings, yaml.safe_dump(stated), file="service.yml")


@pytest.fixture(scope="session")
def settings_of():
    """Return a function from what a file states to the settings."""
    return _settings_of


@pytest.fixture
def serve(one_bundle):
    """Return a function that serves in a thread of this process until the test ends."""
    ends = []

    def begin(stated):
        settings = _settings_of(stated)
        bundle = open_bundle(one_bundle)
        queue = DiskQueue(settings.storage, settings.retries, bundle=bundle.sha256)
        service = Service(bundle=bundle, settings=settings, queue=queue)
        thread = threading.Thread(target=service.run)
        thread.start()
        ends.append((service, thread))
        _until(lambda: _listens(settings.monitor.port))
        return service

    yield begin
    for service, thread in ends:
        service.stop.set()
        thread.join(30)
        assert not thread.is_alive()


def _listens(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


class Process:
    """A `covid-cxr serve` that can be killed and begun again."""

    def __init__(self, bundle, config, port, env=None):
        self._command = [
            *(sys.executable, "-m", "covid_cxr", "serve", str(bundle)),
            *("--config", str(config)),
        ]
        self._port, self._env = port, env or {}
        self.log = config.with_suffix(".log")
        self._running = None

    def begin(self, *, is_awaited=True):
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                self._command,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env={**os.environ, **self._env},
            )
        if is_awaited:
            _until(self._is_ready, seconds=60)

    def _is_ready(self):
        assert self._running.poll() is None, self.log.read_text()[-3000:]
        return _listens(self._port)

    def end(self, number=signal.SIGTERM):
        self._running.send_signal(number)
        return self._running.wait(60)

    @property
    def is_running(self):
        return self._running is not None and self._running.poll() is None


@pytest.fixture
def process(one_bundle, stated, tmp_path):
    """Return a function that begins a service in a process of its own."""
    begun = []

    def begin(*, bundle=one_bundle, env=None):
        config = tmp_path / "service.yml"
        config.write_text(yaml.safe_dump(stated))
        begun.append(Process(bundle, config, stated["monitor"]["port"], env))
        begun[-1].begin()
        return begun[-1]

    yield begin
    for one in begun:
        if one.is_running:
            one.end(signal.SIGKILL)


def _send(stated, datasets, *, title=THEIRS, called=OURS, tls=None):
    """Send by C-STORE; return the statuses, None where the node does not answer."""
    ae = AE(ae_title=title)
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 20
    ae.connection_timeout = 20
    for sop_class in {one.file_meta.MediaStorageSOPClassUID for one in datasets}:
        ae.add_requested_context(sop_class, ExplicitVRLittleEndian)
    port = stated["sources"]["node"]["port"]
    association = ae.associate("127.0.0.1", port, ae_title=called, tls_args=tls)
    if not association.is_established:
        return [None for _ in datasets]
    statuses = []
    for one in datasets:
        try:
            statuses.append(association.send_c_store(one).get("Status"))
        except (RuntimeError, ValueError):  # it was ended, as by a kill
            statuses.append(None)
    association.release()
    return statuses


@pytest.fixture(scope="session")
def send():
    """Return `_send`."""
    return _send


@pytest.fixture
def peer(free_port):
    """Return a function that begins a node that answers are sent to.

    It returns the node's settings, and the list of what it received, which grows.
    """
    servers = []

    def begin(*, status=0x0000, delay_seconds=0.0, port=None, tls=None):
        received = []

        def store(event):
            time.sleep(delay_seconds)
            said = status(len(received)) if callable(status) else status
            if said == 0x0000:
                received.append(event.dataset)
            return said

        ae = AE(ae_title="VIEWER")
        for sop_class in ANSWERS:
            ae.add_supported_context(sop_class)
        port = port or free_port()
        servers.append(
            ae.start_server(
                ("127.0.0.1", port),
                block=False,
                ssl_context=tls,
                evt_handlers=[(evt.EVT_C_STORE, store)],
            )
        )
        settings = {
            "ae_title": "VIEWER",
            "calling": OURS,
            "host": "127.0.0.1",
            "port": port,
            "timeout_seconds": 5.0,
        }
        return settings, received

    yield begin
    for server in servers:
        server.shutdown()
