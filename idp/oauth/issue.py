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
from idp.oauth.id_token import PreparedIdToken, id_token_payload, prepare_id_token
from idp.oauth.scopes import OPENID, TokenTarget, format_scope
from idp.oauth.services import OAuthServices
from idp.storage.hot import AccountState
from idp.tokens import AuthorizedGrant, PreparedPersonToken, PreparedToken, TokenFormat, TokenSpec

_MOST = 1024
"""Kinds of tokens prepared; each takes about 1 KiB."""


class TokenKind(NamedTuple):
    """Everything that the tokens of people at one client, for one target and one way of signing in, share."""

    client: RegisteredClient
    resources: object
    """The version of the resource servers that the target was worked out from."""
    access: PreparedPersonToken
    lifetime: int
    """Of the access token in seconds, unless the family ends before."""
    scope: str
    """Of the response."""
    id_token: PreparedIdToken | None
    """``None`` where nobody signs in (``openid`` was not granted)."""


class UserIssue(NamedTuple):
    """Everything that tokens for a person are made from."""

    kind: TokenKind
    account: AccountState
    grant: AuthorizedGrant
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


class TokenIssuer:
    """Signs tokens and builds the token response. Source: RFC 6749 §5.1, RFC 9068, OIDC Core §3.1.3.3."""

    def __init__(self, services: OAuthServices) -> None:
        self._services = services
        # Bounded, and thread-safe, because each step on the dictionary is atomic.
        self._kinds: dict[Hashable, TokenKind] = {}

    def kind_for_account(
        self,
        client: RegisteredClient,
        grant: AuthorizedGrant,
        resource: str | None,
        *,
        requested: tuple[str, ...] = (),
        now: datetime,
    ) -> TokenKind:
        """Which tokens a grant gives here: worked out once, and remembered.

        Args:
            client: that asks.
            grant: that it holds.
            resource: of the token request.
            requested: narrower scopes asked for at refresh; empty for all.
            now: aware UTC time.

        Raises:
            InvalidTargetError: not part of the grant, or several and none chosen.
            InvalidScopeError: a scope that was not granted.
        """
        scopes, resources, audience = grant.scopes, grant.resources, resource or grant.default_audience
        question = (client.client_id, scopes, resources, audience, requested, grant.acr, grant.amr)
        version = self._services.scopes.version()
        known = self._kinds.get(question)
        # Client and resource servers are frozen: what was worked out holds until there is another object.
        if known is not None and known.client is client and known.resources is version:
            return known
        target = self._services.scopes.for_user_token(
            granted=scopes, granted_resources=resources, resource=audience, requested=requested
        )
        if len(self._kinds) >= _MOST:
            self._kinds.clear()
        kind = self._kinds[question] = self._worked_out(client, grant, target, version, now)
        return kind

    def _worked_out(
        self,
        client: RegisteredClient,
        grant: AuthorizedGrant,
        target: TokenTarget,
        version: object,
        now: datetime,
    ) -> TokenKind:
        spec = self._spec(client, target, now)._replace(acr=grant.acr, amr=grant.amr)
        settings = self._services.settings
        return TokenKind(
            client=client,
            resources=version,
            access=self._services.access_tokens.prepare_for_people(spec),
            lifetime=int(spec.lifetime.total_seconds()),
            scope=format_scope(target.scopes),
            id_token=prepare_id_token(client, acr=grant.acr, amr=grant.amr, settings=settings)
            if OPENID in grant.scopes
            else None,
        )

    def issue_for_account(self, issue: UserIssue) -> Mapping[str, Any]:
        """The response to a code exchange or a refresh.

        Raises:
            Unavailable: there is no active key for an algorithm of the client.
        """
        kind, account, grant, family_id, family_end, session_id, refresh_token, nonce, now = issue
        issued_at, auth_time = int(now.timestamp()), int(grant.auth_time.timestamp())
        lifetime = min(kind.lifetime, int((family_end - now).total_seconds()))
        access_token = self._services.access_tokens.issue_for_person(
            kind.access,
            subject=account.id,
            family_id=family_id,
            auth_time=auth_time,
            jti=b64url_encode(fresh_bytes()),
            issued_at=issued_at,
            lifetime=lifetime,
        )
        body = {
            "access_token": access_token.decode("ascii"),
            "token_type": "Bearer",
            "expires_in": lifetime,
            "scope": kind.scope,
        }
        if refresh_token is not None:
            body["refresh_token"] = refresh_token
        if kind.id_token is not None:
            claims = id_token_payload(
                kind.id_token,
                account,
                grant.claims_request,
                access_token,
                nonce=nonce,
                session_id=session_id,
                auth_time=auth_time,
                issued_at=issued_at,
            )
            body["id_token"] = self._services.keyring.active(kind.id_token.alg).sign(claims, typ="JWT")
        return body

    def prepare_for_client(self, client: RegisteredClient, target: TokenTarget, now: datetime) -> ClientIssue:
        """What the answers to client credentials have in common: the subject is the client itself.

        No refresh token (RFC 6749 §4.4.3) and no ID token, as there is no person.
        """
        spec = self._spec(client, target, now)._replace(subject=client.client_id)
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

    def family_ends(self, client: RegisteredClient, now: datetime) -> tuple[datetime, datetime]:
        """When a family opened now ends at the latest, and when one used now ends if it is not used again.

        Without refresh tokens, both are the end of its access token (row T9).
        """
        if not client.may_refresh:
            end = now + self._access_lifetime(client)
            return end, end
        settings = self._services.settings.tokens
        lifetime, idle = client.refresh_token_lifetime, client.refresh_token_idle_lifetime
        return (
            now + (settings.refresh_token_lifetime if lifetime is None else lifetime),
            now + (settings.refresh_token_idle_lifetime if idle is None else idle),
        )

    def _spec(self, client: RegisteredClient, target: TokenTarget, now: datetime) -> TokenSpec:
        """What the access tokens of one client for one target have in common, whoever they speak for."""
        return TokenSpec(
            subject="",
            client_id=client.client_id,
            audience=target.audience,
            scope=target.scopes,
            lifetime=self._access_lifetime(client),
            issued_at=now,
            jti="",
            alg=client.access_token_signing_alg,
            format=self._format(client, target),
        )

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
