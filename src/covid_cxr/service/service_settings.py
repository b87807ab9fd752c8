"""What `service.yml` may state: where radiographs come from, where answers go."""

from dataclasses import dataclass, field, fields
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

REPORT, OPTIONAL = "SR", ("OT", "PR")  # a map's picture, a presentation state
LOOPBACK = "127.0.0.1"
_LOOPBACKS = {LOOPBACK, "::1", "localhost"}
_LONGEST_TITLE = 16  # PS3.5 6.2, AE
_GIGABYTE = 10**9


@dataclass(frozen=True, kw_only=True)
class Storage:
    """The queue on disk, and how much it takes.

    Attributes:
        folder: Of one service, on one disk of this machine.
        most_bytes: Of radiographs and answers that wait in it.
        least_free_bytes: Left to others on its disk.
        largest_instance_bytes: Of one radiograph as it is received.
    """

    folder: Path
    most_bytes: int = 20 * _GIGABYTE
    least_free_bytes: int = _GIGABYTE
    largest_instance_bytes: int = _GIGABYTE // 4

    def __post_init__(self) -> None:
        """Refuse limits under which nothing could be received."""
        _check_least(self, "most_bytes", 1)
        _check_least(self, "least_free_bytes", 0)
        _check_least(self, "largest_instance_bytes", 1)


@dataclass(frozen=True, kw_only=True)
class Retries:
    """How often something is tried before it is laid aside, and when again.

    Attributes:
        attempts: Of one delivery, or of fetching one instance.
        predictions: Attempts of one, which may end the service each time.
        first_seconds: At most, before the second attempt; then twice as long each time.
        longest_seconds: At most, between any two.
    """

    attempts: int = 100
    predictions: int = 5
    first_seconds: float = 5.0
    longest_seconds: float = 3600.0

    def __post_init__(self) -> None:
        """Refuse what never tries, or never waits."""
        _check_least(self, "attempts", 1)
        _check_least(self, "predictions", 1)
        _check_more(self, "first_seconds")
        _check_more(self, "longest_seconds")
        if self.longest_seconds < self.first_seconds:
            raise ValueError(
                f"longest_seconds must be at least first_seconds "
                f"({self.first_seconds:g}), got {self.longest_seconds:g}."
            )


@dataclass(frozen=True, kw_only=True)
class Tls:
    """Who this service is, and whom it believes.

    Attributes:
        certificate: PEM file, with the chain.
        key: PEM file, without a password.
        authority: PEM file of those who sign the others' certificates.
    """

    certificate: Path
    key: Path
    authority: Path

    def __post_init__(self) -> None:
        """Refuse files that are not there."""
        for place in (self.certificate, self.key, self.authority):
            _check_file(place)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """A DICOM node that may call.

    Attributes:
        ae_title: Its own.
        addresses: Where it calls from: addresses, or networks as in 10.1.0.0/16.
    """

    ae_title: str
    addresses: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse what is no title, or no address."""
        _check_title(self.ae_title)
        if not self.addresses:
            raise ValueError("addresses must name one at least.")
        for one in self.addresses:
            ip_network(one)  # its own message names the address


@dataclass(frozen=True, kw_only=True)
class Node:
    """A DICOM node that takes C-STORE and C-ECHO.

    Attributes:
        ae_title: Its own; a call to another is refused.
        callers: Who may call.
        host: Address that it listens at.
        port: Likewise.
        tls: None for none.
        most_associations: At once.
        timeout_seconds: That a peer may be silent.
    """

    ae_title: str
    callers: tuple[Caller, ...]
    host: str = LOOPBACK
    port: int = 11112
    tls: Tls | None = None
    most_associations: int = 10
    timeout_seconds: float = 30.0

    def __post_init__(self) -> None:
        """Refuse a node that nobody could call."""
        _check_title(self.ae_title)
        if not self.callers:
            raise ValueError("callers must name one node at least; nobody could call.")
        _check_port(self.port)
        _check_least(self, "most_associations", 1)
        _check_more(self, "timeout_seconds")


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A DICOM node that answers are sent to by C-STORE.

    Attributes:
        ae_title: The peer's.
        calling: Our own.
        host: Its address.
        port: Likewise.
        tls: None for none.
        timeout_seconds: That it may be silent.
    """

    ae_title: str
    calling: str
    host: str
    port: int
    tls: Tls | None = None
    timeout_seconds: float = 30.0

    def __post_init__(self) -> None:
        """Refuse what cannot be called."""
        _check_title(self.ae_title)
        _check_title(self.calling)
        _check_port(self.port)
        _check_more(self, "timeout_seconds")


@dataclass(frozen=True, kw_only=True)
class Web:
    """A server that speaks HTTP: DICOMweb, or Orthanc's own interface.

    Attributes:
        url: As "https://pacs.example/dicom-web".
        user: None for none; then without a password, too.
        password_file: Whose first line is the password.
        authority: PEM file of those who sign its certificate; None for the system's.
        timeout_seconds: That it may be silent.
        poll_seconds: Between two questions for what is new.
        days: How old a study may be that is asked for (DICOMweb).
    """

    url: str
    user: str | None = None
    password_file: Path | None = None
    authority: Path | None = None
    timeout_seconds: float = 30.0
    poll_seconds: float = 10.0
    days: int = 2

    def __post_init__(self) -> None:
        """Refuse what is no address, and a password that everybody could read."""
        parts = urlsplit(self.url)
        if parts.username or parts.password:  # first: other messages quote it
            raise ValueError(
                "url must not hold a name or password; state user and password_file."
            )
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"url must be http://… or https://…, got {self.url!r}.")
        if (self.user is None) != (self.password_file is None):
            raise ValueError("user and password_file are stated both, or neither.")
        is_open = parts.scheme == "http" and parts.hostname not in _LOOPBACKS
        if self.user and is_open:
            raise ValueError(
                f"a password would go to {self.url} unencrypted; use https://."
            )
        for place in (self.password_file, self.authority):
            _check_file(place)
        _check_more(self, "timeout_seconds")
        _check_more(self, "poll_seconds")
        _check_least(self, "days", 1)


@dataclass(frozen=True, kw_only=True)
class WatchedFolder:
    """A folder whose DICOM files are taken.

    Attributes:
        path: Of the folder.
        stable_seconds: That a file must not change before it is taken.
    """

    path: Path
    stable_seconds: float = 2.0

    def __post_init__(self) -> None:
        """Refuse a folder that is not there."""
        _check_folder(self.path)
        _check_more(self, "stable_seconds")


@dataclass(frozen=True, kw_only=True)
class ResultFolder:
    """A folder that answers are written to, as `<SOPInstanceUID>.dcm`."""

    path: Path

    def __post_init__(self) -> None:
        """Refuse a folder that is not there."""
        _check_folder(self.path)


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where radiographs come from; one at least."""

    node: Node | None = None
    dicomweb: Web | None = None
    orthanc: Web | None = None
    folder: WatchedFolder | None = None

    def __post_init__(self) -> None:
        """Refuse a service that would receive nothing."""
        _check_any(self)


@dataclass(frozen=True, kw_only=True)
class Destinations:
    """Where answers go; one at least, and each gets all."""

    peer: Peer | None = None
    dicomweb: Web | None = None
    orthanc: Web | None = None
    folder: ResultFolder | None = None

    def __post_init__(self) -> None:
        """Refuse a service whose answers would go nowhere."""
        _check_any(self)


@dataclass(frozen=True, kw_only=True)
class Monitor:
    """Where `/healthz` and `/metrics` are."""

    host: str = LOOPBACK
    port: int = 9464

    def __post_init__(self) -> None:
        """Refuse what is no port."""
        _check_port(self.port)


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """All that `service.yml` states.

    Attributes:
        storage: The queue on disk.
        sources: Where radiographs come from.
        destinations: Where answers go.
        retries: How often something is tried.
        monitor: Health and metrics.
        prevalence: Of cases among those radiographs; None for the bundle's own.
        answers: Modalities of those that are sent; a report always is.
    """

    storage: Storage
    sources: Sources
    destinations: Destinations
    retries: Retries = field(default_factory=Retries)
    monitor: Monitor = field(default_factory=Monitor)
    prevalence: float | None = None
    answers: tuple[str, ...] = (REPORT, *OPTIONAL)

    def __post_init__(self) -> None:
        """Refuse answers without a report, and those taken for radiographs."""
        if REPORT not in self.answers or not {*self.answers} <= {REPORT, *OPTIONAL}:
            raise ValueError(
                f"answers must hold {REPORT}, and may hold {', '.join(OPTIONAL)}, got "
                f"{', '.join(self.answers)}."
            )
        watched, results = self.sources.folder, self.destinations.folder
        if watched and results and _is_in(results.path, watched.path):
            raise ValueError(
                f"answers would go to {results.path}, which lies in the watched folder "
                f"{watched.path}; name a folder outside of it."
            )


def _is_in(inner: Path, outer: Path) -> bool:
    return inner.resolve().is_relative_to(outer.resolve())


def _check_any(record: object) -> None:
    names = [one.name for one in fields(record)]  # type: ignore[arg-type]
    if all(getattr(record, name) is None for name in names):
        raise ValueError(f"state one at least of {', '.join(names)}.")


def _check_least(record: object, name: str, least: int) -> None:
    if (value := getattr(record, name)) < least:
        raise ValueError(f"{name} must be at least {least}, got {value}.")


def _check_more(record: object, name: str) -> None:
    if not 0 < (value := getattr(record, name)) < float("inf"):
        raise ValueError(f"{name} must be more than 0, got {value:g}.")


def _check_port(port: int) -> None:
    if not 0 < port < 2**16:
        raise ValueError(f"port must be from 1 to 65535, got {port}.")


def _check_title(title: str) -> None:
    is_short = 0 < len(title.strip()) == len(title) <= _LONGEST_TITLE
    if not is_short or not title.isascii() or not title.isprintable() or "\\" in title:
        raise ValueError(
            f"an AE title has 1 to {_LONGEST_TITLE} ASCII characters, no backslash and "
            f"no space around it, got {title!r}."
        )


def _check_file(place: Path | None) -> None:
    if place is not None and not place.is_file():
        raise ValueError(f"there is no file {place}.")


def _check_folder(place: Path) -> None:
    if not place.is_dir():
        raise ValueError(f"there is no folder {place}; make it.")
