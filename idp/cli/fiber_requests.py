"""Requests that granian's threads hand to the fiber loop instead of waiting themselves.

granian calls the application in one of its threads, and takes what that returns for the answer. Its own
wrapper between the two, ``granian.wsgi._callback_wrapper``, is given an object that the answer is sent
through, from any thread and at any time; so another wrapper can give the thread back before there is an
answer. Only a body has to be read before. The wrapper is no public interface: where it is missing,
:func:`can_install` says so, and every request waits in its thread as under any other WSGI server.
"""

import io
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, Final, Protocol

import granian.server.mp
import granian.wsgi

from idp.cli.leading import LeaderFollowers
from idp.fibers import FiberLoop, before_blocking
from idp.observability import get_logger
from idp.scheduling import settle, work_in_batches

_log = get_logger(__name__)

_HOOK: Final = "_wsgi_call_wrap"
"""granian's name for the wrapper, in the module that starts its workers."""
_LARGEST_BODY: Final = 65_536
"""Bytes. No request of a well-behaved client is as large."""
_LONGEST_LENGTH: Final = 6
"""Digits of a Content-Length that is looked at."""

Environ = dict[str, Any]
Runner = Callable[[Any, Environ], Any]
"""What granian calls for each request, with where the answer goes and what the request is."""


class FiberApplication(Protocol):
    """A WSGI application that says which requests do little but wait."""

    waiting: Mapping[tuple[str, str], Callable[[Environ, bytes], bool]]

    def answer(self, environ: Environ, /) -> tuple[int, Sequence[tuple[str, str]], bytes] | None:
        """Status, headers and body of what needs no WSGI; ``None`` for what does.

        The environment lacks what all requests have alike; the server adds the length of the body.
        """
        ...

    def __call__(self, environ: Environ, start_response: Any, /) -> Any:
        """PEP 3333."""
        ...


def can_install() -> bool:
    """Whether this release of granian is built as we know it."""
    return hasattr(granian.server.mp, _HOOK)


def install(blocking_threads: int) -> None:
    """Let the workers that granian is about to start run waiting requests in fibers.

    Args:
        blocking_threads: how many requests of a worker that begin again in a thread may be there at a time.
    """

    def wrapped(application: FiberApplication, options: Environ, _access_log: object = None) -> Runner:
        work_in_batches()
        return fiber_runner(application, FiberLoop(blocking_threads), options)

    setattr(granian.server.mp, _HOOK, wrapped)


def fiber_runner(application: FiberApplication, loop: FiberLoop, options: Environ) -> Runner:
    """What granian calls.

    Args:
        application: asked and answering.
        loop: where requests wait.
        options: of granian.
    """
    turns = LeaderFollowers()
    plain = granian.wsgi._callback_wrapper(application, options)  # noqa: SLF001 - what else would call us
    base = _base_environ()
    waiting = application.waiting

    def take(proto: Any, scope: Environ) -> None:
        waits = waiting.get((scope["REQUEST_METHOD"], scope["PATH_INFO"]))
        if waits is not None and (length := _length(scope)) is not None:
            body: bytes = scope["wsgi.input"].read(length) if length else b""
            if waits(scope, body):
                loop.run(partial(_answer, application, base, scope, body, proto))
                return
            scope["wsgi.input"] = io.BytesIO(body)
        answer = application.answer(scope)
        if answer is None:
            turns.promote()  # a page takes a while, whether it waits or not
            plain(proto, scope)
        else:
            proto.response_bytes(*answer)

    def run(proto: Any, scope: Environ) -> None:
        turns.take()
        settle()
        before_blocking(turns.promote)
        try:
            take(proto, scope)
        except BaseException:
            turns.failed()  # granian answers, as soon as it hears of it
            raise
        turns.done()

    return run


def _answer(application: FiberApplication, base: Environ, scope: Environ, body: bytes, proto: Any) -> None:
    """May be called again, from the beginning, until it has sent an answer."""
    scope["wsgi.input"] = io.BytesIO(body)
    try:
        answer = application.answer(scope)
        if answer is None:
            response = granian.wsgi.Response()  # type: ignore[no-untyped-call]
            sent = b"".join(application(base | scope, response))
            answer = response.status, response.headers, sent
    except Exception:  # noqa: BLE001 - as granian does: whatever goes wrong is logged, and answered
        _log.exception("server.application_failed")
        answer = HTTPStatus.INTERNAL_SERVER_ERROR.value, (), b""
    proto.response_bytes(*answer)


def _base_environ() -> Environ:
    """What all requests have in common. Source: PEP 3333; granian's own wrapper."""
    return {
        **os.environ,
        "GATEWAY_INTERFACE": "CGI/1.1",
        "SCRIPT_NAME": "",
        "SERVER_SOFTWARE": "Granian",
        "wsgi.errors": sys.stderr,
        "wsgi.input_terminated": True,
        "wsgi.multiprocess": False,
        "wsgi.multithread": True,
        "wsgi.run_once": False,
        "wsgi.version": (1, 0),
    }


def _length(scope: Environ) -> int | None:
    """Bytes of a body that can be read here as a whole; ``None`` for any other."""
    length = scope.get("CONTENT_LENGTH") or "0"
    if "HTTP_TRANSFER_ENCODING" in scope or not (length.isascii() and length.isdigit()):
        return None
    if len(length) > _LONGEST_LENGTH or int(length) > _LARGEST_BODY:
        return None
    return int(length)
