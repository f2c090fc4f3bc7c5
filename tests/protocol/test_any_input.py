"""Properties of the back channel: whatever is sent is answered, and never by an error of ours.

| row         | MUST                                          | test                |
|-------------|-----------------------------------------------|---------------------|
| promise, X5 | any names and values, in any number and order | test_any_parameters |
| promise, X3 | any bytes as a body                           | test_any_bytes      |
| 2.4 (6, 6b) | any Authorization header                      | test_any_header     |
"""

import re
from base64 import b64encode
from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.serving import CONTROLS
from tests.transport import Answer, basic

FORM = ("Content-Type", "application/x-www-form-urlencoded")
EVERYWHERE = pytest.mark.parametrize("path", ["/token", "/introspect", "/revoke", "/userinfo"])
PUBLIC_TEXT = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]{10,200}")

QUICK = settings(
    max_examples=60,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
KNOWN = [
    "grant_type", "code", "code_verifier", "redirect_uri", "client_id", "client_secret", "scope", "resource",
    "refresh_token", "token", "token_type_hint", "access_token", "client_assertion", "nonce",
]  # fmt: skip
VALUES = [
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "shop",
    "openid",
    "robot",
    "idp_rt_",
    "idp_at_",
]
names = st.one_of(st.sampled_from(KNOWN), st.text(max_size=120))
values = st.one_of(st.sampled_from(VALUES), st.text(max_size=300))


def _quoted(text: str) -> str:
    return quote_plus(text, errors="surrogatepass")


def answered(answer: Answer) -> None:
    """Not an error of ours; with an id; JSON if there is a body."""
    assert answer.status < 500, (answer.status, answer.text)
    assert answer.header("X-Request-Id")
    if answer.status >= 400:
        assert answer.json()["error"]
        assert PUBLIC_TEXT.fullmatch(answer.json()["error_description"]), answer.text


@EVERYWHERE
def test_any_parameters(provider, shop, path):
    """Promised: any names and values, in any number and order, are answered properly."""

    @QUICK
    @given(pairs=st.lists(st.tuples(names, values), max_size=8))
    def check(pairs: list[tuple[str, str]]) -> None:
        body = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in pairs)
        headers = [FORM, ("Authorization", basic(shop.id, shop.secret or ""))]
        answered(provider.http.send("POST", path, headers=headers, body=body.encode()))

    check()


@EVERYWHERE
def test_any_bytes(provider, shop, path):
    """Promised: any bytes as a body are answered properly."""

    @QUICK
    @given(body=st.binary(max_size=400))
    def check(body: bytes) -> None:
        headers = [FORM, ("Authorization", basic(shop.id, shop.secret or ""))]
        answered(provider.http.send("POST", path, headers=headers, body=body))

    check()


@EVERYWHERE
def test_any_header(provider, shop, way, path):
    """Promised, traps 6 and 6b: any Authorization header is answered properly."""
    refused = CONTROLS if way == "served" else "\r\n\0"  # the server answers those by itself
    plain = st.text(st.characters(max_codepoint=255, exclude_characters=refused), max_size=200)
    shaped = st.builds(
        lambda scheme, rest: f"{scheme} {rest}", st.sampled_from(["Basic", "Bearer", "basic", "DPoP"]), plain
    )

    @QUICK
    @given(authorization=st.one_of(plain, shaped))
    def check(authorization: str) -> None:
        form = urlencode({"grant_type": "refresh_token", "refresh_token": "x", "token": "x"}).encode()
        answered(
            provider.http.send("POST", path, headers=[FORM, ("Authorization", authorization)], body=form)
        )

    @QUICK
    @given(raw=st.binary(max_size=100))
    def check_coded(raw: bytes) -> None:
        form = urlencode({"grant_type": "refresh_token", "refresh_token": "x", "token": "x"}).encode()
        header = "Basic " + b64encode(raw).decode()
        answered(provider.http.send("POST", path, headers=[FORM, ("Authorization", header)], body=form))

    check()
    check_coded()
