"""A server of associations that a stranger cannot fill or stop.

pynetdicom reads a PDU of any length that its header claims, shakes hands for TLS in the
thread that accepts calls, and begins two threads for each connection before it knows
who calls. Here a connection is from an address that may call, shakes hands in a thread
of its own within a time, and sends no more bytes than a radiograph has.
"""

import logging
import socket
import ssl
import sys
from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from socketserver import TCPServer
from typing import Any

from pynetdicom.association import Association
from pynetdicom.transport import RequestHandler, ThreadedAssociationServer

logger = logging.getLogger(__name__)

_COMMAND_BYTES = 2**20  # room for the commands between two radiographs
_NOT_YET = 2  # connections that have not told who calls, for each that may be open


class Allowance:
    """How much a connection may still send.

    Attributes:
        n_bytes: Sent since the last radiograph.
    """

    def __init__(self, receive: Callable[[int], bytearray], most_bytes: int) -> None:
        """Begin with none sent; `receive` returns so many bytes as it is asked for."""
        self._receive, self._most_bytes = receive, most_bytes
        self.n_bytes = 0

    def __call__(self, n_bytes: int) -> bytearray:
        """Return what was sent.

        Raises:
            OSError: If it is more than a radiograph has.
        """
        self.n_bytes += n_bytes
        if self.n_bytes > self._most_bytes:
            raise OSError("a peer sends more than one radiograph may have")
        return self._receive(n_bytes)


def renew_allowance(association: Association) -> None:
    """Let a peer send the next radiograph."""
    allowance = association.dul.socket.recv
    if isinstance(allowance, Allowance):
        allowance.n_bytes = 0


class _Handler(RequestHandler):  # type: ignore[misc]
    """A connection: first who it is, then what it wants."""

    server: "BoundedServer"
    request: socket.socket

    def handle(self) -> None:
        """Shake hands, if need be, and begin."""
        self.request.settimeout(self.server.ae.network_timeout)
        if self.server.tls is not None:
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        super().handle()

    def _create_association(self) -> Association:
        association = super()._create_association()
        connection = association.dul.socket
        most_bytes = self.server.most_bytes + _COMMAND_BYTES
        # A second socket of pynetdicom's kind would announce the connection twice.
        connection.recv = Allowance(connection.recv, most_bytes)
        return association


class BoundedServer(ThreadedAssociationServer):  # type: ignore[misc]
    """A server that only certain addresses may call.

    Attributes:
        networks: Of those who may call.
        most_bytes: Of a radiograph.
        tls: None for none.
    """

    daemon_threads = True
    request_queue_size = 64  # calls that wait to be accepted; five of the library's own

    def __init__(
        self,
        *arguments: Any,
        networks: Sequence[IPv4Network | IPv6Network],
        most_bytes: int,
        tls: ssl.SSLContext | None,
        **options: Any,
    ) -> None:
        """Begin to listen; the first three are as above, the rest as of pynetdicom."""
        self.networks, self.most_bytes, self.tls = networks, most_bytes, tls
        options["request_handler"] = _Handler
        super().__init__(*arguments, **options)

    def verify_request(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any
    ) -> bool:
        """Return whether the connection may go on."""
        address = ip_address(client_address[0])
        if not any(address in network for network in self.networks):
            logger.warning("a call from %s, which may not call, is refused", address)
            return False
        if len(self.active_associations) >= _NOT_YET * self.ae.maximum_associations:
            logger.warning("a call from %s is refused: too many are open", address)
            return False
        return True

    def shutdown(self) -> None:
        """End listening; pynetdicom's own asks for a server that it began itself."""
        TCPServer.shutdown(self)
        self.server_close()

    def handle_error(
        self,
        request: socket.socket | tuple[bytes, socket.socket],
        client_address: Any,
    ) -> None:
        """Say in a line what a connection ended by, as a failed TLS handshake."""
        logger.warning(
            "a call from %s failed: %s", client_address[0], sys.exc_info()[1]
        )
