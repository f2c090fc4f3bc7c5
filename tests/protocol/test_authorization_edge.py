"""The outermost door of the pages: sizes, methods, content types, broken text.

| row          | MUST                                             | test                                     |
|--------------|--------------------------------------------------|------------------------------------------|
| X3           | sizes are limited: 4xx, not 500                  | test_oversized_*                         |
|              |                                                  | test_too_many_parameters                 |
| X4           | only the documented methods and types            | test_other_methods_are_refused           |
|              |                                                  | test_other_content_types_are_refused     |
| X5           | NUL, control characters, broken UTF-8 stop at    | test_broken_text_is_refused              |
|              | the edge                                         | test_broken_text_in_a_form_is_refused    |
"""

from http import HTTPStatus

import pytest

from tests.frontchannel import SQLITE_ONLY, ask, request_pairs, request_parameters, shown_error
from tests.provider import response_parameters

pytestmark = pytest.mark.parametrize(*SQLITE_ONLY)

FORM = ("Content-Type", "application/x-www-form-urlencoded")

LONG = {
    "client_id": 300,
    "redirect_uri": 2100,
    "response_type": 100,
    "scope": 5000,
    "state": 5000,
    "nonce": 1100,
    "code_challenge": 200,
    "login_hint": 1100,
    "prompt": 200,
    "max_age": 20,
    "claims": 9000,
    "id_token_hint": 9000,
}


@pytest.mark.parametrize("name", sorted(LONG))
def test_oversized_parameter_is_refused(provider, shop, name):
    """X3: a page that names the parameter; nobody has to carry it back to the client."""
    page = ask(provider, shop, **{name: "1" * LONG[name]})

    assert shown_error(page)[:2] == (400, "invalid_request")
    assert name in page.text


def test_largest_allowed_values_pass(provider, shop):
    """X3: limits leave room for real requests."""
    page = ask(provider, shop, state="s" * 4096, nonce="n" * 1024, login_hint="a" * 1024)

    answer = response_parameters(provider.sign_in(page))
    assert answer["state"] == "s" * 4096


def test_oversized_address_and_form(provider, shop):
    """X3: 414 for the address, 413 for the form, 431 for headers."""
    get, send = provider.http.get, provider.http.send

    assert get("/authorize?x=" + "a" * 20_000).status == HTTPStatus.REQUEST_URI_TOO_LONG
    assert get("/authorize/" + "a" * 5_000).status == HTTPStatus.REQUEST_URI_TOO_LONG
    assert get("/authorize", headers=[("Cookie", "a=" + "b" * 10_000)]).status == 431
    large = send("POST", "/authorize", headers=[FORM], body=b"x=" + b"a" * 70_000)
    assert large.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    medium = send("POST", "/authorize", headers=[FORM], body=b"x=" + b"a" * 20_000)
    assert 400 <= medium.status < 500


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_too_many_parameters(provider, shop, method):
    """X3: at most a hundred."""
    many = [(f"p{number}", "x") for number in range(150)]
    browser = provider.browser()

    page = (
        browser.get("/authorize", request_pairs(shop, *many))
        if method == "GET"
        else browser.open("POST", "/authorize", form=request_pairs(shop, *many))
    )

    assert page.status == HTTPStatus.BAD_REQUEST
    assert not page.left


BROKEN = [
    "%00",
    "a%00b",
    "%ff",
    "%c3%28",
    "%ed%a0%80",
    "%f4%90%80%80",
    "%c0%80",
    "%zz",
    "%",
    "%u0041",
    "%0a",
    "%0d%0aSet-Cookie:x=1",
    "%1b%5b31m",
    "%7f",
    "%c2%85",
]


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "state", "scope", "login_hint", "nonce"])
def test_broken_text_is_refused(provider, shop, name):
    """X5, X11: 4xx with a page and a request id; nothing goes to the client, no header is injected."""
    others = [f"{key}={value}" for key, value in request_parameters(shop).items() if key != name]

    for text in BROKEN:
        answer = provider.http.get("/authorize?" + "&".join([*others, f"{name}={text}"]))

        assert answer.status == HTTPStatus.BAD_REQUEST, text
        assert answer.header("Location") is None
        assert answer.header("Content-Type") == "text/html; charset=utf-8"
        assert answer.header("X-Request-Id") in answer.text


@pytest.mark.parametrize("path", ["/authorize", "/logout", "/login"])
def test_broken_text_in_a_form_is_refused(provider, path):
    """X5: raw bytes as well as escapes."""
    for body in (b"state=%00", b"state=%ff", b"state=\xff", b"state=\x00", b"\xff=1", b"state=%"):
        answer = provider.http.send("POST", path, headers=[FORM], body=body)

        assert answer.status == HTTPStatus.BAD_REQUEST, body
        assert answer.header("X-Request-Id") in answer.text


def test_unknown_parameters_may_hold_anything_printable_or_not(provider, shop):
    """R9: ignored means that their content does not matter, as long as it is UTF-8."""
    page = provider.browser().get("/authorize", request_pairs(shop, ("tracking", "a\tb\x07")))

    assert page.has("login-submit")


@pytest.mark.parametrize("path", ["/authorize", "/login", "/logout", "/logout/confirm", "/logged-out", "/"])
def test_other_methods_are_refused(provider, path):
    """X4: 405 with the methods that work."""
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"):
        answer = provider.http.send(method, path)

        assert answer.status == HTTPStatus.METHOD_NOT_ALLOWED, method
        assert set((answer.header("Allow") or "").split(", ")) <= {"GET", "HEAD", "POST"}
        assert answer.header("X-Request-Id") in answer.text


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded; charset=iso-8859-1",
    ],
)
def test_other_content_types_are_refused(provider, content_type):
    """X4: 415."""
    for path in ("/authorize", "/login", "/logout", "/logout/confirm"):
        answer = provider.http.send("POST", path, headers=[("Content-Type", content_type)], body=b"a=b")

        assert answer.status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE


@pytest.mark.parametrize("content_type", [FORM[1], FORM[1] + "; charset=UTF-8", FORM[1].upper()])
def test_the_form_type_in_its_spellings(provider, shop, content_type):
    """X4, RFC 9110 §8.3.1: media types are compared without case."""
    answer = provider.http.send("POST", "/authorize", headers=[("Content-Type", content_type)], body=b"a=b")

    assert answer.status == HTTPStatus.SEE_OTHER
