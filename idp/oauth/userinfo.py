"""The userinfo endpoint. Source: OpenID Connect Core §5.3, RFC 6750."""

from typing import Any

from authlib.oauth2.rfc6749.errors import InvalidRequestError, OAuth2Error

from idp.oauth.claims import userinfo_claims, vocabulary
from idp.oauth.live_tokens import LiveTokens
from idp.oauth.request import OAuthRequest
from idp.oauth.response import ProtocolResponse
from idp.oauth.scopes import OPENID
from idp.oauth.services import OAuthServices


class BearerError(OAuth2Error):
    """A refused bearer token, with the challenge of RFC 6750 §3 and a realm."""

    status_code = 401

    def __init__(self, realm: str, description: str) -> None:
        super().__init__(description)
        self._realm = realm

    def get_headers(self) -> list[tuple[str, str]]:
        """The challenge that names the error."""
        return [("WWW-Authenticate", f"Bearer {', '.join(self.challenge())}")]

    def challenge(self) -> list[str]:
        """The challenge's parts."""
        return [f'realm="{self._realm}"', f'error="{self.error}"', f'error_description="{self.description}"']


class NoTokenError(BearerError):
    """No token at all: the challenge says where one is due and nothing else (RFC 6750 §3.1)."""

    error = "invalid_token"

    def challenge(self) -> list[str]:
        """The realm alone."""
        return super().challenge()[:1]


class InvalidTokenError(BearerError):
    """Expired, revoked, malformed, or for another audience (row T5)."""

    error = "invalid_token"


class MalformedBearerError(BearerError):
    """Two tokens, or one where none may be (row T13)."""

    error = "invalid_request"
    status_code = 400


class InsufficientScopeError(BearerError):
    """A good token that may do something else."""

    error = "insufficient_scope"
    status_code = 403

    def challenge(self) -> list[str]:
        """With the scope that is missing."""
        return [*super().challenge(), f'scope="{OPENID}"']


class UserInfoEndpoint:
    """Claims about the person an access token speaks for."""

    def __init__(self, services: OAuthServices, live_tokens: LiveTokens) -> None:
        self._live_tokens = live_tokens
        self._clock = services.clock
        self._issuer = services.settings.issuer
        self._known = vocabulary(services.settings.claims.scopes)

    def respond(self, request: OAuthRequest) -> ProtocolResponse:
        """The claims that the token's scopes and its ``claims`` request open.

        Raises:
            BearerError: no token, a bad one, or one without ``openid``.
            Unavailable: the database cannot say whether the token is good.
        """
        live = self._live_tokens.find(self._presented(request), self._clock.now())
        if live is None or live.claims.aud != self._issuer:
            raise InvalidTokenError(
                self._issuer, "The access token is invalid, expired or revoked, or not for us."
            )
        if OPENID not in live.claims.scope:
            raise InsufficientScopeError(self._issuer, "The access token lacks the scope openid.")
        if live.state.account is None:
            raise InvalidTokenError(self._issuer, "The access token speaks for nobody.")
        return ProtocolResponse(
            200,
            userinfo_claims(
                live.state.account, live.claims.scope, _claims_request(live.state.grant), self._known
            ),
        )

    def _presented(self, request: OAuthRequest) -> str:
        """The one token of the request, from the header or, for POST, the form. Source: RFC 6750 §2."""
        try:
            request.assert_well_formed()
        except InvalidRequestError as error:
            raise MalformedBearerError(self._issuer, error.description) from error
        authorization = request.headers.get("Authorization")
        in_form = request.form.get("access_token") if request.method == "POST" else None
        if authorization is not None and in_form is not None:
            raise MalformedBearerError(self._issuer, "Send the access token once.")
        if in_form is not None:
            return in_form
        scheme, _, token = (authorization or "").strip().partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise NoTokenError(self._issuer, "This endpoint needs an access token.")
        return token.strip()


def _claims_request(grant: Any) -> Any:
    return None if grant is None else grant.get("claims_request")
