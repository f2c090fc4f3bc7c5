"""The words of messages: every template in every language, links to us alone, names that stay names."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateError, UndefinedError

from idp.accounts import Notice
from idp.delivery import Channel, MailSender, Message, Renderer, Undeliverable
from idp.languages import available_languages
from idp.settings import MailSettings
from idp.shipped import find_templates
from tests.post import ISSUER, LINK

NOW = datetime(2026, 3, 1, 12, 5, tzinfo=UTC)
RENDERER = Renderer(issuer=ISSUER, brand_name="Example & Co", default_locale="en")
LANGUAGES = available_languages("en")
MAILS = sorted(
    path.relative_to(find_templates() / "mail").with_suffix("").as_posix()
    for path in Path(find_templates() / "mail").rglob("*.jinja")
    if path.stem != "layout"
)
SMS = sorted(path.stem for path in Path(find_templates() / "sms").glob("*.txt"))
VALUES = {
    "person": "Ada",
    "link": LINK,
    "code": "123456",
    "minutes": 10,
    "days": 7,
    "happened_at": NOW.isoformat(),
    "zone": "Europe/Berlin",
    "browser": "Firefox",
    "system": "Linux",
    "address": "192.0.2.1",
    "provider": "Example company",
}


def message(template="reset_password", **changes):
    given = {"to": "ada@example.org", "locale": "en", "values": VALUES, **changes}
    return Message(
        id="msg_1", channel=Channel.MAIL, template=template, created_at=NOW, useless_at=NOW, **given
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", MAILS)
def test_every_mail_says_the_same_in_text_and_html(template, language):
    mail = RENDERER.mail(message(template, locale=language))

    assert mail.subject.strip()
    assert "Example & Co" in mail.text
    assert "Example &amp; Co" in mail.html
    assert (LINK in mail.text) == (LINK in mail.html)
    assert ("123456" in mail.text) == ("123456" in mail.html)
    assert f'lang="{language.replace("_", "-")}"' in mail.html
    assert "{" not in mail.text
    assert "%(" not in mail.text + mail.html + mail.subject


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", SMS)
def test_every_sms_is_one_short_line(template, language):
    text = RENDERER.sms(template, language, VALUES)

    assert text
    assert "\n" not in text
    assert "%(" not in text
    assert len(text) <= 220


def test_every_notice_has_its_mail():
    assert {f"notice/{notice.value}" for notice in Notice} == {
        name for name in MAILS if name.startswith("notice/")
    }


def test_the_time_is_the_persons():
    mail = RENDERER.mail(message("notice/password_changed"))

    assert "When: 1 March 2026, 13:05 (Europe/Berlin)" in mail.text


@pytest.mark.parametrize("zone", [None, "Nowhere/Atall", "../../etc/passwd", "", "Europe"])
def test_an_unknown_zone_gives_utc(zone):
    mail = RENDERER.mail(message("notice/password_changed", values={**VALUES, "zone": zone}))

    assert "12:05 (UTC)" in mail.text


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/recover/x",
        "https://idp.example.evil.example/x",
        "https://idp.example@evil.example/",
        "http://idp.example/x",
        "javascript:alert(1)",
        "/recover/x",
    ],
)
def test_a_link_leads_to_the_issuer_or_the_mail_is_not_written(link):
    """Row V2: links are built from configuration, never from a request."""
    with pytest.raises(ValueError, match="does not begin with the issuer"):
        RENDERER.mail(message(values={**VALUES, "link": link}))


@given(name=st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_no_name_writes_lines_or_elements(name):
    mail = RENDERER.mail(message("notice/password_changed", values={**VALUES, "person": name}))
    plain = RENDERER.mail(message("notice/password_changed"))

    assert len(mail.text.splitlines()) <= len(plain.text.splitlines())
    assert mail.html.count("<") == plain.html.count("<")


def test_no_name_turns_the_direction_of_what_follows():
    mail = RENDERER.mail(message("notice/password_changed", values={**VALUES, "person": "Ada\u202e\u2066"}))

    assert "Hello Ada," in mail.text


@pytest.mark.parametrize("name", ["../../etc/passwd", "notice/../test", "", "Test", "a/b/c", "nothing"])
def test_a_template_is_a_name(name):
    with pytest.raises((ValueError, TemplateError)):
        RENDERER.mail(message(name))


def test_a_value_that_is_missing_is_an_error():
    with pytest.raises(UndefinedError):
        RENDERER.mail(message("reset_password", values={"link": LINK}))


SENDER = MailSender(MailSettings(sender="Example & Co <no-reply@idp.example>"), RENDERER, ISSUER)


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.org\r\nBcc: eve@example.org",
        "ada\n@example.org",
        "ada@example.org, eve@example.org",
        "ada@exa mple.org",
        "<ada@example.org>",
        "ada@",
        "@example.org",
        "ada",
        "",
        "ada@" + "ä" * 80 + ".org",
    ],
)
def test_no_address_gets_out_of_its_header(address):
    with pytest.raises(Undeliverable):
        SENDER.compose(message(to=address)).as_bytes()


def test_a_sender_with_special_characters_is_quoted():
    mail = SENDER.compose(message())

    assert b"From: Example & Co <no-reply@idp.example>" in mail.as_bytes()


def test_a_subject_is_one_line_whatever_the_brand_is():
    renderer = Renderer(issuer=ISSUER, brand_name="Ex\r\nBcc: eve@example.org", default_locale="en")
    mail = MailSender(MailSettings(), renderer, ISSUER).compose(message())

    assert mail["Bcc"] is None
    assert "\n" not in mail["Subject"]


def test_the_same_message_is_the_same_mail():
    """Sent twice after a crash, it is shown once."""
    assert SENDER.compose(message())["Message-ID"] == SENDER.compose(message())["Message-ID"]
