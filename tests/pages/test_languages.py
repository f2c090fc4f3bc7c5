"""Pages and mails speak the language of the person they are for."""

import pytest

from idp.accounts import Notice
from idp.audit import Source
from tests.provider import Pkce, Provider


def page(provider: Provider, path: str = "/login", *, accept: str = "", **query: str):
    return provider.browser(language=accept).get(path, query or None)


@pytest.mark.parametrize(
    ("accept", "language", "direction", "word"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", "de", "ltr", "Passwort"),
        ("ar-EG,en;q=0.5", "ar", "rtl", "كلمة المرور"),
        ("en-GB", "en", "ltr", "Password"),
        ("tlh", "en", "ltr", "Password"),
    ],
)
def test_a_page_speaks_the_language_of_the_browser(provider, accept, language, direction, word):
    shown = page(provider, accept=accept)

    (html,) = shown.elements("html")
    assert (html["lang"], html["dir"]) == (language, direction)
    assert word in shown.text


def test_the_application_may_ask_for_a_language(provider):
    """OpenID Connect Core §3.1.2.1, ui_locales."""
    client = provider.client()
    browser = provider.browser(language="en")

    shown = provider.authorize(browser, client, ui_locales="xx ar de", **Pkce().parameters)

    assert shown.elements("html")[0]["lang"] == "ar"


def test_errors_and_waiting_times_are_in_the_language_of_the_page(provider):
    provider.account("ada")

    shown = page(provider, accept="de").submit("login-submit", username="ada", password="wrong")

    assert "Der Benutzername oder das Passwort stimmt nicht." in shown.text


def tell(provider: Provider, claims: dict[str, str], locale: str | None) -> str:
    """The subject of a notice to somebody with these claims, caused at a page in this language."""
    account = provider.account("ada", email="ada@example.org", email_verified=True, claims=claims)
    container = provider.container
    with container.database.transaction():
        container.notices.tell(
            account["id"],
            Notice.PASSWORD_CHANGED,
            source=Source("192.0.2.1", "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0"),
            now=provider.clock.now(),
            locale=locale,
        )
    (mail,) = provider.mails()
    return mail.subject


def test_a_mail_speaks_the_language_of_the_page_to_whoever_chose_none(provider):
    provider.account("ada", email="ada@example.org", email_verified=True)
    provider.sign_in(page(provider))

    provider.sign_in(page(provider, accept="de"))

    (mail,) = provider.mails()
    assert mail.subject == "Neue Anmeldung bei Ihrem Konto"


@pytest.mark.parametrize(
    ("claims", "locale", "subject"),
    [
        ({"locale": "de"}, "en", "Ihr Passwort wurde geändert"),
        ({"locale": "ar-MA"}, None, "تغيّرت كلمة مرورك"),
        ({}, "de", "Ihr Passwort wurde geändert"),
        ({}, None, "Your password was changed"),
        ({"locale": "tlh"}, "de", "Your password was changed"),
    ],
)
def test_a_mail_speaks_the_language_its_reader_chose(provider, claims, locale, subject):
    assert tell(provider, claims, locale) == subject


def test_a_mail_from_right_to_left_says_so(provider):
    tell(provider, {"locale": "ar", "zoneinfo": "Africa/Cairo"}, None)

    (mail,) = provider.mails()
    assert '<html lang="ar" dir="rtl">' in mail.html
    assert mail.message["Content-Language"] == "ar"
    assert "1 مارس 2026، 14:00 (Africa/Cairo)" in mail.text
    assert f"{provider.issuer}/not-me/" in mail.link


def test_a_name_cannot_write_into_a_mail(provider):
    """Row V2, and no HTML by way of a name or a device."""
    account = provider.account(
        "eve", email="eve@example.org", claims={"name": "<a href='https://evil.example'>Click</a>"}
    )
    container = provider.container
    with container.database.transaction():
        container.notices.tell(
            account["id"],
            Notice.NEW_DEVICE,
            source=Source("192.0.2.1", "Firefox/1 <script>alert(1)</script> Windows"),
            now=provider.clock.now(),
        )

    (mail,) = provider.mails()
    assert "<a href='https://evil.example'>" not in mail.html
    assert "script" not in mail.html
    assert "Firefox on Windows" in mail.text
