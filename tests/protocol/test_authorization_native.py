"""Native clients (RFC 8252): the one exception to exact redirect URIs, and what follows from it.

| row          | MUST                                          | test                                   |
|--------------|-----------------------------------------------|----------------------------------------|
| 8252 7.3     | any port of a registered loopback IP redirect | test_loopback_port_is_free             |
| R1           | only the port, only IP literals, only native  | test_nothing_but_the_port_is_free      |
|              | clients                                       | test_localhost_is_exact                |
|              |                                               | test_web_clients_have_no_free_port     |
| R5, C4       | the code is bound to the port that was used   | test_code_is_bound_to_the_port         |
| 8252 7.1     | private schemes work                          | test_private_scheme                    |
| 8252 8.6, K1 | an unassured client is asked for each time    | test_consent_is_asked_each_time        |
| R3           | other schemes are refused at registration     | test_schemes_that_cannot_be_registered |
"""

import pytest

from idp.errors import Invalid
from tests.frontchannel import SQLITE_ONLY, VERIFIER, ask, refusal, shown_error, signed_in, success
from tests.provider import Client, Provider

pytestmark = pytest.mark.parametrize(*SQLITE_ONLY)


def native(provider: Provider, *uris: str, first_party: bool = True, **metadata: object) -> Client:
    return provider.client(
        "app",
        auth_method="none",
        redirect_uris=list(uris),
        application_type="native",
        first_party=first_party,
        **metadata,
    )


@pytest.mark.parametrize(
    ("registered", "used"),
    [
        ("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1/cb"),
        ("http://127.0.0.1:8080/cb", "http://127.0.0.1:1/cb"),
        ("http://127.0.0.1:8080/cb", "http://127.0.0.1/cb"),
        ("http://127.0.0.1/cb?x=1", "http://127.0.0.1:65535/cb?x=1"),
        ("http://[::1]/cb", "http://[::1]:49152/cb"),
    ],
)
def test_loopback_port_is_free(provider, ada, registered, used):
    """R1, RFC 8252 §7.3: the operating system picks the port when the app starts."""
    client = native(provider, registered)

    page = ask(provider, client, signed_in(provider), redirect_uri=used)

    code = success(page)
    assert page.url.startswith(used)
    assert provider.exchange(client, code, verifier=VERIFIER, redirect_uri=used).status == 200


@pytest.mark.parametrize(
    "used",
    [
        "http://127.0.0.1:49152/cb/",
        "http://127.0.0.1:49152/CB",
        "http://127.0.0.1:49152/cb?x=1",
        "http://127.0.0.1:49152/",
        "https://127.0.0.1:49152/cb",
        "http://127.0.0.2:49152/cb",
        "http://127.1:49152/cb",
        "http://0x7f000001:49152/cb",
        "http://2130706433/cb",
        "http://localhost:49152/cb",
        "http://[::1]:49152/cb",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:099/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:+80/cb",
        "http://127.0.0.1:٨٠/cb",
        "http://127.0.0.1:80@evil.example/cb",
        "http://127.0.0.1.evil.example:80/cb",
        "http://evil.example#127.0.0.1:80/cb",
    ],
)
def test_nothing_but_the_port_is_free(provider, ada, used):
    """R1: scheme, address, path and query still match exactly, and a port is a number."""
    client = native(provider, "http://127.0.0.1/cb")

    assert shown_error(ask(provider, client, redirect_uri=used)) == (400, "invalid_request", "redirect_uri")


def test_localhost_is_exact(provider, ada):
    """R1, RFC 8252 §7.3, §8.3: the free port is for IP literals, not for a name."""
    client = native(provider, "http://localhost:8080/cb")

    assert ask(provider, client, redirect_uri="http://localhost:8080/cb").has("login-submit")
    assert shown_error(ask(provider, client, redirect_uri="http://localhost:8081/cb"))[0] == 400


def test_web_clients_have_no_free_port(provider, ada):
    """R1: exact comparison for everybody else."""
    client = provider.client("web", redirect_uris=["http://127.0.0.1:8080/cb"], application_type="web")

    assert ask(provider, client, redirect_uri="http://127.0.0.1:8080/cb").has("login-submit")
    assert shown_error(ask(provider, client, redirect_uri="http://127.0.0.1:8081/cb"))[0] == 400


def test_code_is_bound_to_the_port(provider, ada):
    """R5, C4: the token request repeats the address that was used, not another port."""
    client = native(provider, "http://127.0.0.1/cb")
    page = ask(provider, client, signed_in(provider), redirect_uri="http://127.0.0.1:49152/cb")
    code = success(page)

    for other in ("http://127.0.0.1:49153/cb", "http://127.0.0.1/cb"):
        answer = provider.exchange(client, code, verifier=VERIFIER, redirect_uri=other)
        assert (answer.status, answer.json()["error"]) == (400, "invalid_grant")


def test_private_scheme(provider, ada):
    """RFC 8252 §7.1: com.example.app:/callback, with code and state behind it."""
    client = native(provider, "com.example.app:/callback")

    page = ask(provider, client, signed_in(provider))

    assert page.url.startswith("com.example.app:/callback?code=")
    assert success(page)


def test_private_scheme_keeps_its_spelling(provider, ada):
    """R1: an app finds its own address by exact comparison, so nothing is tidied up on the way."""
    client = native(provider, "com.example.app://OAuth/Callback")

    assert ask(provider, client, prompt="none").url.startswith("com.example.app://OAuth/Callback?error=")


def test_private_scheme_may_be_a_forms_goal(provider, ada):
    """S10: browsers apply form-action to the redirect after the form; the scheme is named, not everything."""
    client = native(provider, "com.example.app:/callback")

    policy = ask(provider, client).answer.header("Content-Security-Policy")

    assert "form-action 'self' com.example.app:;" in policy


def test_consent_is_asked_each_time(provider, ada):
    """K1, RFC 8252 §8.6: any app can claim the scheme, so a remembered yes is worth nothing."""
    client = native(provider, "com.example.app:/callback", first_party=False)
    browser = signed_in(provider)

    for _ in range(2):
        page = ask(provider, client, browser)
        assert page.has("consent-allow")
        assert success(page.submit("consent-allow"))
    assert refusal(ask(provider, client, browser, prompt="none")) == "consent_required"


@pytest.mark.parametrize("uri", ["https://app.example/cb", "http://127.0.0.1:4000/cb"])
def test_a_yes_to_other_native_clients_is_remembered(provider, ada, uri):
    """RFC 8252 §7.2, §7.3: a claimed https address belongs to one app, a loopback port to the person."""
    client = native(provider, uri, first_party=False)
    browser = signed_in(provider)

    assert success(ask(provider, client, browser).submit("consent-allow"))
    assert success(ask(provider, client, browser, prompt="none"))


@pytest.mark.parametrize(
    "uri",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "myapp:/cb",
        "http://192.168.0.1/cb",
        "http://shop.example/cb",
        "https://shop.example/cb#f",
        "https://user@shop.example/cb",
        "https://*.shop.example/cb",
        "https://shop.example/a/../b",
        "/cb",
        "",
    ],
)
def test_schemes_that_cannot_be_registered(provider, uri):
    """R3: refused where clients are made, before the endpoint could meet them."""
    with pytest.raises(Invalid) as refused:
        native(provider, uri)
    assert refused.value.field == "redirect_uris"
