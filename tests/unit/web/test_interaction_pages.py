"""Consent, account choice, sign-out, and interactions that are gone."""

import pytest

from tests.provider import PASSWORD, response_parameters


def consent_page(provider, shop, **parameters):
    page = provider.authorize(provider.browser(), shop, prompt="consent", **parameters)
    return page.submit("login-submit", username="ada", password=PASSWORD)


def test_the_question_is_asked_in_plain_words(provider, shop):
    """K2: name, account, scopes and destination as escaped text."""
    page = consent_page(provider, shop, scope="openid email offline_access")

    assert page.path.startswith("/consent/")
    for text in ("Shop <b>& Sons</b>", "Ada Lovelace", "ada@example.org", "e-mail address", "shop.example"):
        assert text in page.text
    assert page.text.count("while you are away") == 1


@pytest.mark.parametrize(("button", "member"), [("consent-allow", "code"), ("consent-deny", "error")])
def test_both_answers_reach_the_client(provider, shop, button, member):
    page = consent_page(provider, shop).submit(button)

    assert member in response_parameters(page)


def test_another_answer_is_refused(provider, shop):
    page = consent_page(provider, shop)
    fields = [*page.form_with("consent-allow").fields.items(), ("decision", "perhaps")]

    assert page.browser.open("POST", page.url, form=fields).status == 400


def test_not_you_leads_to_the_sign_in_page(provider, shop):
    page = consent_page(provider, shop).submit("account-other")

    assert page.has("login-submit")


def test_an_account_can_be_chosen(provider, shop):
    browser = provider.browser()
    browser.get("/login").submit("login-submit", username="ada", password=PASSWORD)

    page = provider.authorize(browser, shop, prompt="select_account")
    assert page.path.startswith("/select-account/")
    assert "Ada Lovelace" in page.text

    page = page.submit("account-keep")
    assert page.left or page.has("consent-allow")


def test_the_consent_page_needs_somebody(provider, shop):
    """M5: a page cannot be reached past the sign-in."""
    page = provider.authorize(provider.browser(), shop)

    page = page.browser.get(page.url.replace("/login/", "/consent/"))

    assert page.has("login-submit")


@pytest.mark.parametrize("address", ["/login/{}", "/consent/{}", "/select-account/{}", "/authorize/{}"])
@pytest.mark.parametrize("uid", ["unknown", "x" * 1000, "%ff", "%F0%9F%8E%89"])
def test_an_interaction_that_is_gone_has_a_friendly_page(provider, address, uid):
    browser = provider.browser()
    browser.get("/login").submit("login-submit", username="ada", password=PASSWORD)

    page = browser.get(address.format(uid))

    assert page.status == 400
    assert "go back to the application" in page.text
    assert page.has("request-id")


def test_another_browser_cannot_go_on(provider, shop):
    """R14: an interaction belongs to the browser that began it."""
    page = provider.authorize(provider.browser(), shop)

    assert provider.browser().get(page.url).status == 400


def test_form_post_has_a_button_and_a_script_the_policy_allows(provider, shop):
    """The page works with and without scripts; values are escaped, not URL-encoded."""
    state = 'a"b<c>&d ü'
    page = provider.authorize(provider.browser(), shop, response_mode="form_post", state=state)
    page = page.submit("login-cancel")

    form = page.form_with("form-post-submit")
    (script,) = page.elements("script")
    policy = page.answer.header("Content-Security-Policy")
    assert form.action == shop.redirect_uri
    assert form.fields["state"] == state
    assert form.fields["error"] == "access_denied"
    assert f"script-src 'nonce-{script['nonce']}'" in policy
    assert "form-action 'self' https://shop.example" in policy


def test_sign_out_is_asked_and_then_goes_where_the_client_said(provider, shop):
    """S14: confirmation without a valid hint; S12: the browser drops what it kept."""
    browser = provider.browser()
    browser.get("/login").submit("login-submit", username="ada", password=PASSWORD)
    address = {"client_id": shop.id, "post_logout_redirect_uri": "https://shop.example/bye", "state": "x y"}

    page = browser.get("/logout", address)
    assert page.has("logout-yes")
    assert "form-action 'self' https://shop.example" in page.answer.header("Content-Security-Policy")

    page = page.submit("logout-yes")
    assert page.url == "https://shop.example/bye?state=x%20y"
    assert page.answer.header("Clear-Site-Data") == '"cache", "storage"'
    assert "__Host-idp_session" not in browser.cookies
    assert "__Host-idp_device" in browser.cookies


def test_a_posted_sign_out_keeps_its_parameters(provider):
    page = provider.browser().open("POST", "/logout", form=[("state", "x")], site="cross-site", follow=False)

    assert (page.status, page.answer.location) == (303, "/logout?state=x")
