"""Orthanc by its own interface: `/changes` for what is new, `/instances` for answers.

No plug-in of ours runs in it. https://orthanc.uclouvain.be/book/users/rest.html
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import requests

from covid_cxr.radiographs.dicom_file import UID
from covid_cxr.service.disk_queue import FROM, DiskQueue, Errand
from covid_cxr.service.faults import RemoteError
from covid_cxr.service.reception import IMAGE_CLASSES, MODALITIES, Reception
from covid_cxr.service.remote import in_our_words, open_session
from covid_cxr.service.service_settings import Web

FROM_ORTHANC = f"{FROM}orthanc"
_STABLE = "StableStudy"  # nothing was added to it for a while
_PAGE = 100  # changes that are asked for at once
_GONE = 404
_STUDIES, _INSTANCES = "studies", "instances"


class _Orthanc:
    """Questions to one server."""

    def __init__(self, web: Web) -> None:
        self._web, self._session = web, open_session(web)

    def ask(self, path: str, **parameters: Any) -> requests.Response | None:
        """Return the answer; None where there is no such thing any more."""
        with in_our_words(self._web):
            answer = self._session.get(f"{self._web.url}/{path}", params=parameters)
            if answer.status_code == _GONE:
                return None
            answer.raise_for_status()
            return answer

    def read(self, path: str, **parameters: Any) -> Any:
        """Return the answer's JSON; None where there is no such thing any more."""
        answer = self.ask(path, **parameters)
        with in_our_words(self._web):
            return None if answer is None else answer.json()

    def uid(self, path: str) -> str | None:
        """Return the UID that is the answer; None where there is no such thing."""
        answer = self.ask(path)
        if answer is None:
            return None
        uid = answer.text.strip("\0 ")
        if not UID.fullmatch(uid):
            raise RemoteError(f"{self._web.url} answers nonsense (no UID)")
        return uid

    def put(self, content: bytes) -> str:
        """Store a DICOM file; return what Orthanc calls the outcome."""
        with in_our_words(self._web):
            answer = self._session.post(f"{self._web.url}/{_INSTANCES}", content)
            answer.raise_for_status()
            return str(answer.json()["Status"])


def poll_orthanc(web: Web, queue: DiskQueue) -> Callable[[], bool]:
    """Return a step that notes studies to which nothing was added for a while.

    It returns whether there are more.
    """
    orthanc = _Orthanc(web)

    def step() -> bool:
        since = int(queue.bookmark(FROM_ORTHANC) or 0)
        with in_our_words(web):
            said = orthanc.read("changes", since=since, limit=_PAGE)
            last, is_done = int(said["Last"]), bool(said["Done"])
            stable = [
                f"{_STUDIES}/{one['ID']}"
                for one in said["Changes"]
                if one["ChangeType"] == _STABLE
            ]
        if last < since:  # it was emptied, and counts from the beginning
            queue.fetch_later(FROM_ORTHANC, [], bookmark="0")
            return True
        queue.fetch_later(FROM_ORTHANC, stable, bookmark=str(last))
        return not is_done

    return step


def fetch_orthanc(web: Web, reception: Reception) -> Callable[[Errand], None]:
    """Return what fetches an instance that was noted, or notes those of a study."""
    orthanc, queue = _Orthanc(web), reception.queue

    def act(errand: Errand) -> None:
        kind, _, _ = errand.item.partition("/")
        if kind == _STUDIES:
            series = orthanc.read(f"{errand.item}/series") or []
            with in_our_words(web):
                queue.fetch_later(FROM_ORTHANC, _images(series))
        else:
            _fetch(orthanc, errand.item, reception)
        queue.finish(errand)

    return act


def _images(series: Sequence[Any]) -> list[str]:
    return [
        f"{_INSTANCES}/{instance}"
        for one in series
        if one["MainDicomTags"].get("Modality") in MODALITIES
        for instance in one["Instances"]
    ]


def _fetch(orthanc: _Orthanc, item: str, reception: Reception) -> None:
    sop_class = orthanc.uid(f"{item}/metadata/SopClassUid")
    uid = orthanc.uid(f"{item}/content/0008-0018")
    if uid is None or sop_class not in IMAGE_CLASSES or reception.queue.knows(uid):
        return
    file = orthanc.ask(f"{item}/file")
    if file is not None:
        reception.take(file.content, source=FROM_ORTHANC, uid=uid)


def to_orthanc(web: Web) -> Callable[[Sequence[Path]], None]:
    """Return what sends by Orthanc's own interface."""
    orthanc = _Orthanc(web)

    def send(places: Sequence[Path]) -> None:
        for place in places:
            status = orthanc.put(place.read_bytes())
            if status not in {"Success", "AlreadyStored"}:
                raise RemoteError(f"{web.url} did not store an object ({status})")

    return send
