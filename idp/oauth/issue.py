"""From a used-up grant to the token response: what is signed, for whom, for how long.

Nothing here decides whether tokens are due; the grants do that first, in one statement.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson

from idp.clients import RegisteredClient
from idp.crypto import random_token
from idp.oauth.id_token import IdTokenContent, sign_id_token
from idp.oauth.scopes import OPENID, TokenTarget, format_scope
from idp.oauth.services import OAuthServices
from idp.storage.hot import AccountState
from idp.tokens import AuthorizedGrant, PreparedToken, TokenFormat, TokenSpec

_JTI_SIZE = 16


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


class TokenIssuer:
    """Signs tokens and builds the token response. Source: RFC 6749 §5.1, RFC 9068, OIDC Core §3.1.3.3."""

    def __init__(self, services: OAuthServices) -> None:
        self._services = services

    def issue_for_account(self, issue: UserIssue) -> Mapping[str, Any]:
        """The response to a code exchange or a refresh."""
        lifetime = min(self._access_lifetime(issue.client), issue.family_expires_at - issue.now)
        grant = issue.grant
        spec = TokenSpec(
            subject=issue.account.id,
            client_id=issue.client.client_id,
            audience=issue.target.audience,
            scope=issue.target.scopes,
            lifetime=lifetime,
            issued_at=issue.now,
            jti=random_token(_JTI_SIZE),
            family_id=issue.family_id,
            auth_time=grant.auth_time,
            acr=grant.acr,
            amr=grant.amr,
            alg=issue.client.access_token_signing_alg,
            format=self._format(issue.client, issue.target),
        )
        body = self._body(spec)
        if issue.refresh_token is not None:
            body["refresh_token"] = issue.refresh_token
        if OPENID in grant.scopes:
            content = IdTokenContent(
                client=issue.client,
                account=issue.account,
                grant=grant,
                session_id=issue.session_id,
                access_token=body["access_token"],
                nonce=issue.nonce,
                now=issue.now,
            )
            body["id_token"] = sign_id_token(
                content, keyring=self._services.keyring, settings=self._services.settings
            )
        return body

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
        token = self._services.access_tokens.issue_prepared(issue.token, jti=random_token(_JTI_SIZE), now=now)
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

    def _body(self, spec: TokenSpec) -> dict[str, Any]:
        return {"access_token": self._services.access_tokens.issue(spec), **_response(spec)}

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
