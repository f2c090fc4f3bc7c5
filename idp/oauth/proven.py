"""Authorization headers that proved a client lately.

A client sends the same header with every request. Whether it is right follows from the header
and the frozen client; reading it and hashing the secret again costs more than a look at this memory.
"""

import hashlib
import os
from datetime import datetime
from typing import NamedTuple

from idp.clients import ClientDirectory, RegisteredClient

_MOST = 1024
"""Headers remembered; each takes about 200 bytes, besides the client."""

_DIGEST_BYTES = 32


class _Proof(NamedTuple):
    client: RegisteredClient
    until: datetime | None
    """When a secret of the client ends; ``None``: none does."""


class ProvenHeaders:
    """A bounded memory of right headers; thread-safe, because each step on the dictionary is atomic.

    Only successes are in it, so guessing fills nothing.

    Args:
        clients: a proof holds while the very same object is in it.
    """

    def __init__(self, clients: ClientDirectory) -> None:
        self._clients = clients
        # Security: a key of this process alone, or a copy of its memory could be searched for
        # secrets that a person chose.
        self._key = os.urandom(_DIGEST_BYTES)
        self._proofs: dict[bytes, _Proof] = {}

    def __len__(self) -> int:
        """How many headers are remembered."""
        return len(self._proofs)

    def find(self, authorization: str, now: datetime) -> RegisteredClient | None:
        """The client that this header proves; ``None``: it has to be read.

        Raises:
            Unavailable: a reload of the clients is due and the database does not answer.
        """
        digest = self._digest(authorization)
        proof = self._proofs.get(digest)
        if proof is None:
            return None
        client, until = proof
        if self._clients.find(client.client_id) is client and (until is None or now < until):
            return client
        self._proofs.pop(digest, None)
        return None

    def add(self, authorization: str, client: RegisteredClient, now: datetime) -> None:
        """Remember a header that has just proven this client, which is enabled.

        Args:
            authorization: as received.
            client: the object that its secret was compared with.
            now: the moment that was taken for its secrets' ends.
        """
        if len(self._proofs) >= _MOST:
            self._proofs.clear()
        self._proofs[self._digest(authorization)] = _Proof(client, client.next_secret_end(now))

    def _digest(self, authorization: str) -> bytes:
        header = authorization.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(header, digest_size=_DIGEST_BYTES, key=self._key).digest()
