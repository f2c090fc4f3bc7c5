"""Many browsers reach for one code, or one link, of a person at the same moment.

One function is one round, told as the promise it checks; the suite runs a few, `make torture` a hundred. Each
round has a person of its own, since what fails in a round is counted against its account.
"""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode, urlsplit

import pyotp

from idp.authenticators import Channel
from tests.browser import Browser, Page
from tests.messages import Mail, read_mails
from tests.provider import PASSWORD
from tests.served.rig import FORM, Served, volley
from tests.transport import Answer

HANDS = 20
_STEP = timedelta(seconds=30)
_SESSION = "idp_session="

PersonRace = Callable[[Served], None]


def race_for_one_totp_code(served: Served) -> None:
    """Twenty sign-ins wait for the second step; one step of the generator lets one of them in (row M1)."""
    name, account_id = _person(served)
    with served.opened() as container, container.database.transaction():
        secret, now = container.totp.new_secret(), datetime.now(UTC)
        app = pyotp.TOTP(secret.reveal())
        # With the code of a moment ago, so that the one of now is not used up by this.
        assert container.totp.enrol(account_id, secret, app.at(now - _STEP), now - _STEP)
    pages = [_with_password(served, name) for _ in range(HANDS)]

    code = app.now()
    answers = volley(served, [_submit(page, "code-submit", code=code) for page in pages])

    _assert_one_is_in(served, answers, account_id)


def race_for_one_recovery_code(served: Served) -> None:
    """Twenty sign-ins wait for the second step; a recovery code lets one of them in (row M2)."""
    name, account_id = _person(served)
    with served.opened() as container, container.database.transaction():
        secret, now = container.totp.new_secret(), datetime.now(UTC)
        assert container.totp.enrol(account_id, secret, pyotp.TOTP(secret.reveal()).at(now), now)
        code = container.recovery_codes.create(account_id, now)[0]
    pages = [_with_password(served, name) for _ in range(HANDS)]
    pages = [page.browser.get("/login/verify?method=recovery") for page in pages]

    answers = volley(served, [_submit(page, "code-submit", code=code) for page in pages])

    _assert_one_is_in(served, answers, account_id)
    with served.opened() as container, container.database.transaction(write=False):
        assert container.recovery_codes.left(account_id) == 9


def race_for_one_mailed_code(served: Served) -> None:
    """A code by e-mail is good for its sign-in once, however often it is sent in (row M3)."""
    name, account_id = _person(served)
    with served.opened() as container, container.database.transaction():
        container.code_factors.enrol(account_id, Channel.EMAIL, f"{name}@example.org", datetime.now(UTC))
    page = _with_password(served, name)
    page = page.submit("code-send")
    code = _mail_to(served, name).code

    answers = volley(served, [_submit(page, "code-submit", code=code)] * HANDS)

    _assert_one_is_in(served, answers, account_id)


def race_for_one_reset_link(served: Served) -> None:
    """Of twenty browsers with the link to a new password one sets it (row V1)."""
    name, account_id = _person(served)
    served.browser().get("/recover").submit("recover-submit", username=name)
    link = urlsplit(_mail_to(served, name).link).path
    passwords = [secrets.token_urlsafe(20) for _ in range(HANDS)]
    pages = [served.browser().get(link) for _ in passwords]

    answers = volley(
        served,
        [
            _submit(page, "reset-submit", password=password)
            for page, password in zip(pages, passwords, strict=True)
        ],
    )

    done = [answer.status == 303 and answer.location.endswith("/recover/done") for answer in answers]
    assert sum(done) == 1, [(answer.status, answer.header("Location")) for answer in answers]
    with served.opened() as container, container.database.transaction(write=False):
        phc = container.passwords.stored_hash(account_id)
        fits = [container.passwords.verify(password, phc).correct for password in passwords]
        assert fits == done


PERSON_RACES: tuple[PersonRace, ...] = (
    race_for_one_totp_code,
    race_for_one_recovery_code,
    race_for_one_mailed_code,
    race_for_one_reset_link,
)


def _person(served: Served) -> tuple[str, str]:
    """Somebody new, with a password and an e-mail address; name and id."""
    name = f"person{secrets.token_hex(6)}"
    with served.admin() as admin:
        made = admin.accounts.create(
            username=name, email=f"{name}@example.org", email_verified=True, password=PASSWORD
        )
    return name, made["id"]


def _with_password(served: Served, name: str) -> Page:
    """The page for the second step, in a browser of its own."""
    page = served.browser().get("/login").submit("login-submit", username=name, password=PASSWORD)
    assert page.path == "/login/verify", page.text
    return page


def _submit(page: Page, button: str, **values: str) -> bytes:
    """The bytes that the browser would send for this button."""
    browser: Browser = page.browser
    form = page.form_with(button)
    body = urlencode({**form.fields, **values}).encode()
    host = urlsplit(browser.issuer).netloc
    lines = [
        f"POST {urlsplit(form.action or page.url).path} HTTP/1.1",
        f"Host: {host}",
        f"{FORM[0]}: {FORM[1]}",
        f"Origin: {browser.issuer}",
        "Sec-Fetch-Site: same-origin",
        "Cookie: " + "; ".join(f"{name}={value}" for name, value in browser.cookies.items()),
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _mail_to(served: Served, name: str, seconds: float = 20.0) -> Mail:
    """The newest mail to a person, as soon as a worker has sent it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        mails = [mail for mail in read_mails(served.settings.mail.folder) if mail.to.startswith(name)]
        if mails:
            return mails[-1]
        time.sleep(0.1)
    raise AssertionError(f"no mail to {name}: {served.log_text()[-2000:]}")


def _assert_one_is_in(served: Served, answers: list[Answer], account_id: str) -> None:
    """One browser got a session, and there is one in the database."""
    assert all(answer.status < 500 for answer in answers), [answer.status for answer in answers]
    sessions = [
        answer
        for answer in answers
        if any(cookie.startswith(_SESSION) for cookie in answer.all_headers("Set-Cookie"))
    ]
    assert len(sessions) == 1, [(answer.status, answer.header("Location")) for answer in answers]
    with served.opened() as container, container.database.transaction():
        assert container.sessions.end_for_account(account_id, "counted", datetime.now(UTC), limit=HANDS) == 1
