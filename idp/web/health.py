"""Probes for the machinery around the server: alive, and ready to serve.

They say yes or no and nothing else (row X14).
"""

from flask import Blueprint, Flask, Response

from idp.errors import IdpError
from idp.observability import get_logger
from idp.web.application import HEALTH_PATHS
from idp.web.context import container, now
from idp.web.responses import json_response

_log = get_logger(__name__)


def healthz() -> Response:
    """The process runs and answers. Never asks the database: a restart would not bring it back."""
    return json_response(200, {"status": "ok"})


def readyz() -> Response:
    """The server can do its work now: the database answers and changes are heard of."""
    here = container()
    try:
        here.database.ping(now())
        here.feed.assert_available()
    except IdpError as error:
        _log.warning("health.not_ready", extra={"fields": {"detail": error.detail or error.description}})
        return json_response(503, {"status": "unavailable"}, [("Retry-After", "1")])
    return json_response(200, {"status": "ready"})


def register_health(app: Flask, *, path_prefix: str) -> None:
    """Serve the probes at the root, and under the issuer's path if it has one."""
    for prefix in dict.fromkeys(("", path_prefix)):
        blueprint = Blueprint(
            "health" + prefix.replace("/", "_").replace(".", "_"), __name__, url_prefix=prefix or None
        )
        for path, view in zip(HEALTH_PATHS, (healthz, readyz), strict=True):
            blueprint.add_url_rule(path, view_func=view, methods=["GET"], provide_automatic_options=False)
        app.register_blueprint(blueprint)
