"""From a used-up grant to the token response: what is signed, for whom, for how long.

Nothing here decides whether tokens are due; the grants do that first, in one statement.
"""

from collections.abc import Hashable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson

from idp.clients import RegisteredClient
from idp.crypto import b64url_encode
from idp.ids import fresh_bytes
from idp.oauth.id_token import IdTokenContent, PreparedIdToken, prepare_id_token, sign_id_token
from idp.oauth.scopes import OPENID, TokenTarget, format_scope
from idp.oauth.services import OAuthServices
from idp.storage.hot import AccountState
from idp.tokens import AuthorizedGrant, PreparedPersonToken, PreparedToken, TokenFormat, TokenSpec

_MOST = 1024
"""Kinds of tokens prepared; each takes about 1 KiB."""


class UserIssue(NamedTuple):
    """Everything that tokens for a person are made from."""

    client: RegisteredClient
    account: AccountState
    grant: AuthorizedGrant
    target: TokenTarget
    family_id: str
    family_expires_at: datetime
    session_id: str | None
    refresh_token: str | None
    nonce: str | None
    """Of the authorization request, at code exchange; ``None`` on refresh."""
    now: datetime


class ClientIssue(NamedTuple):
    """Everything that the tokens of one machine for one target have in common."""

    client: RegisteredClient
    token: PreparedToken
    rest: bytes
    """The response from the end of the access token on, as JSON."""


class _Prepared(NamedTuple):
    """Everything that the tokens of people at one client, for one target and one way of signing in, share."""

    client: RegisteredClient
    target: TokenTarget
    access: PreparedPersonToken
    lifetime: timedelta
    """Of the access token, unless the family ends before."""
    seconds: int
    """The same."""
    scope: str
    """Of the response."""
    id_token: PreparedIdToken


class TokenIssuer:
    """Signs tokens and builds the token response. Source: RFC 6749 §5.1, RFC 9068, OIDC Core §3.1.3.3."""

    def __init__(self, services: OAuthServices) -> None:
        self._services = services
        # Bounded, and thread-safe, because each step on the dictionary is atomic.
        self._prepared: dict[Hashable, _Prepared] = {}

    def issue_for_account(self, issue: UserIssue) -> Mapping[str, Any]:
        """The response to a code exchange or a refresh.

        Raises:
            Unavailable: there is no active key for an algorithm of the client.
        """
        prepared = self._prepared_for_people(issue)
        grant, now = issue.grant, issue.now
        issued_at, auth_time = int(now.timestamp()), int(grant.auth_time.timestamp())
        left = issue.family_expires_at - now
        lifetime = prepared.seconds if prepared.lifetime <= left else int(left.total_seconds())
        access_token = self._services.access_tokens.issue_for_person(
            prepared.access,
            subject=issue.account.id,
            family_id=issue.family_id,
            auth_time=auth_time,
            jti=b64url_encode(fresh_bytes()),
            issued_at=issued_at,
            lifetime=lifetime,
        )
        body = {
            "access_token": access_token.decode("ascii"),
            "token_type": "Bearer",
            "expires_in": lifetime,
            "scope": prepared.scope,
        }
        if issue.refresh_token is not None:
            body["refresh_token"] = issue.refresh_token
        if OPENID in grant.scopes:
            content = IdTokenContent(
                account=issue.account,
                grant=grant,
                session_id=issue.session_id,
                access_token=access_token,
                nonce=issue.nonce,
                auth_time=auth_time,
                issued_at=issued_at,
            )
            signed = sign_id_token(prepared.id_token, content, self._services.keyring)
            body["id_token"] = signed.decode("ascii")
        return body

    def _prepared_for_people(self, issue: UserIssue) -> "_Prepared":
        """What these tokens have in common with the last ones of the same client, target and sign-in."""
        client, target, grant = issue.client, issue.target, issue.grant
        question = (client.client_id, target.audience, target.scopes, grant.acr, grant.amr)
        known = self._prepared.get(question)
        # Client and target are frozen: what was worked out holds until there is another object.
        if known is not None and known.client is client and known.target is target:
            return known
        lifetime = self._access_lifetime(client)
        spec = TokenSpec(
            subject="",
            client_id=client.client_id,
            audience=target.audience,
            scope=target.scopes,
            lifetime=lifetime,
            issued_at=issue.now,
            jti="",
            acr=grant.acr,
            amr=grant.amr,
            alg=client.access_token_signing_alg,
            format=self._format(client, target),
        )
        if len(self._prepared) >= _MOST:
            self._prepared.clear()
        prepared = self._prepared[question] = _Prepared(
            client=client,
            target=target,
            access=self._services.access_tokens.prepare_for_people(spec),
            lifetime=lifetime,
            seconds=int(lifetime.total_seconds()),
            scope=format_scope(target.scopes),
            id_token=prepare_id_token(client, acr=grant.acr, amr=grant.amr, settings=self._services.settings),
        )
        return prepared

    def prepare_for_client(self, client: RegisteredClient, target: TokenTarget, now: datetime) -> ClientIssue:
        """What the answers to client credentials have in common: the subject is the client itself.

        No refresh token (RFC 6749 §4.4.3) and no ID token, as there is no person.
        """
        spec = TokenSpec(
            subject=client.client_id,
            client_id=client.client_id,
            audience=target.audience,
            scope=target.scopes,
            lifetime=self._access_lifetime(client),
            issued_at=now,
            jti="",
            alg=client.access_token_signing_alg,
            format=self._format(client, target),
        )
        rest = orjson.dumps(_response(spec))
        return ClientIssue(client, self._services.access_tokens.prepare(spec), b'",' + rest[1:])

    def issue_for_client(self, issue: ClientIssue, now: datetime) -> bytes:
        """The response to client credentials, as JSON; its token is counted in memory and written in batches.

        Raises:
            Unavailable: there is no active key for the client's algorithm.
        """
        token = self._services.access_tokens.issue_prepared(
            issue.token, jti=b64url_encode(fresh_bytes()), now=now
        )
        self._services.issue_counter.count(issue.client.client_id, now)
        return b'{"access_token":"%b%b' % (token, issue.rest)

    def family_end(self, client: RegisteredClient, now: datetime) -> datetime:
        """The absolute end of a family opened now (row T9); without refresh tokens, of its access token."""
        if not client.may_refresh:
            return now + self._access_lifetime(client)
        lifetime = client.refresh_token_lifetime
        return now + (self._services.settings.tokens.refresh_token_lifetime if lifetime is None else lifetime)

    def family_idle_end(self, client: RegisteredClient, now: datetime) -> datetime:
        """The moment a family used now ends if it is not used again (row T9)."""
        if not client.may_refresh:
            return now + self._access_lifetime(client)
        lifetime = client.refresh_token_idle_lifetime
        default = self._services.settings.tokens.refresh_token_idle_lifetime
        return now + (default if lifetime is None else lifetime)

    def _access_lifetime(self, client: RegisteredClient) -> timedelta:
        lifetime = client.access_token_lifetime
        return self._services.settings.tokens.access_token_lifetime if lifetime is None else lifetime

    def _format(self, client: RegisteredClient, target: TokenTarget) -> TokenFormat:
        """What the resource server can read; else what the client registered; else the setting."""
        server = target.resource_server
        registered = (server.access_token_format if server else None) or client.access_token_format
        if registered is None:
            return self._services.settings.tokens.access_token_format
        return "opaque" if registered == "opaque" else "jwt"


def _response(spec: TokenSpec) -> dict[str, Any]:
    """The response without its tokens. Source: RFC 6749 §5.1."""
    return {
        "token_type": "Bearer",
        "expires_in": int(spec.lifetime.total_seconds()),
        "scope": format_scope(spec.scope),
    }
