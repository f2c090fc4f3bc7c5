"""Forms of other sites do nothing (row S8)."""

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from idp.web.pages.csrf import StaleForm, assert_same_origin, assert_token, new_token

BROWSER = "b" * 43
SESSION = "idp_bs_" + "s" * 43
ISSUER = "https://idp.example"


def post(**headers: str) -> Request:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(EnvironBuilder(method="POST", base_url=ISSUER, headers=names).get_environ())


@pytest.mark.parametrize("session", [None, SESSION])
def test_a_token_holds_for_its_browser_and_session(session):
    assert_token(new_token(browser=BROWSER, session=session), browser=BROWSER, sessions=[session])


def test_no_two_tokens_look_alike():
    assert new_token(browser=BROWSER, session=None) != new_token(browser=BROWSER, session=None)


@pytest.mark.parametrize(
    ("browser", "session"), [("c" * 43, SESSION), (BROWSER, None), (BROWSER, "idp_bs_" + "t" * 43)]
)
def test_a_token_of_another_browser_or_session_is_refused(browser, session):
    """S8: bound to the pre-session and to the session."""
    with pytest.raises(StaleForm):
        assert_token(new_token(browser=BROWSER, session=SESSION), browser=browser, sessions=[session])


@pytest.mark.parametrize("token", ["", "x", "ä", "a" * 64, "a" * 5000])
def test_junk_is_refused(token):
    with pytest.raises(StaleForm):
        assert_token(token, browser=BROWSER, sessions=[None])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec_Fetch_Site": "same-origin"},
        {"Sec_Fetch_Site": "same-origin", "Origin": "null"},
        {"Sec_Fetch_Site": "none"},
        {"Origin": ISSUER},
        {"Origin": "null"},
    ],
)
def test_forms_of_our_own_pages_pass(headers):
    assert_same_origin(post(**headers), issuer_origin=ISSUER)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site", "Origin": ISSUER},
        {"Sec_Fetch_Site": "", "Origin": ISSUER},
        {"Origin": "https://evil.example"},
        {"Origin": "https://idp.example.evil.example"},
    ],
)
def test_forms_of_other_sites_are_refused(headers):
    """S8: Fetch Metadata, or Origin where there is none."""
    with pytest.raises(StaleForm):
        assert_same_origin(post(**headers), issuer_origin=ISSUER)
