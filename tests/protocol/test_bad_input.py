"""Malformed, oversized, repeated, non-UTF-8, NUL-bearing or wrongly typed input at the back channel.

Promised: a 4xx with a clear public text and a request id, never a 500, and nothing is lost or changed.

| row     | MUST                                                    | test                       |
|---------|---------------------------------------------------------|----------------------------|
| X3      | limits on body, header, parameter count                 | test_oversized_*,          |
|         |                                                         | test_too_many_parameters   |
| X4      | documented content types and methods                    | test_content_type,         |
|         |                                                         | test_methods               |
| X5      | invalid UTF-8, NUL, control characters                  | test_bad_bytes,            |
|         |                                                         | test_control_characters    |
| R9      | repeated refused, unknown ignored, empty is absent      | test_repeated_parameter    |
| X7      | a text for everybody and an id; details in the log only | every test, by             |
|         |                                                         | `assert_refused`           |
| promise | nothing is lost: the code and the token still work      | every test that sends them |
"""

import re
from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import urlencode

import pytest

from tests.provider import Client, Pkce, Provider
from tests.transport import Answer, Pairs, basic

FORM = ("Content-Type", "application/x-www-form-urlencoded")
ENDPOINTS = ("/token", "/introspect", "/revoke", "/userinfo")
EVERYWHERE = pytest.mark.parametrize("path", ENDPOINTS)
PUBLIC_TEXT = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]{10,200}")
LEAKS = ("Traceback", "sqlalchemy", "psycopg", "sqlite", "werkzeug", 'File "', "Error(", ".py")


@pytest.fixture
def waiting(provider: Provider, shop: Client) -> Iterator["Waiting"]:
    """A code, a refresh token and an access token that must work when the test is over."""
    held = Waiting(provider, shop)
    yield held
    held.assert_unharmed()


class Waiting:
    """What bad requests of the test must not harm."""

    def __init__(self, provider: Provider, client: Client) -> None:
        self.provider = provider
        self.client = client
        self.pkce = Pkce()
        self.code = provider.code(client, **self.pkce.parameters)
        self.tokens = provider.tokens(client)

    def form(self, path: str) -> dict[str, str]:
        """A request that would be good at this endpoint."""
        grant = {
            "grant_type": "authorization_code",
            "code": self.code,
            "code_verifier": self.pkce.verifier,
            "redirect_uri": self.client.redirect_uri,
        }
        return {
            "/token": grant,
            "/introspect": {"token": self.tokens["access_token"]},
            "/revoke": {"token": self.tokens["refresh_token"]},
            "/userinfo": {"access_token": self.tokens["access_token"]},
        }[path]

    def headers(self, path: str) -> Pairs:
        """The credentials that would be good at this endpoint."""
        return [] if path == "/userinfo" else [("Authorization", basic(*(self.client.auth or ("", ""))))]

    def send(
        self,
        path: str,
        body: bytes,
        *,
        content_type: str | None = FORM[1],
        method: str = "POST",
        extra: Pairs = (),
    ) -> Answer:
        """A request with good credentials and this body."""
        headers = [*self.headers(path.partition("?")[0]), *extra]
        if content_type is not None:
            headers.append(("Content-Type", content_type))
        return self.provider.http.send(method, path, headers=headers, body=body)

    def assert_unharmed(self) -> None:
        assert self.provider.userinfo(self.tokens["access_token"]).status == HTTPStatus.OK
        assert self.provider.refresh(self.client, self.tokens["refresh_token"]).status == HTTPStatus.OK
        done = self.provider.exchange(self.client, self.code, verifier=self.pkce.verifier)
        assert done.status == HTTPStatus.OK, done.text


def assert_refused(answer: Answer, *statuses: int) -> None:
    """A 4xx in JSON with an OAuth error, a text that anybody may read and an id; nothing of the inside."""
    assert answer.status in (statuses or range(400, 500)), (answer.status, answer.text)
    assert answer.header("Content-Type") == "application/json"
    assert answer.header("Cache-Control") == "no-store"
    assert re.fullmatch(r"[0-9a-f]{16,64}", answer.header("X-Request-Id") or "")
    body = answer.json()
    assert re.fullmatch(r"[a-z_]+", body["error"])
    assert PUBLIC_TEXT.fullmatch(body["error_description"]), body
    assert not [leak for leak in LEAKS if leak in answer.text]


BAD_BYTES = (
    b"%ff", b"%c3%28", b"%ed%a0%80", b"%f8%88%80%80%80", b"%c0%80", b"\xff", b"\xc3", b"%e2%82", b"%00",
    b"a%00b", b"\x00", b"%", b"%1", b"%zz", b"%u0041",
)  # fmt: skip


@EVERYWHERE
def test_bad_bytes(subtests, waiting, path):
    """X5: invalid UTF-8 (overlong, surrogates, cut), NUL and broken escapes, in names and in values."""
    good = urlencode(waiting.form(path)).encode()

    for raw in BAD_BYTES:
        for bad in (b"&" + raw + b"=1", b"&extra=" + raw):
            with subtests.test(bad=bad):
                assert_refused(waiting.send(path, good + bad), 400)


@EVERYWHERE
def test_control_characters(subtests, waiting, path):
    """X5: control characters in a value that would be good without them."""
    form = waiting.form(path)
    name = next(iter(form.keys() & {"token", "access_token", "code"}))

    for character in ("\x01", "\n", "\r\n", "\t", "\x1b", "\x7f", "\x0b"):
        with subtests.test(character=character):
            body = urlencode({**form, name: form[name] + character}).encode()
            assert_refused(waiting.send(path, body), 400)


@EVERYWHERE
def test_repeated_parameter(waiting, path):
    """R9: each parameter that is known, sent twice, even with the same value."""
    form = waiting.form(path)

    for name, value in form.items():
        answer = waiting.send(path, urlencode([*form.items(), (name, value)]).encode())
        assert_refused(answer, 400)
        assert answer.json()["error"] == "invalid_request"


@EVERYWHERE
def test_missing_parameters(waiting, path):
    """RFC 6749 §5.2: each required parameter left out or empty."""
    form = waiting.form(path)

    for name in form.keys() & {"token", "access_token", "code", "grant_type"}:
        for rest in ({key: value for key, value in form.items() if key != name}, {**form, name: ""}):
            assert_refused(waiting.send(path, urlencode(rest).encode()), 400, 401)
    assert_refused(waiting.send(path, b""), 400, 401)


@EVERYWHERE
def test_oversized_value(subtests, waiting, path):
    """X3: a huge value is refused as such, however huge."""
    form = waiting.form(path)

    for size in (9_000, 60_000, 70_000, 1_000_000):
        with subtests.test(size=size):
            assert_refused(waiting.send(path, urlencode({**form, "extra": "x" * size}).encode()), 400, 413)


@EVERYWHERE
def test_oversized_names(subtests, waiting, path):
    """X3: over-long names are refused."""
    form = waiting.form(path)

    for name in ("x" * 500, "x" * 70_000, "é" * 300, "a" * 101):
        with subtests.test(length=len(name)):
            assert_refused(waiting.send(path, urlencode({**form, name: "1"}).encode()), 400, 413)


@pytest.mark.parametrize("name", ["grant_type[]", "__proto__", "Token", "é", " token", "token.x"])
def test_unknown_names_are_ignored(waiting, name):
    """R9, RFC 6749 §3.2: an odd name is an unknown one."""
    form = {**waiting.form("/introspect"), name: "1"}

    answer = waiting.send("/introspect", urlencode(form).encode())

    assert answer.json()["active"] is True


@EVERYWHERE
def test_too_many_parameters(subtests, waiting, path):
    """X3: hundreds of parameters are refused before anything is made of them."""
    for count in (60, 101, 5000):
        many = urlencode([(f"p{number}", "1") for number in range(count)])
        with subtests.test(count=count):
            assert_refused(waiting.send(path, f"{urlencode(waiting.form(path))}&{many}".encode()), 400, 413)


@pytest.mark.parametrize("path", [*ENDPOINTS, "/jwks", "/.well-known/openid-configuration"])
def test_oversized_address_and_headers(provider, path):
    """X3: 414 and 431, not 500."""
    long = "x" * 20_000

    answers = [
        provider.http.send("POST", f"{path}?{long}"),
        provider.http.send("GET", f"{path}/{long}"),
        provider.http.send("POST", path, headers=[("Authorization", long)]),
        provider.http.send("POST", path, headers=[("Cookie", long)]),
    ]

    assert [answer.status for answer in answers] == [414, 414, 431, 431]
    assert all(answer.header("X-Request-Id") for answer in answers)


WRONG_TYPES = (
    "application/json", "text/plain", "multipart/form-data; boundary=x", "é", "/", ";", None,
    "application/x-www-form-urlencoded; charset=utf-16", "application/x-www-form-urlencodedx",
    "application/x-www-form-urlencoded; charset=iso-8859-1",
)  # fmt: skip


@EVERYWHERE
def test_content_type(subtests, waiting, path):
    """X4: a form in UTF-8, or 415."""
    body = urlencode(waiting.form(path)).encode()

    for content_type in WRONG_TYPES:
        with subtests.test(content_type=content_type):
            assert_refused(waiting.send(path, body, content_type=content_type), 415)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded;charset=UTF-8",
        "APPLICATION/X-WWW-FORM-URLENCODED",
        'application/x-www-form-urlencoded; charset="utf-8"',
    ],
)
def test_harmless_content_types(waiting, content_type):
    """X4, RFC 9110 §8.3.1: case and the charset that applies anyway do not matter."""
    body = urlencode(waiting.form("/introspect")).encode()

    answer = waiting.send("/introspect", body, content_type=content_type)

    assert answer.status == HTTPStatus.OK


@EVERYWHERE
def test_methods(subtests, waiting, path):
    """X4: 405 (userinfo also answers GET, which needs a token), and never an effect."""
    body = urlencode(waiting.form(path)).encode()

    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "BREW"):
        with subtests.test(method=method):
            answer = waiting.send(path, body, method=method)
            assert answer.status == (401 if path == "/userinfo" and method in {"GET", "HEAD"} else 405)
            assert answer.header("X-Request-Id")


@EVERYWHERE
def test_query(subtests, waiting, path):
    """T13: these endpoints take nothing from the address, well-formed or not."""
    body = urlencode(waiting.form(path)).encode()

    for query in ("x", "token=1", "%ff", "%00", "&&&", "grant_type=authorization_code"):
        with subtests.test(query=query):
            assert_refused(waiting.send(f"{path}?{query}", body), 400)


FORMLESS = (
    b"&",
    b"&&&=&",
    b"=",
    b"=x",
    b"x",
    b";",
    b"{}",
    b"[]",
    b'{"token":"x"}',
    b"<x/>",
    b"\xef\xbb\xbftoken=x",
)


@EVERYWHERE
def test_formless_body(subtests, waiting, path):
    """RFC 6749 §3.2: bodies that are hardly a form."""
    for body in FORMLESS:
        with subtests.test(body=body):
            assert_refused(waiting.send(path, body), 400, 401)


def test_wrongly_typed_grant_type(subtests, waiting):
    """RFC 6749 §5.2: what looks like another type is just another text."""
    for value in (
        "null",
        "true",
        "[]",
        "{}",
        "0",
        "-1",
        "NaN",
        "undefined",
        "code,refresh_token",
        "\u202ecode",
    ):
        with subtests.test(value=value):
            answer = waiting.send(
                "/token", urlencode({**waiting.form("/token"), "grant_type": value}).encode()
            )
            assert_refused(answer, 400)
            assert answer.json()["error"] == "unsupported_grant_type"


ODD_VALUES = ('a"b', "a\\b", "é", "\u202e", "😀", "x" * 8000, "' OR 1=1 --", "<script>", "{{7*7}}", "%s%n")


@pytest.mark.parametrize("name", ["scope", "resource", "redirect_uri", "code_verifier"])
def test_odd_values(subtests, waiting, name):
    """RFC 6749 §5.2, trap 8: no character breaks the answer, and the text stays in its alphabet."""
    form = {"grant_type": "refresh_token", "refresh_token": waiting.tokens["refresh_token"]}
    if name in {"redirect_uri", "code_verifier"}:
        form = waiting.form("/token")

    for value in ODD_VALUES:
        with subtests.test(value=value[:20]):
            answer = waiting.send("/token", urlencode({**form, name: value}).encode())
            assert_refused(answer, 400)


def test_neighbouring_addresses(subtests, provider, robot):
    """X4, R7: not found, never a redirect that would send the secret on."""
    for path in (
        "/token/",
        "//token",
        "/TOKEN",
        "/token/x",
        "/token%00",
        "/%ff",
        "/.well-known/x",
        "/token;x",
    ):
        with subtests.test(path=path):
            answer = provider.http.post(path, {"grant_type": "client_credentials"}, auth=robot.auth)
            assert answer.status in {400, 404}
            assert answer.header("X-Request-Id")


HOSTS = (
    "evil.example",
    "",
    "idp.example.evil.example",
    "idp.example@evil",
    "[::",
    "é",
    "a b",
    "idp.example:x",
)


def test_host(subtests, waiting):
    """X2: requests for other hosts are refused."""
    body = urlencode(waiting.form("/token")).encode()

    for host in HOSTS:
        with subtests.test(host=host):
            assert_refused(waiting.send("/token", body, extra=[("Host", host)]), 400)


def test_unexpected_errors_say_nothing(provider, shop):
    """X7: if something breaks after all, the outside learns an id and nothing else."""
    token = provider.tokens(shop)["access_token"]
    engine = provider.container.database.engine
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE revoked_access_token RENAME TO mislaid")
    try:
        answer = provider.userinfo(token)
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE mislaid RENAME TO revoked_access_token")

    assert answer.status in {500, 503}
    assert answer.header("Content-Type") == "application/json"
    assert re.fullmatch(r"[0-9a-f]{16,64}", answer.json()["request_id"])
    assert answer.json()["request_id"] == answer.header("X-Request-Id")
    assert not [leak for leak in (*LEAKS, "revoked_access_token", "SELECT") if leak in answer.text]
    assert provider.userinfo(token).status == HTTPStatus.OK


def test_request_ids_are_ours(provider):
    """X7, X11: a fresh id each time; one that the client sends is not taken over."""
    sent = [("X-Request-Id", "forged\tid")]

    ids = [provider.http.get("/jwks", headers=sent).header("X-Request-Id") for _ in range(3)]

    assert len(set(ids)) == 3
    assert all(re.fullmatch(r"[0-9a-f]{16,64}", found or "") for found in ids)
