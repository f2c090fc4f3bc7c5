"""Invitations and resets that an operator starts (row V10), and the list of breached passwords."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from idp.errors import Conflict, Invalid, NotFound
from tests.bench import NewProvider
from tests.provider import PASSWORD, Provider

ADDRESS = "grace@example.org"


@pytest.fixture
def idp(new_provider: NewProvider) -> Provider:
    return new_provider()


def invite(idp: Provider) -> str:
    made = idp.container.admin.invitations.invite(ADDRESS)
    assert made["mailed"] is True
    link = idp.mails()[-1].link
    assert link == made["link"]
    return link


def test_an_invitation_leads_to_an_account_where_registration_is_off(idp):
    """V10: the operator invites, the person chooses the password; no code is needed."""
    browser = idp.browser()
    page = browser.get(invite(idp))
    assert ADDRESS in page.text
    assert not page.has("username")

    page = page.submit("signup-submit", name="Grace Hopper")
    assert page.path == "/signup/finish"
    page = page.submit("signup-submit", password=PASSWORD)

    assert page.path == "/"
    made = idp.container.admin.accounts.get(ADDRESS)
    assert made["email_verified"] is True
    assert made["claims"]["name"] == "Grace Hopper"


def test_opening_an_invitation_or_beginning_does_not_use_it_up(idp):
    """S9: only the account that is made does."""
    link = invite(idp)
    for _ in range(2):
        assert idp.browser().get(link).submit("signup-submit").path == "/signup/finish"

    page = idp.browser().get(link).submit("signup-submit").submit("signup-submit", password=PASSWORD)
    assert page.path == "/"
    assert idp.browser().get(link).status == 404


def test_of_parallel_uses_of_an_invitation_one_succeeds(idp):
    """V1, X12."""
    link = invite(idp)
    pages = [idp.browser().get(link).submit("signup-submit") for _ in range(6)]

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda page: page.submit("signup-submit", password=PASSWORD), pages))

    assert sum(page.path == "/" for page in done) == 1
    assert all(page.status < 500 for page in done)


def test_an_invitation_expires(idp):
    """Seven days by default, also for who began in time."""
    link = invite(idp)
    page = idp.browser().get(link).submit("signup-submit")
    idp.advance(days=8)

    assert idp.browser().get(link).status == 404
    assert page.submit("signup-submit", password=PASSWORD).path != "/"


def test_nobody_is_invited_twice_to_one_account(idp):
    """V7."""
    idp.account("ada", email=ADDRESS)

    with pytest.raises(Conflict):
        idp.container.admin.invitations.invite("GRACE@example.org")
    with pytest.raises(Invalid):
        idp.container.admin.invitations.invite("grace")


def test_an_operator_starts_a_reset_and_learns_no_password(idp):
    """V10: the link goes to the person alone; the old password works until it is used."""
    idp.account("ada", email=ADDRESS)

    said = idp.container.admin.invitations.reset("ada")

    link = idp.mails()[-1].link
    assert link.rpartition("/")[2] not in json.dumps(said)
    assert idp.sign_in(idp.browser().get("/login"), "ada").path == "/"
    page = idp.browser().get(link).submit("reset-submit", password="another horse, other staples")
    assert page.path == "/recover/done"


def test_a_reset_needs_somewhere_to_go(idp):
    """Said to the operator, not swallowed."""
    idp.account("bob")

    with pytest.raises(Conflict):
        idp.container.admin.invitations.reset("bob")
    with pytest.raises(NotFound):
        idp.container.admin.invitations.reset("nobody")
