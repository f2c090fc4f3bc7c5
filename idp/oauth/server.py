"""The back channel: Authlib's framework-free server, with its traps closed.

Authlib picks the grant and carries the order of a token request; client authentication, the
grants and the endpoints are ours.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from authlib.consts import default_json_headers
from authlib.oauth2.rfc6749 import AuthorizationServer
from authlib.oauth2.rfc6749.errors import InvalidRequestError, OAuth2Error, UnsupportedGrantTypeError

from idp.clients import RegisteredClient
from idp.oauth.client_authentication import ClientAuthenticator
from idp.oauth.errors import quotable
from idp.oauth.grants import AuthorizationCodeGrant, ClientCredentialsGrant, Grant, RefreshTokenGrant
from idp.oauth.introspection import IntrospectionEndpoint
from idp.oauth.issue import TokenIssuer
from idp.oauth.live_tokens import LiveTokens
from idp.oauth.repeated import RepeatedRequests
from idp.oauth.request import OAuthRequest
from idp.oauth.response import ProtocolResponse
from idp.oauth.revocation import RevocationEndpoint
from idp.oauth.services import OAuthServices
from idp.oauth.userinfo import UserInfoEndpoint
from idp.observability import get_logger

_log = get_logger(__name__)

GRANTS: tuple[type[Grant], ...] = (AuthorizationCodeGrant, RefreshTokenGrant, ClientCredentialsGrant)
"""What the token endpoint takes. Authlib would ask each in turn whether the request is for it."""

_USUAL_HEADERS = frozenset(default_json_headers)
"""Authlib puts them on every error; the entrance has its own."""


class OAuthServer(AuthorizationServer):
    """Token, introspection, revocation and userinfo requests in, answers out; no framework.

    Every public method refuses to answer while this process hears of no changes, because its
    cached clients and keys may be old. Protocol errors become answers; ``Unavailable`` is
    raised and becomes 503 at the door.
    """

    def __init__(self, services: OAuthServices) -> None:
        super().__init__()
        self.services = services
        self.issuer = TokenIssuer(services)
        self.authenticator = ClientAuthenticator(services)
        self.repeats = RepeatedRequests(services, self.authenticator, self.issuer)
        live_tokens = LiveTokens(services)
        self._userinfo = UserInfoEndpoint(services, live_tokens)
        self._introspection = IntrospectionEndpoint(services, self.authenticator, live_tokens)
        self._revocation = RevocationEndpoint(services, self.authenticator)
        self._grants: dict[str, type[Grant]] = {grant.GRANT_TYPE: grant for grant in GRANTS}

    def token(self, request: OAuthRequest) -> ProtocolResponse:
        """The token endpoint. Source: RFC 6749 §3.2.

        Raises:
            Unavailable: a safe answer is not possible right now.
        """
        return self._answer(self.create_token_response, request)

    def introspect(self, request: OAuthRequest) -> ProtocolResponse:
        """The introspection endpoint. Source: RFC 7662 §2.

        Raises:
            Unavailable: a safe answer is not possible right now.
        """
        return self._answer(self._introspection.respond, request)

    def revoke(self, request: OAuthRequest) -> ProtocolResponse:
        """The revocation endpoint. Source: RFC 7009 §2.

        Raises:
            Unavailable: a safe answer is not possible right now.
        """
        return self._answer(self._revocation.respond, request)

    def userinfo(self, request: OAuthRequest) -> ProtocolResponse:
        """The userinfo endpoint. Source: OpenID Connect Core §5.3.

        Raises:
            Unavailable: a safe answer is not possible right now.
        """
        return self._answer(self._userinfo.respond, request)

    def _answer(
        self, endpoint: Callable[[OAuthRequest], ProtocolResponse], request: OAuthRequest
    ) -> ProtocolResponse:
        self.services.feed.assert_available()
        try:
            return endpoint(request)
        except OAuth2Error as error:
            return self.handle_error_response(request, error)

    # --- The seam: what Authlib asks of its host ------------------------------------------------------------

    def create_token_response(self, request: OAuthRequest) -> ProtocolResponse:
        """What every token request passes, in order; errors are answered by the caller.

        Authlib's method of this name takes the last three steps, each through layers that have
        nothing to do here.

        Raises:
            OAuth2Error: the first check that fails.
        """
        request.assert_well_formed()  # RFC 6749 §3.2: no parameter twice; sizes and characters
        grant = self.get_token_grant(request)  # §4.1.3, §4.4.2, §6: one of our grant types
        grant.validate_token_request()  # §2.3, §5.2: the client is proven, and registered for this grant
        return ProtocolResponse(200, grant.answer())  # one statement uses up the grant, then it is signed

    def authenticate_client(
        self, request: OAuthRequest, methods: Iterable[str], endpoint: str = "token"
    ) -> RegisteredClient:
        """Our own authentication in place of Authlib's, which accepts several methods at once."""
        return self.authenticator.authenticate(request, methods, now=self.services.clock.now())

    def create_oauth2_request(self, request: OAuthRequest) -> OAuthRequest:
        """The entrance has built it already."""
        return request

    def get_token_grant(self, request: OAuthRequest) -> Grant:
        """The grant for this request.

        Raises:
            InvalidRequestError: ``grant_type`` missing.
            UnsupportedGrantError: none of ours; the text cannot be broken by what was sent.
        """
        grant_type = request.form.get("grant_type")
        if grant_type is None:
            raise InvalidRequestError("The parameter grant_type is missing.")
        grant = self._grants.get(grant_type)
        if grant is None or request.method not in grant.TOKEN_ENDPOINT_HTTP_METHODS:
            raise UnsupportedGrantError(grant_type)
        return grant(request, self)

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Authlib's events have no listeners here; the audit record has its own."""

    def handle_response(
        self, status: int, body: Mapping[str, Any], headers: Iterable[tuple[str, str]]
    ) -> ProtocolResponse:
        """Status, body and headers as the entrance takes them."""
        if not headers:
            return ProtocolResponse(status, body)
        return ProtocolResponse(status, body, tuple(pair for pair in headers if pair not in _USUAL_HEADERS))

    def handle_error_response(self, request: OAuthRequest, error: OAuth2Error) -> ProtocolResponse:
        """An error in the form of RFC 6749 §5.2."""
        # Not the description: it may quote a parameter, and people put secrets into wrong fields.
        client_id = None if request.client is None else request.client.client_id
        _log.info("oauth.refused", extra={"fields": {"error": error.error, "client_id": client_id}})
        response: ProtocolResponse = super().handle_error_response(request, error)
        return response


class UnsupportedGrantError(UnsupportedGrantTypeError):
    """``unsupported_grant_type`` with a text in the characters the specification allows."""

    def __init__(self, grant_type: str) -> None:
        super().__init__(grant_type)
        self.description = f"The grant type {quotable(grant_type)} is not supported."
