"""Whatever is sent to the authorization endpoint: no crash, no redirect to a place nobody registered.

| row    | MUST                                                | property                     |
|--------|-----------------------------------------------------|------------------------------|
| R1, R2 | a redirect goes to a registered address or nowhere  | test_presented_redirect_uri  |
| R1     | what can be registered works exactly as registered  | test_registered_redirect_uri |
| 6749   | state comes back byte for byte                      | test_state_round_trips       |
| K4     | never a scope that is not registered for the client | test_scopes                  |
| X3, X5 | arbitrary parameters never give 5xx                 | test_arbitrary_parameters    |
|        |                                                     | test_arbitrary_bytes         |
"""

from urllib.parse import quote_from_bytes, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from idp.errors import Invalid
from tests.browser import Page
from tests.frontchannel import (
    SQLITE_ONLY,
    ask,
    location_parameters,
    request_parameters,
    signed_in,
    success,
)
from tests.protocol import jose
from tests.provider import CALLBACK, Client, Pkce, Provider

pytestmark = pytest.mark.parametrize(*SQLITE_ONLY)

quick = settings(
    max_examples=60,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

PARAMETERS = (
    *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge"),
    *("code_challenge_method", "prompt", "max_age", "display", "ui_locales", "claims_locales", "login_hint"),
    *("id_token_hint", "acr_values", "claims", "request", "request_uri", "registration", "resource"),
    *("response_mode", "audience", "dpop_jkt", ""),
)
VALUES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "code",
            "shop",
            CALLBACK,
            "openid email",
            "none",
            "login",
            "0",
            "S256",
            "{}",
            "x.y.z",
            "query",
            "\x00",
            "%00",
        ]
    ),
    st.text(alphabet="\x00\x01\n\r\t \x7f\x85\u202e\u2028\ufeff\ufffe💥é%+&=#;\"'<>\\", max_size=12),
)


def is_safe(page: Page, client: Client) -> bool:
    """A page of ours below 500, or an answer at the registered address, with iss."""
    if not page.left:
        return page.status < 500
    parts = urlsplit(page.url)
    names = [name for name, _ in location_parameters(page.url)]
    return parts._replace(query="", fragment="").geturl() == client.redirect_uri and names.count("iss") == 1


@quick
@given(changes=st.dictionaries(st.sampled_from(PARAMETERS), VALUES, max_size=6))
@example(changes={"redirect_uri": "https://evil.example/", "prompt": "none"})
@example(changes={"max_age": "٣", "prompt": "none"})
def test_arbitrary_parameters(provider, shop, changes):
    """X3, X5, R2: a complete request with some parameters replaced by anything."""
    assert is_safe(ask(provider, shop, **changes), shop)


@quick
@given(pairs=st.lists(st.tuples(st.sampled_from(PARAMETERS) | st.text(max_size=8), VALUES), max_size=12))
def test_arbitrary_pairs(provider, shop, pairs):
    """R9, X3: repeated, reordered, unknown; by GET and by POST."""
    browser = provider.browser()

    assert is_safe(browser.get("/authorize", pairs), shop)
    assert is_safe(browser.open("POST", "/authorize", form=pairs, site="cross-site"), shop)


@quick
@given(junk=st.binary(max_size=60), name=st.sampled_from(["state", "client_id", "claims", "login_hint"]))
def test_arbitrary_bytes(provider, shop, junk, name):
    """X5: bytes that are no UTF-8, escaped or raw."""
    others = urlencode({key: value for key, value in request_parameters(shop).items() if key != name})
    page = provider.browser().get(f"/authorize?{others}&{name}={quote_from_bytes(junk)}")
    assert is_safe(page, shop)

    form = ("Content-Type", "application/x-www-form-urlencoded")
    for path in ("/authorize", "/login", "/logout", "/logout/confirm"):
        assert provider.http.send("POST", path, headers=[form], body=junk).status < 500


@quick
@given(state=st.text(min_size=1, max_size=200), mode=st.sampled_from(["query", "fragment", "form_post"]))
@example(state="+ %20&=#", mode="query")
@example(state="e\u0301\u00e9", mode="fragment")
def test_state_round_trips(provider, shop, state, mode):
    """RFC 6749 §4.1.2: byte for byte, or refused on a page (control characters, X5); never changed."""
    page = ask(provider, shop, state=state, response_mode=mode, prompt="none")

    if page.status == 400:
        assert any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in state)
    elif mode == "form_post":
        assert page.form_with("form-post-submit").fields["state"] == state.replace("\r\n", "\n")
    else:
        assert dict(location_parameters(page.url))["state"] == state


PIECES = st.sampled_from(
    [
        *(
            "https://",
            "http://",
            "HTTPS://",
            "//",
            "shop.example",
            "SHOP.example",
            "evil.example",
            "@",
            ":",
            "443",
            "/",
        ),
        *(
            "callback",
            "Callback",
            "%63allback",
            "..",
            ".",
            "%2f",
            "%2e%2e",
            "?",
            "#",
            "x=1",
            "\\",
            " ",
            "\t",
            "é",
            ";",
        ),
        *("javascript:", "data:", "user", "shop.example/callback", CALLBACK),
    ]
)


@quick
@given(uri=st.lists(PIECES, max_size=7).map("".join) | st.text(max_size=30))
def test_presented_redirect_uri(provider, shop, uri):
    """R1, R2: equal to the registered one, absent, or an error page."""
    page = ask(provider, shop, redirect_uri=uri, prompt="none")

    assert page.left is (uri in {CALLBACK, ""})
    assert is_safe(page, shop)


HOSTS = st.sampled_from(
    ["rp.example", "a-b.rp.example", "127.0.0.1", "[::1]", "localhost", "RP.example", "xn--bcher-kva.example"]
)
PATHS = st.text(alphabet="abcXYZ019-._~!$&'()+,;=:@/%", max_size=20)


@settings(quick, max_examples=30)
@given(
    scheme=st.sampled_from(["https", "http"]),
    host=HOSTS,
    port=st.sampled_from(["", ":8443", ":1"]),
    path=PATHS,
    query=st.sampled_from(["", "?", "?a=1", "?a=1&b=%20c"]),
)
def test_registered_redirect_uri(provider, ada, scheme, host, port, path, query):
    """R1, R3: what registration accepts is where the answer goes, unchanged to the last character."""
    uri = f"{scheme}://{host}{port}/{path}{query}"
    clients = provider.container.admin.clients
    try:
        client = provider.client("prop", redirect_uris=[uri])
    except Invalid:
        return
    try:
        page = ask(provider, client, prompt="none")
        assert page.url.startswith(f"{uri}{'&' if '?' in uri else '?'}error=login_required&")
        assert not ask(provider, client, redirect_uri=uri + "x", prompt="none").left
    finally:
        clients.delete("prop")
        provider.settle()


SCOPES = [
    "openid",
    "profile",
    "email",
    "phone",
    "address",
    "offline_access",
    "read:things",
    "own:scope",
    "unheard:of",
]


@settings(quick, max_examples=25)
@given(
    registered=st.sets(st.sampled_from(SCOPES[:-1]), min_size=1),
    asked=st.lists(st.sampled_from(SCOPES), max_size=6),
)
def test_scopes(provider, ada, registered, asked):
    """K4, RFC 6749 §3.3: a token's scopes were asked for and are registered; else the request is refused."""
    if provider.container.resources.find("https://api.example") is None:
        provider.resource()
    client = provider.client("prop", scope=" ".join(sorted(registered)))
    pkce = Pkce()
    try:
        scope = " ".join(asked) or None
        page = ask(provider, client, signed_in(provider), scope=scope, code_challenge=pkce.challenge)
        known = set(asked) - {"unheard:of"} - ({"own:scope"} - registered)
        if not known <= registered:
            assert dict(location_parameters(page.url))["error"] == "invalid_scope"
            return
        tokens = provider.exchange(client, success(page), verifier=pkce.verifier).json()
        assert set(tokens["scope"].split()) <= known
        assert ("id_token" in tokens) is ("openid" in known)
        assert set(jose.claims(tokens["access_token"]).get("scope", "").split()) == set(
            tokens["scope"].split()
        )
    finally:
        provider.container.admin.clients.delete("prop")
        provider.settle()


def test_the_property_provider_is_a_real_one(provider: Provider, shop: Client):
    """The properties above are about a provider that does answer."""
    assert success(provider.sign_in(ask(provider, shop)))
