"""Contexts of TLS in which both sides show a certificate."""

import ssl

from covid_cxr.service.service_settings import Tls


def server_context(tls: Tls) -> ssl.SSLContext:
    """Return what a node needs whose callers must show a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    return _furnished(context, tls)


def client_context(tls: Tls) -> ssl.SSLContext:
    """Return what is needed to call a node, whose certificate names its host."""
    return _furnished(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), tls)


def _furnished(context: ssl.SSLContext, tls: Tls) -> ssl.SSLContext:
    """Return the context with certificates.

    Raises:
        ValueError: If they cannot be read.
    """
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(tls.certificate, tls.key, password=_no_password)
        context.load_verify_locations(tls.authority)
    except (ssl.SSLError, ValueError) as error:
        raise ValueError(
            f"TLS: {tls.certificate}, {tls.key} and {tls.authority} are no PEM files "
            f"of a certificate, its key without a password, and an authority: {error}."
        ) from error
    return context


def _no_password() -> str:
    """Refuse an encrypted key; OpenSSL would ask for it at a terminal."""
    raise ValueError("the key has a password")
