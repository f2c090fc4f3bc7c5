"""The protocol blueprint and its table of addresses. It carries no hooks, and never will."""

from flask import Blueprint, Flask

from idp.web.protocol.cors import CROSS_ORIGIN, OAUTH_METADATA, OIDC_METADATA, preflight
from idp.web.protocol.discovery import jwks, openid_configuration
from idp.web.protocol.introspection import introspect
from idp.web.protocol.revocation import revoke
from idp.web.protocol.token import token
from idp.web.protocol.userinfo import userinfo

ROUTES = (  # address, endpoint, view, methods
    (OIDC_METADATA, "openid_configuration", openid_configuration, ["GET"]),
    (OAUTH_METADATA, "authorization_server_metadata", openid_configuration, ["GET"]),
    ("/jwks", "jwks", jwks, ["GET"]),
    ("/token", "token", token, ["POST"]),
    ("/introspect", "introspect", introspect, ["POST"]),
    ("/revoke", "revoke", revoke, ["POST"]),
    ("/userinfo", "userinfo", userinfo, ["GET", "POST"]),
)

PATHS = frozenset(route[0] for route in ROUTES)
"""Every address here, below the issuer's path; errors at them are JSON."""

protocol = Blueprint("protocol", __name__)

for _path, _endpoint, _view, _methods in ROUTES:
    protocol.add_url_rule(_path, _endpoint, _view, methods=_methods, provide_automatic_options=False)
    if _path in CROSS_ORIGIN:
        protocol.add_url_rule(
            _path, f"preflight_{_endpoint}", preflight, methods=["OPTIONS"], provide_automatic_options=False
        )


def register_root_metadata(app: Flask, *, path_prefix: str) -> None:
    """Serve the RFC 8414 address of an issuer with a path, which starts at the root of the host.

    Source: RFC 8414 §3.1: the well-known part goes between host and path.
    """
    if path_prefix:
        app.add_url_rule(
            OAUTH_METADATA + path_prefix,
            "authorization_server_metadata",
            openid_configuration,
            methods=["GET"],
            provide_automatic_options=False,
        )
