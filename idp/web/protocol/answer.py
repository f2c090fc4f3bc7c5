"""What every back-channel endpoint does: read the request, ask oauth, send its answer."""

from collections.abc import Callable

from flask import Response, request

from idp.oauth import OAuthRequest, ProtocolResponse
from idp.web.context import local_path
from idp.web.protocol.cors import cors_headers
from idp.web.request import oauth_request
from idp.web.responses import json_response


def answer(operation: Callable[[OAuthRequest], ProtocolResponse]) -> Response:
    """Run ``operation`` on the current request and send what it returns."""
    result = operation(oauth_request())
    return json_response(
        result.status, result.body, (*result.headers, *cors_headers(local_path(request.path)))
    )
