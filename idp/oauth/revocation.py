"""The revocation endpoint. Source: RFC 7009."""

from contextlib import suppress
from datetime import datetime

from authlib.oauth2.rfc6749.errors import InvalidGrantError

from idp.audit import Actor, AuditEvent
from idp.clients import RegisteredClient
from idp.oauth.client_authentication import ClientAuthenticator
from idp.oauth.request import OAuthRequest
from idp.oauth.response import ProtocolResponse
from idp.oauth.services import OAuthServices
from idp.tokens import AccessTokenClaims, InvalidToken, RefreshTokenParts


class RevocationEndpoint:
    """Lets a client take back its own tokens.

    A refresh token takes its whole family with it; an access token goes alone.
    """

    def __init__(self, services: OAuthServices, authenticator: ClientAuthenticator) -> None:
        self._services = services
        self._authenticator = authenticator

    def respond(self, request: OAuthRequest) -> ProtocolResponse:
        """200 when the token is dead afterwards, also if it was never alive (RFC 7009 §2.2).

        ``token_type_hint`` is never needed: our tokens say themselves what they are.

        Raises:
            InvalidRequestError: ``token`` missing, or a malformed request.
            InvalidClientError: the caller did not authenticate; public clients name themselves.
            InvalidGrantError: the token is another client's (RFC 7009 §2.1, row T14).
            Unavailable: the revocation could not be written.
        """
        request.assert_well_formed()
        now = self._services.clock.now()
        caller = self._authenticator.authenticate(request, now=now)
        token = request.require("token")
        try:
            self._revoke_family(self._services.refresh_tokens.decode(token), caller, request, now)
        except InvalidToken:
            with suppress(InvalidToken):  # unknown, expired or malformed: nothing is left to revoke
                self._revoke_access(self._services.access_tokens.parse(token, now=now), caller, request, now)
        return ProtocolResponse(200, {})  # clients ignore it (RFC 7009 §2.2), yet some parse it as JSON

    def _revoke_family(
        self, parts: RefreshTokenParts, caller: RegisteredClient, request: OAuthRequest, now: datetime
    ) -> None:
        families = self._services.repos.families
        with self._services.database.transaction():
            row = families.get(parts.family_id)
            if row is None:
                return
            _assert_owner(row.client_id, caller)
            if families.revoke(parts.family_id, "revoked_by_client", now):
                self._record(
                    caller,
                    request,
                    row.account_id,
                    {"token_type": "refresh_token", "family": parts.family_id},
                    now,
                )

    def _revoke_access(
        self, claims: AccessTokenClaims, caller: RegisteredClient, request: OAuthRequest, now: datetime
    ) -> None:
        _assert_owner(claims.client_id, caller)
        account = claims.sub if claims.fam is not None else None
        with self._services.database.transaction():
            if self._services.repos.families.revoke_access_token(claims.jti, now=now, expires_at=claims.exp):
                self._record(caller, request, account, {"token_type": "access_token", "jti": claims.jti}, now)

    def _record(
        self,
        caller: RegisteredClient,
        request: OAuthRequest,
        account: str | None,
        detail: dict[str, str],
        now: datetime,
    ) -> None:
        self._services.audit.record(
            AuditEvent.TOKEN_REVOKED,
            actor=Actor.client(caller.client_id, request.source),
            account=account,
            client=caller.client_id,
            detail=detail,
            now=now,
        )


def _assert_owner(client_id: str, caller: RegisteredClient) -> None:
    if client_id != caller.client_id:
        raise InvalidGrantError("The token was issued to another client.")
