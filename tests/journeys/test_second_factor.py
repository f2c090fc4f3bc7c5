"""People who take a second step when they sign in.

| what                                                    | test                                           |
|---------------------------------------------------------|------------------------------------------------|
| password, then the app's code                           | test_password_and_code, …_for_an_application   |
| a lost telephone                                        | test_a_recovery_code_works_once                |
| codes by SMS and mail, sent when asked for (M3)         | test_a_code_by_sms, test_a_code_by_mail        |
| a gateway that is down, or none: another way at once    | test_sms_that_cannot_be_sent_*                 |
| "do not ask again on this device" (M8)                  | test_a_trusted_device_*                        |
| mistyped, then right; too often (L1, L4)                | test_a_wrong_code_*, test_many_wrong_codes_*   |
| somebody else's guesses do not lock the owner out (L3)  | test_guesses_of_a_stranger_*                   |
| changing one's mind                                     | test_cancel_*                                  |
| every unexpected move leads to what is missing (M5)     | test_no_step_is_left_out, test_an_attempt_*    |
| what a thief began ends with the password (M5)          | test_a_new_password_ends_*                     |
| the operator demands two factors                        | test_who_has_no_second_factor_*                |
| step-up, and prompt=login                               | test_step_up_*, test_prompt_login_*            |
| proving oneself again                                   | test_proving_oneself_again_*                   |
| tokens tell the truth (RFC 8176)                        | test_tokens_say_what_was_proved                |
| told of a new device, and of many wrong codes (M13)     | test_a_sign_in_from_a_new_device_is_told,      |
|                                                         | test_the_owner_hears_of_many_wrong_codes       |
"""

import re

import pyotp
import pytest

from tests.browser import Browser, Page
from tests.frontchannel import ask, refusal, success
from tests.protocol import jose
from tests.provider import PASSWORD, Pkce, Provider
from tests.second_steps import Person, person

ATTEMPT = "__Host-idp_attempt"
SESSION = "__Host-idp_session"
VERIFY = "/login/verify"


@pytest.fixture
def provider(new_provider, tmp_path) -> Provider:
    made: Provider = new_provider(
        mail={"transport": "folder", "folder": tmp_path / "mail"},
        sms={"transport": "folder", "folder": tmp_path / "sms"},
    )
    return made


@pytest.fixture
def ada(provider) -> Person:
    return person(provider, "totp", "recovery")


@pytest.fixture
def shop(provider):
    return provider.client("shop")


def methods(page: Page) -> list[str]:
    """The other ways that a page offers."""
    return [given["data-method"] for given in page.elements("a") if "data-method" in given]


def test_password_and_code(ada):
    """M5: after the password nobody is signed in; after the code, the session says two factors."""
    page = ada.begin()

    assert page.path == VERIFY
    assert SESSION not in page.browser.cookies
    assert page.form_with("code-submit").fields["method"] == "totp"
    assert page.browser.get("/account").path == "/login", "nobody is signed in"

    page = page.browser.get(VERIFY).submit("code-submit", code=ada.code)
    assert page.path == "/"
    assert SESSION in page.browser.cookies
    assert ATTEMPT not in page.browser.cookies
    assert ada.events("session.started")[0]["acr"] == "urn:idp:loa:2"
    assert ada.events("account.factor.verified") == [
        {"method": "totp", "purpose": "login", "reason": "enrolled"}
    ]


def test_password_and_code_for_an_application(provider, ada, shop):
    page = ask(provider, shop).submit("login-submit", username="ada", password=PASSWORD)
    assert re.fullmatch(r"/login/[\w-]+/verify", page.path)

    assert success(page.submit("code-submit", code=ada.code))


def test_tokens_say_what_was_proved(provider, ada, shop):
    """RFC 8176 §2, OIDC Core §2: acr and amr of the ID token."""
    pkce = Pkce()
    page = provider.authorize(provider.browser(), shop, **pkce.parameters)
    page = page.submit("login-submit", username="ada", password=PASSWORD)
    code = success(page.submit("code-submit", code=ada.code))
    tokens = provider.exchange(shop, code, verifier=pkce.verifier).json()

    claims = jose.claims(tokens["id_token"])
    assert claims["acr"] == "urn:idp:loa:2"
    assert sorted(claims["amr"]) == ["mfa", "otp", "pwd"]


def test_a_recovery_code_works_once(ada, provider):
    """M2: also in other spelling; the person is told, and sees when few are left."""
    page = ada.begin()
    assert methods(page) == ["recovery"]
    typed = ada.recovery_codes[0].lower().replace("-", " ")

    used = page.browser.get(f"{VERIFY}?method=recovery").submit("code-submit", code=typed)
    again = ada.begin().browser.get(f"{VERIFY}?method=recovery")
    again = again.submit("code-submit", code=ada.recovery_codes[0])

    assert used.path == "/"
    assert again.status == 422
    assert "A recovery code was used" in [mail.subject for mail in provider.mails()]


def test_few_recovery_codes_are_said(ada):
    """M2: re-issue after use."""
    for code in ada.recovery_codes[:7]:
        page = ada.begin().browser.get(f"{VERIFY}?method=recovery")
        assert "left" not in page.text
        page.submit("code-submit", code=code)

    assert "You have 3 recovery codes left" in ada.begin().browser.get(f"{VERIFY}?method=recovery").text


def test_a_code_by_sms(provider):
    """M3: nothing is sent before the person asks; the code is bound to the sign-in that asked."""
    ada = person(provider, "sms")
    page = ada.begin()
    assert not page.has("code-submit")
    assert provider.sms() == []

    page = page.submit("code-send")
    assert "678" in page.text
    assert "+4915112345678" not in page.answer.text, "the whole number is nobody's business"
    code = provider.sms()[-1].code
    elsewhere = ada.begin().submit("code-send").submit("code-submit", code=code)

    assert elsewhere.status == 422, "a code of another sign-in"
    assert page.submit("code-submit", code=code).path == "/"
    assert ada.events("session.started")[0]["amr"] == ["mfa", "otp", "pwd", "sms"]
    assert ada.events("account.factor.sent") == [{"method": "sms"}] * 2


def test_a_code_by_mail(provider):
    """M4: a second step, and not a second factor."""
    ada = person(provider, "email")
    page = ada.begin().submit("code-send")
    first = provider.mails()[-1].code
    page = page.submit("code-send")
    second = provider.mails()[-1].code

    if first != second:
        assert page.submit("code-submit", code=first).status == 422, "a new code replaces the old one"
    assert page.submit("code-submit", code=second).path == "/"
    assert ada.events("session.started")[0]["acr"] == "urn:idp:loa:1"


def test_a_sent_code_is_too_old_after_ten_minutes(provider):
    """M3."""
    ada = person(provider, "email")
    page = ada.begin().submit("code-send")
    code = provider.mails()[-1].code

    provider.advance(minutes=10)

    assert page.submit("code-submit", code=code).status == 422


def test_sms_that_cannot_be_sent_lead_to_another_way(new_provider, tmp_path):
    """The gateway is down: the next method is offered at once, and the failure is recorded."""
    provider = new_provider(sms={"transport": "webhook", "url": "http://127.0.0.1:1/sms"})
    ada = person(provider, "sms", "recovery")

    page = ada.begin().submit("code-send")

    assert page.status == 200
    assert page.form_with("code-submit").fields["method"] == "recovery"
    assert "cannot be sent" in page.text
    assert any(given.get("role") == "status" for given in page.elements("div"))
    assert "sms" not in methods(page)
    assert ada.events("account.factor.unavailable") == [{"method": "sms", "reason": "transport_failed"}]
    assert page.submit("code-submit", code=ada.recovery_codes[0]).path == "/"


def test_sms_that_cannot_be_sent_at_all_are_not_offered(new_provider):
    """No transport: the next method is there at once, and the failure is recorded."""
    provider = new_provider(sms={"transport": "none"})
    ada = person(provider, "sms", "recovery")

    page = ada.begin()

    assert page.form_with("code-submit").fields["method"] == "recovery"
    assert "cannot be sent" in page.text
    assert methods(page) == []
    assert ada.events("account.factor.unavailable") == [{"method": "sms", "reason": "not_configured"}]
    sent = page.form_with("code-submit").fields | {"method": "sms", "action": "send"}
    forced = page.browser.open("POST", VERIFY, form=list(sent.items()))
    assert forced.form_with("code-submit").fields["method"] == "recovery"


def test_too_many_codes_are_not_sent(new_provider, tmp_path):
    """L9: limits per recipient, also for a second step."""
    provider = new_provider(
        mail={"transport": "folder", "folder": tmp_path / "mail"},
        ratelimit={"enabled": True, "mail_per_recipient": "2/hour", "login_per_source": "100/minute"},
    )
    ada = person(provider, "email")
    page = ada.begin()

    for _ in range(2):
        page = page.submit("code-send")
        assert page.status == 200
    page = page.submit("code-send")

    assert page.status == 422
    assert "Too many codes" in page.text
    assert len(provider.mails()) == 2


def test_a_trusted_device_is_not_asked_again_for_thirty_days(provider, ada):
    """M8: bound to device and account; the sign-in then says one factor."""
    browser = ada.sign_in(trust_device="yes")
    browser.cookies.pop(SESSION)

    provider.advance(days=29)
    page = ada.begin(browser)
    assert page.path == "/"
    assert ada.events("session.started")[0]["acr"] == "urn:idp:loa:1"
    browser.cookies.pop(SESSION)
    assert ada.begin().path == VERIFY, "another browser"
    provider.advance(days=2)

    assert ada.begin(browser).path == VERIFY


def test_a_trusted_device_is_asked_when_a_level_is_demanded(provider, ada, shop):
    """M8: trust stands in for the second step, never for a level."""
    browser = ada.sign_in(trust_device="yes")
    browser.cookies.pop(SESSION)

    page = ask(provider, shop, browser, acr_values="urn:idp:loa:2")

    assert page.submit("login-submit", username="ada", password=PASSWORD).path.endswith("/verify")


def test_a_trusted_device_ends_with_the_password(provider, ada):
    """M8: revoked by a password change."""
    browser = ada.sign_in(trust_device="yes")
    provider.container.admin.accounts.set_password("ada", password=PASSWORD)

    assert ada.begin(browser).path == VERIFY


def test_a_device_is_not_trusted_without_a_word(ada):
    browser = ada.sign_in()
    browser.cookies.pop(SESSION)

    assert ada.begin(browser).path == VERIFY


def test_no_device_is_trusted_where_the_operator_forbids_it(new_provider):
    """The setting `login.remember_device`: 0 offers no such mark, and takes none."""
    provider = new_provider(login={"remember_device": 0})
    ada = person(provider, "totp")
    page = ada.begin()
    assert not page.has("trust_device")

    browser = ada.sign_in(page.browser, trust_device="yes")
    browser.cookies.pop(SESSION)

    assert ada.begin(browser).path == VERIFY


def test_a_wrong_code_is_told_and_the_way_stays_open(ada):
    page = ada.begin()

    wrong = page.submit("code-submit", code=ada.wrong_code)

    assert wrong.status == 422
    assert any(given.get("role") == "alert" for given in wrong.elements("div"))
    assert ada.events("account.factor.failed") == [
        {"method": "totp", "failures": 1, "purpose": "login", "reason": "enrolled"}
    ]
    assert wrong.submit("code-submit", code=ada.code).path == "/"


def test_a_code_of_the_app_works_once(ada):
    """M1: not in a second sign-in of the same half minute either."""
    code = ada.code
    assert ada.begin().submit("code-submit", code=code).path == "/"

    assert ada.begin().submit("code-submit", code=code).status == 422


def test_many_wrong_codes_pause_that_way_only(provider, ada):
    """L1, L4: growing pauses by account and kind of code, whatever attempt they belong to."""
    for _ in range(5):
        page = ada.begin().submit("code-submit", code=ada.wrong_code)
    assert page.status == 429
    assert page.answer.header("Retry-After") == "1"

    held = ada.begin().submit("code-submit", code=ada.code)
    other = ada.begin().browser.get(f"{VERIFY}?method=recovery")

    assert held.status == 429, "the right code, too"
    assert other.submit("code-submit", code=ada.recovery_codes[0]).path == "/"
    provider.advance(seconds=2)
    assert ada.begin().submit("code-submit", code=ada.wrong_code).answer.header("Retry-After") == "2"
    assert ada.events("account.factor.throttled")[0]["failures"] == 6


def test_the_owner_hears_of_many_wrong_codes(provider, ada):
    """M13: whoever came so far knows the password; one mail for each row of failures."""
    for _ in range(4):
        ada.begin().submit("code-submit", code=ada.wrong_code)
    assert provider.mails() == []

    for _ in range(4):
        ada.begin().submit("code-submit", code=ada.wrong_code)
        provider.advance(seconds=20)

    assert [mail.subject for mail in provider.mails()] == ["Wrong codes at your second sign-in step"]


def test_guesses_of_a_stranger_do_not_lock_the_owner_out(provider, ada):
    """L3: a known device has a counter of its own."""
    browser = ada.sign_in()
    browser.cookies.pop(SESSION)
    provider.advance(minutes=1)
    for _ in range(8):
        ada.begin().submit("code-submit", code=ada.wrong_code)
    assert ada.begin().submit("code-submit", code=ada.code).status == 429

    assert ada.begin(browser).submit("code-submit", code=ada.code).path == "/"


def test_a_hundred_wrong_codes_end_it(provider, ada):
    """L1: at most 100 failures in a row; then only time or another way helps."""
    failures = 0
    page = ada.begin()
    while failures < 100:
        answer = page.submit("code-submit", code=ada.wrong_code)
        if answer.path != VERIFY or not answer.has("code-submit"):
            page = ada.begin()
            continue
        failures += 1
        wait = answer.answer.header("Retry-After")
        if failures < 100 and wait is not None:
            provider.advance(seconds=int(wait))
            page = ada.begin(page.browser) if int(wait) > 600 else page
    provider.advance(days=29)

    assert ada.begin().submit("code-submit", code=ada.code).status == 429


def test_the_failures_of_the_password_are_forgotten_at_the_end_only(provider, ada):
    """L1: who knows the password and not the code cannot reset the counter of guesses."""
    for _ in range(4):
        provider.browser().get("/login").submit("login-submit", username="ada", password="wrong")
    ada.begin()
    page = provider.browser().get("/login").submit("login-submit", username="ada", password="wrong")

    assert page.status == 429


@pytest.mark.parametrize("code", ["", "   "])
def test_an_empty_code_costs_nothing(ada, code):
    page = ada.begin().submit("code-submit", code=code)

    assert page.status == 400
    assert "Enter the code" in page.text
    assert ada.events("account.factor.failed") == []


@pytest.mark.parametrize("code", ["x" * 5000, "12345", "１２３４５６", "12345a", "'; --"])
def test_junk_is_a_wrong_code(ada, code):
    """X5: whatever is typed gives a page that says so."""
    page = ada.begin().submit("code-submit", code=code)

    assert page.status == 422
    assert page.has("code-submit")


@pytest.mark.parametrize("method", ["", "passkey", "password", "sms", "nonsense", "TOTP", "x" * 3000])
def test_a_method_that_is_not_asked_for_leads_back(ada, method):
    """M5."""
    page = ada.begin()
    fields = {**page.form_with("code-submit").fields, "method": method, "code": ada.code}

    answer = page.browser.open("POST", VERIFY, form=list(fields.items()))

    assert answer.path == VERIFY
    assert answer.status in {200, 400}
    assert SESSION not in page.browser.cookies
    assert page.browser.get(f"{VERIFY}?method={method}").has("code-submit")


def test_no_step_is_left_out(provider, ada, shop):
    """M5: the addresses that come after the second step lead back to it, or to the beginning."""
    page = ask(provider, shop).submit("login-submit", username="ada", password=PASSWORD)
    uid = page.path.split("/")[2]

    for path in (f"/consent/{uid}", f"/authorize/{uid}", f"/select-account/{uid}", f"/login/{uid}"):
        assert page.browser.get(path).path == f"/login/{uid}", path
    assert page.browser.get(f"/login/{uid}/enrol").path == f"/login/{uid}/verify"
    assert page.browser.get("/account").path == "/login"
    assert SESSION not in page.browser.cookies


def test_the_second_step_alone_is_nothing(provider, ada, shop):
    """M5: without a first step there is none to come after it."""
    page = ask(provider, shop)
    fields = list(page.form_with("login-submit").fields.items())
    uid = page.path.split("/")[2]

    for path in (f"/login/{uid}/verify", VERIFY, f"/login/{uid}/enrol", "/login/enrol"):
        sent = [*fields, ("method", "totp"), ("code", ada.code)]
        assert page.browser.open("POST", path, form=sent).has("login-submit")
        assert page.browser.get(path).has("login-submit")


def test_an_attempt_belongs_to_its_request(provider, ada, shop):
    """M5: the password given for one request is no proof for another, nor at the front door."""
    browser = provider.browser()
    first = ask(provider, shop, browser).submit("login-submit", username="ada", password=PASSWORD)
    second = ask(provider, shop, browser)
    uid = second.path.split("/")[2]

    assert browser.get(f"/login/{uid}/verify").path == f"/login/{uid}"
    assert browser.get(VERIFY).path == "/login"
    assert success(first.submit("code-submit", code=ada.code))


def test_an_attempt_belongs_to_its_browser(provider, ada):
    """M5, S2: another browser's cookie leads nowhere without its form token; junk neither."""
    page = ada.begin()
    thief = provider.browser()
    thief.get("/login")
    thief.cookies[ATTEMPT] = "idp_la_" + "x" * 43

    assert thief.get(VERIFY).path == "/login"
    thief.cookies[ATTEMPT] = page.browser.cookies[ATTEMPT]
    stolen = thief.open("POST", VERIFY, form=[("method", "totp"), ("code", ada.code)])
    assert stolen.status == 403


def test_an_attempt_is_over_after_half_an_hour(provider, ada):
    page = ada.begin()

    provider.advance(minutes=30)

    assert page.submit("code-submit", code=ada.code).path == "/login"


def test_an_attempt_is_over_when_it_was_used(provider, ada):
    """M5: going back and sending the form again signs nobody in twice; the person goes on."""
    page = ada.begin()
    cookie = page.browser.cookies[ATTEMPT]
    page.submit("code-submit", code=ada.code)
    provider.advance(minutes=1)
    page.browser.cookies[ATTEMPT] = cookie

    again = page.submit("code-submit", code=ada.code)

    assert again.path == "/"
    assert len(ada.events("session.started")) == 1


def test_a_new_password_ends_what_a_thief_began(provider, ada):
    """M5: who waits at the second step with a stolen password starts anew when it is changed."""
    page = ada.begin()
    provider.advance(seconds=1)
    provider.container.admin.accounts.set_password("ada", password="a quite different passphrase")

    assert page.submit("code-submit", code=ada.code).path == "/login"


def test_a_disabled_account_ends_at_the_second_step(provider, ada):
    """T16."""
    page = ada.begin()
    provider.container.admin.accounts.disable("ada")

    assert page.submit("code-submit", code=ada.code).path == "/login"
    assert ada.events("session.started") == []


def test_cancel_at_the_front_door(ada):
    page = ada.begin()
    cookie = page.browser.cookies[ATTEMPT]

    left = page.submit("verify-cancel")

    assert left.path == "/login"
    assert ATTEMPT not in left.browser.cookies
    left.browser.cookies[ATTEMPT] = cookie
    assert left.browser.get(VERIFY).path == "/login", "what was proved is worth nothing any more"


def test_cancel_tells_the_application(provider, ada, shop):
    page = ask(provider, shop).submit("login-submit", username="ada", password=PASSWORD)

    assert refusal(page.submit("verify-cancel")) == "access_denied"


def test_return_to_survives_the_second_step(ada):
    page = ada.begin(address="/login?return_to=/account/security")

    assert page.submit("code-submit", code=ada.code).path == "/account/security"


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "/\\evil.example", "x"])
def test_return_to_stays_at_home(provider, ada, address):
    """R15."""
    page = provider.browser().get("/login", {"return_to": address})

    page = page.submit("login-submit", username="ada", password=PASSWORD)

    assert page.submit("code-submit", code=ada.code).url == f"{provider.issuer}/"


def test_step_up_asks_for_what_is_missing_only(provider, shop):
    """RFC 9470 §5; S2: the code without the password; a new cookie value, the same session."""
    provider.account("ada", email="ada@example.org")
    browser = provider.browser()
    provider.code(shop, browser=browser, **Pkce().parameters)
    ada = person(provider, "totp", made=True)
    before = browser.cookies[SESSION]

    page = ask(provider, shop, browser, acr_values="urn:idp:loa:2")
    assert page.path.endswith("/verify")
    assert success(page.submit("code-submit", code=ada.code))

    assert browser.cookies[SESSION] != before
    detail = ada.events("session.reauthenticated")[0]
    assert (detail["acr"], detail["amr"]) == ("urn:idp:loa:2", ["mfa", "otp", "pwd"])
    assert ada.events("account.factor.verified")[0]["purpose"] == "reauthentication"


def test_step_up_does_not_forget_guesses_of_the_password(provider, shop):
    """L1: it did not ask for the password."""
    provider.account("ada", email="ada@example.org")
    browser = provider.browser()
    provider.code(shop, browser=browser, **Pkce().parameters)
    ada = person(provider, "totp", made=True)
    for _ in range(4):
        provider.browser().get("/login").submit("login-submit", username="ada", password="wrong")
    browser.cookies.pop("__Host-idp_device")

    ask(provider, shop, browser, acr_values="urn:idp:loa:2").submit("code-submit", code=ada.code)

    page = provider.browser().get("/login").submit("login-submit", username="ada", password="wrong")
    assert page.status == 429


def test_prompt_login_starts_from_nothing(provider, ada, shop):
    """OIDC Core §3.1.2.1: both steps are taken again."""
    browser = ada.sign_in()
    provider.advance(minutes=1)

    page = ask(provider, shop, browser, prompt="login")
    assert page.has("login-submit")
    page = page.submit("login-submit", username="ada", password=PASSWORD)

    assert page.path.endswith("/verify")
    assert success(page.submit("code-submit", code=ada.code))


def test_proving_oneself_again_takes_both_steps(provider, ada):
    """M7, M8: also on a trusted device; the way leads back."""
    browser = ada.sign_in(trust_device="yes")
    before = browser.cookies[SESSION]
    provider.advance(minutes=11)

    page = browser.get("/reauthenticate?return_to=/account/security")
    assert "ada" in page.text
    page = page.submit("login-submit", password=PASSWORD)
    assert page.path == VERIFY
    page = page.submit("code-submit", code=ada.code)

    assert page.path == "/account/security"
    assert browser.cookies[SESSION] != before
    assert ada.events("session.reauthenticated")[0]["acr"] == "urn:idp:loa:2"


def test_proving_oneself_again_is_for_the_person_who_is_signed_in(provider, ada):
    """M7: whatever name is sent along."""
    provider.account("bob")
    browser = ada.sign_in()
    provider.advance(minutes=1)

    page = browser.get("/reauthenticate").submit("login-submit", username="bob", password=PASSWORD)
    page = page.submit("code-submit", code=ada.code)

    assert page.path == "/account"
    assert [one["purpose"] for one in ada.events("account.password.verified")][:1] == ["reauthentication"]
    assert provider.browser().get("/reauthenticate").path == "/login", "nobody is signed in there"


def test_proving_oneself_again_with_a_wrong_password_is_counted(provider, ada):
    """L4: the counter is the one of the sign-in page."""
    browser = ada.sign_in()
    for _ in range(5):
        page = browser.get("/reauthenticate").submit("login-submit", password="wrong")

    assert page.status == 429


def secret_on(page: Page) -> pyotp.TOTP:
    found = re.search(r'id="totp-secret">(.*?)</code>', page.answer.text)
    assert found, page.text
    return pyotp.TOTP(re.sub(r"<[^>]+>", "", found.group(1)))


@pytest.fixture
def strict(new_provider) -> Provider:
    """An operator who demands two factors of everybody."""
    made: Provider = new_provider(login={"second_factor": "required"})
    return made


def test_who_has_no_second_factor_sets_one_up_first(strict):
    """M5: there is no session before."""
    ada = person(strict)
    page = ada.begin(address="/login?return_to=/account")
    assert page.path == "/login/enrol"
    app = secret_on(page)

    assert SESSION not in page.browser.cookies
    assert page.browser.get("/account").path == "/login"
    assert page.browser.get(VERIFY).path == "/login/enrol"
    assert page.submit("code-submit", code="000000").status == 400
    assert secret_on(page.browser.get("/login/enrol")).secret == app.secret, "a slip costs no new secret"
    page = page.submit("code-submit", code=app.at(strict.clock.now()))

    assert page.path == "/account"
    assert ada.events("session.started")[0]["acr"] == "urn:idp:loa:2"
    assert ada.events("account.totp.added") == [{"replaced": False}]
    strict.advance(minutes=1)
    assert ada.begin().submit("code-submit", code=app.at(strict.clock.now())).path == "/"


def test_a_client_that_insists_on_two_factors_has_one_set_up(provider):
    """OIDC Core §5.5.1.1: no answer below what is insisted on, and a way to get there."""
    provider.account("ada", email="ada@example.org")
    bank = provider.client("bank", minimum_acr="urn:idp:loa:2")
    page = ask(provider, bank).submit("login-submit", username="ada", password=PASSWORD)
    assert page.path.endswith("/enrol")
    assert SESSION not in page.browser.cookies

    app = secret_on(page)

    assert success(page.submit("code-submit", code=app.at(provider.clock.now())))


def test_somebody_signed_in_sets_up_what_a_client_insists_on(provider, shop):
    """OIDC Core §5.5.1.1, M7: the password of the session counts; no second sign-in."""
    provider.account("ada", email="ada@example.org")
    bank = provider.client("bank", minimum_acr="urn:idp:loa:2")
    browser = provider.browser()
    provider.code(shop, browser=browser, **Pkce().parameters)

    page = ask(provider, bank, browser)

    assert page.path.endswith("/enrol")
    assert success(page.submit("code-submit", code=secret_on(page).at(provider.clock.now())))


def test_a_client_that_insists_on_a_passkey_leads_to_one(provider):
    """A passkey is added in a session: it begins with what there is, and the client waits."""
    provider.account("ada", email="ada@example.org")
    bank = provider.client("bank", minimum_acr="urn:idp:loa:3")
    page = ask(provider, bank).submit("login-submit", username="ada", password=PASSWORD)

    assert page.path.endswith("/enrol")
    assert page.has("passkey-add")
    assert not page.has("code-submit")
    assert page.browser.get("/account").path == "/account"
    fields = {"csrf_token": page.forms[0].fields["csrf_token"], "code": "123456"}
    assert page.browser.open("POST", page.path, form=list(fields.items())).path == page.path
    assert refusal(page.submit("enrol-cancel")) == "access_denied"


def test_a_passkey_for_a_client_comes_after_what_the_operator_demands(strict):
    """M5: no session below the operator's level, whatever the client asks for beyond it."""
    strict.account("ada", email="ada@example.org")
    bank = strict.client("bank", minimum_acr="urn:idp:loa:3")
    page = ask(strict, bank).submit("login-submit", username="ada", password=PASSWORD)
    assert SESSION not in page.browser.cookies

    page = page.submit("code-submit", code=secret_on(page).at(strict.clock.now()))

    assert SESSION in page.browser.cookies
    assert page.has("passkey-add")


def test_who_has_a_second_factor_gives_it_where_one_is_demanded(strict):
    """M7: nobody sets up another one in its place with the password alone."""
    ada = person(strict, "totp")
    page = ada.begin()

    assert page.path == VERIFY
    assert page.browser.get("/login/enrol").path == VERIFY
    sent = page.form_with("code-submit").fields | {"code": ada.code}
    assert page.browser.open("POST", "/login/enrol", form=list(sent.items())).path == VERIFY
    assert SESSION not in page.browser.cookies


def test_a_sign_in_from_a_new_device_is_told(provider):
    """M13: by mail, but not of the very first one."""
    provider.account("ada", email="ada@example.org", email_verified=True)
    plain = Person(provider, "", "ada")
    browser: Browser = plain.begin().browser
    assert provider.mails() == []
    browser.cookies.pop(SESSION)
    plain.begin(browser)
    assert provider.mails() == [], "a known device"

    plain.begin()

    assert [mail.subject for mail in provider.mails()] == ["New sign-in to your account"]


def test_the_pause_of_a_second_step_outlives_the_process(new_provider, tmp_path):
    """L2: counters are in the database."""
    provider = new_provider()
    ada = person(provider, "totp")
    for _ in range(7):
        ada.begin().submit("code-submit", code=ada.wrong_code)
        provider.advance(seconds=10)
    ada.begin().submit("code-submit", code=ada.wrong_code)
    other = new_provider()
    elsewhere = Person(other, ada.account_id, app=ada.app)

    assert elsewhere.begin().submit("code-submit", code=ada.code).status == 429
