"""How the answer travels: query, fragment, form_post.

| row          | MUST                                  | test                                               |
|--------------|---------------------------------------|----------------------------------------------------|
| MRT 2.1      | query is the default for code         | test_query_is_the_default                          |
| MRT 2.1      | fragment on request, nothing in the   | test_fragment                                      |
|              | query then                            |                                                    |
| FPRM 2       | form_post: a form to the redirect URI | test_form_post_*                                   |
|              | with every parameter                  |                                                    |
| pages 6      | submits itself by a script the CSP    | test_form_post_page_works_with_and_without_scripts |
|              | allows, with a button                 |                                                    |
| pages 6      | values are HTML-escaped, not URL-     | test_form_post_values_are_escaped                  |
|              | encoded                               |                                                    |
| FPRM 5       | the answer is not stored              | test_form_post_page_is_not_stored                  |
| 6749 4.1.2.1 | errors travel in the asked-for mode   | test_errors_travel_the_same_way                    |
| R6           | iss in each of them                   | (test_authorization_redirects.py)                  |
"""

import pytest

from tests.frontchannel import SQLITE_ONLY, VERIFIER, ask, location_parameters, refusal, success
from tests.provider import CALLBACK

pytestmark = pytest.mark.parametrize(*SQLITE_ONLY)


def test_all_three_are_announced(provider):
    """RFC 8414 §2."""
    assert set(provider.metadata()["response_modes_supported"]) == {"query", "fragment", "form_post"}


@pytest.mark.parametrize("mode", [None, "", "query"])
def test_query_is_the_default(provider, shop, mode):
    """Multiple Response Types §2.1."""
    page = provider.sign_in(ask(provider, shop, response_mode=mode))

    assert page.url.startswith(f"{CALLBACK}?code=")
    assert [name for name, _ in location_parameters(page.url)] == ["code", "state", "iss"]
    assert "#" not in page.url


def test_fragment(provider, shop):
    """Multiple Response Types §2.1: everything behind the #, nothing in the query."""
    page = provider.sign_in(ask(provider, shop, response_mode="fragment"))

    assert page.url.startswith(f"{CALLBACK}#code=")
    assert "?" not in page.url
    assert provider.exchange(shop, success(page), verifier=VERIFIER).status == 200


def test_form_post_carries_a_code_that_works(provider, shop):
    """OAuth 2.0 Form Post Response Mode §2: POST to the redirect URI, the parameters as fields."""
    page = provider.sign_in(ask(provider, shop, response_mode="form_post"))

    form = page.form_with("form-post-submit")
    assert (form.method, form.action) == ("post", CALLBACK)
    assert set(form.fields) == {"code", "state", "iss"}
    assert page.status == 200
    assert provider.exchange(shop, form.fields["code"], verifier=VERIFIER).status == 200


def test_form_post_to_an_address_with_a_query(provider, ada):
    """Form Post Response Mode §2: the action is the redirect URI, its query kept and nothing added."""
    uri = "https://shop.example/cb?a=1&b=%20"
    client = provider.client("query", redirect_uris=[uri])

    page = ask(provider, client, response_mode="form_post", prompt="none")

    assert page.form_with("form-post-submit").action == uri


def test_form_post_page_works_with_and_without_scripts(provider, shop):
    """S10: a script with the policy's nonce, a visible button, and a form-action that allows the goal."""
    page = provider.sign_in(ask(provider, shop, response_mode="form_post"))

    (script,) = page.elements("script")
    (button,) = page.form_with("form-post-submit").buttons
    policy = page.answer.header("Content-Security-Policy")
    assert f"script-src 'nonce-{script['nonce']}'" in policy
    assert "unsafe" not in policy
    assert "form-action 'self' https://shop.example;" in policy
    assert len(script["nonce"]) >= 20
    assert "hidden" not in button
    assert button["type"] == "submit"
    assert "submit()" in page.answer.text


def test_form_post_nonce_is_new_each_time(provider, shop):
    """S10: a nonce that can be foreseen is none."""
    pages = [ask(provider, shop, response_mode="form_post", prompt="none") for _ in range(5)]

    assert len({page.elements("script")[0]["nonce"] for page in pages}) == 5


@pytest.mark.parametrize(
    "state",
    [
        "a b+c%20&amp;=ü😀",
        '"><script>alert(1)</script>',
        "'\"`=<>",
        "</form><form action=https://evil.example/>",
        "&lt;already&gt;",
        "{{ 7*7 }}{% raw %}",
    ],
)
def test_form_post_values_are_escaped(provider, shop, state):
    """Form Post Response Mode §2: HTML-escaped, not URL-encoded; no markup gets in."""
    page = ask(provider, shop, response_mode="form_post", state=state, prompt="none")

    assert page.form_with("form-post-submit").fields["state"] == state
    assert len(page.elements("script")) == 1
    assert len(page.forms) == 1


def test_form_post_page_is_not_stored(provider, shop):
    """Form Post Response Mode §5, S12: no-store and no framing, the code must stay between the two."""
    page = provider.sign_in(ask(provider, shop, response_mode="form_post"))

    assert page.answer.header("Cache-Control") == "no-store"
    assert page.answer.header("X-Frame-Options") == "DENY"
    assert page.answer.header("Referrer-Policy") == "no-referrer"


@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
def test_errors_travel_the_same_way(provider, shop, mode):
    """RFC 6749 §4.1.2.1, Multiple Response Types §2.1: also an error is sent in the asked-for mode."""
    page = ask(provider, shop, response_mode=mode, prompt="none")

    if mode == "form_post":
        fields = page.form_with("form-post-submit").fields
        assert fields["error"] == "login_required"
        assert "code" not in fields
    else:
        assert page.url.startswith(CALLBACK + {"query": "?", "fragment": "#"}[mode])
        assert refusal(page) == "login_required"


@pytest.mark.parametrize("mode", ["junk", "jwt", "form_post.jwt", "query fragment"])
def test_unknown_mode_is_refused_by_query(provider, shop, mode):
    """R11: a mode nobody speaks is invalid_request, sent the default way."""
    page = ask(provider, shop, response_mode=mode)

    assert page.url.startswith(f"{CALLBACK}?error=invalid_request")


def test_registered_modes_alone(provider, ada):
    """R11: a client registered for form_post alone gets it by asking for it."""
    client = provider.client("poster", response_modes=["form_post"])

    page = ask(provider, client, response_mode="form_post", prompt="none")

    assert page.form_with("form-post-submit").fields["error"] == "login_required"
