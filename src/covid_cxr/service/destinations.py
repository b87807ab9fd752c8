"""Where answers go: a DICOM node, DICOMweb, Orthanc, a folder."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pydicom
from pydicom import Dataset
from pynetdicom import AE
from pynetdicom.association import Association

from covid_cxr.durable import write_durably
from covid_cxr.service.dicomweb import to_dicomweb
from covid_cxr.service.disk_queue import TO, DiskQueue, Errand
from covid_cxr.service.faults import RemoteError
from covid_cxr.service.orthanc import to_orthanc
from covid_cxr.service.service_settings import Destinations, Peer, ResultFolder
from covid_cxr.service.tls import client_context

Send = Callable[[Sequence[Path]], None]  # DICOM files; raises RemoteError or OSError

# PS3.4 B.2.3: coercion, elements discarded, data set does not match
_STORED = {0x0000, 0xB000, 0xB006, 0xB007}


def senders(destinations: Destinations) -> dict[str, Send]:
    """Return what sends to each destination, by its place in the queue.

    Sending the same files again does no harm: their UIDs are the same.

    Raises:
        ValueError: If certificate, key and authority cannot be used.
        OSError: If the file of a password cannot be read.
    """
    found: dict[str, Send] = {}
    if destinations.peer is not None:
        found[f"{TO}peer"] = to_peer(destinations.peer)
    if destinations.dicomweb is not None:
        found[f"{TO}dicomweb"] = to_dicomweb(destinations.dicomweb)
    if destinations.orthanc is not None:
        found[f"{TO}orthanc"] = to_orthanc(destinations.orthanc)
    if destinations.folder is not None:
        found[f"{TO}folder"] = to_folder(destinations.folder)
    return found


def deliver(send: Send, queue: DiskQueue) -> Callable[[Errand], None]:
    """Return what brings the answers to one instance to a destination."""

    def act(errand: Errand) -> None:
        send(queue.answers(errand.item))
        queue.finish(errand)

    return act


def to_peer(peer: Peer) -> Send:
    """Return what sends by C-STORE."""
    context = None if peer.tls is None else client_context(peer.tls)
    tls = None if context is None else (context, peer.host)
    name = f"{peer.ae_title} at {peer.host}:{peer.port}"

    def send(places: Sequence[Path]) -> None:
        datasets = [pydicom.dcmread(place) for place in places]
        ae = AE(ae_title=peer.calling)
        ae.connection_timeout = ae.acse_timeout = peer.timeout_seconds
        ae.dimse_timeout = ae.network_timeout = peer.timeout_seconds
        for sop_class in sorted({str(one.SOPClassUID) for one in datasets}):
            ae.add_requested_context(sop_class)
        association = ae.associate(
            peer.host, peer.port, ae_title=peer.ae_title, tls_args=tls
        )
        if not association.is_established:
            raise RemoteError(f"{name} {_why_not(association)}")
        try:
            for dataset in datasets:
                _store(association, dataset, name)
        finally:
            association.release()

    return send


def _why_not(association: Association) -> str:
    if association.is_rejected:
        return "rejects our call; does it know our AE title and address?"
    if association.acceptor.primitive is not None:
        return "takes none of the kinds of objects that answers are"
    return "cannot be reached, or does not agree on TLS"


def _store(association: Association, dataset: Dataset, name: str) -> None:
    try:
        status = association.send_c_store(dataset).get("Status")
    except (ValueError, RuntimeError) as error:  # no context, or the association ended
        kind = dataset.SOPClassUID.name
        raise RemoteError(f"{name} does not take a {kind}") from error
    if status is None:
        raise RemoteError(f"{name} does not answer")
    if status not in _STORED:
        raise RemoteError(f"{name} answers a C-STORE with status 0x{status:04X}")


def to_folder(folder: ResultFolder) -> Send:
    """Return what writes files named by their SOPInstanceUID."""

    def send(places: Sequence[Path]) -> None:
        for place in places:
            uid = pydicom.dcmread(place, specific_tags=["SOPInstanceUID"])
            name = f"{uid.SOPInstanceUID}.dcm"
            write_durably(folder.path / name, place.read_bytes())

    return send
