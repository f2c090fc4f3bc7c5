"""Which client is asking, and can it prove it: basic, post and none.

Successful authentications touch no store. Failed ones are counted, audited and answered with
one text, whatever was wrong.
"""

import binascii
import threading
from base64 import b64decode
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import unquote_plus

from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidRequestError

from idp.audit import Actor, AuditEvent, Source
from idp.clients import CONFIDENTIAL_METHODS, RegisteredClient
from idp.errors import Refused
from idp.oauth.errors import TemporarilyUnavailableError
from idp.oauth.proven import ProvenHeaders
from idp.oauth.request import OAuthRequest
from idp.oauth.services import OAuthServices
from idp.observability import get_logger
from idp.ratelimit import Limit, normalised_source

BASIC, POST = CONFIDENTIAL_METHODS
NONE = "none"

ALL_METHODS = (*CONFIDENTIAL_METHODS, NONE)
"""At the token and revocation endpoints. Introspection takes no public client (RFC 7662 §2.1)."""

_IN_BODY = ("client_id", "client_secret", "client_assertion", "client_assertion_type")

_log = get_logger(__name__)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DEFAULT_PAUSE = timedelta(seconds=60)
_MAX_PAUSES = 10_000
_MAX_CLIENT_ID = 256


class ClientAuthenticationFailed(InvalidClientError):
    """401 ``invalid_client`` with a challenge that has a realm. Source: RFC 6749 §5.2, RFC 9110 §11.6.1."""

    def __init__(self, realm: str, description: str = "Client authentication failed.") -> None:
        super().__init__(description, status_code=401)
        self._realm = realm

    def get_headers(self) -> list[tuple[str, str]]:
        """The challenge."""
        return [("WWW-Authenticate", f'Basic realm="{self._realm}"')]


class TooManyFailures(TemporarilyUnavailableError):
    """429 with ``Retry-After``: this source failed too often for this client (row L2)."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__("Too many failed client authentications. Try again later.", status_code=429)
        self._retry_after = retry_after

    def get_headers(self) -> list[tuple[str, str]]:
        """When to come back, in whole seconds."""
        return [("Retry-After", str(max(1, round(self._retry_after.total_seconds()))))]


class Credentials(NamedTuple):
    """What one request presented."""

    method: str
    client_id: str
    secret: str

    def __repr__(self) -> str:
        """Name the client, hide what it presented."""
        return f"Credentials({self.method}, {self.client_id})"


def presented_credentials(request: OAuthRequest) -> tuple[Credentials, ...]:
    """The readings of the one authentication method used; the first that verifies counts.

    Only Basic has more than one: RFC 6749 §2.3.1 has both parts form-encoded before Base64, yet
    many clients send them as they are. The encoded reading comes first.
    Empty: nothing was presented, or nothing readable.

    Raises:
        InvalidRequestError: more than one method, or two different client ids.

    Source: RFC 6749 §2.3 ("MUST NOT use more than one authentication method in each request").
    """
    authorization = request.headers.get("Authorization")
    secret = request.form.get("client_secret")
    body_id = request.form.get("client_id")
    asserted = "client_assertion" in request.form or "client_assertion_type" in request.form
    if (authorization is not None) + (secret is not None) + asserted > 1:
        raise InvalidRequestError("Use one client authentication method, not two.")
    if asserted:  # not offered here, and it must not pass for a public client's silence
        return ()
    if authorization is not None:
        readings = _basic_readings(authorization)
        if body_id is None:
            return readings
        matching = tuple(reading for reading in readings if reading.client_id == body_id)
        if readings and not matching:
            raise InvalidRequestError(
                "The client_id of the body differs from the one of the Authorization header."
            )
        return matching
    if body_id is None or len(body_id) > _MAX_CLIENT_ID:
        return ()
    return (Credentials(method=NONE if secret is None else POST, client_id=body_id, secret=secret or ""),)


def _basic_readings(authorization: str) -> tuple[Credentials, ...]:
    """What a Basic header says: form-decoded, then as sent; nothing if unreadable."""
    scheme, _, encoded = authorization.strip().partition(" ")
    if scheme.lower() != "basic":
        return ()
    try:
        text = b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return ()
    client_id, colon, secret = text.partition(":")
    if not colon or not client_id or not secret or len(client_id) > _MAX_CLIENT_ID or not text.isprintable():
        return ()
    as_sent = Credentials(BASIC, client_id, secret)
    if "%" not in text and "+" not in text:  # the usual case: both readings are one
        return (as_sent,)
    try:
        decoded = Credentials(
            BASIC, unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")
        )
    except UnicodeDecodeError:
        return (as_sent,)
    return (decoded,) if decoded == as_sent else (decoded, as_sent)


class ClientAuthenticator:
    """Authenticates the client of a token, introspection or revocation request."""

    def __init__(self, services: OAuthServices) -> None:
        self._services = services
        self._realm = services.settings.issuer
        # Sources that failed too often, with the end of their pause: remembered in the process,
        # so that looking at it costs a successful authentication no store.
        self._pauses: dict[tuple[str, str], datetime] = {}
        self._last_pause_ends = _EPOCH
        self._proven = ProvenHeaders(services.clients)
        self._pausing = threading.Lock()

    def authenticate(
        self, request: OAuthRequest, methods: Iterable[str] = ALL_METHODS, *, now: datetime
    ) -> RegisteredClient:
        """The client, proven by the method it is registered for.

        Raises:
            InvalidRequestError: more than one method in one request.
            ClientAuthenticationFailed: unknown, disabled, wrong secret, other method.
            TooManyFailures: this source failed too often lately.
            Unavailable: the failure could not be recorded.

        Source: RFC 6749 §2.3, §3.2.1.
        """
        authorization = request.headers.get("Authorization")
        if (
            authorization is not None
            and BASIC in methods
            and request.form.keys().isdisjoint(_IN_BODY)  # so the header is all there is
            and now >= self._last_pause_ends
        ):
            proven = self._proven.find(authorization, now)
            if proven is not None:
                request.client = proven
                return proven
        readings = presented_credentials(request)
        if not readings:
            raise ClientAuthenticationFailed(self._realm, "Client authentication is missing or unreadable.")
        if self._pauses:  # the usual case is that nobody guesses
            self._assert_no_pause(request.source, readings[0].client_id, now)
        known = None
        for reading in readings:
            client = self._services.clients.find(reading.client_id)
            known = known or client
            if client is not None and _proves(client, reading, now):
                self._admit(request, client, reading.method, methods, now)
                # Of two readings the first counts as soon as it is right: both are tried every time.
                if authorization is not None and len(readings) == 1:
                    self._proven.add(authorization, client, now)
                return client
        reason = "unknown_client" if known is None else "wrong_credentials"
        self._fail(request.source, known, readings[0].method, reason, now)
        raise ClientAuthenticationFailed(self._realm)

    def holds_a_pause(self, now: datetime) -> bool:
        """Whether any source has to wait; then every request is looked at in full."""
        return now < self._last_pause_ends

    def _admit(
        self,
        request: OAuthRequest,
        client: RegisteredClient,
        method: str,
        methods: Iterable[str],
        now: datetime,
    ) -> None:
        """Take the client on, if it may use this method here; it has proven itself already."""
        if client.disabled:
            self._fail(request.source, client, method, "client_disabled", now)
            raise ClientAuthenticationFailed(self._realm)
        if method not in methods or method != client.auth_method:
            self._fail(request.source, client, method, "other_method_registered", now)
            raise ClientAuthenticationFailed(self._realm, _other_method(client, method))
        request.client = client

    def _assert_no_pause(self, source: Source, client_id: str, now: datetime) -> None:
        key = (normalised_source(source.address), client_id)
        until = self._pauses.get(key)
        if until is None:
            return
        if until > now:
            raise TooManyFailures(until - now)
        self._pauses.pop(key, None)

    def _fail(
        self, source: Source, client: RegisteredClient | None, method: str, reason: str, now: datetime
    ) -> None:
        """Count, log and audit a failure; past the limit only refuse, so that a flood writes nothing."""
        # An unknown client_id may be anything, also a secret in the wrong field: it is not repeated.
        client_id = None if client is None else client.client_id
        try:
            self._services.ratelimiter.hit(
                Limit.CLIENT_AUTH_FAILURES, f"{source.address} {client_id or ''}", now
            )
        except Refused as refused:
            pause = refused.retry_after or _DEFAULT_PAUSE
            if client_id is not None:
                self._pause((normalised_source(source.address), client_id), now + pause)
            raise TooManyFailures(pause) from refused
        detail = {"reason": reason, "method": method}
        _log.warning("client.authentication.failed", extra={"fields": {"client_id": client_id, **detail}})
        with self._services.database.transaction():
            self._services.audit.record(
                AuditEvent.CLIENT_AUTHENTICATION_FAILED,
                actor=Actor.client(client_id or "", source),
                client=client_id,
                detail=detail,
                now=now,
            )

    def _pause(self, key: tuple[str, str], until: datetime) -> None:
        with self._pausing:
            if len(self._pauses) >= _MAX_PAUSES:
                self._pauses.clear()
            self._pauses[key] = until
            self._last_pause_ends = max(self._last_pause_ends, until)


def _other_method(client: RegisteredClient, method: str) -> str:
    """What to change; only a client that has proven itself hears how it is registered."""
    registered = client.auth_method
    if method == registered:
        return f"The client may not authenticate here by {method}."
    return f"The client is registered to authenticate by {registered}, not by {method}."


def _proves(client: RegisteredClient, reading: Credentials, now: datetime) -> bool:
    """Whether the credentials are the client's own. Naming itself is all a public client can do."""
    if reading.method == NONE:
        return client.is_public
    return client.check_secret(reading.secret, now)
