"""The provider metadata, built once and again when a resource server changes.

Sources: OpenID Connect Discovery §4, RFC 8414 §3 (the same document).
"""

import hashlib
import threading
from collections.abc import Iterable
from datetime import timedelta

import orjson

from idp.container import Container
from idp.errors import Unavailable
from idp.oauth import metadata
from idp.resources import OIDC_SCOPES
from idp.web.protocol.documents import Document, prepared

METADATA_MAX_AGE = timedelta(minutes=5)
"""How long relying parties may keep the metadata; only new scopes of resources ever change it."""


class Metadata:
    """The metadata document.

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
        return prepared(
            body,
            etag=hashlib.sha256(body).hexdigest()[:32],
            max_age=int(METADATA_MAX_AGE.total_seconds()),
        )
