"""Mail leaves through a mail server: encrypted as configured, or not at all."""

import socket
from datetime import timedelta

import pytest

from idp.errors import Unavailable
from idp.settings import MailSettings, SettingsError
from tests.mail_server import Certificates, MailServer
from tests.post import LINK


def smtp(server, certificates, **changes):
    """Settings that reach this server."""
    values = {
        "transport": "smtp",
        "host": "localhost",
        "port": server.port,
        "ca_file": certificates.ca_file,
        "sender": "Example <no-reply@idp.example>",
        "timeout": 20,
    }
    return values | changes


def states(post):
    return [(outcome.state, outcome.error) for outcome in post.round()]


def test_a_mail_arrives_encrypted_with_text_and_html(make_post, certificates):
    with MailServer(certificates.context()) as server:
        post = make_post(mail=smtp(server, certificates))
        post.write()

        assert states(post) == [("sent", "")]

    (mail,) = server.mails
    assert server.was_encrypted == [True]
    assert mail.to == "ada@example.org"
    assert mail.subject == "Choose a new password for Example & Co"
    assert mail.link == LINK
    assert LINK in mail.html
    assert "Example &amp; Co" in mail.html
    assert mail.message["From"] == "Example <no-reply@idp.example>"
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert mail.message["Message-ID"].endswith("@idp.example>")


def test_several_mails_go_over_one_connection(make_post, certificates):
    with MailServer(certificates.context()) as server:
        post = make_post(mail=smtp(server, certificates))
        for number in range(4):
            post.write(f"person{number}@example.org")

        assert [state for state, _ in states(post)] == ["sent"] * 4

    assert server.connections == 1
    assert {mail.to for mail in server.mails} == {f"person{number}@example.org" for number in range(4)}


def test_tls_from_the_first_byte(make_post, certificates):
    """RFC 8314 §3.3."""
    with MailServer(certificates.context(), from_the_first_byte=True) as server:
        post = make_post(mail=smtp(server, certificates, security="tls"))
        post.write()

        assert states(post) == [("sent", "")]

    assert server.was_encrypted == [True]


def test_nothing_is_said_to_a_server_that_does_not_offer_the_encryption_demanded(
    make_post, certificates, tmp_path
):
    """Somebody on the way can take the offer out: no mail and no password then (RFC 3207 §6)."""
    (tmp_path / "password").write_text("secret-of-the-mail-server\n")
    with MailServer(password="secret-of-the-mail-server") as server:
        post = make_post(mail=smtp(server, certificates, username="idp", password_file=tmp_path / "password"))
        post.write()
        ((state, error),) = states(post)

    assert state == "postponed"
    assert "does not offer" in error
    assert not [command for command in server.commands if command.startswith(("AUTH", "MAIL", "DATA"))]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_of_an_unknown_authority_is_refused(make_post, certificates, tmp_path, security):
    others = Certificates(tmp_path)
    with MailServer(others.context(), from_the_first_byte=security == "tls") as server:
        post = make_post(mail=smtp(server, certificates, security=security))
        post.write()
        ((state, error),) = states(post)

    assert state == "postponed"
    assert "has no valid TLS" in error
    assert server.mails == []


def test_a_certificate_for_another_name_is_refused(make_post, certificates):
    with MailServer(certificates.context()) as server:
        post = make_post(mail=smtp(server, certificates, host="127.0.0.2"))
        post.write()
        ((state, error),) = states(post)

    assert state == "postponed"
    assert "localhost" not in error
    assert server.mails == []


def test_it_authenticates_with_the_password_of_the_file_as_it_is_now(make_post, certificates, tmp_path):
    file = tmp_path / "password"
    file.write_text("old")
    with MailServer(certificates.context(), password="new") as server:
        post = make_post(mail=smtp(server, certificates, username="idp", password_file=file))
        post.write()
        ((state, error),) = states(post)
        file.write_text("new\n")
        post.clock.advance(timedelta(seconds=10))

        assert states(post) == [("sent", "")]

    assert state == "postponed"
    assert "(535)" in error
    assert "old" not in error


@pytest.mark.parametrize(
    ("verb", "reply", "state"),
    [
        ("RCPT", "550 no such person ada@example.org", "given_up"),
        ("RCPT", "450 mailbox of ada@example.org is busy", "postponed"),
        ("MAIL", "552 too much", "given_up"),
        ("MAIL", "451 later", "postponed"),
        ("DATA", "554 this is spam", "given_up"),
        ("DATA", "hang up", "postponed"),
        ("EHLO", "hang up", "postponed"),
    ],
)
def test_a_refusal_for_good_is_final_and_any_other_is_not(make_post, certificates, verb, reply, state):
    """RFC 5321 §4.2.1. What is noted names nobody, because it is logged (row X10)."""
    with MailServer(certificates.context()) as server:
        server.replies[verb] = [reply, reply] if verb == "EHLO" else [reply]
        post = make_post(mail=smtp(server, certificates))
        post.write()
        ((told, error),) = states(post)

    assert told == state
    assert error
    assert "ada" not in error


def test_one_refused_recipient_does_not_keep_the_next_mail_from_leaving(make_post, certificates):
    with MailServer(certificates.context()) as server:
        server.replies["RCPT"] = ["550 nobody"]
        post = make_post(mail=smtp(server, certificates))
        post.write("nobody@example.org")
        post.write("ada@example.org")

        assert [state for state, _ in states(post)] == ["given_up", "sent"]

    assert [mail.to for mail in server.mails] == ["ada@example.org"]
    assert server.connections == 1


def test_a_server_that_does_not_speak_ends_the_try_in_time(make_post, certificates):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        post = make_post(mail={"transport": "smtp", "host": "localhost", "port": port, "timeout": 0.2})
        for _ in range(3):
            post.write()

        assert [state for state, _ in states(post)] == ["postponed"] * 3


def test_nobody_listening(make_post, certificates):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    post = make_post(mail={"transport": "smtp", "host": "localhost", "port": port})
    post.write()
    ((state, error),) = states(post)

    assert state == "postponed"
    assert f"localhost:{port}" in error


def test_domains_travel_in_ascii_and_local_parts_as_they_are(make_post, certificates):
    """RFC 5891 §4.4, RFC 6531 §3.3."""
    with MailServer(certificates.context()) as server:
        post = make_post(mail=smtp(server, certificates))
        post.write("ada@exämple.org")
        post.write("äda@example.org")

        assert [state for state, _ in states(post)] == ["sent", "sent"]

    assert [mail.to for mail in server.mails] == ["ada@xn--exmple-cua.org", "äda@example.org"]


def test_a_server_without_utf8_cannot_take_a_local_part_beyond_ascii(make_post, certificates):
    with MailServer(certificates.context(), offers_utf8=False) as server:
        post = make_post(mail=smtp(server, certificates))
        post.write("äda@example.org")

        assert states(post) == [("given_up", "the mail server takes no addresses beyond ASCII")]


def test_a_password_file_that_is_gone_is_told(make_post, certificates, tmp_path):
    with MailServer(certificates.context()) as server:
        post = make_post(mail=smtp(server, certificates, username="idp", password_file=tmp_path / "gone"))
        post.write()

        assert states(post) == [("postponed", "mail.password_file cannot be read: No such file or directory")]
    assert server.connections == 0


def test_an_unusable_ca_file_is_told(make_post, tmp_path):
    (tmp_path / "ca.pem").write_text("nothing")
    post = make_post(mail={"transport": "smtp", "ca_file": tmp_path / "ca.pem"})

    with pytest.raises(SettingsError, match=r"mail\.ca_file"), post.mail_sender.session():
        pass


def test_without_a_transport_there_is_no_session(make_post):
    post = make_post(mail={"transport": "none"})

    assert not post.outbox.can_mail
    assert post.write() is False
    with pytest.raises(Unavailable), post.mail_sender.session():
        pass
    assert MailSettings().transport == "none"
