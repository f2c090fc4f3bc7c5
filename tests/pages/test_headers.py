"""What surrounds every page: policies, hosts, proxies.

| row    | MUST                                                | test                                      |
|--------|-----------------------------------------------------|-------------------------------------------|
| S10    | CSP with nonce, frame-ancestors, form-action, base- | test_every_page_carries_the_policies      |
|        | uri, object-src                                     |                                           |
| S10    | scripts run by nonce alone, a new one each time     | test_scripts_have_the_nonce_of_their_page |
| S10    | form-action is as narrow as browsers allow          | test_forms_end_where_they_must            |
| S11    | HSTS for a year or more, nosniff, Referrer-Policy,  | test_every_page_carries_the_policies      |
|        | COOP                                                |                                           |
| S11    | no HSTS on loopback http                            | test_no_hsts_without_https                |
| S12    | no-store                                            | test_every_page_carries_the_policies      |
| R13    | Referrer-Policy: no-referrer                        | the same                                  |
| R8     | no CORS                                             | the same                                  |
| X2, V2 | other hosts are refused; links come from the        | test_other_hosts_are_refused              |
|        | configuration                                       | test_forwarded_hosts_are_ignored          |
| L5     | the source address from trusted proxies alone       | test_forwarded_for_*                      |
| X4     | no content of ours is sniffed or framed             | the first                                 |
"""

from http import HTTPStatus

import pytest

from idp.observability import request_id
from tests.browser import Browser
from tests.frontchannel import SQLITE_ONLY, ask, request_parameters, signed_in
from tests.provider import CALLBACK, PASSWORD, Provider
from tests.serving import reach

pytestmark = pytest.mark.parametrize(*SQLITE_ONLY)

POLICIES = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def directives(policy: str) -> dict[str, list[str]]:
    return {words[0]: words[1:] for words in (part.split() for part in policy.split(";")) if words}


def test_every_page_carries_the_policies(provider, shop):
    """S10, S11, S12, R8, R13: pages, redirects and errors alike."""
    browser = signed_in(provider)
    third = provider.client("third", first_party=False)
    answers = []
    for page in (
        browser.get("/"),
        provider.browser().get("/login"),
        ask(provider, shop),
        ask(provider, third, browser),
        ask(provider, third, browser, prompt="select_account"),
        ask(provider, shop, browser),
        ask(provider, shop, response_mode="form_post", prompt="none"),
        ask(provider, shop, redirect_uri="https://evil.example/"),
        browser.get("/logout"),
        browser.get("/logged-out"),
        browser.get("/nowhere"),
        browser.get("/login/gone"),
        browser.open("POST", "/login", form=[], site="cross-site"),
        browser.open("POST", "/authorize", form=[("a", "%")]),
        browser.open("PUT", "/login"),
    ):
        answers += page.browser.trail

    assert len(answers) > 15
    for answer in answers:
        for name, value in POLICIES.items():
            assert answer.header(name) == value, (answer.url, name)
        (policy,) = answer.all_headers("Content-Security-Policy")
        rules = directives(policy)
        assert rules["default-src"] == rules["object-src"] == rules["base-uri"] == ["'none'"]
        assert rules["frame-ancestors"] == ["'none'"]
        assert rules["form-action"][0] == "'self'"
        assert "unsafe" not in policy
        assert "*" not in policy
        transport = answer.header("Strict-Transport-Security") or ""
        assert int(transport.removeprefix("max-age=").split(";")[0]) >= 31_536_000
        assert not [name for name, _ in answer.headers if name.lower().startswith("access-control-")]


def test_scripts_have_the_nonce_of_their_page(provider, shop):
    """S10: one that cannot be foreseen."""
    seen = set()
    for _ in range(3):
        for page in (ask(provider, shop), ask(provider, shop, response_mode="form_post", prompt="none")):
            rules = directives(page.answer.header("Content-Security-Policy") or "")
            (source,) = rules["script-src"]
            for script in page.elements("script"):
                assert source == f"'nonce-{script['nonce']}'"
                seen.add(script["nonce"])

    assert len(seen) == 6


def test_forms_end_where_they_must(provider, ada, shop):
    """S10: only ourselves without a client; the client itself for its answer; with one, what browsers need.

    Browsers apply form-action to every redirect after a form, also to the client's own, which may lead to
    any https address.
    """
    app = provider.client(
        "app", auth_method="none", redirect_uris=["com.example.app:/cb", "http://127.0.0.1/cb"]
    )
    pages = {
        "'self'": provider.browser().get("/login"),
        "'self' https://shop.example": ask(provider, shop, response_mode="form_post", prompt="none"),
        "'self' https:": ask(provider, shop),
        "'self' com.example.app: http://127.0.0.1": ask(provider, app),
    }

    for allowed, page in pages.items():
        policy = page.answer.header("Content-Security-Policy") or ""
        assert directives(policy)["form-action"] == allowed.split()


def test_no_hsts_without_https(new_provider):
    """S11: a developer's http://localhost must not be sent to https for two years."""
    local = new_provider(issuer="http://localhost:8000")

    answer = local.http.get("/login")

    assert answer.header("Strict-Transport-Security") is None
    assert answer.header("X-Frame-Options") == "DENY"


OTHER_HOSTS = [
    "evil.example",
    "idp.example.evil.example",
    "idp.example@evil.example",
    "idp.example:443@evil.example",
    "evil.example:443",
    "idp.example, evil.example",
    "idp.example/evil.example",
    "xidp.example",
    "192.0.2.1",
    "[2001:db8::1]",
    "idp.example.",
    "idp.ex\u00e4mple",
    "",
]


def test_other_hosts_are_refused(provider, shop):
    """X2, V2: whoever names us otherwise gets an error that does not repeat the name."""
    for host in OTHER_HOSTS:
        for path in (
            "/",
            "/login",
            "/authorize?client_id=shop",
            "/token",
            "/.well-known/openid-configuration",
        ):
            answer = provider.http.get(path, headers=[("Host", host)])

            assert answer.status == HTTPStatus.BAD_REQUEST, host
            assert "evil" not in answer.text
            assert answer.header("Location") is None


@pytest.mark.parametrize(
    "host",
    ["idp.example", "IDP.example", "idp.example:443", "idp.example:8443", "localhost", "127.0.0.1:8000"],
)
def test_our_own_names_are_accepted(provider, host):
    """X2: the issuer's host in any case, and the machine itself."""
    assert provider.http.get("/login", headers=[("Host", host)]).status == HTTPStatus.OK


def test_trusted_hosts_are_accepted(new_provider):
    """X2: names an operator adds; links still come from the issuer."""
    provider = new_provider(proxy={"trusted_hosts": ["inside.example"]})

    answer = provider.http.get("/.well-known/openid-configuration", headers=[("Host", "inside.example")])

    assert answer.json()["authorization_endpoint"] == "https://idp.example/authorize"


FORWARDED = [
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Proto", "http"),
    ("X-Forwarded-Server", "evil.example"),
    ("X-Forwarded-Prefix", "/evil"),
    ("X-Original-URL", "/logged-out"),
    ("X-Rewrite-URL", "/logged-out"),
    ("X-HTTP-Method-Override", "DELETE"),
    ("Forwarded", "host=evil.example;proto=http"),
]


@pytest.mark.parametrize("hops", [0, 1])
def test_forwarded_hosts_are_ignored(new_provider, hops):
    """X2, V2: no header changes where links and redirects lead, or whether cookies are secure."""
    provider = new_provider(proxy={"trusted_hops": hops})
    provider.account("ada")
    shop = provider.client("shop")
    browser = provider.browser()

    page = browser.get("/authorize", request_parameters(shop), headers=FORWARDED)
    assert page.path.startswith("/login/")
    assert "evil" not in page.answer.text
    for answer in browser.trail:
        assert "evil" not in repr(answer.headers)
    assert all("Secure" in cookie for cookie in browser.set_cookies)

    metadata = provider.http.get("/.well-known/openid-configuration", headers=FORWARDED).json()
    assert metadata == provider.metadata()


def failed_attempts(provider: Provider, peer: str, forwarded: list[str | None]) -> list[int]:
    """The statuses of wrong attempts from one connection with these X-Forwarded-For headers."""
    statuses = []
    for number, value in enumerate(forwarded):
        browser = Browser(reach(provider.app, peer))
        headers = [] if value is None else [("X-Forwarded-For", value)]
        page = browser.get("/login")
        form = page.form_with("login-submit").fields.items()
        fields = [(k, {"username": f"name{number}", "password": "wrong"}.get(k, v)) for k, v in form]
        statuses.append(browser.open("POST", "/login", form=fields, headers=headers).status)
    return statuses


LIMITED = {"enabled": True, "login_per_source": "3/minute"}


def test_forwarded_for_is_ignored_without_proxies(new_provider):
    """L5: with no trusted proxy the header is anybody's claim; a new one per guess gains nothing."""
    provider = new_provider(ratelimit=LIMITED)

    statuses = failed_attempts(provider, "198.51.100.1", [f"203.0.113.{n}" for n in range(4)])

    assert statuses == [422, 422, 422, 429]


def test_forwarded_for_counts_from_the_right(new_provider):
    """L5: behind one proxy its own entry counts, not what the client wrote before it."""
    provider = new_provider(ratelimit=LIMITED, proxy={"trusted_hops": 1})

    forged = failed_attempts(provider, "10.0.0.1", [f"203.0.113.{n}, 198.51.100.1" for n in range(4)])
    assert forged == [422, 422, 422, 429]

    others = failed_attempts(provider, "10.0.0.1", [f"198.51.100.{n}" for n in range(10, 14)])
    assert others == [422] * 4


@pytest.mark.parametrize("junk", ["", "junk", "unknown", ",", "203.0.113.1,", "' OR 1=1", "a" * 5000])
def test_forwarded_for_junk_is_the_peer(new_provider, junk):
    """L5: a proxy writes addresses; anything else means the connection's own address."""
    provider = new_provider(ratelimit=LIMITED, proxy={"trusted_hops": 1})

    assert failed_attempts(provider, "10.0.0.1", [junk] * 4) == [422, 422, 422, 429]


def test_forwarded_for_with_too_few_entries(new_provider):
    """L5: two proxies expected, one entry: the request went round one of them."""
    provider = new_provider(ratelimit=LIMITED, proxy={"trusted_hops": 2})

    assert failed_attempts(provider, "10.0.0.1", [f"203.0.113.{n}" for n in range(4)]) == [422, 422, 422, 429]


def test_password_is_in_no_header(provider, shop):
    """R13, S12: nor in any address."""
    page = ask(provider, shop)
    page.submit("login-submit", username="ada", password=PASSWORD)

    for answer in page.browser.trail:
        assert PASSWORD not in repr(answer.headers)
        assert PASSWORD.replace(" ", "+") not in repr(answer.headers)
    assert page.browser.trail[-1].location.startswith(CALLBACK)


def test_a_request_leaves_no_id_behind(provider):
    """X9: what a thread logs after a request is not of that request."""
    provider.http.get("/healthz")

    assert request_id.get() == ""
