"""Others' servers by HTTP: sessions with limits, and faults in our own words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from covid_cxr.service.faults import RemoteError
from covid_cxr.service.service_settings import Web


class _Patient(HTTPAdapter):
    """An adapter that waits so long and no longer."""

    def __init__(self, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        super().__init__()

    def send(self, request: Any, **options: Any) -> Any:  # type: ignore[override]
        options["timeout"] = self._timeout_seconds
        return super().send(request, **options)


def open_session(web: Web) -> requests.Session:
    """Return a session with a server: who we are, whom we believe, how long we wait.

    It follows no redirection, which would take the password elsewhere, and no proxy or
    password of this machine's environment.
    """
    session = requests.Session()
    session.trust_env = False
    session.max_redirects = 0
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Patient(web.timeout_seconds))
    if web.authority is not None:
        session.verify = str(web.authority)
    if web.user is not None and web.password_file is not None:
        password = web.password_file.read_text("utf-8").partition("\n")[0]
        session.auth = (web.user, password)
    return session


@contextmanager
def in_our_words(web: Web) -> Iterator[None]:
    """Raise what goes wrong with a server without the address of what was asked.

    Raises:
        RemoteError: Names the server, and what it answered or that it did not.
    """
    host = urlsplit(web.url).netloc
    try:
        yield
    except requests.HTTPError as error:
        status = "an error" if error.response is None else error.response.status_code
        raise RemoteError(f"{host} answers {status}") from None
    except requests.exceptions.SSLError:
        raise RemoteError(f"{host} has no certificate that is believed here") from None
    except requests.Timeout:
        raise RemoteError(
            f"{host} is silent for {web.timeout_seconds:g} seconds"
        ) from None
    except requests.ConnectionError:
        raise RemoteError(f"{host} cannot be reached") from None
    except (requests.RequestException, ValueError, KeyError) as error:
        raise RemoteError(f"{host} answers nonsense ({type(error).__name__})") from None
