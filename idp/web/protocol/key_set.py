"""The published signing keys. Sources: RFC 7517 §5, row X18."""

from idp.keys import Jwks, KeyRing
from idp.web.protocol.documents import Document, prepared


class KeySet:
    """The key set document; made again when the ring shows another one."""

    def __init__(self, keyring: KeyRing) -> None:
        self._keyring = keyring
        self._known: tuple[Jwks | None, Document] = (None, prepared(b"", etag="", max_age=0))

    def current(self) -> Document:
        """The keys to verify with, by now.

        Raises:
            Unavailable: the keys were never loaded.
        """
        keys = self._keyring.jwks()
        known, document = self._known
        if known is not keys:
            document = prepared(keys.body, etag=keys.etag.strip('"'), max_age=keys.max_age)
            self._known = (keys, document)  # replaced as a whole: other threads read it
        return document
