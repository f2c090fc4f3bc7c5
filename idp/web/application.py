"""The Flask application class: no Flask session, strict limits, a request id on every answer.

Browser pages go through Flask as usual. The protocol's addresses are answered before Flask makes
a request, a context and a response of them: that would cost 100 µs, and a whole client_credentials
answer costs less (docs/performance.md). Both ways end in the same endpoints.
"""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, cast

from flask import Flask, Request, Response, request
from flask.sessions import SessionInterface, SessionMixin
from flask.typing import ResponseReturnValue
from jinja2 import StrictUndefined
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.sansio.http import parse_cookie
from werkzeug.utils import cached_property

from idp.observability import new_request_id, request_id
from idp.settings import Settings
from idp.shipped import find_templates
from idp.web.body import MAX_FIELDS
from idp.web.edge import Edge
from idp.web.responses import flask_response
from idp.web.wire import STATUS_LINES, Answer, Endpoint, Environ

HEALTH_PATHS = ("/healthz", "/readyz")
"""Probes; any Host may call them."""

_NOT_MODIFIED = HTTPStatus.NOT_MODIFIED.value  # an enumeration's member costs a call each time
_SERVER = ("Server", "idp")
"""Ours to say, or the HTTP server would name itself (row X14)."""

_IS_WHOLE = "idp.is_whole"
"""In the environment of a request through Flask: whether its answer is no stream."""


class PlainRequest(Request):
    """A request whose cookies are read where WSGI put them, not looked for among all headers."""

    @cached_property
    def cookies(self) -> ImmutableMultiDict[str, str]:
        """As Werkzeug reads them."""
        sent = parse_cookie(self.environ.get("HTTP_COOKIE", ""), cls=self.dict_storage_class)
        return cast("ImmutableMultiDict[str, str]", sent)


class NoSession(SessionInterface):
    """Flask's session, switched off: browser sessions are ours (decision D6).

    Flask then hands out its ``NullSession``, which raises on every write and is never saved.
    """

    def open_session(self, app: Flask, request: Request) -> SessionMixin | None:
        """No session, for any request."""
        del app, request
        return None

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Nothing to save; Flask never gets here with a ``NullSession``."""


WaitsForDatabase = Callable[[Environ, bytes], bool]
"""Tells by environment and body whether a request waits for the database. A guess: either answer is safe."""


class Application(Flask):
    """Flask as this product uses it.

    The application carries no hooks; those of the browser pages hang on their blueprint.
    What must happen to every request is done in the methods below.
    """

    request_class = PlainRequest

    def __init__(self, settings: Settings) -> None:
        super().__init__("idp.web", template_folder=str(find_templates()), static_folder=None)
        self.session_interface = NoSession()
        self.config.update(
            MAX_CONTENT_LENGTH=settings.server.max_body_bytes,
            MAX_FORM_MEMORY_SIZE=settings.server.max_body_bytes,
            MAX_FORM_PARTS=MAX_FIELDS,
            TEMPLATES_AUTO_RELOAD=False,
        )
        # Merging slashes answers 308, which would send a password a second time (row R7).
        self.url_map.merge_slashes = False
        self.jinja_options = {
            **self.jinja_options,
            "undefined": StrictUndefined,
            "trim_blocks": True,
            "lstrip_blocks": True,
        }
        self.path_prefix = settings.issuer_path
        """The path of the issuer; every address of ours starts with it. Empty for most."""
        self._direct: dict[tuple[str, str], Endpoint] = {}
        self.waiting: dict[tuple[str, str], WaitsForDatabase] = {}
        """By method and path, which requests may run in a fiber; see :mod:`idp.fibers`."""
        self.turn_away: Callable[[Environ], Answer | None] = _nobody
        """Answers a request for a page before any of a page's work is done, or lets it through."""
        self.edge = Edge(
            issuer=settings.issuer,
            trusted_hosts=settings.proxy.trusted_hosts,
            exempt_paths=[prefix + path for prefix in ("", self.path_prefix) for path in HEALTH_PATHS],
        )
        """The rules of the outermost door, which every request passes first."""

    def add_endpoint(
        self,
        path: str,
        name: str,
        endpoint: Endpoint,
        methods: Iterable[str],
        *,
        waits: WaitsForDatabase | None = None,
    ) -> None:
        """Answer ``methods`` at exactly this path without Flask.

        The URL map knows the path too: it answers other methods with 405, and ``HEAD`` by the
        endpoint for ``GET``.

        Args:
            path: whole path, with that of the issuer.
            name: for ``url_for``.
            endpoint: passes the edge itself and turns its errors into answers.
            methods: upper case.
            waits: which of its requests do little but wait, and can do that in a fiber.
        """

        def view() -> Response:
            # Flask takes methods in any case; so must the endpoint, or it would not read the body.
            return flask_response(endpoint({**request.environ, "REQUEST_METHOD": request.method}))

        self.add_url_rule(path, name, view, methods=[*methods], provide_automatic_options=False)
        for method in methods:
            self._direct[method, path] = endpoint
            if waits is not None:
                self.waiting[method, path] = waits

    def answer(self, environ: Environ) -> Answer | None:
        """The whole answer of an endpoint, but for its length; ``None``: the request is for Flask.

        Args:
            environ: at least what belongs to this one request, and its body.
        """
        endpoint = self._direct.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        if endpoint is None:
            return None
        identity = new_request_id()
        before = request_id.set(identity)
        try:
            return _finished(endpoint(environ), identity)
        finally:
            request_id.reset(before)

    def wsgi_app(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Give the request its id, then serve it. An id sent by the client is not trusted.

        A body that is there as a whole is returned as a list; see :func:`_whole`.
        """
        answer = self.answer(environ)
        if answer is not None:
            return _as_wsgi(answer, start_response)
        identity = new_request_id()
        before = request_id.set(identity)
        try:
            answer = self.turn_away(environ)
            if answer is None:
                pieces = super().wsgi_app(environ, start_response)
                return _whole(pieces) if environ.get(_IS_WHOLE) else pieces
            return _as_wsgi(_finished(answer, identity), start_response)
        finally:
            request_id.reset(before)

    def preprocess_request(self) -> ResponseReturnValue | None:
        """Check host and sizes before any hook or view; errors go to the error handlers."""
        self.edge.assert_acceptable(request.environ)
        return super().preprocess_request()

    def process_response(self, response: Response) -> Response:
        """Put the request id on every answer, errors included."""
        response = super().process_response(response)
        # Nothing else sets them: to add costs a third of what to replace would.
        response.headers.add(*_SERVER)
        response.headers.add("X-Request-Id", request_id.get())
        request.environ[_IS_WHOLE] = response.is_sequence
        return response


def _finished(answer: Answer, identity: str) -> Answer:
    """With the headers that every answer has."""
    status, headers, body = answer
    return Answer(status, (*headers, _SERVER, ("X-Request-Id", identity)), body)


def _as_wsgi(answer: Answer, start_response: Any) -> list[bytes]:
    status, headers, body = answer
    length = () if status == _NOT_MODIFIED else (("Content-Length", str(len(body))),)
    start_response(STATUS_LINES[status], [*headers, *length])
    return [body]


def _nobody(_environ: Environ) -> None:
    """Let everybody through."""


def _whole(pieces: Iterable[bytes]) -> list[bytes]:
    """A body in one piece, and as a list: the server sends a list at once, anything else through a channel.

    That takes further switches between its threads, several times as many as the answer is worth.
    """
    try:
        return [b"".join(pieces)]
    finally:
        close = getattr(pieces, "close", None)  # PEP 3333: whoever takes the body calls it
        if close is not None:
            close()
