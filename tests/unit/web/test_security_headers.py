"""The content security policy and the cookies of pages."""

import pytest
from flask import Request, Response
from werkzeug.test import EnvironBuilder

from idp.web.pages.cookies import BROWSER, DEVICE, SESSION
from idp.web.pages.headers import content_security_policy, csp_source


@pytest.mark.parametrize(
    ("uri", "source"),
    [
        ("https://rp.example/cb?x=1", "https://rp.example"),
        ("http://127.0.0.1:49152/cb", "http://127.0.0.1:49152"),
        ("com.example.app:/cb", "com.example.app:"),
        ("com.example.app:", "com.example.app:"),
        ("http://[::1]:49152/cb", "http:"),
        ("https://user@rp.example/", "https:"),
        ("https://rp.example; script-src *", "https:"),
        ("x y", None),
        ("", None),
        ("http://[", None),
    ],
)
def test_a_redirect_uri_as_a_policy_source(uri, source):
    assert csp_source(uri) == source


@pytest.mark.parametrize(
    "uri", ["https://a;script-src *", "https://a,b", "https://a 'unsafe-inline'", "a\nb://c"]
)
def test_no_uri_adds_to_the_policy(uri):
    """S10: what a client registered cannot loosen the policy."""
    policy = content_security_policy(form_targets=[uri])

    assert policy.count(";") == content_security_policy().count(";")
    assert "," not in policy
    assert "unsafe" not in policy
    assert "\n" not in policy


def test_the_policy_names_everything_it_must():
    """S10."""
    policy = content_security_policy(
        nonce="abc", form_targets=["https://rp.example/cb", "https://rp.example/other"]
    )

    assert policy == (
        "default-src 'none'; script-src 'nonce-abc'; connect-src 'self'; style-src 'self'; "
        "img-src 'self'; "
        "form-action 'self' https://rp.example; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
    )


@pytest.mark.parametrize("cookie", [SESSION, BROWSER, DEVICE])
def test_cookies_belong_to_this_host_alone(cookie):
    """S3: __Host-, Secure, HttpOnly, SameSite=Lax, Path=/, no Domain."""
    response = Response()

    cookie.write(response, "v" * 43, secure=True)

    header = response.headers["Set-Cookie"]
    assert header.startswith(f"__Host-{cookie.base_name}=")
    parts = set(header.split("; ")[1:])
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= parts
    assert not any(part.startswith("Domain") for part in parts)


def test_only_the_device_mark_outlives_the_browser():
    for cookie, lasts in ((SESSION, False), (BROWSER, False), (DEVICE, True)):
        response = Response()
        cookie.write(response, "v" * 43, secure=True)
        assert ("Max-Age" in response.headers["Set-Cookie"]) is lasts


@pytest.mark.parametrize(
    ("value", "is_read"), [("v" * 43, True), ("short", False), ("v" * 300, False), ("a b" * 20, False)]
)
def test_values_we_never_made_are_not_read(value, is_read):
    """S2: no id that it did not create."""
    header = f"idp_session={value}; __Host-idp_session={'o' * 43}"
    request = Request(EnvironBuilder(headers={"Cookie": header}).get_environ())

    assert (SESSION.read(request, secure=False) == value) is is_read
