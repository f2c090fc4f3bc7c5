"""Forms that other sites cannot send, and addresses that change nothing.

| row | MUST                                                | test                                       |
|-----|-----------------------------------------------------|--------------------------------------------|
| S8  | a token on every form, bound to browser and session | test_every_form_has_a_token                |
|     |                                                     | test_wrong_tokens_are_refused              |
| S8  | Fetch metadata, else Origin                         | test_forms_from_elsewhere_are_refused      |
|     |                                                     | test_origin_decides_without_fetch_metadata |
| S8  | login, consent, account choice, logout, cancel: no  | the parametrised doors                     |
|     | exception                                           |                                            |
| S9  | state changes by POST alone                         | test_opening_pages_changes_nothing         |
| X7  | a refused form leads somewhere, with an id          | test_stale_form_offers_a_way_on            |
"""

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urljoin

import pytest
from sqlalchemy import MetaData, select

from tests.browser import Page
from tests.frontchannel import BROWSER, SESSION, SQLITE_ONLY, ask, refusal, signed_in, success, text_of
from tests.provider import PASSWORD, Client, Provider

pytestmark = pytest.mark.parametrize(*SQLITE_ONLY)

Door = Callable[[Provider, Client], tuple[Page, str, dict[str, str]]]


def login(provider: Provider, third: Client) -> tuple[Page, str, dict[str, str]]:
    return ask(provider, third), "login-submit", {"username": "ada", "password": PASSWORD}


def plain_login(provider: Provider, third: Client) -> tuple[Page, str, dict[str, str]]:
    return provider.browser().get("/login"), "login-submit", {"username": "ada", "password": PASSWORD}


def cancel(provider: Provider, third: Client) -> tuple[Page, str, dict[str, str]]:
    return ask(provider, third), "login-cancel", {}


def consent(provider: Provider, third: Client) -> tuple[Page, str, dict[str, str]]:
    return ask(provider, third, signed_in(provider)), "consent-allow", {"decision": "allow"}


def select_account(provider: Provider, third: Client) -> tuple[Page, str, dict[str, str]]:
    page = ask(provider, third, signed_in(provider), prompt="select_account")
    return page, "account-keep", {"choice": "keep"}


def logout(provider: Provider, third: Client) -> tuple[Page, str, dict[str, str]]:
    return signed_in(provider).get("/logout"), "logout-yes", {}


def home_logout(provider: Provider, third: Client) -> tuple[Page, str, dict[str, str]]:
    return signed_in(provider).get("/"), "home-logout", {}


DOORS = [login, plain_login, cancel, consent, select_account, logout, home_logout]


@pytest.fixture
def third(provider, ada) -> Client:
    return provider.client("third", first_party=False)


def post(page: Page, button: str, values: dict[str, str], **options: object) -> Page:
    """Send the form of a page with other values, and options of the browser."""
    form = page.form_with(button)
    fields = {**form.fields, **values}
    return page.browser.open(
        "POST", urljoin(page.url, form.action or page.url), form=list(fields.items()), **options
    )


def stored(provider: Provider) -> dict[str, list[str]]:
    """Everything in the database."""
    engine = provider.container.database.engine
    metadata = MetaData()
    metadata.reflect(engine)
    with engine.connect() as connection:
        return {
            table.name: sorted(str(tuple(row)) for row in connection.execute(select(table)))
            for table in metadata.sorted_tables
        }


@pytest.mark.parametrize("door", DOORS)
def test_every_form_has_a_token(provider, third, door: Door):
    """S8: and with it, the form works."""
    page, button, values = door(provider, third)

    assert all(len(form.fields["csrf_token"]) >= 40 for form in page.forms)
    assert (
        post(page, button, values).status == HTTPStatus.OK
        or page.browser.trail[0].status == HTTPStatus.SEE_OTHER
    )


@pytest.mark.parametrize("door", DOORS)
def test_wrong_tokens_are_refused(provider, third, door: Door):
    """S8: missing, empty, made up, of another browser, of another person; nothing changes."""
    page, button, values = door(provider, third)
    other, other_button, _ = door(provider, third)
    good = page.form_with(button).fields["csrf_token"]
    wrong = {
        "empty": "",
        "short": "x",
        "made up": "A" * len(good),
        "changed": good[:-4] + "AAAA",
        "not base64": "!" * len(good),
        "not ascii": "ü" * 20,
        "another browser's": other.form_with(other_button).fields["csrf_token"],
    }
    before = stored(provider)

    for what, token in wrong.items():
        refused = post(page, button, {**values, "csrf_token": token})
        assert refused.status == HTTPStatus.FORBIDDEN, what
        assert refused.has("request-id")
    action = urljoin(page.url, page.form_with(button).action or page.url)
    assert page.browser.open("POST", action, form=list(values.items())).status == HTTPStatus.FORBIDDEN

    assert stored(provider) == before


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_forms_from_elsewhere_are_refused(provider, third, door: Door, site):
    """S8: also with the right token, also from a sibling host."""
    page, button, values = door(provider, third)
    before = stored(provider)

    assert post(page, button, values, site=site).status == HTTPStatus.FORBIDDEN

    assert stored(provider) == before


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://sub.idp.example",
        "https://idp.example:8443",
        "https://idp.example.evil.example",
        "file://",
    ],
)
def test_origin_decides_without_fetch_metadata(provider, third, origin):
    """S8: older browsers send Origin alone."""
    page, button, values = login(provider, third)

    headers = [("Origin", origin), ("Sec-Fetch-Site", "")]
    refused = provider.http.post(
        page.path,
        {**page.form_with(button).fields, **values},
        headers=[("Origin", origin), ("Cookie", f"{BROWSER}={page.browser.cookies[BROWSER]}")],
    )

    assert refused.status == HTTPStatus.FORBIDDEN
    assert post(page, button, values, headers=headers).status == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("origin", ["https://idp.example", "null", None])
def test_our_own_origin_passes_without_fetch_metadata(provider, third, origin):
    """S8: our Referrer-Policy makes browsers send "null"; the token decides then."""
    page, button, values = login(provider, third)
    headers = [("Cookie", f"{BROWSER}={page.browser.cookies[BROWSER]}")]
    headers += [("Origin", origin)] if origin else []

    answer = provider.http.post(page.path, {**page.form_with(button).fields, **values}, headers=headers)

    assert answer.status == HTTPStatus.SEE_OTHER


def test_token_needs_the_browsers_cookie(provider, third):
    """S8: a token without the cookie it was made for is worth nothing."""
    page, button, values = login(provider, third)
    page.browser.cookies.clear()

    assert post(page, button, values).status == HTTPStatus.FORBIDDEN


def test_token_of_before_a_new_sign_in_is_out_of_date(provider, third):
    """S8, S2: bound to the session; only the sign-in form outlives a sign-in in another tab."""
    form = ask(provider, third)
    consent = form.submit("login-submit", username="ada", password=PASSWORD)
    form.submit("login-submit", username="ada", password=PASSWORD)

    assert consent.submit("consent-allow").status == HTTPStatus.FORBIDDEN


def test_login_cannot_be_forged(provider, third):
    """S8: nobody is signed in to an attacker's account without noticing (login CSRF)."""
    provider.account("mallory")
    attacker = provider.browser()
    token = attacker.get("/login").form_with("login-submit").fields["csrf_token"]
    victim = provider.browser()
    victim.get("/login")
    form = [("csrf_token", token), ("username", "mallory"), ("password", PASSWORD)]

    for site in ("cross-site", None):
        assert victim.open("POST", "/login", form=form, site=site).status == HTTPStatus.FORBIDDEN

    assert SESSION not in victim.cookies


def test_opening_pages_changes_nothing(provider, third):
    """S9: GET and HEAD of every page, with every decision as a query; browsers prefetch."""
    browser = signed_in(provider)
    uid = ask(provider, third, browser).path.rpartition("/")[2]
    again = ask(provider, third, browser, prompt="login").path.rpartition("/")[2]
    decisions = {
        "decision": "allow",
        "choice": "other",
        "action": "cancel",
        "username": "ada",
        "password": PASSWORD,
        "csrf_token": browser.get("/logout").form_with("logout-yes").fields["csrf_token"],
    }
    before = stored(provider)

    for path in ("/", "/login", "/logout", "/logged-out", "/logout/confirm", "/nowhere"):
        browser.get(path, decisions)
    for one in (uid, again):
        for path in ("/login/", "/consent/", "/select-account/"):
            browser.get(path + one, decisions)
            browser.open("HEAD", path + one)

    assert stored(provider) == before
    assert browser.get("/").has("home-logout")
    assert refusal(ask(provider, third, browser, prompt="none")) == "consent_required"


def test_stale_form_offers_a_way_on(provider, third):
    """X7: not a dead end: the link leads back to where the flow stands."""
    page, button, values = login(provider, third)
    refused = post(page, button, {**values, "csrf_token": "x"})
    assert text_of(refused, "request-id") == refused.answer.header("X-Request-Id")

    (again,) = [link["href"] for link in refused.elements("a")]
    page = page.browser.get(again)

    assert page.has("login-submit")
    assert success(page.submit("login-submit", username="ada", password=PASSWORD).submit("consent-allow"))


@pytest.mark.parametrize("field", ["csrf_token", "username", "password", "decision"])
def test_repeated_fields_are_refused(provider, third, field):
    """R9, X16: which of two values is meant nobody knows."""
    page, button, values = consent(provider, third) if field == "decision" else login(provider, third)
    fields = {**page.form_with(button).fields, **values}

    refused = page.browser.open("POST", page.path, form=[*fields.items(), (field, fields.get(field, "x"))])

    assert refused.status == HTTPStatus.BAD_REQUEST
    assert not refused.left


@pytest.mark.parametrize("door", [login, plain_login, cancel, consent, select_account])
def test_a_field_that_no_form_has_is_refused_and_named(
    door: Door, provider: Provider, ada: dict[str, object], third: Client
) -> None:
    """Row X16: it says which one, and nothing has happened."""
    page, button, values = door(provider, third)

    refused = page.submit(button, **values, is_admin="1")

    assert refused.status == HTTPStatus.BAD_REQUEST
    assert "is_admin" in refused.text
    assert page.browser.get(page.url).has(button)
