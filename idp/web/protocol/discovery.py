"""Metadata and signing keys as prepared bytes with an ETag.

They come from memory, so they go on answering while the database is away.
"""

import hashlib
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

import orjson
from flask import Flask, Response, current_app, request

from idp.container import Container
from idp.errors import Unavailable
from idp.oauth import metadata
from idp.resources import OIDC_SCOPES
from idp.web.context import container
from idp.web.protocol.cors import ANY_ORIGIN
from idp.web.responses import JSON_TYPE

_EXTENSION = "idp.discovery"

METADATA_MAX_AGE = timedelta(minutes=5)
"""How long relying parties may keep the metadata; only new scopes of resources ever change it."""


@dataclass(frozen=True, slots=True)
class Document:
    """Bytes to send, and their fingerprint."""

    body: bytes
    etag: str


class DiscoveryDocuments:
    """The metadata document, built once and again when a resource server changes.

    Args:
        container: gives settings, scopes and the change feed.
    """

    def __init__(self, container: Container) -> None:
        self._container = container
        self._lock = threading.Lock()
        self._is_current = False
        self._document = self._build(OIDC_SCOPES)  # until the resource servers could be read
        container.feed.subscribe("resources", self._mark_outdated)

    def current(self) -> Document:
        """The newest document that can be had; the last one while the database is away."""
        if self._is_current or self._container.feed.is_down or not self._lock.acquire(blocking=False):
            return self._document
        try:
            self._is_current = True  # first, so that a change during the rebuild is not lost
            self._document = self._build(self._container.scopes.supported())
        except Unavailable:
            self._is_current = False
        finally:
            self._lock.release()
        return self._document

    def _mark_outdated(self) -> None:
        self._is_current = False

    def _build(self, scopes: Iterable[str]) -> Document:
        body = orjson.dumps(metadata(self._container.settings, scopes))
        return Document(body=body, etag=hashlib.sha256(body).hexdigest()[:32])


def prepare_discovery(app: Flask, container: Container) -> None:
    """Build the metadata at start-up and keep it with the application."""
    app.extensions[_EXTENSION] = DiscoveryDocuments(container)


def openid_configuration() -> Response:
    """Provider metadata. Sources: OpenID Connect Discovery §4, RFC 8414 §3 (the same document)."""
    document = cast("DiscoveryDocuments", current_app.extensions[_EXTENSION]).current()
    return _cacheable(document.body, document.etag, int(METADATA_MAX_AGE.total_seconds()))


def jwks() -> Response:
    """The published signing keys. Sources: RFC 7517 §5, row X18."""
    keys = container().keyring.jwks()
    return _cacheable(keys.body, keys.etag, keys.max_age)


def _cacheable(body: bytes, etag: str, max_age: int) -> Response:
    """Bytes with an ETag; 304 without a body for a caller that has them. Source: RFC 9110 §13.1.2."""
    response = Response(body, content_type=JSON_TYPE, headers=list(ANY_ORIGIN))
    response.headers["Cache-Control"] = f"public, max-age={max_age}"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.set_etag(etag.strip('"'))
    response.make_conditional(request)
    return response
