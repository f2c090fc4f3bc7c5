"""Access tokens: signed JWTs (RFC 9068) or sealed opaque ones, with the same content.

Neither is stored. An opaque token is its claims under AES-SIV, so it reads as random text
to everyone else and costs no row; what may be taken back lives on the family, the account,
the client and a short list of revoked ``jti`` (see ``revocation``).
"""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from idp.crypto import b64url_bytes, b64url_decode
from idp.keys import MAX_TOKEN_SIZE, InvalidToken, KeyRing
from idp.tokens.authentic import AuthenticTokens

ACCESS_TOKEN_PREFIX = "idp_at_"
"""Prefix of opaque access tokens; lets secret scanners find leaked ones (row T18)."""

ACCESS_TOKEN_TYPE = "at+jwt"
"""Type of JWT access tokens. Source: RFC 9068 §2.1."""

ACCESS_TOKEN_KEY_BYTES = 64
"""Size of the sealing key: AES-256-SIV takes two keys of 32 bytes. Source: RFC 5297 §2.2."""

MAX_CLOCK_SKEW = timedelta(seconds=60)
"""How far ahead ``iat`` may lie: another node signed it. Source: FAPI 2.0 §5.3.2.1-13 (row T6)."""

_LABEL = b"idp:access_token:1"
_PREFIX_BYTES = ACCESS_TOKEN_PREFIX.encode()

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

TokenFormat = Literal["jwt", "opaque"]


class TokenSpec(NamedTuple):
    """Everything that goes into one access token."""

    subject: str
    """The account's id; the client's own id when no person is involved (RFC 9068 §2.2)."""
    client_id: str
    audience: str
    """One resource server, or the issuer for userinfo (row T5)."""
    scope: tuple[str, ...]
    lifetime: timedelta
    issued_at: datetime
    jti: str
    family_id: str | None = None
    """``None`` for client credentials."""
    auth_time: datetime | None = None
    acr: str | None = None
    amr: tuple[str, ...] = ()
    alg: str = "ES256"
    """Signature algorithm of a JWT; an opaque token has none."""
    format: TokenFormat = "jwt"


class PreparedToken(NamedTuple):
    """Access tokens that differ in time and ``jti`` alone: everything else, as JSON already."""

    head: bytes
    """Up to the value of ``iat``."""
    tail: bytes
    """From the end of ``jti`` on."""
    lifetime: int
    """Seconds."""
    alg: str
    format: TokenFormat


class PreparedPersonToken(NamedTuple):
    """Access tokens for people that differ in person, family, times and ``jti`` alone."""

    claims: dict[str, Any]
    """All of them in their order; of those that differ, the values mean nothing."""
    alg: str
    format: TokenFormat


class AccessTokenClaims(NamedTuple):
    """The content of an authentic access token."""

    jti: str
    sub: str
    client_id: str
    aud: str
    scope: tuple[str, ...]
    exp: datetime
    iat: datetime
    """In whole seconds, rounded down."""
    fam: str | None
    """Family; ``None`` for client credentials."""
    auth_time: datetime | None
    acr: str | None
    amr: tuple[str, ...]


class AccessTokens:
    """Issues access tokens and reads them again, whichever format they have.

    Args:
        keyring: signs and verifies the JWTs.
        key: ``ACCESS_TOKEN_KEY_BYTES`` bytes derived for this purpose alone.
        issuer: the ``iss`` of every token; tokens of another issuer are refused.
    """

    def __init__(self, keyring: KeyRing, key: bytes, issuer: str) -> None:
        if len(key) != ACCESS_TOKEN_KEY_BYTES:
            raise ValueError(f"the access token key needs {ACCESS_TOKEN_KEY_BYTES} bytes, not {len(key)}")
        self._keyring = keyring
        self._aead = AESSIV(key)
        self._issuer = issuer
        self._authentic: AuthenticTokens[AccessTokenClaims] = AuthenticTokens()
        # Type and issuer are authenticated with every token, so that none passes for another's.
        self._context = [_LABEL, issuer.encode()]

    def issue(self, spec: TokenSpec) -> str:
        """The token as it is given to the client.

        Raises:
            Unavailable: there is no active key for ``spec.alg``.
        """
        claims = self._claims(spec)
        if spec.format == "jwt":
            return self._keyring.sign(claims, typ=ACCESS_TOKEN_TYPE, alg=spec.alg)
        return self._seal(orjson.dumps(claims)).decode("ascii")

    def prepare(self, spec: TokenSpec) -> PreparedToken:
        """What all tokens like this one have in common; ``issued_at`` and ``jti`` do not count."""
        claims = self._claims(spec)
        names = [*claims]  # iat, exp and jti stand together, in this order
        head = orjson.dumps({name: claims[name] for name in names[: names.index("iat")]})
        rest = orjson.dumps({name: claims[name] for name in names[names.index("jti") + 1 :]})
        return PreparedToken(
            head=head[:-1] + b',"iat":',
            tail=b'"}' if rest == b"{}" else b'",' + rest[1:],
            lifetime=claims["exp"] - claims["iat"],
            alg=spec.alg,
            format=spec.format,
        )

    def issue_prepared(self, prepared: PreparedToken, *, jti: str, now: datetime) -> bytes:
        """The token that :meth:`issue` makes of the same spec, at a third of the cost. ASCII.

        Args:
            prepared: from :meth:`prepare`.
            jti: base64url; it goes into the JSON as it is.
            now: aware UTC time of issue.

        Raises:
            Unavailable: there is no active key for the algorithm.
        """
        issued_at = int(now.timestamp())
        payload = b'%b%d,"exp":%d,"jti":"%b%b' % (
            prepared.head,
            issued_at,
            issued_at + prepared.lifetime,
            jti.encode("ascii"),
            prepared.tail,
        )
        return self._finished(payload, prepared)

    def prepare_for_people(self, spec: TokenSpec) -> PreparedPersonToken:
        """As :meth:`prepare`, for tokens with a family; person, family and their times do not count."""
        claims = self._claims(spec._replace(family_id="", auth_time=spec.issued_at))
        return PreparedPersonToken(claims, spec.alg, spec.format)

    def issue_for_person(
        self,
        prepared: PreparedPersonToken,
        *,
        subject: str,
        family_id: str,
        auth_time: int,
        jti: str,
        issued_at: int,
        lifetime: int,
    ) -> bytes:
        """The token that :meth:`issue` makes of the same spec, in fewer steps. ASCII.

        Args:
            prepared: from :meth:`prepare_for_people`.
            subject: the account's id.
            family_id: of the grant's token family.
            auth_time: seconds since 1970, as is ``issued_at``.
            jti: name of the token.
            issued_at: seconds.
            lifetime: seconds.

        Raises:
            Unavailable: there is no active key for the algorithm.
        """
        claims = prepared.claims.copy()
        claims["sub"] = subject
        claims["iat"] = issued_at
        claims["exp"] = issued_at + lifetime
        claims["jti"] = jti
        claims["fam"] = family_id
        claims["auth_time"] = auth_time
        return self._finished(orjson.dumps(claims), prepared)

    def _finished(self, payload: bytes, prepared: PreparedToken | PreparedPersonToken) -> bytes:
        if prepared.format == "jwt":
            return self._keyring.active(prepared.alg).sign_payload(payload, typ=ACCESS_TOKEN_TYPE)
        return self._seal(payload)

    def parse(self, token: str, *, now: datetime) -> AccessTokenClaims:
        """The claims of an authentic token that has not expired.

        Says nothing about audience (the caller knows which one it is) or revocation (see
        :func:`idp.tokens.is_dead`).

        Args:
            token: as received.
            now: aware UTC time.

        Raises:
            InvalidToken: not ours, changed, another type, another issuer, expired, or from
                the future.
        """
        keys = self._keyring.jwks()
        claims = self._authentic.find(token, keys)
        if claims is None:
            claims = self._read(token)
            self._authentic.add(token, keys, claims)
        if claims.exp <= now:
            raise InvalidToken("expired")
        if claims.iat > now + MAX_CLOCK_SKEW:
            raise InvalidToken("issued in the future")
        return claims

    def _read(self, token: str) -> AccessTokenClaims:
        opaque = token.startswith(ACCESS_TOKEN_PREFIX)
        content = self._open(token) if opaque else self._keyring.verify(token, typ=ACCESS_TOKEN_TYPE)
        if content.get("iss") != self._issuer:
            raise InvalidToken("another issuer")
        try:
            return _claims_of(content)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InvalidToken("claims are not those of an access token") from error

    def _claims(self, spec: TokenSpec) -> dict[str, Any]:
        """RFC 9068 §2.2, plus the private claim ``fam``."""
        issued_at = int(spec.issued_at.timestamp())
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "sub": spec.subject,
            "aud": spec.audience,
            "client_id": spec.client_id,
            "iat": issued_at,
            "exp": issued_at + int(spec.lifetime.total_seconds()),
            "jti": spec.jti,
        }
        if spec.scope:
            claims["scope"] = " ".join(spec.scope)
        if spec.family_id is not None:
            claims["fam"] = spec.family_id
        if spec.auth_time is not None:
            claims["auth_time"] = int(spec.auth_time.timestamp())
        if spec.acr is not None:
            claims["acr"] = spec.acr
        if spec.amr:
            claims["amr"] = list(spec.amr)
        return claims

    def _seal(self, claims: bytes) -> bytes:
        # Deterministic, yet no two tokens are alike: each has its own jti.
        return _PREFIX_BYTES + b64url_bytes(self._aead.encrypt(claims, self._context))

    def _open(self, token: str) -> dict[str, Any]:
        if len(token) > MAX_TOKEN_SIZE:
            raise InvalidToken("too large")
        try:
            sealed = b64url_decode(token.removeprefix(ACCESS_TOKEN_PREFIX))
            content = orjson.loads(self._aead.decrypt(sealed, self._context))
        except (ValueError, InvalidTag) as error:
            raise InvalidToken("opaque token is not authentic") from error
        if not isinstance(content, dict):
            raise InvalidToken("claims are not an object")
        return content


def _claims_of(content: Mapping[str, Any]) -> AccessTokenClaims:
    # What many tokens have in common is kept once for all that are remembered (`AuthenticTokens`).
    once = sys.intern
    auth_time = content.get("auth_time")
    acr = _optional_text(content.get("acr"))
    return AccessTokenClaims(
        jti=_text(content["jti"]),
        sub=_text(content["sub"]),
        client_id=once(_text(content["client_id"])),
        aud=once(_text(content["aud"])),
        scope=tuple(map(once, _text(content.get("scope", "")).split())),
        exp=_instant(content["exp"]),
        iat=_instant(content["iat"]),
        fam=_optional_text(content.get("fam")),
        auth_time=None if auth_time is None else _instant(auth_time),
        acr=None if acr is None else once(acr),
        amr=tuple(once(_text(method)) for method in content.get("amr", ())),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not text")
    return value


def _optional_text(value: object) -> str | None:
    return None if value is None else _text(value)


def _instant(value: object) -> datetime:
    # bool is an int in Python, not in JSON.
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("not a whole number of seconds")
    return _EPOCH + timedelta(seconds=value)
