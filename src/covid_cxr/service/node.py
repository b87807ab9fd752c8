"""A DICOM node: C-ECHO, and C-STORE whose success means that nothing loses it."""

import errno
import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from pydicom.dataset import Dataset
from pydicom.uid import AllTransferSyntaxes
from pynetdicom import AE, evt
from pynetdicom.events import Event
from pynetdicom.sop_class import Verification

from covid_cxr.service.associations import BoundedServer, renew_allowance
from covid_cxr.service.disk_queue import FROM
from covid_cxr.service.faults import (
    QueueFullError,
    TooLargeError,
    UnacceptableInstanceError,
    in_words,
)
from covid_cxr.service.reception import IMAGE_CLASSES, Reception
from covid_cxr.service.service_settings import Node
from covid_cxr.service.tls import server_context

logger = logging.getLogger(__name__)

# PS3.4 B.2.3, and PS3.7 C for the last
SUCCESS, OUT_OF_RESOURCES, DOES_NOT_MATCH, CANNOT_KEEP = 0x0000, 0xA700, 0xA900, 0x0110
FROM_NODE = f"{FROM}node"
_LONGEST_COMMENT = 64  # PS3.7 C.4: Error Comment is an LO
_REJECTED, _BY_USER, _UNKNOWN_CALLER = 0x01, 0x01, 0x03  # PS3.8 9.3.4
_END_SECONDS = 10.0  # for instances that are being received when it ends


@contextmanager
def listening(node: Node, reception: Reception) -> Iterator[None]:
    """Take radiographs during the block.

    Those that are being received when it ends are received to their end.

    Args:
        node: Who it is, and who may call.
        reception: What takes them in.

    Raises:
        OSError: If the port is taken, or the address is none of this machine.
        ValueError: If certificate, key and authority cannot be used.
    """
    networks = _networks(node)
    ae = _application(node)
    handlers = [
        (evt.EVT_C_STORE, partial(_store, reception)),
        (evt.EVT_REQUESTED, partial(_admit, networks)),
    ]
    try:
        server = ae.make_server(
            (node.host, node.port),
            evt_handlers=handlers,
            server_class=BoundedServer,
            networks=[one for of_title in networks.values() for one in of_title],
            most_bytes=reception.largest_bytes,
            tls=None if node.tls is None else server_context(node.tls),
        )
    except OSError as error:
        raise _not_bound(node, error) from error
    thread = threading.Thread(target=server.serve_forever, name="node", daemon=True)
    thread.start()
    logger.info("listening at %s:%d as %s", node.host, node.port, node.ae_title)
    try:
        yield
    finally:
        server.shutdown()
        _end(server)


def _networks(node: Node) -> Mapping[str, Sequence[IPv4Network | IPv6Network]]:
    """Return where each title may call from."""
    found: dict[str, list[IPv4Network | IPv6Network]] = {}
    for caller in node.callers:
        own = found.setdefault(caller.ae_title, [])
        own.extend(map(ip_network, caller.addresses))
    return found


def _application(node: Node) -> AE:
    ae = AE(ae_title=node.ae_title)
    ae.require_called_aet = True
    ae.require_calling_aet = sorted({caller.ae_title for caller in node.callers})
    ae.maximum_associations = node.most_associations
    ae.network_timeout = ae.dimse_timeout = ae.acse_timeout = node.timeout_seconds
    ae.add_supported_context(Verification)
    for image_class in IMAGE_CLASSES:
        ae.add_supported_context(image_class, AllTransferSyntaxes)
    return ae


def _not_bound(node: Node, error: OSError) -> OSError:
    reason = (
        "is taken by another program; end that one, or state another port"
        if error.errno == errno.EADDRINUSE
        else f"cannot be listened at: {error.strerror or error}"
    )
    return OSError(f"Port {node.port} at {node.host} (sources: node) {reason}.")


def _admit(
    networks: Mapping[str, Sequence[IPv4Network | IPv6Network]], event: Event
) -> None:
    """Reject a title that calls from where only others may call from."""
    title = str(event.assoc.requestor.primitive.calling_ae_title).strip()
    address = ip_address(event.assoc.requestor.address)
    if not any(address in one for one in networks.get(title, ())):
        logger.warning("a call from %s is rejected: not from this title", address)
        event.assoc.acse.send_reject(_REJECTED, _BY_USER, _UNKNOWN_CALLER)
        event.assoc.kill()


def _store(reception: Reception, event: Event) -> Dataset:
    """Return the status of a C-STORE: success once the instance is on the disk."""
    renew_allowance(event.assoc)
    try:
        reception.take(
            event.encoded_dataset(),
            source=FROM_NODE,
            uid=str(event.request.AffectedSOPInstanceUID),
        )
    except (QueueFullError, TooLargeError) as error:
        return _status(OUT_OF_RESOURCES, error)
    except UnacceptableInstanceError as error:
        return _status(DOES_NOT_MATCH, error)
    except Exception as error:
        logger.error("an instance cannot be kept: %s", in_words(error))  # noqa: TRY400
        return _status(CANNOT_KEEP, in_words(error))
    return _status(SUCCESS, "")


def _status(code: int, comment: object) -> Dataset:
    status = Dataset()
    status.Status = code
    if code != SUCCESS:
        status.ErrorComment = str(comment)[:_LONGEST_COMMENT]
    return status


def _end(server: BoundedServer) -> None:
    """Wait for associations to end, for a time; then end them."""
    late = time.monotonic() + _END_SECONDS
    while server.active_associations and time.monotonic() < late:
        time.sleep(0.05)
    for association in server.active_associations:
        association.abort()
