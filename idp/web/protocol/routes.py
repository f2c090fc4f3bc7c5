"""The protocol's table of addresses."""

from flask import Response, request

from idp.container import Container
from idp.web.application import Application, WaitsForDatabase
from idp.web.protocol.back_channel import BackChannel
from idp.web.protocol.cors import CROSS_ORIGIN, OAUTH_METADATA, OIDC_METADATA, cors_headers, preflight
from idp.web.protocol.discovery import Metadata
from idp.web.protocol.documents import DocumentEndpoint
from idp.web.protocol.endpoint import Guarded
from idp.web.protocol.key_set import KeySet
from idp.web.protocol.upstream_logout import PATH as UPSTREAM_LOGOUT
from idp.web.protocol.upstream_logout import UpstreamLogoutEndpoint
from idp.web.protocol.well_known import add_well_known
from idp.web.responses import flask_response
from idp.web.wire import Endpoint, Environ

PATHS = frozenset({OIDC_METADATA, OAUTH_METADATA, "/jwks", "/token", "/introspect", "/revoke", "/userinfo"})
"""Every address here, below the issuer's path; errors at them are JSON."""


def add_protocol(app: Application, container: Container) -> None:
    """Put every endpoint of the protocol into the application."""
    oauth = container.oauth
    metadata = DocumentEndpoint(Metadata(container).current)
    keys = DocumentEndpoint(KeySet(container.keyring).current)
    documents = (  # address, endpoint
        (OIDC_METADATA, metadata),
        (OAUTH_METADATA, metadata),
        ("/jwks", keys),
    )
    # To read is no wait where the database is a file.
    look_waits = _always if container.settings.database.dialect == "postgresql" else None
    operations = (  # address, operation, methods, memory, which wait
        ("/token", oauth.token, ["POST"], oauth.repeats, _has_a_person),
        ("/introspect", oauth.introspect, ["POST"], None, look_waits),
        ("/revoke", oauth.revoke, ["POST"], None, None),
        ("/userinfo", oauth.userinfo, ["GET", "POST"], None, look_waits),
    )
    for path, document in documents:
        _add(app, path, document, ["GET"])
    for path, operation, methods, repeats, waiting in operations:
        endpoint = BackChannel(operation, container.settings, cors_headers(path), repeats)
        _add(app, path, endpoint, methods, waiting)
    add_well_known(app, container)
    _add_upstream_logout(app, container)
    if app.path_prefix:
        # RFC 8414 §3.1: the well-known part goes between host and path.
        guarded = Guarded(metadata, app.edge, cors_headers(OAUTH_METADATA))
        app.add_endpoint(OAUTH_METADATA + app.path_prefix, "root_metadata", guarded, ["GET"])


def _add_upstream_logout(app: Application, container: Container) -> None:
    """By Flask's router, because the address holds the provider; it is no hot path."""

    def upstream_logout(provider_id: str) -> Response:
        endpoint = Guarded(UpstreamLogoutEndpoint(container, provider_id), app.edge, ())
        return flask_response(endpoint({**request.environ, "REQUEST_METHOD": request.method}))

    app.add_url_rule(
        app.path_prefix + UPSTREAM_LOGOUT,
        "protocol /federation/backchannel-logout",
        upstream_logout,
        methods=["POST"],
        provide_automatic_options=False,
    )


def _has_a_person(_environ: Environ, body: bytes) -> bool:
    """Whether a token request speaks for somebody: a machine's own token needs no database."""
    return b"client_credentials" not in body


def _always(_environ: Environ, _body: bytes) -> bool:
    return True


def _add(
    app: Application,
    path: str,
    endpoint: Endpoint,
    methods: list[str],
    waits: WaitsForDatabase | None = None,
) -> None:
    whole = app.path_prefix + path
    guarded = Guarded(endpoint, app.edge, cors_headers(path))
    app.add_endpoint(whole, f"protocol {path}", guarded, methods, waits=waits)
    if path in CROSS_ORIGIN:
        app.add_url_rule(
            whole, f"preflight {path}", preflight, methods=["OPTIONS"], provide_automatic_options=False
        )
