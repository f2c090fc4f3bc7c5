"""The way back in: a link to a new password, "this was not me", and a former address.

Rows of docs/security.md: L6, M8, V1-V6, S9, P5.
"""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pyotp
import pytest

from idp.accounts import Notice
from idp.audit import Source
from idp.authenticators import Channel
from tests.bench import NewProvider
from tests.browser import Browser, Page
from tests.provider import PASSWORD, Provider

ADDRESS = "ada@example.org"
FRESH = "another horse, other staples"
HERE = Source("203.0.113.9", "Mozilla/5.0 (Test) Browser/1.0")


@pytest.fixture
def idp(new_provider: NewProvider) -> Provider:
    made = new_provider()
    made.account("ada", email=ADDRESS, email_verified=True)
    return made


def ask(idp: Provider, name: str = ADDRESS) -> Page:
    return idp.browser().get("/recover").submit("recover-submit", username=name)


def link(idp: Provider, name: str = ADDRESS) -> str:
    ask(idp, name)
    return idp.mails()[-1].link


def signed_in(idp: Provider, password: str = PASSWORD) -> Browser:
    browser = idp.browser()
    page = idp.sign_in(browser.get("/login"), "ada", password)
    assert page.path == "/", page.text
    return browser


def account_id(idp: Provider) -> str:
    found: str = idp.container.admin.accounts.get("ada")["id"]
    return found


def with_totp(idp: Provider) -> pyotp.TOTP:
    """Give ada an authenticator app."""
    container, ada = idp.container, account_id(idp)
    secret = container.totp.new_secret()
    app = pyotp.TOTP(secret.reveal())
    with container.database.transaction():
        assert container.totp.enrol(ada, secret, app.at(idp.clock.now()), idp.clock.now())
    idp.advance(minutes=1)
    return app


def recovery_codes(idp: Provider) -> list[str]:
    ada = account_id(idp)
    with idp.container.database.transaction():
        return idp.container.recovery_codes.create(ada, idp.clock.now())


def notice(idp: Provider, what: Notice = Notice.NEW_DEVICE) -> str:
    """The link "this was not me" of a notice that ada gets."""
    ada = account_id(idp)
    with idp.container.database.transaction():
        idp.container.notices.tell(ada, what, source=HERE, now=idp.clock.now())
    return idp.mails()[-1].link


def test_a_link_leads_to_a_new_password_and_signs_nobody_in(idp):
    """V3: the link is used with its effect; the person signs in with what they chose."""
    browser = idp.browser()
    page = browser.get(link(idp))

    page = page.submit("reset-submit", password=FRESH)

    assert page.path == "/recover/done"
    assert browser.get("/account").path == "/login"
    assert idp.sign_in(idp.browser().get("/login"), "ada", PASSWORD).status == 422
    signed_in(idp, FRESH)


def test_a_new_password_ends_what_the_old_one_opened(idp):
    """V3: sessions and refresh families of the account end on every worker."""
    shop = idp.client("shop", scope="openid offline_access")
    browser = signed_in(idp)
    tokens = idp.tokens(shop, browser=browser, scope="openid offline_access")
    idp.advance(seconds=1)

    idp.browser().get(link(idp)).submit("reset-submit", password=FRESH)

    assert browser.get("/account").path == "/login"
    assert idp.refresh(shop, tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_the_owner_is_told_of_a_new_password(idp):
    """M13: out of band, with a way to object."""
    idp.browser().get(link(idp)).submit("reset-submit", password=FRESH)

    told = idp.mails()[-1]
    assert told.to == ADDRESS
    assert urlsplit(told.link).path.startswith("/not-me/")


def test_opening_a_link_does_not_use_it_up(idp):
    """S9: mail programs and scanners open links too."""
    address = link(idp)
    for _ in range(3):
        assert idp.browser().get(address).has("reset-submit")

    assert idp.browser().get(address).submit("reset-submit", password=FRESH).path == "/recover/done"


def test_a_link_works_once_and_for_half_an_hour(idp):
    """V1: single use, 30 minutes."""
    used, late = link(idp), link(idp)
    idp.browser().get(used).submit("reset-submit", password=FRESH)
    assert idp.browser().get(used).status == 404

    assert idp.browser().get(late).status == 404, "the password was replaced meanwhile"
    late = link(idp)
    idp.advance(minutes=31)
    dead = idp.browser().get(late)
    assert dead.status == 404
    assert dead.has("recover-again")


def test_of_parallel_uses_of_a_link_one_succeeds(idp):
    """V1, X12: claimed by one statement, in the transaction of its effect."""
    address = link(idp)
    pages = [idp.browser().get(address) for _ in range(8)]

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(
            lambda one: one[1].submit("reset-submit", password=f"{FRESH} {one[0]}"), enumerate(pages)
        ))  # fmt: skip

    assert sorted(page.path == "/recover/done" for page in done) == [False] * 7 + [True]
    winner = next(number for number, page in enumerate(done) if page.path == "/recover/done")
    signed_in(idp, f"{FRESH} {winner}")


def test_a_refused_password_leaves_the_link_good(idp):
    """P5: said why, nothing used up."""
    page = idp.browser().get(link(idp)).submit("reset-submit", password="short")
    assert page.status == 422
    assert "at least 15" in page.text

    assert page.submit("reset-submit", password=FRESH).path == "/recover/done"


@pytest.mark.parametrize(
    "name", ["ada", ADDRESS, "ADA@EXAMPLE.ORG", "nobody", "nobody@example.org", "x" * 254, "\u202e"]
)
def test_every_name_gets_the_same_answer(idp, name):
    """L6: text, status, size and cookies do not tell who has an account."""
    page = ask(idp, name)

    assert page.path == "/recover/sent"
    assert page.status == 200
    assert [answer.status for answer in page.browser.trail] == [303, 200]


def test_asking_costs_the_same_for_known_and_unknown_names(idp):
    """L6, L7: the same statements, so the same time."""
    idp.account("disabled", email="off@example.org")
    idp.container.admin.accounts.disable("disabled")
    seen = set()
    for name in ("ada", ADDRESS, "nobody", "nobody@example.org", "off@example.org"):
        page = idp.browser().get("/recover")
        with idp.container.database.statements.measure() as measured:
            page.submit("recover-submit", username=name)
        seen.add((len(measured.statements), measured.commits))

    assert len(seen) == 1


def test_nobody_is_written_to_who_has_no_account(idp):
    """L6: the decoy never leaves."""
    before = len(idp.mails())

    ask(idp, "nobody@example.org")

    assert len(idp.mails()) == before


def test_a_second_factor_is_asked_for_too(idp):
    """V5, M8: a link alone does not get past it."""
    app = with_totp(idp)
    page = idp.browser().get(link(idp))
    assert page.has("code")

    without = page.submit("reset-submit", password=FRESH)
    assert without.status == 422
    assert "second step" in without.text
    wrong = without.submit("reset-submit", password=FRESH, code="000000")
    assert wrong.status == 422

    assert wrong.submit("reset-submit", password=FRESH, code=app.at(idp.clock.now())).path == "/recover/done"


def test_leaving_the_field_out_does_not_skip_the_second_factor(idp):
    """M8: decided by what is enrolled, not by what the form holds."""
    with_totp(idp)
    page = idp.browser().get(link(idp))
    token = page.form_with("reset-submit").fields["csrf_token"]

    for extra in ([], [("method", "password"), ("code", "x")], [("method", "email"), ("code", "1")]):
        got = page.browser.open("POST", page.url, form=[("csrf_token", token), ("password", FRESH), *extra])
        assert got.status == 422, extra

    assert idp.sign_in(idp.browser().get("/login"), "ada", FRESH).status == 422


def test_wrong_codes_at_recovery_are_counted_and_pause(idp):
    """L4: the same durable counters as at sign-in; the link stays good."""
    app = with_totp(idp)
    page = idp.browser().get(link(idp))
    statuses = []
    for _ in range(8):
        page = page.submit("reset-submit", password=FRESH, code="000000")
        statuses.append(page.status)
    assert statuses[:4] == [422] * 4
    assert statuses[-1] == 429

    assert page.submit("reset-submit", password=FRESH, code=app.at(idp.clock.now())).status == 429
    idp.advance(minutes=16)
    page = idp.browser().get(link(idp))
    assert page.submit("reset-submit", password=FRESH, code=app.at(idp.clock.now())).path == "/recover/done"


def test_a_lost_telephone_is_overcome_with_a_recovery_code(idp):
    """V5: reset with a recovery code, then a sign-in with another."""
    with_totp(idp)
    codes = recovery_codes(idp)
    browser = idp.browser()
    page = browser.get(link(idp) + "?method=recovery")
    page = page.submit("reset-submit", password=FRESH, code=codes[0].lower().replace("-", " "))
    assert page.path == "/recover/done"

    page = idp.browser().get("/login").submit("login-submit", username="ada", password=FRESH)
    assert page.path == "/login/verify"
    page = page.browser.get("/login/verify?method=recovery").submit("code-submit", code=codes[1])

    assert page.browser.get("/account").path == "/account"


def test_of_parallel_uses_of_a_recovery_code_one_succeeds(idp):
    """M2, V1: with different links."""
    with_totp(idp)
    code = recovery_codes(idp)[0]
    pages = [idp.browser().get(link(idp) + "?method=recovery") for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda page: page.submit("reset-submit", password=FRESH, code=code), pages))

    assert sum(page.path == "/recover/done" for page in done) == 1


@pytest.mark.parametrize(
    "token", ["x", "idp_ol_", "idp_ol_" + "A" * 43, "%00", "idp_ol_" + "A" * 5000, "..%2f"]
)
def test_a_link_that_we_did_not_make_is_a_clear_page(idp, token):
    """Bad input."""
    for path in ("/recover/", "/not-me/", "/undo-email/", "/verify-email/", "/invitation/"):
        page = idp.browser().get(path + token)
        assert page.status in {400, 404, 414}, path


def test_a_link_of_one_kind_is_none_of_another(idp):
    """V4: bound to its purpose."""
    token = urlsplit(link(idp)).path.rpartition("/")[2]

    for path in ("/not-me/", "/undo-email/", "/verify-email/", "/invitation/"):
        assert idp.browser().get(path + token).status == 404


def test_a_link_to_a_former_address_does_nothing(idp):
    """V4: bound to the address it was sent to."""
    address, ada = link(idp), account_id(idp)
    with idp.container.database.transaction():
        idp.container.accounts.change_email(ada, "new@example.org", idp.clock.now())

    assert idp.browser().get(address).status == 404


def test_without_a_transport_nothing_is_offered(new_provider):
    """Nothing that cannot work is shown."""
    idp = new_provider(mail={"transport": "none"}, sms={"transport": "none"})

    assert idp.browser().get("/recover").status == 404


def test_this_was_not_me_signs_everybody_out_and_leads_to_a_new_password(idp):
    """M13: sessions, tokens, devices and the password end; opening the page does nothing."""
    browser = signed_in(idp)
    address = notice(idp)
    idp.advance(seconds=1)
    page = idp.browser().get(address)
    assert "device" in page.text
    assert browser.get("/account").path == "/account"

    page = page.submit("secure-submit")

    assert page.status == 200
    assert "secured" in page.text
    assert browser.get("/account").path == "/login"
    assert idp.sign_in(idp.browser().get("/login"), "ada", PASSWORD).status == 422
    reset = next(mail for mail in reversed(idp.mails()) if "/recover/" in mail.text)
    assert idp.browser().get(reset.link).submit("reset-submit", password=FRESH).path == "/recover/done"
    signed_in(idp, FRESH)
    assert idp.browser().get(address).status == 404


def test_this_was_not_me_takes_away_what_was_added_since(idp):
    """The thief's authenticator goes, an older one stays."""
    container = idp.container
    address = notice(idp, Notice.TOTP_ADDED)
    with_totp(idp)

    idp.browser().get(address).submit("secure-submit")

    ada = account_id(idp)
    with container.database.transaction(write=False):
        assert not container.totp.is_enrolled(ada)


def test_an_older_second_factor_survives_this_was_not_me(idp):
    """What was there before the notice is the owner's."""
    with_totp(idp)
    idp.browser().get(notice(idp)).submit("secure-submit")

    ada = account_id(idp)
    with idp.container.database.transaction(write=False):
        assert idp.container.totp.is_enrolled(ada)


def change_email(idp: Provider, new: str) -> None:
    """Change the address as the account page does."""
    page = signed_in(idp).get("/account/email")
    page = page.submit("contact-submit", email=new)
    assert page.path == "/account/email/confirm", page.text
    code = next(mail.code for mail in reversed(idp.mails()) if mail.to == new)
    page = page.submit("code-submit", code=code)
    assert page.path == "/account", page.text


def test_an_address_changes_when_the_new_one_has_answered(idp):
    """V6: a code at the new address, word to the old one."""
    change_email(idp, "new@example.org")

    made = idp.container.admin.accounts.get("ada")
    assert (made["email"], made["email_verified"]) == ("new@example.org", True)
    told = [mail for mail in idp.mails() if mail.to == ADDRESS]
    assert "/undo-email/" in told[-1].text
    assert idp.sign_in(idp.browser().get("/login"), "new@example.org").path == "/"
    assert idp.sign_in(idp.browser().get("/login"), ADDRESS).status == 422


def test_a_wrong_code_leaves_the_address_as_it_is(idp):
    """V6, M3."""
    page = signed_in(idp).get("/account/email").submit("contact-submit", email="new@example.org")

    page = page.submit("code-submit", code="000000")

    assert page.status == 422
    assert page.has("code-submit")
    assert idp.container.admin.accounts.get("ada")["email"] == ADDRESS


def test_the_address_of_another_account_cannot_be_taken(idp):
    """V7: told only to who can read that mailbox."""
    idp.account("eve", email="eve@example.org")
    page = signed_in(idp).get("/account/email").submit("contact-submit", email="EVE@example.org")
    assert page.path == "/account/email/confirm"

    code = idp.mails()[-1].code
    page = page.submit("code-submit", code=code)

    assert page.status == 409
    assert idp.container.admin.accounts.get("ada")["email"] == ADDRESS


def test_an_old_sign_in_is_not_enough_to_change_the_address(idp):
    """M7: fresh authentication."""
    browser = signed_in(idp)
    page = browser.get("/account/email")
    idp.advance(minutes=11)

    assert browser.get("/account/email").path == "/reauthenticate"
    assert page.submit("contact-submit", email="new@example.org").path == "/reauthenticate"


def test_the_former_address_takes_a_change_back(idp):
    """V6: within seven days, with the sessions of whoever did it and their second step."""
    change_email(idp, "thief@example.org")
    thief = signed_in(idp)
    idp.advance(minutes=1)
    with_totp(idp)
    undo = next(mail for mail in reversed(idp.mails()) if mail.to == ADDRESS and "/undo-email/" in mail.text)
    idp.advance(days=6)
    page = idp.browser().get(undo.link)
    assert ADDRESS in page.text

    page = page.submit("undo-submit")

    assert "secured" in page.text
    made = idp.container.admin.accounts.get("ada")
    assert made["email"] == ADDRESS
    assert thief.get("/account").path == "/login"
    assert idp.browser().get(undo.link).status == 404
    reset = next(mail for mail in reversed(idp.mails()) if "/recover/" in mail.text)
    assert reset.to == ADDRESS
    assert idp.browser().get(reset.link).submit("reset-submit", password=FRESH).path == "/recover/done"
    signed_in(idp, FRESH)


def test_who_changed_the_address_twice_cannot_undo_the_undoing(idp):
    """V6: links to addresses in between die with the first one's use."""
    change_email(idp, "thief@example.org")
    idp.advance(minutes=1)
    change_email(idp, "thief2@example.org")
    mails = [mail for mail in idp.mails() if "/undo-email/" in mail.text]
    mine = next(mail for mail in mails if mail.to == ADDRESS)
    theirs = next(mail for mail in mails if mail.to == "thief@example.org")

    idp.browser().get(mine.link).submit("undo-submit")

    assert idp.browser().get(theirs.link).status == 404
    assert idp.container.admin.accounts.get("ada")["email"] == ADDRESS


def test_a_change_cannot_be_taken_back_for_ever(idp):
    """V6: seven days."""
    change_email(idp, "new@example.org")
    undo = next(mail for mail in reversed(idp.mails()) if "/undo-email/" in mail.text)
    idp.advance(days=8)

    assert idp.browser().get(undo.link).status == 404


def test_an_address_that_an_operator_typed_is_confirmed_by_a_link(idp):
    """V4: bound to account and address; opening it confirms nothing."""
    idp.account("bob", email="bob@example.org")
    browser = idp.browser()
    idp.sign_in(browser.get("/login"), "bob")
    browser.get("/account/email").submit("email-verify")
    address = idp.mails()[-1].link
    page = idp.browser().get(address)
    assert idp.container.admin.accounts.get("bob")["email_verified"] is False

    page = page.submit("verify-submit")

    assert page.status == 200
    assert idp.container.admin.accounts.get("bob")["email_verified"] is True
    assert idp.browser().get(address).status == 404


def test_a_telephone_number_is_confirmed_by_a_code(new_provider):
    """V7: from then on it is a name to sign in with."""
    idp = new_provider()
    idp.account("ada", email=ADDRESS)
    browser = signed_in(idp)

    page = browser.get("/account/phone").submit("contact-submit", phone="0049 30 1234567")
    assert page.path == "/account/phone/confirm", page.text
    idp.mails()
    page = page.submit("code-submit", code=idp.sms()[-1].code)

    assert page.path == "/account"
    assert idp.sign_in(idp.browser().get("/login"), "+49 30 1234567").path == "/"


def test_who_registered_with_an_address_is_called_by_the_new_one(new_provider):
    """V6, V7: and by the former one again when the change is taken back."""
    idp = new_provider()
    idp.account(ADDRESS, email=ADDRESS, email_verified=True)
    browser = idp.browser()
    idp.sign_in(browser.get("/login"), ADDRESS)
    page = browser.get("/account/email").submit("contact-submit", email="new@example.org")
    page.submit("code-submit", code=next(m.code for m in reversed(idp.mails()) if m.to == "new@example.org"))

    assert idp.container.admin.accounts.get("new@example.org")["username"] == "new@example.org"
    undo = next(mail for mail in reversed(idp.mails()) if "/undo-email/" in mail.text)
    idp.browser().get(undo.link).submit("undo-submit")

    made = idp.container.admin.accounts.get(ADDRESS)
    assert (made["username"], made["email"], made["email_verified"]) == (ADDRESS, ADDRESS, True)
    assert idp.sign_in(idp.browser().get("/login"), "new@example.org").status == 422


def test_a_former_address_that_somebody_else_has_by_now_is_not_taken_from_them(idp):
    """V7: one name, one account; the page says so."""
    change_email(idp, "new@example.org")
    idp.account("eve", email=ADDRESS)
    undo = next(mail for mail in reversed(idp.mails()) if "/undo-email/" in mail.text)

    page = idp.browser().get(undo.link).submit("undo-submit")

    assert page.status == 409
    assert idp.container.admin.accounts.get(ADDRESS)["username"] == "eve"
    assert idp.browser().get(undo.link).has("undo-submit"), "nothing has happened"


def test_who_has_a_telephone_alone_gets_the_link_there(new_provider):
    """V1: ten minutes by SMS (NIST SP 800-63B-4 §4.2.1.2)."""
    idp = new_provider()
    with idp.container.database.transaction():
        made = idp.container.accounts.create(
            username="+49301234567",
            email=None,
            email_verified=False,
            claims={},
            phone="+49301234567",
            now=idp.clock.now(),
        )
    assert made.phone == "+49301234567"

    ask(idp, "+49 30 1234567")
    idp.mails()
    address = idp.sms()[-1].text.rpartition(" ")[2]
    assert idp.browser().get(address).submit("reset-submit", password=FRESH).path == "/recover/done"
    assert idp.sign_in(idp.browser().get("/login"), "+49301234567", FRESH).path == "/"

    ask(idp, "+49301234567")
    idp.mails()
    idp.advance(minutes=11)
    assert idp.browser().get(idp.sms()[-1].text.rpartition(" ")[2]).status == 404


def test_a_telephone_alone_does_not_get_past_the_code_by_sms(new_provider):
    """V5, M8: password and telephone protect the account, so the telephone alone gives no new password."""
    idp = new_provider()
    container, number = idp.container, "+49301234567"
    with container.database.transaction():
        made = container.accounts.create(
            username=number, email=None, email_verified=False, claims={}, phone=number, now=idp.clock.now()
        )
        container.passwords.store(made.id, container.passwords.hash(PASSWORD), idp.clock.now())
    ask(idp, number)
    idp.mails()
    before = idp.sms()[-1].text.rpartition(" ")[2]
    form = idp.browser().get(before)
    with container.database.transaction():
        container.code_factors.enrol(made.id, Channel.SMS, number, idp.clock.now())

    page = idp.browser().get(before)
    forced = form.submit("reset-submit", password=FRESH)

    assert (page.status, page.has("reset-submit")) == (404, False)
    assert "second step" in page.text
    assert forced.status == 404
    assert idp.sign_in(idp.browser().get("/login"), number, PASSWORD).has("code-send")
    with container.database.transaction():
        [code, *_] = container.recovery_codes.create(made.id, idp.clock.now())
    page = idp.browser().get(before)
    assert page.submit("reset-submit", password=FRESH, code=code).path == "/recover/done"


def test_a_code_by_sms_is_a_second_proof_of_a_link_by_mail(idp):
    """V5, M3: bound to the link."""
    ada = account_id(idp)
    with idp.container.database.transaction():
        idp.container.code_factors.enrol(ada, Channel.SMS, "+49301234567", idp.clock.now())
    page = idp.browser().get(link(idp))
    other = idp.browser().get(link(idp))

    page = page.submit("code-send")
    assert "telephone" in page.text
    idp.mails()
    code = idp.sms()[-1].code

    assert other.submit("reset-submit", password=FRESH, code=code).status == 422
    assert page.submit("reset-submit", password=FRESH, code=code).path == "/recover/done"
