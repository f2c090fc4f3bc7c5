"""The OAuth 2.0 and OpenID Connect protocol: what a client may ask, and what it gets.

Owns the authorization request (authorization/), the grants (grants/), client authentication,
token responses, userinfo, introspection, revocation, logout and metadata. Knows neither
HTTP nor pages (web/), and not how a person proves who they are (login/).
Called by the entrances through the container.

Back channel, in reading order: request, client_authentication, server, grants/, issue, repeated,
id_token, claims, live_tokens, userinfo, introspection, revocation, discovery.
Front channel: authorization/, logout.
"""

from idp.oauth.authorization import (
    AuthorizationFlow,
    AuthorizationResponse,
    AuthorizationServices,
    InteractionView,
    Reason,
    Respond,
    ShowConsent,
    ShowLogin,
    ShowSelectAccount,
    ShowSignup,
    Step,
)
from idp.oauth.discovery import metadata
from idp.oauth.epochs import Epochs
from idp.oauth.errors import ShownError
from idp.oauth.id_token_hint import IdTokenHints
from idp.oauth.logout import Confirm, Done, LogoutFlow, LogoutServices, LogoutStep
from idp.oauth.repeated import RepeatedRequests
from idp.oauth.request import OAuthRequest
from idp.oauth.response import ProtocolResponse
from idp.oauth.scopes import ScopeResolver
from idp.oauth.server import OAuthServer
from idp.oauth.services import OAuthServices

__all__ = [
    "AuthorizationFlow",
    "AuthorizationResponse",
    "AuthorizationServices",
    "Confirm",
    "Done",
    "Epochs",
    "IdTokenHints",
    "InteractionView",
    "LogoutFlow",
    "LogoutServices",
    "LogoutStep",
    "OAuthRequest",
    "OAuthServer",
    "OAuthServices",
    "ProtocolResponse",
    "Reason",
    "RepeatedRequests",
    "Respond",
    "ScopeResolver",
    "ShowConsent",
    "ShowLogin",
    "ShowSelectAccount",
    "ShowSignup",
    "ShownError",
    "Step",
    "metadata",
]
