"""Four workers share the outbox: every mail leaves once, soon, and over a connection that is encrypted."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import BOTH_DATABASES, new_postgresql_database
from tests.mail_server import Certificates, MailServer
from tests.served.rig import Served

MAILS = 60
WORKERS = 4


@pytest.fixture(params=BOTH_DATABASES)
def database_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    if request.param == "sqlite":
        yield None
    else:
        with new_postgresql_database() as url:
            yield url


def test_every_mail_leaves_once_whichever_worker_takes_it(tmp_path: Path, database_url: str | None) -> None:
    certificates = Certificates(tmp_path)
    with MailServer(certificates.context()) as mail_server:
        settings = {
            "IDP_MAIL_TRANSPORT": "smtp",
            "IDP_MAIL_HOST": "localhost",
            "IDP_MAIL_PORT": str(mail_server.port),
            "IDP_MAIL_CA_FILE": str(certificates.ca_file),
        }
        with Served(tmp_path, database_url=database_url, workers=WORKERS, **settings) as served:
            with served.opened() as container:
                now = container.clock.now()
                with container.database.transaction():
                    for number in range(MAILS):
                        container.outbox.notice(
                            "test",
                            to=f"person{number}@example.org",
                            locale="en",
                            values={},
                            account_id=None,
                            now=now,
                        )
            served.wait_for(lambda: len(mail_server.mails) >= MAILS, seconds=30)
            served.stop()
            log = served.log_text()

    sent = Counter(mail.to for mail in mail_server.mails)
    assert sent == Counter(f"person{number}@example.org" for number in range(MAILS))
    assert all(mail_server.was_encrypted)
    assert mail_server.connections < MAILS
    assert "person" not in log
