"""DICOMweb: QIDO-RS for what is new, WADO-RS to fetch it, STOW-RS to bring answers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import requests
from dicomweb_client import DICOMwebClient

from covid_cxr.service.disk_queue import FROM, DiskQueue, Errand
from covid_cxr.service.faults import RemoteError
from covid_cxr.service.reception import IMAGE_CLASSES, MODALITIES, Reception
from covid_cxr.service.remote import in_our_words, open_session
from covid_cxr.service.service_settings import Web

FROM_DICOMWEB = f"{FROM}dicomweb"
_PAGE = 500  # instances that are asked for at once
_SOP_CLASS, _SOP_INSTANCE = "00080016", "00080018"
_STUDY, _SERIES = "0020000D", "0020000E"


def poll_dicomweb(web: Web, queue: DiskQueue) -> Callable[[], bool]:
    """Return a step that notes what the server has of the last days and we have not.

    DICOMweb has no question for what came last, so what is asked for is a range of
    study dates; a study without a date is not found.
    """
    session = open_session(web)

    def step() -> bool:
        client = _client(web, session)
        for modality in MODALITIES:
            for page in _pages(web, client, modality):
                queue.fetch_later(FROM_DICOMWEB, _unknown(queue, page))
        return False

    return step


def fetch_dicomweb(web: Web, reception: Reception) -> Callable[[Errand], None]:
    """Return what fetches an instance that was noted."""
    session = open_session(web)

    def act(errand: Errand) -> None:
        study, series, instance = errand.item.split("/")
        with in_our_words(web):
            found = _client(web, session).retrieve_instance(study, series, instance)
            content = BytesIO()
            pydicom.dcmwrite(content, found)
        reception.take(content.getvalue(), source=FROM_DICOMWEB, uid=instance)
        reception.queue.finish(errand)

    return act


def to_dicomweb(web: Web) -> Callable[[Sequence[Path]], None]:
    """Return what sends by STOW-RS."""
    session = open_session(web)

    def send(places: Sequence[Path]) -> None:
        datasets = [pydicom.dcmread(place) for place in places]
        with in_our_words(web):
            said = _client(web, session).store_instances(datasets)
        if n_failed := len(said.get("FailedSOPSequence") or ()):
            raise RemoteError(
                f"{web.url} did not store {n_failed} of {len(datasets)} objects"
            )

    return send


def _client(web: Web, session: requests.Session) -> DICOMwebClient:
    client = DICOMwebClient(web.url, session=session)
    client.set_http_retry_params(retry=False)  # the queue tries again
    return client


def _pages(
    web: Web, client: DICOMwebClient, modality: str
) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Yield what the server has; one that knows no pages gives one."""
    last = datetime.now().astimezone()
    first = last - timedelta(days=web.days)
    filters = {"Modality": modality, "StudyDate": f"{first:%Y%m%d}-{last:%Y%m%d}"}
    offset, seen = 0, set[str]()
    while True:
        with in_our_words(web):
            page = client.search_for_instances(
                search_filters=filters, limit=_PAGE, offset=offset
            )
            uids = {_value(one, _SOP_INSTANCE) for one in page}
        if not uids - seen:
            return
        yield page
        seen |= uids
        offset += len(page)


def _unknown(queue: DiskQueue, page: Sequence[Mapping[str, Any]]) -> list[str]:
    found = []
    for one in page:
        sop_class, instance = _value(one, _SOP_CLASS), _value(one, _SOP_INSTANCE)
        # A server may leave the class out; then the instance itself tells.
        is_image = not sop_class or sop_class in IMAGE_CLASSES
        if is_image and not queue.knows(instance):
            found.append(f"{_value(one, _STUDY)}/{_value(one, _SERIES)}/{instance}")
    return found


def _value(one: Mapping[str, Any], tag: str) -> str:
    """Return a value of DICOM's JSON (PS3.18 F); empty where there is none."""
    values = one.get(tag, {}).get("Value") or [""]
    return str(values[0])
