"""granian's threads hand waiting requests over, whole, and everything else stays as it was."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from idp.cli.fiber_requests import can_install
from idp.fibers import assert_may_block, current_fiber
from idp.settings import Settings
from tests.serving import GranianThread
from tests.transport import Answer

ISSUER = "http://localhost"
WAIT = 10.0
THREADS = Settings(issuer=ISSUER).server.blocking_threads


class Places:
    """Answers where a request ran, and what it held."""

    waiting = {  # noqa: RUF012 - as the server wants it
        ("POST", "/waits"): lambda _environ, body: b"here" not in body,
        ("GET", "/waits"): lambda _environ, _body: True,
        ("POST", "/blocks"): lambda _environ, _body: True,
        ("POST", "/fails"): lambda _environ, _body: True,
    }

    def __init__(self) -> None:
        self.runs: list[str] = []
        self.goes_on = threading.Event()
        """Ends what waits at ``/holds``."""

    def answer(self, environ: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes] | None:
        if environ["PATH_INFO"] != "/direct":
            return None
        return 200, [("X-Method", environ["REQUEST_METHOD"])], environ["wsgi.input"].read()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        place = "fiber" if current_fiber() else "thread"
        self.runs.append(place)
        body = environ["wsgi.input"].read()
        if environ["PATH_INFO"] == "/fails":
            raise RuntimeError("as it happens")
        if environ["PATH_INFO"] == "/blocks":
            assert_may_block()
        if environ["PATH_INFO"] == "/holds":
            assert self.goes_on.wait(WAIT)
        start_response("200 OK", [("X-Method", environ["REQUEST_METHOD"])])
        return [place.encode(), b":", body]


@pytest.fixture(scope="module")
def served() -> Iterator[GranianThread]:
    started = GranianThread(Places(), Settings(issuer=ISSUER))
    yield started
    started.stop()


def ask(served: GranianThread, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return served.transport(ISSUER).send(method, path, headers=pairs, body=body)


def test_the_release_of_granian_is_one_we_know():
    assert can_install()


@pytest.mark.parametrize(
    ("method", "path", "body", "answer"),
    [
        ("POST", "/waits", b"whole body", b"fiber:whole body"),
        ("POST", "/waits", b"", b"fiber:"),
        ("GET", "/waits", None, b"fiber:"),
        ("POST", "/waits", b"stays here", b"thread:stays here"),
        ("POST", "/elsewhere", b"any", b"thread:any"),
        ("PUT", "/waits", b"any", b"thread:any"),
        ("POST", "/waits", b"x" * 65_537, b"thread:" + b"x" * 65_537),
    ],
    ids=["waits", "empty", "no body", "body decides", "other path", "other method", "too large"],
)
def test_where_a_request_runs(
    served: GranianThread, method: str, path: str, body: bytes | None, answer: bytes
):
    assert ask(served, method, path, body).body == answer


def test_a_body_in_chunks_is_not_read_ahead(served: GranianThread):
    message = (
        b"POST /waits HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    )

    assert served.transport(ISSUER).send_raw(message, "POST").body == b"thread:abc"


def test_a_request_that_must_block_begins_again_whole(served: GranianThread):
    app = served.app
    app.runs.clear()

    assert ask(served, "POST", "/blocks", b"whole body").body == b"thread:whole body"
    assert app.runs == ["fiber", "thread"]


def test_what_nobody_foresaw_is_a_500_and_ends_nothing(
    served: GranianThread, caplog: pytest.LogCaptureFixture
):
    answers = [ask(served, "POST", "/fails", b"x") for _ in range(3)]

    assert [answer.status for answer in answers] == [500] * 3
    assert caplog.messages.count("server.application_failed") == 3
    assert ask(served, "POST", "/waits", b"x").body == b"fiber:x"


def test_what_needs_no_wsgi_is_answered_without(served: GranianThread):
    answer = ask(served, "POST", "/direct", b"whole body")

    assert (answer.status, answer.body) == (200, b"whole body")
    assert ("x-method", "POST") in [(name.lower(), value) for name, value in answer.headers]


@pytest.fixture
def busy(served: GranianThread) -> Iterator[ThreadPoolExecutor]:
    """All threads of the server exist; all but one of them follow."""
    with ThreadPoolExecutor(2 * THREADS) as clients:
        for answer in clients.map(lambda _: ask(served, "GET", "/waits"), range(20 * THREADS)):
            assert answer.status == 200
        yield clients


def test_a_body_that_does_not_come_holds_up_nobody_else(served: GranianThread, busy: ThreadPoolExecutor):
    head = b"POST /waits HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n"
    with ExitStack() as stack:
        slow = [
            stack.enter_context(socket.create_connection(("127.0.0.1", served.port), WAIT)) for _ in range(10)
        ]
        for connection in slow:
            connection.sendall(head)
        others = list(busy.map(lambda _: ask(served, "POST", "/waits", b"here"), range(4 * THREADS)))
        for connection in slow:
            connection.sendall(b"late")
        late = [connection.recv(65_536) for connection in slow]

    assert {answer.body for answer in others} == {b"thread:here"}
    assert all(answer.startswith(b"HTTP/1.1 200") for answer in late)


def test_a_request_that_says_nothing_and_takes_long_holds_up_nobody_else(
    served: GranianThread, busy: ThreadPoolExecutor
):
    served.app.goes_on.clear()
    held = [busy.submit(ask, served, "GET", "/holds") for _ in range(THREADS - 2)]
    others = list(busy.map(lambda _: ask(served, "GET", "/waits"), range(4 * THREADS)))
    assert not any(one.done() for one in held)
    served.app.goes_on.set()

    assert {answer.body for answer in others} == {b"fiber:"}
    assert {one.result(WAIT).status for one in held} == {200}
