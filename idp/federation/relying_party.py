"""Our side of a sign-in at somebody else: the way there, the answer, and the way out.

Source: OpenID Connect Core §3.1; RFC 6749 §4.1; RFC 7636; RFC 9126; RFC 9207; OpenID Connect RP-Initiated
Logout and Back-Channel Logout.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import orjson

from idp.clock import Clock
from idp.crypto import Secret, random_token
from idp.federation.claims_mapping import find_claim, map_claims, wanted_claims, with_primary_email
from idp.federation.departures import Departure, DepartureRecord, UpstreamLogout, UpstreamWish
from idp.federation.errors import UpstreamDenied, UpstreamRefused, UpstreamUnavailable
from idp.federation.exchanges import Exchange
from idp.federation.id_tokens import ID_TOKEN_TYPES, assert_id_token, assert_no_sign_in_time_needed
from idp.federation.identity import UpstreamIdentity, UpstreamTokens
from idp.federation.key_sets import KeySetCache
from idp.federation.logout_tokens import LOGOUT_TOKEN_TYPES, read_logout_token
from idp.federation.metadata import Endpoints, MetadataCache
from idp.federation.provider import Provider, ProviderKind
from idp.federation.signed_tokens import VerifiedToken, moment, name_of, verify_token
from idp.http import HttpClient

_VERIFIER_BYTES = 48  # 64 characters of the 43 to 128 of RFC 7636 §4.1
_LONGEST_CODE = 4096
_LONGEST_USER = 4096
_LONGEST_LIFE = timedelta(days=3650).total_seconds()
_ERROR = re.compile(r"[a-z_]{1,40}")
_DENIALS = frozenset({"access_denied", "user_denied", "user_cancelled_authorize", "user_cancelled_login"})
"""The standard's word, Facebook's older one, Apple's and LinkedIn's."""
_LATER = frozenset({"temporarily_unavailable", "server_error"})
_OURS = frozenset(
    {
        "client_id",
        "response_type",
        "redirect_uri",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
    }
)
"""Parameters that no configuration replaces."""


class RelyingParty:
    """Speaks with providers. No database: what must be remembered is handed out and handed in again.

    Args:
        http: the one egress.
        issuer: our own issuer; redirect addresses begin with it.
        clock: tells how old kept metadata and keys are.
    """

    def __init__(self, http: HttpClient, *, issuer: str, clock: Clock) -> None:
        self._http = http
        self._issuer = issuer.rstrip("/")
        self._metadata = MetadataCache(http, clock)
        self._keys = KeySetCache(http, clock)

    def endpoints(self, provider: Provider) -> Endpoints:
        """Where the provider's endpoints are, as published or configured.

        Raises:
            UpstreamUnavailable: it cannot be asked, or its metadata are of no use.
        """
        return self._metadata.endpoints(provider)

    def begin(self, provider: Provider, wish: UpstreamWish, now: datetime) -> Departure:
        """The way to the provider, with fresh ``state``, ``nonce`` and PKCE verifier.

        Args:
            provider: where to.
            wish: what is wanted of the sign-in there; what the provider does not understand is left out.
            now: aware UTC.

        Raises:
            UpstreamUnavailable: its metadata or its PAR endpoint cannot be used.
        """
        endpoints = self._metadata.endpoints(provider)
        departure = Departure(
            url="",
            state=Secret(random_token()),
            nonce=Secret(random_token()),
            code_verifier=Secret(random_token(_VERIFIER_BYTES)),
            redirect_uri=self._issuer + provider.callback_path,
            sent_at=now,
            wish=wish,
        )
        exchange = Exchange(self._http, provider, endpoints, redirect_uri=departure.redirect_uri, now=now)
        url = exchange.authorization_url(
            _parameters(provider, departure),
            state=departure.state.reveal(),
            code_verifier=departure.code_verifier.reveal(),
        )
        return replace(departure, url=url)

    def finish(
        self, provider: Provider, answer: Mapping[str, str], departure: DepartureRecord, now: datetime
    ) -> UpstreamIdentity:
        """Who the person is there, after every check that can be made.

        Args:
            provider: whose callback was called.
            answer: the parameters of the callback: ``code`` or ``error``, ``iss``, ``user``. The caller has
                found the journey by ``state`` already, and made sure that it is this provider's and
                browser's.
            departure: what was remembered of the journey; it must not be used again.
            now: aware UTC.

        Raises:
            UpstreamDenied: the person said no there.
            UpstreamRefused: the answer does not stand; ``detail`` is the reason code.
            UpstreamUnavailable: the provider gives no usable answer now.
        """
        endpoints = self._metadata.endpoints(provider)
        _assert_answer_issuer(answer.get("iss"), provider, endpoints)
        if answer.get("error"):
            raise _upstream_error(answer["error"])
        code = answer.get("code")
        if not code or len(code) > _LONGEST_CODE:
            raise UpstreamRefused("code_missing")
        exchange = Exchange(self._http, provider, endpoints, redirect_uri=departure.redirect_uri, now=now)
        tokens = exchange.tokens(code, departure)
        if provider.kind is ProviderKind.OAUTH2:
            assert_no_sign_in_time_needed(departure)
            return _identity(provider, endpoints.issuer, _told(provider, exchange, tokens), {}, tokens, now)
        token = self._id_token(provider, endpoints, tokens, departure, now)
        if answer.get("iss") not in (None, token.issuer):
            raise UpstreamRefused("answer_issuer_mismatch")
        claims = _completed(provider, endpoints, exchange, token, tokens)
        if provider.name_in_answer:
            claims = {**_name_in_answer(answer.get("user")), **claims}
        return _identity(provider, token.issuer, claims, token.claims, tokens, now)

    def logout_url(
        self, provider: Provider, id_token: Secret[str] | None, *, post_logout_redirect_uri: str, state: str
    ) -> str | None:
        """Where the person can sign out at the provider too; ``None`` if it has no such address, or is down.

        Source: OpenID Connect RP-Initiated Logout §2.
        """
        try:
            endpoint = self._metadata.endpoints(provider).end_session_endpoint
        except UpstreamUnavailable:
            return None
        if endpoint is None:
            return None
        parameters = {
            "client_id": provider.client_id,
            "post_logout_redirect_uri": post_logout_redirect_uri,
            "state": state,
            **({"id_token_hint": id_token.reveal()} if id_token else {}),
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(parameters)}"

    def verify_logout_token(self, provider: Provider, token: str, now: datetime) -> UpstreamLogout:
        """What a logout token of the provider says, fully validated but for its single use.

        Args:
            provider: whose address was called.
            token: as received.
            now: aware UTC.

        Raises:
            UpstreamRefused: it does not stand.
            UpstreamUnavailable: the provider's keys cannot be had.

        Source: OpenID Connect Back-Channel Logout 1.0 §2.6 (row K11).
        """
        if provider.kind is not ProviderKind.OIDC:
            raise UpstreamRefused("logout_not_supported")
        endpoints = self._metadata.endpoints(provider)
        return read_logout_token(
            verify_token(token, provider, endpoints, self._keys, types=LOGOUT_TOKEN_TYPES, now=now)
        )

    def _id_token(
        self,
        provider: Provider,
        endpoints: Endpoints,
        tokens: Mapping[str, Any],
        departure: DepartureRecord,
        now: datetime,
    ) -> VerifiedToken:
        raw = tokens.get("id_token")
        if not isinstance(raw, str) or not raw:
            raise UpstreamRefused("id_token_missing")
        token = verify_token(raw, provider, endpoints, self._keys, types=ID_TOKEN_TYPES, now=now)
        assert_id_token(token, provider, departure, access_token=tokens["access_token"], now=now)
        return token


def _parameters(provider: Provider, departure: Departure) -> dict[str, str]:
    """What the client library does not add to the request: the operator's, then the wishes, then ours."""
    wish, understood = departure.wish, provider.wishes
    made = {name: value for name, value in provider.authorization_params.items() if name not in _OURS}
    if wish.prompt in understood and wish.prompt is not None:
        made["prompt"] = wish.prompt
    # A provider must say when the person signed in only if it was asked for an age (OpenID Connect Core §2).
    max_age = 0 if wish.prompt == "login" else wish.max_age
    wishes = {
        "max_age": "" if max_age is None else str(max_age),
        "login_hint": wish.login_hint or "",
        "ui_locales": " ".join(wish.ui_locales),
        "acr_values": " ".join(wish.acr_values),
    }
    made.update({name: value for name, value in wishes.items() if value and name in understood})
    if provider.kind is ProviderKind.OIDC:
        made["nonce"] = departure.nonce.reveal()
    if provider.response_mode:
        made["response_mode"] = provider.response_mode
    return made


def _assert_answer_issuer(iss: str | None, provider: Provider, endpoints: Endpoints) -> None:
    """The answer must come from the provider that was asked (RFC 9207 §2.4: mix-up).

    Of a provider with several tenants, the tenant is checked with the ID token.
    """
    if iss is None:
        if endpoints.sends_iss:
            raise UpstreamRefused("answer_issuer_missing")
        return
    if provider.issuer is None:
        return
    before, tenant, after = endpoints.issuer.partition("{tenantid}")
    fits = iss.startswith(before) and iss.endswith(after) if tenant else iss == endpoints.issuer
    if not fits:
        raise UpstreamRefused("answer_issuer_mismatch")


def _upstream_error(error: str) -> UpstreamRefused | UpstreamUnavailable:
    if error in _DENIALS:
        return UpstreamDenied()
    if error in _LATER:
        return UpstreamUnavailable(f"provider_{error}")
    return UpstreamRefused(f"provider_{error}" if _ERROR.fullmatch(error) else "provider_error")


def _told(provider: Provider, exchange: Exchange, tokens: Mapping[str, Any]) -> dict[str, Any]:
    """What a provider without ID tokens says about the person."""
    claims = exchange.userinfo(tokens["access_token"])
    if provider.emails_endpoint:
        return with_primary_email(claims, exchange.emails(provider.emails_endpoint, tokens["access_token"]))
    return claims


def _completed(
    provider: Provider,
    endpoints: Endpoints,
    exchange: Exchange,
    token: VerifiedToken,
    tokens: Mapping[str, Any],
) -> dict[str, Any]:
    """The ID token's claims, with those of userinfo where they are needed and about the same person.

    Source: OpenID Connect Core §5.3.2: the ``sub`` of userinfo MUST be verified to match exactly.
    """
    missing = any(find_claim(token.claims, path) is None for path in wanted_claims(provider))
    asks = provider.userinfo == "always" or (provider.userinfo == "auto" and missing)
    if not asks or (endpoints.userinfo_endpoint is None and provider.userinfo != "always"):
        return token.claims
    told = exchange.userinfo(tokens["access_token"])
    if told.get("sub") != token.claims["sub"]:
        raise UpstreamRefused("userinfo_subject_mismatch")
    # Whether an address is verified counts only if it is said together with the address.
    pair = [provider.claims.get(name, name) for name in ("email", "email_verified")]
    signed = {name: value for name, value in token.claims.items() if value is not None}
    other = told if find_claim(signed, pair[0]) is not None else signed
    for path in pair:
        other.pop(path, None)
        other.pop(path.partition(".")[0], None)
    return {**told, **signed}


def _name_in_answer(user: str | None) -> dict[str, str]:
    """The name beside the code, which comes once and unsigned; the address there is not looked at.

    Source: Apple, "Configuring your webpage for Sign in with Apple", section on the ``user`` object.
    """
    if not user or len(user) > _LONGEST_USER:
        return {}
    try:
        content = orjson.loads(user)
    except ValueError:
        return {}
    name = content.get("name") if isinstance(content, dict) else None
    if not isinstance(name, dict):
        return {}
    parts = {"given_name": name.get("firstName"), "family_name": name.get("lastName")}
    found = {ours: text.strip() for ours, text in parts.items() if isinstance(text, str) and text.strip()}
    return {**found, "name": " ".join(found.values())} if found else {}


def _identity(
    provider: Provider,
    issuer: str,
    claims: Mapping[str, Any],
    signed: Mapping[str, Any],
    tokens: Mapping[str, Any],
    now: datetime,
) -> UpstreamIdentity:
    """Everything put together; assurance only from what is signed."""
    mapped = map_claims(provider, claims)
    amr = signed.get("amr")
    acr = name_of(signed.get("acr"))
    id_token = tokens.get("id_token") if signed else None
    return UpstreamIdentity(
        provider_id=provider.id,
        issuer=issuer,
        subject=mapped.subject,
        claims=mapped.claims,
        email=mapped.email,
        email_verified=mapped.email_verified,
        groups=mapped.groups,
        auth_time=moment(signed.get("auth_time")),
        acr=acr,
        amr=tuple(amr) if isinstance(amr, list) and all(name_of(value) for value in amr) else (),
        upstream_sid=name_of(signed.get("sid")),
        id_token=Secret(id_token) if isinstance(id_token, str) else None,
        tokens=_kept_tokens(provider, tokens, now) if provider.stores_tokens else None,
    )


def _kept_tokens(provider: Provider, tokens: Mapping[str, Any], now: datetime) -> UpstreamTokens:
    refresh, scope, life = tokens.get("refresh_token"), tokens.get("scope"), tokens.get("expires_in")
    known = isinstance(life, int | float) and 0 < life < _LONGEST_LIFE
    expires_at = now + timedelta(seconds=float(life)) if known and life is not None else None
    return UpstreamTokens(
        access_token=Secret(tokens["access_token"]),
        refresh_token=Secret(refresh) if isinstance(refresh, str) and refresh else None,
        expires_at=expires_at,
        scope=scope if isinstance(scope, str) else " ".join(provider.scopes),
    )
