"""ID tokens: what OpenID Connect Core §3.1.3.7 asks for beyond signature, issuer, audience and times."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from idp.crypto import b64url_encode, constant_time_equal
from idp.federation.departures import DepartureRecord
from idp.federation.errors import UpstreamRefused
from idp.federation.provider import Provider
from idp.federation.signed_tokens import SKEW, VerifiedToken, moment, name_of

ID_TOKEN_TYPES = frozenset({None, "jwt"})
"""``typ`` of an ID token: no other kind of token passes for one (RFC 8725 §3.11)."""

_FRESHNESS_SKEW = timedelta(seconds=10)
"""Less than for other times: half a minute would let a sign-in count that nobody repeated."""
_HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}


def assert_id_token(
    token: VerifiedToken, provider: Provider, record: DepartureRecord, *, access_token: str, now: datetime
) -> None:
    """Nothing, if the token answers the request of this journey.

    Args:
        token: its signature, issuer, audience and times are checked already.
        provider: whether it is known to leave ``nonce`` out.
        record: what was sent along.
        access_token: which came with it.
        now: aware UTC.

    Raises:
        UpstreamRefused: it answers another request, names nobody, or the sign-in is older than asked for.
    """
    _assert_nonce(token.claims, provider, record)
    if name_of(token.claims.get("sub")) is None:
        raise UpstreamRefused("subject_invalid")
    _assert_access_token_hash(token, access_token)
    _assert_auth_time(token.claims, record, now)


def assert_no_sign_in_time_needed(record: DepartureRecord) -> None:
    """Nothing, unless the journey asked for a fresh sign-in: a provider without ID tokens cannot prove one.

    Raises:
        UpstreamRefused: it did.
    """
    if record.wish.needs_auth_time:
        raise UpstreamRefused("auth_time_missing")


def _assert_nonce(claims: dict[str, Any], provider: Provider, record: DepartureRecord) -> None:
    nonce = claims.get("nonce")
    if nonce is None and not provider.echoes_nonce:
        return
    if nonce is None:
        raise UpstreamRefused("nonce_missing")
    if not isinstance(nonce, str) or not constant_time_equal(nonce.encode(), record.nonce.reveal().encode()):
        raise UpstreamRefused("nonce_mismatch")


def _assert_access_token_hash(token: VerifiedToken, access_token: str) -> None:
    """``at_hash`` binds the access token; the code flow may leave it out (OpenID Connect Core §3.1.3.8)."""
    said = token.claims.get("at_hash")
    if said is None:
        return
    # Ed25519 signs with SHA-512 inside, and so is its hash here.
    digest = _HASHES.get(token.alg[-3:], hashlib.sha512)(access_token.encode()).digest()
    expected = b64url_encode(digest[: len(digest) // 2])
    if not isinstance(said, str) or not constant_time_equal(said.encode(), expected.encode()):
        raise UpstreamRefused("access_token_hash_mismatch")


def _assert_auth_time(claims: dict[str, Any], record: DepartureRecord, now: datetime) -> None:
    if not record.wish.needs_auth_time:
        return
    signed_in = moment(claims.get("auth_time"))
    if signed_in is None:
        raise UpstreamRefused("auth_time_missing")
    if signed_in > now + SKEW:
        raise UpstreamRefused("token_from_the_future")
    # Judged at the moment of the request, so that somebody who takes long at the provider is not sent in a
    # circle.
    oldest = record.sent_at
    if record.wish.prompt != "login":
        oldest -= timedelta(seconds=record.wish.max_age or 0)
    if signed_in < oldest - _FRESHNESS_SKEW:
        raise UpstreamRefused("sign_in_too_old")
