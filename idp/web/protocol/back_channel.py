"""Token, introspection, revocation and userinfo: read the request, ask oauth, send its answer."""

from collections.abc import Callable
from http import HTTPStatus

import orjson
from werkzeug.exceptions import BadRequest

from idp.oauth import OAuthRequest, ProtocolResponse, RepeatedRequests
from idp.settings import Settings
from idp.web.body import parse_pairs, read_body
from idp.web.context import source_of
from idp.web.wire import JSON_HEADERS, Answer, Environ, Headers, json_answer, json_headers

_OK = HTTPStatus.OK.value


class BackChannel:
    """One endpoint that clients and resource servers call.

    Args:
        operation: the protocol's side of it; form body and Authorization header are all it sees.
        settings: body size, trusted proxies.
        cors: headers for scripts of other origins.
        repeats: answers the requests it knows, in place of the operation.
    """

    def __init__(
        self,
        operation: Callable[[OAuthRequest], ProtocolResponse],
        settings: Settings,
        cors: Headers,
        repeats: RepeatedRequests | None = None,
    ) -> None:
        self._operation = operation
        self._limit = settings.server.max_body_bytes
        self._trusted_hops = settings.proxy.trusted_hops
        self._cors = cors
        self._repeats = repeats
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
        sent = read_body(environ, limit=self._limit) if method == "POST" else b""
        fingerprint = None
        if self._repeats is not None:
            fingerprint = self._repeats.fingerprint(authorization, sent)
            known = None if fingerprint is None else self._repeats.answer(fingerprint)
            if known is not None:
                return Answer(_OK, self._usual_headers, known)
        status, body, headers = self._operation(
            OAuthRequest(
                method=method,
                headers={} if authorization is None else {"Authorization": authorization},
                form=parse_pairs(sent),
                source=source_of(environ, trusted_hops=self._trusted_hops),
                fingerprint=fingerprint,
            )
        )
        if not headers:
            return Answer(status, self._usual_headers, orjson.dumps(body))
        return json_answer(status, body, json_headers((*headers, *self._cors)))
