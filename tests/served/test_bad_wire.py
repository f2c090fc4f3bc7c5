"""Hostile bytes: what the production server answers, and that the application in this process agrees.

The first table can be said in both languages, WSGI and the wire; the second only on the wire, where the
server below the application decides about the boundaries of a message. Nothing is ever a 500, nothing is
carried out by halves, and afterwards the server answers as before.
"""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.provider import Client, Provider, make_provider, make_settings
from tests.served.rig import Served
from tests.transport import Answer, Pairs, basic

FORM = "application/x-www-form-urlencoded"
BODY = b"grant_type=client_credentials"
SECONDS = 5.0


@dataclass(frozen=True)
class Case:
    """A request, and the status it deserves."""

    status: int
    name: str
    method: str = "POST"
    path: str = "/token"
    body: bytes = b""
    type: str | None = FORM
    headers: Pairs = field(default_factory=list)
    signed: bool = True

    def __str__(self) -> str:
        return self.name


def _get(status: int, name: str, path: str, headers: Pairs | None = None, method: str = "GET") -> Case:
    return Case(status, name, method, path, type=None, headers=headers or [], signed=False)


PROXY_CLAIMS = [
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-For", "?, 1"),
    ("X-Forwarded-Prefix", "/evil"),
    ("Forwarded", "host=evil.example"),
    ("X-Original-URL", "/evil"),
]

CASES = (
    # Parameters (rows R9, X3, X5).
    Case(200, "as it should be", body=BODY),
    Case(400, "no parameters"),
    Case(400, "a parameter twice", body=BODY + b"&" + BODY),
    Case(400, "the same parameter with another value", body=BODY + b"&grant_type=password"),
    Case(400, "a name of raw bytes", body=b"\xff\xfe=1&" + BODY),
    Case(400, "a value of raw bytes", body=BODY + b"&scope=\xff"),
    Case(400, "percent-encoded bytes that are no UTF-8", body=BODY + b"&scope=%ff%fe"),
    Case(400, "overlong UTF-8", body=BODY + b"&scope=%c0%af"),
    Case(400, "a surrogate in UTF-8", body=BODY + b"&scope=%ed%a0%80"),
    Case(400, "NUL, percent-encoded", body=BODY + b"&scope=a%00b"),
    Case(400, "NUL, raw", body=BODY + b"&scope=a\x00b"),
    Case(400, "a broken percent sign", body=BODY + b"&scope=%zz"),
    Case(400, "a percent sign at the end", body=BODY + b"&scope=%"),
    Case(400, "a hundred and one parameters", body=b"&".join(b"p%d=1" % n for n in range(101))),
    Case(413, "a body beyond the limit", body=b"a" * 65_537),
    Case(400, "parameters in the address only", path="/token?grant_type=client_credentials", signed=False),
    Case(400, "parameters in the address beside a client", path="/token?grant_type=client_credentials"),
    # Content types and methods (row X4).
    Case(415, "JSON", body=b'{"grant_type":"client_credentials"}', type="application/json"),
    Case(415, "multipart", body=b"--x\r\n\r\n", type="multipart/form-data; boundary=x"),
    Case(415, "plain text", body=BODY, type="text/plain"),
    Case(415, "another character set", body=BODY, type=f"{FORM}; charset=utf-16"),
    Case(415, "a body without a type", body=BODY, type=None),
    Case(415, "two types in one header", body=BODY, type=f"{FORM}, application/json"),
    _get(405, "GET at the token endpoint", "/token"),
    _get(405, "PUT", "/token", method="PUT"),
    _get(405, "DELETE", "/authorize", method="DELETE"),
    _get(405, "TRACE", "/jwks", method="TRACE"),
    _get(405, "a method nobody knows", "/jwks", method="FROBNICATE"),
    _get(405, "HEAD at the token endpoint", "/token", method="HEAD"),
    _get(200, "HEAD at the key set", "/jwks", method="HEAD"),
    _get(405, "HEAD at the authorization endpoint", "/authorize", method="HEAD"),
    # Addresses (rows X3, X5).
    _get(400, "a repeated parameter in the address", "/authorize?client_id=shop&client_id=shop"),
    _get(400, "NUL in the address", "/authorize?client_id=%00"),
    _get(400, "no UTF-8 in the query", "/authorize?client_id=%ff"),
    _get(404, "no UTF-8 in the path", "/%ff%fe"),
    _get(400, "NUL in the path", "/login/%00"),
    _get(400, "a line break in the path", "/login/%0d%0aSet-Cookie:x"),
    _get(404, "out of the static folder", "/static/../../../../etc/passwd"),
    _get(404, "out of the static folder, encoded", "/static/%2e%2e/%2e%2e/etc/passwd"),
    _get(414, "a path too long", "/" + "a" * 3_000),
    _get(414, "a query too long", "/authorize?a=" + "a" * 17_000),
    # Headers (rows X2, X3, L5).
    _get(431, "a cookie too long", "/authorize", [("Cookie", "a=" + "b" * 9_000)]),
    _get(431, "credentials too long", "/userinfo", [("Authorization", "Bearer " + "b" * 9_000)]),
    _get(400, "somebody else's host", "/jwks", [("Host", "evil.example")]),
    _get(400, "a host that is none", "/jwks", [("Host", "evil.example/@localhost")]),
    _get(400, "an empty host", "/jwks", [("Host", "")]),
    _get(200, "the names of proxies nobody trusts", "/jwks", PROXY_CLAIMS),
    _get(200, "a method in a header", "/jwks", [("X-HTTP-Method-Override", "DELETE")]),
    _get(401, "a bearer token that is none", "/userinfo", [("Authorization", "Bearer \u00e9\u00e9")]),
    _get(401, "a scheme nobody knows", "/userinfo", [("Authorization", "Digest x")]),
    Case(401, "Basic that is no base64", body=BODY, headers=[("Authorization", "Basic %%%")], signed=False),
    Case(401, "Basic of raw bytes", body=BODY, headers=[("Authorization", "Basic //79")], signed=False),
    Case(401, "Basic without a colon", body=BODY, headers=[("Authorization", "Basic YWJj")], signed=False),
    Case(411, "a body in chunks", body=BODY, headers=[("Transfer-Encoding", "chunked")]),
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("wire")) as started:
        yield started
        assert started.stop() == 0
        assert "request.failed" not in started.log_text()
        assert "Traceback" not in started.log_text()


@pytest.fixture(scope="module")
def robot(served: Served) -> Client:
    return served.machine()


@pytest.fixture(scope="module")
def in_process(served: Served, robot: Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """The same application without a server, with the same client."""
    provider = make_provider(make_settings(tmp_path_factory.mktemp("twin"), issuer=served.issuer))
    provider.machine(robot.id, redirect_uris=[], secret=robot.secret)
    yield provider
    provider.close()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_both_answer_alike(served: Served, in_process: Provider, robot: Client, case: Case):
    """Rows X2 to X5, X7: a 4xx with a public text and a request id, whoever serves the application."""
    wired = read_answer(converse(served, wire_bytes(served, robot, case)))
    own = in_process.transport.send(
        case.method, case.path, headers=_headers(served, robot, case), body=case.body or None
    )

    assert (wired.status, own.status) == (case.status, case.status), f"{wired.body!r} {own.body!r}"
    for answer in (wired, own):
        assert answer.header("X-Request-Id")
        assert b"Traceback" not in answer.body
        assert b"evil" not in answer.body
    assert served.http.get("/jwks").status == 200


WIRE = (
    # Where a message ends (row X6).
    ({400}, "a length that is no number", [b"Content-Length: abc"], BODY),
    ({400}, "a negative length", [b"Content-Length: -5"], BODY),
    ({400}, "a length with a sign", [b"Content-Length: +29"], BODY),
    ({400}, "a length beyond every number", [b"Content-Length: 99999999999999999999999"], BODY),
    ({400}, "two lengths", [b"Content-Length: 29", b"Content-Length: 5"], BODY),
    ({413}, "a length beyond the limit, announced", [b"Content-Length: 99999999999"], BODY),
    ({413}, "a body beyond the limit, sent", [b"Content-Length: 70000"], b"a" * 70_000),
    ({400}, "no length at all", [], BODY),
    ({411}, "chunks", [b"Transfer-Encoding: chunked"], b"1d\r\n" + BODY + b"\r\n0\r\n\r\n"),
    ({411}, "a chunk without a size", [b"Transfer-Encoding: chunked"], b"zz\r\n" + BODY),
    ({411}, "chunks beyond the limit", [b"Transfer-Encoding: chunked"],
     b"10000\r\n" + b"a" * 65_536 + b"\r\n1\r\na\r\n0\r\n\r\n"),
    ({400, 411}, "chunks and a length", [b"Content-Length: 5", b"Transfer-Encoding: chunked"],
     b"1d\r\n" + BODY + b"\r\n0\r\n\r\n"),
    ({400, 411}, "a coding nobody knows", [b"Transfer-Encoding: gzip, chunked"],
     b"1d\r\n" + BODY + b"\r\n0\r\n\r\n"),
    ({400}, "a coding without an end", [b"Transfer-Encoding: gzip"], BODY),
    # Headers only the server sees.
    ({400}, "NUL in a header", [b"Content-Length: 29", b"X-A: a\x00b"], BODY),
    ({400}, "a folded header", [b"Content-Length: 29", b"X-A: a\r\n b"], BODY),
    ({400}, "a space before the colon", [b"Content-Length : 29"], BODY),
    ({431}, "two hundred headers", [b"X-%d: 1" % n for n in range(200)], b""),
    ({431}, "a header without measure", [b"X-A: " + b"a" * 1_000_000], b""),
    ({401}, "credentials of raw bytes", [b"Content-Length: 29", b"Authorization: Basic \xff\xff"], BODY),
    ({401}, "credentials twice", [b"Content-Length: 29", b"Authorization: Basic eDp5"], BODY),
    ({400, 415}, "headers with underscores", [b"Content_Length: 29", b"Content_Type: x/y"], BODY),
)  # fmt: skip


@pytest.mark.parametrize(("statuses", "name", "headers", "body"), WIRE, ids=[case[1] for case in WIRE])
def test_a_message_without_clear_boundaries_is_refused(
    served: Served, robot: Client, statuses: set[int], name: str, headers: list[bytes], body: bytes
):
    """Rows X3, X6: never guessed, never carried out by halves, and the next request is answered."""
    lines = [b"POST /token HTTP/1.1", _host(served), _authorization(robot), b"Content-Type: " + FORM.encode()]

    answer = read_answer(converse(served, _message([*lines, *headers], body)))

    assert answer.status in statuses, answer.body
    assert b"access_token" not in answer.body
    assert served.http.get("/jwks").status == 200


@pytest.mark.parametrize(
    ("header", "body"),
    [(b"Content-Length: 100", BODY), (b"Transfer-Encoding: chunked", b"1d\r\n" + BODY + b"\r\n")],
    ids=["length", "chunks"],
)
def test_half_a_request_is_not_carried_out(served: Served, robot: Client, header: bytes, body: bytes):
    """Row X6: the connection ends before the message does; refused, or not answered at all."""
    lines = [b"POST /token HTTP/1.1", _host(served), _authorization(robot), b"Content-Type: " + FORM.encode()]

    received = converse(served, _message([*lines, header], body), breaks_off=True)

    assert not received or read_answer(received).status in {400, 411}
    assert b"access_token" not in received
    assert served.http.get("/jwks").status == 200


LINES = (
    ({200}, b"GET /jwks HTTP/1.0", True),
    ({400}, b"GET /jwks HTTP/1.0", False),
    ({400}, b"GET /jwks HTTP/1.1", False),
    ({200}, b"GET http://localhost/jwks HTTP/1.1", True),
    ({400}, b"GET http://localhost/jwks HTTP/1.1\r\nHost: evil.example", False),
    ({400}, b"GET /jwks HTTP/1.1\r\nHost: evil.example", True),
    ({404}, b"OPTIONS * HTTP/1.1", True),
    ({404}, b"CONNECT evil.example:443 HTTP/1.1", True),
    ({404}, b"GET //evil.example/ HTTP/1.1", True),
    ({404}, "GET /\u00e9 HTTP/1.1".encode(), True),
    ({400}, b"GET /\xff HTTP/1.1", True),
    ({400}, b"GET /jwks\x00 HTTP/1.1", True),
    ({400}, b"GET /jw ks HTTP/1.1", True),
    ({400}, b"GET /jwks HTTP/9.9", True),
    ({400}, b"GET /jwks", True),
    ({400}, b"\x00\x01\x02\xff", False),
    ({400}, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", False),
    ({400, 414, 431}, b"GET /" + b"a" * 70_000 + b" HTTP/1.1", True),
    ({400, 414, 431}, b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1", True),
    ({400, 505}, b"PRI * HTTP/2.0", False),
)


@pytest.mark.parametrize(("statuses", "line", "with_host"), LINES, ids=[repr(case[1][:40]) for case in LINES])
def test_strange_first_lines(served: Served, statuses: set[int], line: bytes, with_host: bool):
    """Rows X2, X6: old versions, other forms of the target, and what is no HTTP at all."""
    answer = read_answer(converse(served, _message([line, *([_host(served)] if with_host else [])])))

    assert answer.status in statuses, answer.body
    assert b"evil" not in answer.body
    assert served.http.get("/jwks").status == 200


def test_addresses_come_from_the_settings(served: Served):
    """Row X2: nothing a client says about host, scheme or prefix gets into a document or a redirect."""
    document = served.http.get("/.well-known/openid-configuration", headers=PROXY_CLAIMS)
    posted = served.http.post("/authorize", {"client_id": "shop"}, headers=PROXY_CLAIMS)

    assert document.json() == served.metadata()
    assert posted.status == 303
    assert posted.location.startswith(("/", served.issuer))


def test_the_peer_counts_when_no_proxy_is_trusted(served: Served, robot: Client):
    """Row L5: the address in the record is the connection's, whatever the request claims."""
    for header in ("X-Forwarded-For", "X_Forwarded_For", "X-Real-IP", "Forwarded"):
        served.http.post("/token", {}, auth=(robot.id, "wrong"), headers=[(header, "6.6.6.6")])

    with served.opened() as container, container.database.transaction(write=False):
        events = container.repos.audit.list_(limit=1_000)

    assert {event.address for event in events} <= {"127.0.0.1", "::1", None}
    assert len(events) > 4


def wire_bytes(served: Served, robot: Client, case: Case) -> bytes:
    """The case as HTTP/1.1."""
    lines = [f"{case.method} {case.path} HTTP/1.1".encode()]
    lines += [f"{name}: {value}".encode() for name, value in _headers(served, robot, case)]
    if any(name == "Transfer-Encoding" for name, _ in case.headers):
        return _message(lines, b"%x\r\n%s\r\n0\r\n\r\n" % (len(case.body), case.body))
    return _message([*lines, b"Content-Length: %d" % len(case.body)], case.body)


def converse(served: Served, message: bytes, *, breaks_off: bool = False) -> bytes:
    """Send, perhaps say that no more will come, and read to the end."""
    with socket.create_connection(("localhost", served.port), timeout=SECONDS) as connection:
        answer = b""
        try:
            connection.sendall(message)
            if breaks_off:
                connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65_536):
                answer += part
        except ConnectionError:
            pass  # refused before all was read: what was answered until then counts
        return answer


def read_answer(received: bytes) -> Answer:
    """Status, headers and body; the connection ends with the answer."""
    head, _, body = received.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    assert lines[0].startswith("HTTP/1."), f"no answer: {received[:80]!r}"
    pairs = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]
    return Answer(int(lines[0].split()[1]), pairs, body)


def _headers(served: Served, robot: Client, case: Case) -> Pairs:
    given = {name for name, _ in case.headers}
    headers = [*case.headers]
    if "Host" not in given:
        headers.append(("Host", f"localhost:{served.port}"))
    if case.type is not None:
        headers.append(("Content-Type", case.type))
    if case.signed:
        headers.append(("Authorization", basic(robot.id, robot.secret or "")))
    return headers


def _message(lines: list[bytes], body: bytes = b"") -> bytes:
    return b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body


def _host(served: Served) -> bytes:
    return b"Host: localhost:%d" % served.port


def _authorization(client: Client) -> bytes:
    return b"Authorization: " + basic(client.id, client.secret or "").encode()
