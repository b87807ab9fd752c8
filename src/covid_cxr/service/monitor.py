"""`/healthz` and `/metrics`, on loopback unless the settings say otherwise.

Metrics are in Prometheus' text format 0.0.4; they name no instance.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from covid_cxr.service.disk_queue import DiskQueue
from covid_cxr.service.service_settings import Monitor
from covid_cxr.service.tally import Tally

_PREFIX = "covid_cxr_"
_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_PATIENCE_SECONDS = 10.0
Pages = Mapping[str, Callable[[], tuple[HTTPStatus, str]]]


@contextmanager
def monitored(monitor: Monitor, pages: Pages) -> Iterator[None]:
    """Answer questions for `pages` during the block.

    Raises:
        OSError: If the port is taken.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = _PATIENCE_SECONDS

        def do_GET(self) -> None:
            page = pages.get(self.path)
            status, text = (
                (HTTPStatus.NOT_FOUND, " ".join(pages)) if page is None else page()
            )
            content = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", _TEXT)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing of each question."""

    try:
        server = ThreadingHTTPServer((monitor.host, monitor.port), Handler)
    except OSError as error:
        raise OSError(
            f"Port {monitor.port} at {monitor.host} (monitor) cannot be listened at: "
            f"{error.strerror}; end the program that has it, or state another."
        ) from error
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="monitor", daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def metrics_of(queue: DiskQueue, tally: Tally) -> str:
    """Return the metrics of a queue, and of what happened since the start."""
    lines = [
        f"{_PREFIX}queue_errands{_labels({'place': place, 'state': state})} {number}"
        for (place, state), number in sorted(queue.counts_of_errands().items())
    ]
    for (status, is_done), number in sorted(queue.counts_of_instances().items()):
        labels = _labels({"status": status or "none", "done": str(is_done).lower()})
        lines.append(f"{_PREFIX}queue_instances{labels} {number}")
    lines += [
        f"{_PREFIX}queue_bytes {queue.used_bytes()}",
        f"{_PREFIX}queue_oldest_seconds {queue.oldest_seconds():.3f}",
    ]
    for (event, named), amount in sorted(tally.counts().items()):
        lines.append(f"{_PREFIX}{event}_total{_labels(dict(named))} {amount:g}")
    return "\n".join(_with_types(lines)) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    told = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return f"{{{told}}}" if told else ""


def _with_types(lines: list[str]) -> Iterator[str]:
    """Yield the lines, and before the first of each metric its type."""
    last = ""
    for line in lines:
        name = line.partition(" ")[0].partition("{")[0]
        if name != last:
            yield f"# TYPE {name} {'counter' if name.endswith('_total') else 'gauge'}"
        last = name
        yield line
