"""Token requests of machines that were answered before, word for word the same.

A machine sends the same header and the same body again and again. Who it is, whether its secret is
right and what it may have follow from these words and from frozen objects, so they are worked out
once; every answer is a token of its own. As soon as one of the objects is another one, a secret
reaches its end or somebody guesses secrets, the request goes the ordinary way.
"""

import hashlib
import os
from datetime import datetime
from typing import NamedTuple

from idp.oauth.client_authentication import ClientAuthenticator
from idp.oauth.issue import ClientIssue, TokenIssuer
from idp.oauth.services import OAuthServices

_MOST = 1024
"""Requests remembered; each takes about 1 KiB."""

_GRANT_TYPE = b"client_credentials"
_DIGEST_BYTES = 32
_LENGTH_BYTES = 8


class _Known(NamedTuple):
    """What one request led to, and how long that holds."""

    issue: ClientIssue
    resources: object
    """The version of the resource servers."""
    until: datetime | None
    """When a secret of the client ends; ``None``: none does."""


class RepeatedRequests:
    """A bounded memory; thread-safe, because each step on the dictionary is atomic.

    Only successes of :class:`idp.oauth.grants.ClientCredentialsGrant` are in it, so guessing fills
    nothing. Requests are remembered by keyed digest: their words hold a secret.

    Args:
        services: clients, resource servers, clock and feed are asked every time.
        authenticator: knows whether somebody has to wait.
        issuer: makes the tokens.
    """

    def __init__(
        self, services: OAuthServices, authenticator: ClientAuthenticator, issuer: TokenIssuer
    ) -> None:
        self._services = services
        self._authenticator = authenticator
        self._issuer = issuer
        # Security: of this process alone, or a copy of its memory could be searched for secrets
        # that a person chose.
        self._key = os.urandom(_DIGEST_BYTES)
        self._known: dict[bytes, _Known] = {}

    def __len__(self) -> int:
        """How many requests are remembered."""
        return len(self._known)

    def fingerprint(self, authorization: str | None, body: bytes) -> bytes | None:
        """The name of a request in this memory; requests that differ in anything have different ones.

        ``None``: the request is for another grant, and not worth the digest.

        Args:
            authorization: the header as received; ``None`` if there was none.
            body: of the form, as received.
        """
        if _GRANT_TYPE not in body:
            return None
        # The length keeps body and header apart, the equals sign an empty header from none.
        header = b"" if authorization is None else b"=" + authorization.encode("utf-8", "surrogatepass")
        words = len(body).to_bytes(_LENGTH_BYTES, "big") + body + header
        return hashlib.blake2b(words, digest_size=_DIGEST_BYTES, key=self._key).digest()

    def answer(self, fingerprint: bytes) -> bytes | None:
        """The token response as JSON, always 200; ``None``: the request has to go the ordinary way.

        Raises:
            Unavailable: a safe answer is not possible right now; the ordinary way says the same.
        """
        known = self._known.get(fingerprint)
        if known is None:
            return None
        services = self._services
        services.feed.assert_available()
        now = services.clock.now()
        issue = known.issue
        if (
            services.clients.find(issue.client.client_id) is not issue.client
            or services.scopes.version() is not known.resources
            or (known.until is not None and now >= known.until)
        ):
            self._known.pop(fingerprint, None)
            return None
        if self._authenticator.holds_a_pause(now):
            return None
        return self._issuer.issue_for_client(issue, now)

    def remember(self, fingerprint: bytes, issue: ClientIssue, *, resources: object, now: datetime) -> None:
        """Take over what the ordinary way has found.

        Args:
            fingerprint: of the request that was answered.
            issue: what its tokens have in common.
            resources: the version of the resource servers, from before ``issue`` was worked out.
            now: from before the client was authenticated.
        """
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[fingerprint] = _Known(issue, resources, issue.client.next_secret_end(now))
