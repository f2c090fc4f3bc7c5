"""Errors Authlib lacks, and the two types that say where an authorization error may go.

The vocabulary of error codes is Authlib's (``authlib.oauth2.rfc6749.errors``,
``authlib.oidc.core.errors``). An authorization error wraps one of them:

* :class:`ShownError`: client or redirect URI cannot be trusted, so the person sees a page (row R2);
* :class:`RedirectedError`: both are fine, so the client gets the answer at its redirect URI.
"""

from typing import cast

from authlib.oauth2.rfc6749.errors import OAuth2Error

from idp.errors import IdpError

_LONGEST_QUOTE = 60


class InvalidTargetError(OAuth2Error):
    """The ``resource`` is unknown, malformed, or not part of the grant. Source: RFC 8707 §2."""

    error = "invalid_target"


class TemporarilyUnavailableError(OAuth2Error):
    """The server cannot answer right now. Source: RFC 6749 §4.1.2.1."""

    error = "temporarily_unavailable"


class UnmetAuthenticationRequirementsError(OAuth2Error):
    """The demanded ``acr`` cannot be reached.

    Source: OpenID Connect Core Error Code unmet_authentication_requirements §3.
    """

    error = "unmet_authentication_requirements"


class AuthorizationError(IdpError):
    """An authorization request that fails; ``error`` is the OAuth code, ``parameter`` what is wrong.

    Raised only as one of its two children.
    """

    def __init__(self, cause: OAuth2Error, *, parameter: str | None = None, detail: str = "") -> None:
        description = cast("str", cause.description or "")
        super().__init__(description, detail=detail)
        self.error = cast("str", cause.error)
        """The OAuth error code, for example ``invalid_request``."""
        self.parameter = parameter
        """The request parameter that has to change; ``None`` when it is none in particular."""


class ShownError(AuthorizationError):
    """Nothing may be sent to the redirect URI: show a page with status 4xx (rows R2, R4)."""


class RedirectedError(AuthorizationError):
    """The client may hear of it at its redirect URI. Source: RFC 6749 §4.1.2.1."""


def quotable(text: str) -> str:
    """Text from a request in a form that an ``error_description`` may carry.

    Characters outside %x20-21 / %x23-5B / %x5D-7E become ``?`` (RFC 6749 §4.1.2.1); Authlib
    raises on them. The result has at most 60 characters.
    """
    return "".join(c if " " <= c <= "~" and c not in '"\\' else "?" for c in text[:_LONGEST_QUOTE])
