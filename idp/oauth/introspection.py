"""The introspection endpoint. Source: RFC 7662."""

from datetime import datetime
from typing import Any

from idp.clients import CONFIDENTIAL_METHODS, RegisteredClient
from idp.oauth.client_authentication import ClientAuthenticator
from idp.oauth.live_tokens import LiveToken, LiveTokens, is_family_usable
from idp.oauth.request import OAuthRequest
from idp.oauth.response import ProtocolResponse
from idp.oauth.scopes import format_scope
from idp.oauth.services import OAuthServices
from idp.tokens import AccessTokenClaims, AuthorizedGrant, InvalidToken

INACTIVE = {"active": False}
"""All that a caller learns of a token that is dead or none of its business (row T15)."""


class IntrospectionEndpoint:
    """Tells a client about its own tokens, and a resource server about tokens for it."""

    def __init__(
        self, services: OAuthServices, authenticator: ClientAuthenticator, live_tokens: LiveTokens
    ) -> None:
        self._services = services
        self._authenticator = authenticator
        self._live_tokens = live_tokens
        self._issuer = services.settings.issuer

    def respond(self, request: OAuthRequest) -> ProtocolResponse:
        """What the token means, or ``active: false`` and not a word more.

        ``token_type_hint`` is never needed: our tokens say themselves what they are.

        Raises:
            InvalidRequestError: ``token`` missing, or a malformed request.
            InvalidClientError: the caller did not prove to be a confidential client.
            Unavailable: the database cannot say.
        """
        request.assert_well_formed()
        now = self._services.clock.now()
        caller = self._authenticator.authenticate(request, CONFIDENTIAL_METHODS, now=now)
        token = request.require("token")
        body = self._refresh_token(token, caller, now) or self._access_token(token, caller, now)
        return ProtocolResponse(200, body or INACTIVE)

    def _access_token(self, token: str, caller: RegisteredClient, now: datetime) -> dict[str, Any] | None:
        live = self._live_tokens.find(token, now)
        if live is None or not _may_see(live.claims, caller):
            return None
        return self._described(live)

    def _described(self, live: LiveToken) -> dict[str, Any]:
        claims = live.claims
        body: dict[str, Any] = {
            "active": True,
            "scope": format_scope(claims.scope),
            "client_id": claims.client_id,
            "token_type": "Bearer",
            "exp": _seconds(claims.exp),
            "iat": _seconds(claims.iat),
            "sub": claims.sub,
            "aud": claims.aud,
            "iss": self._issuer,
            "jti": claims.jti,
        }
        if claims.auth_time is not None:
            body["auth_time"] = _seconds(claims.auth_time)
        if claims.acr is not None:
            body["acr"] = claims.acr
        if claims.amr:
            body["amr"] = list(claims.amr)
        return body

    def _refresh_token(self, token: str, caller: RegisteredClient, now: datetime) -> dict[str, Any] | None:
        """A refresh token as its own client sees it; nobody else has any use for one."""
        try:
            parts = self._services.refresh_tokens.decode(token)
        except InvalidToken:
            return None
        family = self._services.hot.find_family(parts.family_id)
        epoch = self._services.epochs.of(caller)
        if (
            family is None
            or parts.generation != family.generation
            or not is_family_usable(family, caller, epoch=epoch, now=now)
        ):
            return None
        return {
            "active": True,
            "scope": format_scope(AuthorizedGrant.from_json(family.grant).scopes),
            "client_id": family.client_id,
            "exp": _seconds(min(family.expires_at, family.idle_expires_at)),
            "iat": _seconds(family.rotated_at or family.created_at),
            "sub": family.account.id,
            "iss": self._issuer,
        }


def _may_see(claims: AccessTokenClaims, caller: RegisteredClient) -> bool:
    """Whether the caller is the token's owner or the resource server the token is for.

    A token for the issuer itself (userinfo) has no resource server beside us: only its owner sees it.
    """
    return caller.client_id == claims.client_id or claims.aud in caller.resource_servers


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
