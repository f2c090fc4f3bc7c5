"""What happens to one session at the same time, in the threads of one process, on both databases.

| rule                                                         | test                                     |
|--------------------------------------------------------------|------------------------------------------|
| S2: a parked session becomes the present one once            | test_one_session_is_chosen_once          |
| S5: signing out and choosing: nobody is left signed in       | test_signing_out_while_choosing          |
| S5: all sessions end, however often it is pressed            | test_signing_out_of_all_many_times       |
| S5: a session that ends while it is raised stays ended       | test_a_session_that_ends_while_it_is_*   |
| one request, answered many times, gives one code             | test_one_choice_gives_one_code           |
"""

import pytest

from idp.audit import Source
from idp.errors import Conflict
from idp.login import Factor
from tests.browser import Browser, Page
from tests.frontchannel import SESSION, ask, refusal, signed_in
from tests.provider import PASSWORD, Provider
from tests.second_steps import twin
from tests.storage.threads import in_parallel

MANY = 8
BESIDE = "__Host-idp_beside"

pytestmark = pytest.mark.parametrize("way", ["direct"], indirect=True)  # a server has threads of its own


@pytest.fixture
def provider(new_provider) -> Provider:
    made: Provider = new_provider()
    made.account("ada")
    made.account("grace")
    return made


@pytest.fixture
def shop(provider):
    return provider.client("shop")


@pytest.fixture
def browser(provider) -> Browser:
    """Grace is present, and ada is signed in beside her."""
    browser = signed_in(provider)
    provider.advance(seconds=1)
    page = browser.get("/select-account").submit("account-other")
    page.submit("login-submit", username="grace", password=PASSWORD)
    provider.advance(seconds=1)
    return browser


def is_live(provider: Provider, cookie: str) -> bool:
    return provider.container.sessions.find(cookie, provider.clock.now()) is not None


def ended(provider: Provider) -> int:
    """How many sessions have ended, as the record has it."""
    container = provider.container
    with container.database.transaction(write=False):
        return sum(row.event == "session.ended" for row in container.repos.audit.list_(limit=1000))


def choosers(provider: Provider, browser: Browser, path: str = "/select-account") -> list[Page]:
    return [twin(provider, browser).get(path) for _ in range(MANY)]


def test_one_session_is_chosen_once(provider, browser):
    """S2: the value of a parked session is exchanged for one new value, whoever else holds it."""
    parked, asked = browser.cookies[BESIDE], choosers(provider, browser)

    pages = in_parallel(MANY, lambda number: asked[number].submit("account-1"))

    values = {page.browser.cookies[SESSION] for page in pages} - {browser.cookies[SESSION]}
    assert min(page.status for page in pages) == 200
    assert len(values) == 1
    assert not is_live(provider, parked)
    assert {page.status for page in pages} <= {200, 400, 404}


def test_a_session_that_ends_while_it_is_raised_stays_ended(provider):
    """S5: a request read the session before it ended; what it had proved begins no other one."""
    here, now = provider.container, provider.clock.now()
    browser = signed_in(provider)
    session = here.sessions.find(browser.cookies[SESSION], now)
    assert session is not None
    with here.database.transaction():
        assert here.sessions.end(session.id, "logout", now)

    with pytest.raises(Conflict):
        here.added_proof.count(
            session, Factor.TOTP, device_cookie=None, source=Source("203.0.113.9", "Test/1.0"), now=now
        )

    with here.database.transaction():
        assert here.sessions.end_for_account(session.account_id, "logout", now, limit=9) == 0


def test_signing_out_while_choosing(provider, browser):
    """S5: whichever comes first, of two sessions none lives on that nobody has a value for.

    Who chooses first has a new value, which the sign-out does not know: that session goes on where it was
    chosen.
    """
    asked = choosers(provider, browser)
    out = twin(provider, browser).get("/").submit("home-logout")

    def act(number: int) -> Page:
        return out.submit("logout-all") if number == 0 else asked[number].submit("account-1")

    pages = in_parallel(MANY, act)

    assert all(page.status < 500 for page in pages)
    held = {
        value
        for page in pages
        for value in (
            page.browser.cookies.get(SESSION, ""),
            *page.browser.cookies.get(BESIDE, "").split("."),
        )
    }
    assert sum(is_live(provider, value) for value in held) + ended(provider) == 2


def test_signing_out_of_all_many_times(provider, browser):
    """S5: each session ends once, and is recorded once."""
    asked = [twin(provider, browser).get("/").submit("home-logout") for _ in range(MANY)]

    in_parallel(MANY, lambda number: asked[number].submit("logout-all"))

    assert ended(provider) == 2


def test_one_choice_gives_one_code(provider, shop, browser):
    """Back button, double click: the request is answered once."""
    path = ask(provider, shop, browser, prompt="select_account").path
    asked = choosers(provider, browser, path)

    pages = in_parallel(MANY, lambda number: asked[number].submit("account-keep"))

    assert sum("code=" in page.url for page in pages) == 1
    assert refusal(ask(provider, shop, provider.browser(), prompt="none")) == "login_required"
