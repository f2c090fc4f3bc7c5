"""Second steps that are taken at the same time, in the threads of one process, on both databases.

| rule                                             | test                                        |
|--------------------------------------------------|---------------------------------------------|
| M1: one step of an app, from many browsers       | test_one_code_of_an_app_signs_in_once       |
| M2: one recovery code, from many browsers        | test_one_recovery_code_signs_in_once        |
| M3: one sent code, pressed many times            | test_one_sent_code_signs_in_once            |
| M5: one attempt, pressed many times              | test_one_attempt_ends_once                  |
| L1: a burst of guesses is worth no more          | test_a_burst_of_guesses_is_counted_one_by_… |
| L1: the right code in a burst                    | test_the_right_code_in_a_burst_of_guesses   |
"""

import pytest

from idp.storage import Database
from tests.browser import Page
from tests.provider import Provider
from tests.second_steps import Person, person, twin
from tests.storage.threads import in_parallel

MANY = 8
VERIFY = "/login/verify"

pytestmark = pytest.mark.parametrize("way", ["direct"], indirect=True)  # a server has threads of its own


@pytest.fixture
def provider(new_provider, tmp_path) -> Provider:
    made: Provider = new_provider(mail={"transport": "folder", "folder": tmp_path / "mail"})
    return made


def outcomes(pages: list[Page]) -> tuple[int, int]:
    """How many signed in, and how many stayed where they were."""
    signed_in = [page for page in pages if page.path == "/" and page.status == 200]
    held = [page for page in pages if page.status in {422, 429}]
    return len(signed_in), len(held)


def started(provider: Provider) -> int:
    container = provider.container
    database: Database = container.database
    with database.transaction(write=False):
        return sum(row.event == "session.started" for row in container.repos.audit.list_(limit=1000))


def test_one_code_of_an_app_signs_in_once(provider):
    """M1: each in an attempt of its own; ASVS 6.5.1."""
    ada = person(provider, "totp")
    code, asked = ada.code, [ada.begin() for _ in range(MANY)]

    pages = in_parallel(MANY, lambda number: asked[number].submit("code-submit", code=code))

    assert outcomes(pages) == (1, MANY - 1)
    assert started(provider) == 1


def test_one_recovery_code_signs_in_once(provider):
    """M2."""
    ada = person(provider, "totp", "recovery")
    code = ada.recovery_codes[3]
    asked = [ada.begin().browser.get(f"{VERIFY}?method=recovery") for _ in range(MANY)]

    pages = in_parallel(MANY, lambda number: asked[number].submit("code-submit", code=code))

    assert outcomes(pages) == (1, MANY - 1)
    assert started(provider) == 1
    with provider.container.database.transaction(write=False):
        assert provider.container.recovery_codes.left(ada.account_id) == 9


def in_one_attempt(ada: Person, page: Page) -> list[Page]:
    """The same page in the same browser, many times."""
    browsers = [twin(ada.provider, page.browser) for _ in range(MANY)]
    return [browser.get(page.url) for browser in browsers]


def test_one_sent_code_signs_in_once(provider):
    """M3: the code of one attempt, sent many times at once."""
    ada = person(provider, "email")
    asked = in_one_attempt(ada, ada.begin().submit("code-send"))
    code = provider.mails()[-1].code

    in_parallel(MANY, lambda number: asked[number].submit("code-submit", code=code))

    assert started(provider) == 1


def test_one_attempt_ends_once(provider):
    """M5: pressed many times, with codes that are each right: the first ends it."""
    ada = person(provider, "totp", "recovery")
    asked = in_one_attempt(ada, ada.begin())
    asked = [page.browser.get(f"{VERIFY}?method=recovery") for page in asked]

    in_parallel(MANY, lambda number: asked[number].submit("code-submit", code=ada.recovery_codes[number]))

    assert started(provider) == 1
    with provider.container.database.transaction(write=False):
        assert provider.container.recovery_codes.left(ada.account_id) == 9, "the others are not used up"


def test_a_burst_of_guesses_is_counted_one_by_one(provider):
    """L1: four are free; whoever comes after the pause began was not looked at."""
    ada = person(provider, "totp")
    wrong, asked = ada.wrong_code, [ada.begin() for _ in range(MANY)]

    pages = in_parallel(MANY, lambda number: asked[number].submit("code-submit", code=wrong))

    assert outcomes(pages) == (0, MANY)
    assert [page.status for page in pages].count(422) == 4
    failures = [detail["failures"] for detail in ada.events("account.factor.failed")]
    assert sorted(failures, key=str) == [1, 2, 3, 4, 5]


def test_the_right_code_in_a_burst_of_guesses(provider):
    """L1: it signs in if its turn comes before the pause, and never after."""
    ada = person(provider, "totp")
    right, wrong, asked = ada.code, ada.wrong_code, [ada.begin() for _ in range(MANY)]

    pages = in_parallel(
        MANY,
        lambda number: asked[number].submit("code-submit", code=right if number == MANY - 1 else wrong),
    )

    signed_in, _ = outcomes(pages)
    assert signed_in == started(provider) <= 1
