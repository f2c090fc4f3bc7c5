"""Access tokens this process has found to be authentic lately.

A resource server asks about the same token again and again, and an application calls userinfo
more than once. Verifying an ES256 signature costs as much as everything else in such a request
together, opening a sealed token a third of that, and the result cannot change while our keys do
not. What can change (expiry, revocation, account, client) is looked at every time.
"""

import hashlib
from typing import Generic, TypeVar

from idp.keys import Jwks

Content = TypeVar("Content")

GENERATION_SIZE = 1024
"""Tokens remembered are once to twice as many; each takes about 1.5 KiB."""


class AuthenticTokens(Generic[Content]):
    """A bounded memory of authentic tokens; thread-safe, because each step on a dictionary is atomic.

    Tokens are remembered by digest, so that no token is kept. When the younger generation is
    full it becomes the older one, and what nobody asked for since is forgotten.
    """

    def __init__(self, generation_size: int = GENERATION_SIZE) -> None:
        self._size = generation_size
        self._young: dict[bytes, tuple[Jwks, Content]] = {}
        self._old: dict[bytes, tuple[Jwks, Content]] = {}

    def find(self, token: str, keys: Jwks) -> Content | None:
        """The content of a token that was found authentic while exactly these were the keys.

        Args:
            token: as received.
            keys: the key set by now. With another one nothing is known: a key may be gone.
        """
        digest = _digest(token)
        found = self._young.get(digest)
        if found is None:
            found = self._old.get(digest)
            if found is not None and found[0] is keys:
                self._remember(digest, found)
        return found[1] if found is not None and found[0] is keys else None

    def add(self, token: str, keys: Jwks, content: Content) -> None:
        """Remember an authentic token.

        Args:
            token: as received.
            keys: the key set as it was before the token was looked at.
            content: what it says.
        """
        self._remember(_digest(token), (keys, content))

    def _remember(self, digest: bytes, entry: tuple[Jwks, Content]) -> None:
        if len(self._young) >= self._size:
            self._old, self._young = self._young, {}
        self._young[digest] = entry


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
