"""Token, introspection, revocation and userinfo: read the request, ask oauth, send its answer."""

from collections.abc import Callable

from werkzeug.exceptions import BadRequest

from idp.oauth import OAuthRequest, ProtocolResponse
from idp.settings import Settings
from idp.web.body import read_form
from idp.web.context import source_of
from idp.web.wire import JSON_HEADERS, Answer, Environ, Headers, json_answer, json_headers


class BackChannel:
    """One endpoint that clients and resource servers call.

    Args:
        operation: the protocol's side of it; form body and Authorization header are all it sees.
        settings: body size, trusted proxies.
        cors: headers for scripts of other origins.
    """

    def __init__(
        self, operation: Callable[[OAuthRequest], ProtocolResponse], settings: Settings, cors: Headers
    ) -> None:
        self._operation = operation
        self._limit = settings.server.max_body_bytes
        self._trusted_hops = settings.proxy.trusted_hops
        self._cors = cors
        self._usual_headers = (*JSON_HEADERS, *cors)

    def __call__(self, environ: Environ) -> Answer:
        """Cookies are not passed on, and neither is the address, which may hold any host name.

        Raises:
            BadRequest: a query string (row T13: tokens and codes never travel in one), or a
                malformed body; see :func:`idp.web.body.read_form` for its other errors.
        """
        if environ.get("QUERY_STRING"):
            raise BadRequest("Parameters belong in the request body; this endpoint takes none in the URL.")
        method = environ["REQUEST_METHOD"]
        authorization = environ.get("HTTP_AUTHORIZATION")
        status, body, headers = self._operation(
            OAuthRequest(
                method=method,
                headers={} if authorization is None else {"Authorization": authorization},
                form=read_form(environ, limit=self._limit) if method == "POST" else (),
                source=source_of(environ, trusted_hops=self._trusted_hops),
            )
        )
        if not headers:
            return json_answer(status, body, self._usual_headers)
        return json_answer(status, body, json_headers((*headers, *self._cors)))
