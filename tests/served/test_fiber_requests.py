"""granian's threads hand waiting requests over, whole, and everything else stays as it was."""

from collections.abc import Iterator
from typing import Any

import pytest

from idp.cli.fiber_requests import can_install
from idp.fibers import assert_may_block, current_fiber
from idp.settings import Settings
from tests.serving import GranianThread
from tests.transport import Answer

ISSUER = "http://localhost"


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

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        place = "fiber" if current_fiber() else "thread"
        self.runs.append(place)
        body = environ["wsgi.input"].read()
        if environ["PATH_INFO"] == "/fails":
            raise RuntimeError("as it happens")
        if environ["PATH_INFO"] == "/blocks":
            assert_may_block()
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
