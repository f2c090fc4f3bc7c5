"""What a view needs to know of its surroundings: the container, the time, and who is asking."""

import ipaddress
from datetime import datetime
from typing import cast

from flask import current_app, g, request

from idp.audit import Source
from idp.container import Container
from idp.observability import request_id
from idp.web.application import Application
from idp.web.wire import Environ

EXTENSION = "idp"
"""Where :func:`idp.web.mount` puts the container in ``app.extensions``."""

_MAX_USER_AGENT = 256


def container() -> Container:
    """Everything built at start-up, for the application that serves this request."""
    return cast("Container", current_app.extensions[EXTENSION])


def application() -> Application:
    """The application that serves this request."""
    return cast("Application", current_app)


def local_path(path: str) -> str:
    """An address without the issuer's path, for example ``/token``."""
    return path.removeprefix(application().path_prefix)


def now() -> datetime:
    """The present moment by the injected clock, aware UTC."""
    return container().clock.now()


def current_request_id() -> str:
    """The id of this request, as in ``X-Request-Id`` and in the log."""
    return request_id.get()


def source() -> Source:
    """Where this request comes from, for limits and audit."""
    found = source_of(request.environ, trusted_hops=container().settings.proxy.trusted_hops)
    return found._replace(language=g.get("language", ""))


def source_of(environ: Environ, *, trusted_hops: int) -> Source:
    """Where the request with this environment comes from; see :func:`client_address`."""
    user_agent = environ.get("HTTP_USER_AGENT", "")
    if not user_agent.isprintable():  # nearly always it is
        user_agent = _printable(user_agent)
    address = client_address(environ, trusted_hops=trusted_hops)
    return Source(address, user_agent[:_MAX_USER_AGENT], request_id.get())


def client_address(environ: Environ, *, trusted_hops: int) -> str:
    """The address of the client, from exactly ``trusted_hops`` proxies (row L5).

    Each trusted proxy appends the address it sees to ``X-Forwarded-For``, so the entry at that
    place from the right was written by the outermost of them; anything left of it is the
    client's own claim. With fewer entries the request went round a proxy, and only the address
    of the connection is known.
    """
    peer = str(environ.get("REMOTE_ADDR") or "unknown")
    if trusted_hops < 1:
        return peer
    entries = str(environ.get("HTTP_X_FORWARDED_FOR", "")).split(",")
    if len(entries) < trusted_hops:
        return peer
    return _address(entries[-trusted_hops].strip()) or peer


def _address(text: str) -> str | None:
    """An IP address that may be written with a port; ``None`` if it is no address."""
    bare = text[1:].partition("]")[0] if text.startswith("[") else text
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return None


def _printable(text: str) -> str:
    """Header text without control characters (row X11); WSGI gives headers as Latin-1."""
    return "".join(character if character.isprintable() else "?" for character in text)
