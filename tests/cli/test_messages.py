"""`idp mail` and `idp outbox`: whether mail leaves, and what did not."""

import json
from datetime import timedelta

import pytest

from idp.delivery import Undeliverable
from idp.errors import Invalid, NotFound, Unavailable
from idp.jobs import deliver_messages
from tests.mail_server import MailServer
from tests.messages import read_mails
from tests.provider import make_provider, make_settings


@pytest.fixture
def folder(environment, tmp_path):
    environment["IDP_MAIL_TRANSPORT"] = "folder"
    environment["IDP_MAIL_FOLDER"] = str(tmp_path / "mail")
    return tmp_path / "mail"


def test_a_test_mail_is_sent_at_once(idp, folder):
    sent = idp("mail", "test", "ada@example.org")

    assert sent["to"] == "ada@example.org"
    assert read_mails(folder)[0].subject == "Test mail from Identity"


def test_what_failed_is_said_in_words(idp, environment):
    environment["IDP_MAIL_TRANSPORT"] = "smtp"
    environment["IDP_MAIL_HOST"] = "localhost"
    with MailServer() as server:
        environment["IDP_MAIL_PORT"] = str(server.port)
        with pytest.raises(Unavailable) as raised:
            idp("mail", "test", "ada@example.org")
        assert "does not offer what is demanded" in raised.value.detail

        environment["IDP_MAIL_SECURITY"] = "none"
        server.replies["RCPT"] = ["550 nobody here"]
        with pytest.raises(Undeliverable) as refused:
            idp("mail", "test", "ada@example.org")
        assert refused.value.detail == "the mail server refuses the recipient (550)"
    with pytest.raises(Unavailable) as raised:
        idp("mail", "test", "ada@example.org")
    assert f"localhost:{server.port}" in raised.value.detail


def test_without_a_transport_and_without_an_address(idp):
    with pytest.raises(Unavailable) as raised:
        idp("mail", "test", "ada@example.org")
    assert "mail.transport" in raised.value.detail
    with pytest.raises(Invalid):
        idp("mail", "test", "ada@example.org\nBcc: eve@example.org")


def test_what_did_not_leave_is_listed_and_retried(idp, tmp_path):
    (tmp_path / "taken").write_text("")
    settings = make_settings(tmp_path, mail={"transport": "folder", "folder": tmp_path / "taken"})
    provider = make_provider(settings)
    container = provider.container
    with container.database.transaction():
        container.outbox.mail(
            "sign_in_code",
            to="ada@example.org",
            locale="en",
            values={"code": "483920", "minutes": 10},
            account_id=None,
            now=provider.clock.now(),
            expires_at=provider.clock.now() + timedelta(seconds=1),
        )
    deliver_messages(container)
    provider.close()

    (waiting,) = container.admin.messages.list_()
    assert (waiting["channel"], waiting["template"], waiting["attempts"]) == ("mail", "sign_in_code", 1)
    assert waiting["given_up_at"]
    assert waiting["next_try_at"] is None
    assert "cannot be made" in waiting["error"]
    assert "ada" not in json.dumps(waiting)
    assert "483920" not in json.dumps(waiting)
    assert container.admin.messages.retry() == {"messages": 1}
    assert container.admin.messages.list_()[0]["next_try_at"]
    with pytest.raises(NotFound):
        idp("outbox", "retry", "msg_unknown")
    assert idp("outbox", "list", "--limit", "1")[0]["id"] == waiting["id"]
