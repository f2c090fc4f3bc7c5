"""Which addresses a script of another origin may call.

Never with credentials: a browser attaches no cookie of ours, so ``*`` gives a script nothing
that curl does not have. The authorization endpoint and introspection are not in the table and
get no CORS header at all (row R8).
"""

from flask import Response, request

from idp.web.context import local_path

OIDC_METADATA = "/.well-known/openid-configuration"
OAUTH_METADATA = "/.well-known/oauth-authorization-server"

CROSS_ORIGIN = {  # address -> methods a script may use
    OIDC_METADATA: "GET, HEAD",
    OAUTH_METADATA: "GET, HEAD",
    "/jwks": "GET, HEAD",
    "/token": "POST",
    "/revoke": "POST",
    "/userinfo": "GET, POST",
}

ANY_ORIGIN = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After, X-Request-Id"),
)
"""The headers that let a script of any origin read an answer."""

_PREFLIGHT_MAX_AGE = "7200"  # seconds; the most that browsers accept


def cors_headers(path: str) -> tuple[tuple[str, str], ...]:
    """The CORS headers for answers at this address, errors included; mostly none.

    Args:
        path: below the issuer's path, for example ``/token``.
    """
    return ANY_ORIGIN if path in CROSS_ORIGIN else ()


def preflight() -> Response:
    """Answer ``OPTIONS`` at an address of the table. Source: Fetch standard, CORS-preflight request."""
    response = Response(b"", status=204, headers=list(ANY_ORIGIN))
    response.headers.pop("Content-Type", None)
    response.headers["Access-Control-Allow-Methods"] = CROSS_ORIGIN[local_path(request.path)]
    response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
    response.headers["Access-Control-Max-Age"] = _PREFLIGHT_MAX_AGE
    return response
