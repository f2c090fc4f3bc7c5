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


class Grant(BaseGrant, TokenEndpointMixin):
    """One token request; made anew for each, as Authlib does it.

    ``server`` is the :class:`idp.oauth.OAuthServer`; untyped here because it imports the grants.
    """

    TOKEN_ENDPOINT_AUTH_METHODS = ALL_METHODS

    def __init__(self, request: OAuthRequest, server: Any) -> None:
        # Authlib's constructor is not called: it adds a table of hooks, and nobody registers any here.
        self.request = self.oauth_request = request
        self.server = server
        self.services: OAuthServices = server.services
        self.issuer: TokenIssuer = server.issuer
        self.now: datetime = self.services.clock.now()
        """The one moment of this request."""
        self.registered: RegisteredClient
        """The authenticated client; there is none before :meth:`validate_token_request`."""

    def validate_token_request(self) -> None:
        """Authenticate the client and see that it may use this grant.

        Raises:
            InvalidClientError: not authenticated.
            UnauthorizedClientError: not registered for this grant (row R11).
        """
        self.registered = client = self.server.authenticator.authenticate(
            self.oauth_request, self.TOKEN_ENDPOINT_AUTH_METHODS, now=self.now
        )
        if self.GRANT_TYPE not in client.grant_types:
            raise UnauthorizedClientError(
                f"The client is not registered for the grant type {self.GRANT_TYPE}."
            )

    def answer(self) -> Mapping[str, Any]:
        """The body of the token response. Each grant has its own: it uses up the grant, then signs."""
        raise NotImplementedError
