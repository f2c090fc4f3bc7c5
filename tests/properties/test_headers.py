"""Whatever headers a browser or an attacker sends: no crash, nobody else's session.

| row     | MUST                                                    | property                  |
|---------|---------------------------------------------------------|---------------------------|
| X5, X11 | any header text is survived, also where it is stored    | test_any_header_signs_in  |
| S2, X3  | any cookies give a page, and nobody is signed in by one | test_any_cookies          |
| X2      | any Host is ours or refused                             | test_any_host             |
"""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.frontchannel import SESSION, SQLITE_ONLY, ask
from tests.provider import PASSWORD
from tests.serving import CONTROLS

quick = settings(
    max_examples=40,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# What a server lets through (RFC 9110 §5.5).
TEXT = st.text(st.characters(codec="latin-1", exclude_characters=CONTROLS), max_size=80)
NAMES = st.sampled_from(
    [
        "User-Agent",
        "Accept-Language",
        "Accept",
        "Referer",
        "X-Forwarded-For",
        "X-Request-Id",
        "If-None-Match",
        "Range",
    ]
)


@quick
@given(headers=st.dictionaries(NAMES, TEXT, max_size=5))
@example(headers={"User-Agent": "\u009b31m\u00ff" * 200})
@example(headers={"Accept-Language": "*;q=abc,,;;=,de-\xe9;q=-1," * 20})
@example(headers={"Accept-Language": "../../../etc/passwd,zh_CN\t"})
def test_any_header_signs_in(provider, shop, headers):
    """X5, X11: the user agent is kept with the session and the audit record; both databases can hold it."""
    browser = provider.browser()
    page = ask(provider, shop, browser)
    form = [*{**page.form_with("login-submit").fields, "username": "ada", "password": PASSWORD}.items()]

    page = browser.open("POST", page.path, form=form, headers=list(headers.items()))

    assert page.left
    assert browser.get("/", headers=list(headers.items())).has("home-logout")


@pytest.mark.parametrize(*SQLITE_ONLY)
@quick
@given(cookie=TEXT, named=st.booleans())
def test_any_cookies(provider, ada, cookie, named):
    """S2, X3: junk is nobody."""
    value = f"{SESSION}={cookie}" if named else cookie

    answer = provider.http.get("/", headers=[("Cookie", value)])

    assert answer.status == 200
    assert "home-login" in answer.text


@pytest.mark.parametrize(*SQLITE_ONLY)
@quick
@given(host=TEXT)
@example(host="idp.example:")
@example(host="[::1")
@example(host="[fe80::1%25eth0]")
def test_any_host(provider, host):
    """X2: refused with a page, never repeated in a link."""
    answer = provider.http.get("/login", headers=[("Host", host)])

    assert answer.status in {200, 400}
    assert 'href="http' not in answer.text
