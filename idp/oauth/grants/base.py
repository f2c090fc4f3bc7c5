"""What every grant has in common."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from authlib.oauth2.rfc6749.errors import UnauthorizedClientError
from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin

from idp.clients import RegisteredClient
from idp.oauth.client_authentication import ALL_METHODS
from idp.oauth.issue import TokenIssuer
from idp.oauth.request import OAuthRequest
from idp.oauth.services import OAuthServices

TokenResponse = tuple[int, Mapping[str, Any], list[tuple[str, str]]]
"""Status, body and headers, as Authlib's server hands them on."""


class Grant(BaseGrant, TokenEndpointMixin):
    """One token request; made anew for each, as Authlib does it.

    ``server`` is the :class:`idp.oauth.OAuthServer`; untyped here because it imports the grants.
    """

    TOKEN_ENDPOINT_AUTH_METHODS = ALL_METHODS

    def __init__(self, request: OAuthRequest, server: Any) -> None:
        super().__init__(request, server)
        self.oauth_request = request
        self.services: OAuthServices = server.services
        self.issuer: TokenIssuer = server.issuer
        self.now: datetime = self.services.clock.now()
        self.registered: RegisteredClient
        """The authenticated client; there is none before :meth:`validate_token_request`."""

    @property
    def epoch(self) -> datetime:
        """Before this moment nothing of the client's counts (row T16)."""
        return self.services.epochs.of(self.registered)

    @property
    def may_have_to_choose(self) -> bool:
        """Asked before a grant is used up: only then the row is worth a look beforehand."""
        return self.services.scopes.may_span_several(self.registered)

    def validate_token_request(self) -> None:
        """Authenticate the client and see that it may use this grant.

        Raises:
            InvalidClientError: not authenticated.
            UnauthorizedClientError: not registered for this grant (row R11).
        """
        self.registered = self.server.authenticate_client(
            self.oauth_request, self.TOKEN_ENDPOINT_AUTH_METHODS
        )
        if not self.registered.allows_grant(self.GRANT_TYPE):
            raise UnauthorizedClientError(
                f"The client is not registered for the grant type {self.GRANT_TYPE}."
            )

    def create_token_response(self) -> TokenResponse:
        """Use up the grant, then sign. Replaces Authlib's order, which signs first."""
        return 200, self.answer(), []

    def answer(self) -> Mapping[str, Any]:
        """The body of the token response. Each grant has its own."""
        raise NotImplementedError
