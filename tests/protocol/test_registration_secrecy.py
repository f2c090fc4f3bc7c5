"""Registration and recovery tell strangers nothing about accounts, and can be asked for so often only.

| statement                                 | row | test                                         |
|-------------------------------------------|-----|----------------------------------------------|
| the same statements for known and unknown | L6  | test_asking_for_a_code_costs_the_same_*      |
| the same for a wrong code                 | L6  | test_a_wrong_code_costs_the_same_*           |
| limits per source                         | L2  | test_steps_from_one_source_are_limited       |
| limits per recipient survive a restart    | L9  | test_messages_to_one_recipient_are_limited_* |
"""

import pytest

from tests.bench import NewProvider
from tests.browser import Page
from tests.provider import Provider

pytestmark = pytest.mark.parametrize("way", ["direct"], indirect=True)  # a server answers in its own threads

OPEN = {"registration": {"enabled": True}}
KNOWN, UNKNOWN = "ada@example.org", "eda@example.org"


@pytest.fixture
def idp(new_provider: NewProvider) -> Provider:
    made = new_provider(**OPEN)
    made.account("ada", email=KNOWN)
    return made


def cost(idp: Provider, page: Page, button: str, **fields: str) -> tuple[Page, int, int]:
    with idp.container.database.statements.measure() as measured:
        answer = page.submit(button, **fields)
    return answer, len(measured.statements), measured.commits


def test_asking_for_a_code_costs_the_same_for_known_and_unknown_addresses(idp):
    """L6: statements, commits, status, size, headers and cookies."""
    seen = []
    for address in (KNOWN, UNKNOWN):
        page = idp.browser().get("/signup")
        answer, statements, commits = cost(idp, page, "signup-submit", username=address)
        headers = sorted(name for name, _ in answer.answer.headers)
        cookies = sorted(answer.browser.cookies)
        seen.append((statements, commits, answer.status, len(answer.answer.body), headers, cookies))

    assert seen[0] == seen[1]
    assert seen[0][0] <= 10, "bounded"


def test_a_wrong_code_costs_the_same_for_known_and_unknown_addresses(idp):
    """L6: also after five of them."""
    seen = []
    for address in (KNOWN, UNKNOWN):
        page = idp.browser().get("/signup").submit("signup-submit", username=address)
        steps = []
        for _ in range(7):
            page, statements, commits = cost(idp, page, "code-submit", code="000000")
            steps.append((page.status, statements, commits, page.text.replace(address, "-")))
        seen.append(steps)

    assert seen[0] == seen[1]


def test_steps_from_one_source_are_limited(new_provider):
    """L2: with a time to wait, in words and as a header; and others are not concerned."""
    idp = new_provider(**OPEN, ratelimit={"account_requests_per_source": "3/minute"})
    statuses = []
    for number in range(5):
        page = idp.browser().get("/recover").submit("recover-submit", username=f"nobody{number}")
        statuses.append(page.status)

    assert statuses == [200, 200, 200, 429, 429]
    assert page.answer.header("Retry-After") is not None
    assert page.has("trouble")


def test_messages_to_one_recipient_are_limited_after_a_restart(new_provider):
    """L9: counted in the database, so that neither a restart nor an emptied Redis forgets; nobody sees it."""
    limits = {"mail_per_recipient": "2/hour", "account_requests_per_source": "100/minute"}
    first = new_provider(**OPEN, ratelimit=limits)
    first.account("ada", email=KNOWN)
    before = len(first.mails())
    for _ in range(2):
        first.browser().get("/recover").submit("recover-submit", username=KNOWN)
    second = new_provider(**OPEN, ratelimit=limits)

    page = second.browser().get("/recover").submit("recover-submit", username=KNOWN)
    signup = second.browser().get("/signup").submit("signup-submit", username=KNOWN)

    assert (page.path, signup.path) == ("/recover/sent", "/signup/verify")
    assert len(second.mails()) - before == 2
