"""An Orthanc of our own on loopback: a PACS for `pacs.py`, and for tests."""

import json
import shutil
import subprocess
import time
from pathlib import Path

import requests

DICOMWEB = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
BEGIN_SECONDS = 60


def program():
    """Return where Orthanc is; None where it, or its DICOMweb plug-in, is not."""
    found = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin")
    return found if DICOMWEB.exists() else None


class Orthanc:
    """A server in a folder, which can be ended and begun again with what it has."""

    def __init__(self, folder, *, port, dicom_port, node_port):
        """Write its configuration; it knows the service as modality "service"."""
        self.url, self.dicom_port = f"http://127.0.0.1:{port}", dicom_port
        folder.mkdir(parents=True, exist_ok=True)
        settings = {
            "StorageDirectory": str(folder / "storage"),
            "IndexDirectory": str(folder / "storage"),
            "HttpPort": port,
            "DicomPort": dicom_port,
            "DicomAet": "PACS",
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "StableAge": 1,
            "Plugins": [str(DICOMWEB)],
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
            "DicomModalities": {"service": ["COVIDCXR", "127.0.0.1", node_port]},
        }
        (folder / "orthanc.json").write_text(json.dumps(settings))
        self.storage, self._folder, self._running = folder / "storage", folder, None

    def begin(self):
        """Begin, and return when it answers."""
        command = [program(), str(self._folder / "orthanc.json")]
        with (self._folder / "orthanc.log").open("ab") as log:
            self._running = subprocess.Popen(command, stdout=log, stderr=log)
        late = time.monotonic() + BEGIN_SECONDS
        while time.monotonic() < late and self._running.poll() is None:
            try:
                requests.get(f"{self.url}/system", timeout=5).raise_for_status()
            except requests.RequestException:
                time.sleep(0.1)
            else:
                return
        log = (self._folder / "orthanc.log").read_text()
        raise RuntimeError(f"Orthanc does not begin: {log[-3000:]}")

    def end(self):
        """End, if it runs."""
        if self._running is not None:
            self._running.terminate()
            self._running.wait(30)
            self._running = None

    def put(self, content):
        """Store a DICOM file."""
        requests.post(f"{self.url}/instances", content, timeout=30).raise_for_status()

    def ask(self, path):
        """Return the JSON that is the answer."""
        answer = requests.get(f"{self.url}/{path}", timeout=60)
        answer.raise_for_status()
        return answer.json()

    def reports(self):
        """Return the StudyInstanceUID of each structured report, sorted."""
        series = self.ask("series?expand")
        studies = {  # afterwards, so that it has those of all series
            one["ID"]: one["MainDicomTags"]["StudyInstanceUID"]
            for one in self.ask("studies?expand")
        }
        return sorted(
            studies[one["ParentStudy"]]
            for one in series
            if one["MainDicomTags"]["Modality"] == "SR"
            for _ in one["Instances"]
        )
