"""Redirect URIs at registration (row R3) and at run time (row R1)."""

import contextlib
from string import printable
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from idp.clients import validate_redirect_uri
from idp.clients.redirect_uris import without_loopback_port
from idp.errors import Invalid

ACCEPTED = [
    "https://app.example/callback",
    "https://app.example",
    "https://app.example:8443/a/b?tenant=1&x=%20",
    "https://[2001:db8::1]/cb",
    "https://192.0.2.1/cb",
    "https://rp/cb",
    "http://127.0.0.1/cb",
    "http://127.0.0.1:9000/cb",
    "http://[::1]:9000/cb",
    "http://localhost:9000/callback",
    "com.example.app:/callback",
    "com.example.app://callback",
    "com.example.app:///callback",
    "com.googleusercontent.apps.123-abc:/oauth2redirect",
]
REFUSED = [
    "",
    "/callback",
    "app.example/callback",
    "https:/callback",
    "https:callback",
    "https:///callback",
    "https://app.example/cb#fragment",
    "https://app.example/cb#",
    "https://user@app.example/cb",
    "https://user:pw@app.example/cb",
    "https://app.example@evil.example/cb",
    "https://*.app.example/cb",
    "https://app.example/*",
    "https://app.example/cb?next=*",
    "https://app.example\\@evil.example/cb",
    "https:\\\\app.example\\cb",
    "https://app.example/cb\n",
    "https://app.example/\x00",
    "https://app.example/ cb",
    " https://app.example/cb",
    "https://app.example/%",
    "https://app.example/%zz",
    "https://app.example/%00",
    "https://app.example/%0d%0aSet-Cookie:x",
    "https://app.example/cb/../admin",
    "https://app.example/cb/%2e%2e/admin",
    "https://app.example/.",
    "https://bücher.example/cb",
    "https://app。example/cb",
    "https://app.example:0/cb",
    "https://app.example:65536/cb",
    "https://app.example:/cb",
    "https://app.example:1e3/cb",
    "https://app..example/cb",
    "https://-app.example/cb",
    "https://[::1/cb",
    "https://[fe80::1%25eth0]/cb",
    "https://1.2.3/cb",
    "https://256.1.1.1/cb",
    "https://0x7f.1/cb",
    "http://app.example/cb",
    "http://localhost.evil.example/cb",
    "http://127.0.0.1.evil.example/cb",
    "http://127.1/cb",
    "http://2130706433/cb",
    "http://0.0.0.0/cb",
    "http://[::ffff:127.0.0.1]/cb",
    "http://LOCALHOST.example/cb",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "javascript://app.example/%0aalert(1)",
    "data:text/html,hi",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:https://app.example/1",
    "ftp://app.example/cb",
    "myapp:/callback",
    "myapp://callback",
    "com.example.app:callback",
    "com.example.app:",
    "com..example:/cb",
    "Com.Example.App:/cb",
    "about:blank",
    "urn:ietf:wg:oauth:2.0:oob",
    "https://app.example/" + "a" * 2048,
]


@pytest.mark.parametrize("uri", ACCEPTED)
def test_proper_redirect_uris_are_accepted(uri):
    validate_redirect_uri(uri)


@pytest.mark.parametrize("uri", REFUSED)
def test_dangerous_redirect_uris_are_refused(uri):
    """R3: fragments, userinfo, wildcards, non-https, javascript: and data: are refused at registration."""
    with pytest.raises(Invalid) as caught:
        validate_redirect_uri(uri)

    assert caught.value.field == "redirect_uris"
    assert caught.value.description.isprintable()


@pytest.mark.parametrize("uri", [None, 5, b"https://app.example", ["https://app.example"]])
def test_what_is_no_text_is_refused(uri):
    with pytest.raises(Invalid):
        validate_redirect_uri(uri)


SCHEMES_AND_HOSTS = "https http javascript com.example.app localhost 127.0.0.1 [::1] app.example :80"
MARKS = ": :// / \\ @ # ? * .. %2e %00 %"
PIECES = st.sampled_from([*SCHEMES_AND_HOSTS.split(), *MARKS.split(), "é", "\t", "\n", " ", "\ud800"])


@settings(deadline=None)
@given(st.lists(PIECES | st.text(alphabet=printable, max_size=4), max_size=10).map("".join))
@example("https://[v1.a]/")
@example("http://[::1]:٣/")
def test_accepted_uris_mean_what_they_say(uri):
    """R3: whatever is accepted has a safe scheme, no fragment, no userinfo, and one reading."""
    try:
        parsed = validate_redirect_uri(uri)
    except Invalid:
        return

    parts = urlsplit(uri)
    assert uri.isascii()
    assert uri.isprintable()
    assert not parts.fragment
    assert parts.username is None
    assert parts.scheme == parsed.scheme
    if parsed.scheme == "http":
        assert parts.hostname in {"127.0.0.1", "::1", "localhost"}
    elif parsed.scheme != "https":
        assert "." in parsed.scheme


@settings(deadline=None)
@given(st.text(alphabet=st.characters(), max_size=80))
def test_nothing_but_invalid_is_raised(uri):
    with contextlib.suppress(Invalid):
        validate_redirect_uri(uri)
    without_loopback_port(uri)


@pytest.mark.parametrize(
    ("uri", "portless"),
    [
        ("http://127.0.0.1:5000/cb?a=1", "http://127.0.0.1/cb?a=1"),
        ("http://127.0.0.1/cb", "http://127.0.0.1/cb"),
        ("http://[::1]:5000/cb", "http://[::1]/cb"),
        ("http://[::1]", "http://[::1]"),
        ("http://localhost:5000/cb", None),
        ("https://127.0.0.1:5000/cb", None),
        ("http://127.0.0.1:0/cb", None),
        ("http://127.0.0.1:05000/cb", None),
        ("http://127.0.0.1:65536/cb", None),
        ("http://127.0.0.1:٣/cb", None),
        ("http://127.0.0.1:/cb", None),
        ("http://127.0.0.1:80@evil.example/cb", None),
        ("http://127.0.0.1.evil.example/cb", None),
        ("http://127.0.0.1evil.example/cb", None),
        ("http://127.0.0.1:5000\\@evil.example", None),
        ("HTTP://127.0.0.1:5000/cb", None),
    ],
)
def test_only_the_port_of_a_loopback_ip_is_free(uri, portless):
    """R1, RFC 8252 §7.3 and §8.3: IP literals only, never the name localhost."""
    assert without_loopback_port(uri) == portless
