"""Passkeys beside other proofs: as a second step, in a step-up, and what an unsure one is worth.

| rule                                                   | test                                         |
|--------------------------------------------------------|----------------------------------------------|
| acr ladder: presence alone is something one has        | test_a_key_that_only_notices_…               |
| L3 §7.2 step 25: a first verification is not enough    | test_a_first_verification_…                  |
| M3, M9: a challenge of a step is the step's            | test_a_challenge_of_a_step_…                 |
| M11: in a step, only that person's passkeys            | test_in_a_step_…                             |
| M7: who is asked again cannot answer as somebody else  | test_proving_oneself_again_…                 |
| OpenID Connect Core §3.1.2.1: prompt=login             | test_prompt_login_takes_a_passkey            |
"""

import threading
from typing import Any

import pyotp
import pytest

from idp.crypto import Secret
from tests.browser import Browser, Page
from tests.frontchannel import SQLITE_ONLY
from tests.passkey import UP, UV, Authenticator, PasskeyDoor, as_text
from tests.protocol import jose
from tests.provider import PASSWORD, Client, Pkce, Provider, response_parameters

GRACE = "a quite different passphrase"


@pytest.fixture
def device(provider) -> Authenticator:
    return Authenticator(origin=provider.issuer, rp_id="idp.example")


def sign_in(browser: Browser, username: str = "ada", password: str = PASSWORD) -> Page:
    return browser.get("/login").submit("login-submit", username=username, password=password)


def add(
    provider: Provider, device: Authenticator, *who: str, browser: Browser | None = None, **how: Any
) -> None:
    """Somebody signs in with their password and adds a passkey; or, `automatic`, their browser does."""
    browser = browser or provider.browser()
    sign_in(browser, *who)
    page, door = browser.get("/passkey/offer"), PasskeyDoor(browser)
    by_itself = {"automatic": "yes"} if how.get("automatic") else {}
    options = door.creation_options(page, **by_itself)
    mask = UP | UV if how.get("automatic") else 0
    assert door.register(page, device.create(options, mask=mask)).status == 200


def enrol_generator(provider: Provider, account_id: str) -> pyotp.TOTP:
    """The account gets a generator, as if set up on the security page."""
    totp, now = provider.container.totp, provider.clock.now()
    secret: Secret[str] = totp.new_secret()
    generator = pyotp.TOTP(secret.reveal())
    with provider.container.database.transaction():
        assert totp.enrol(account_id, secret, generator.at(now), now)
    provider.advance(seconds=60)
    return generator


def use(browser: Browser, device: Authenticator, **fields: str) -> Page:
    page = browser.get("/login")
    door = PasskeyDoor(browser)
    return door.sign_in(page, device.get(door.options(page)), **fields)


def answer_step(page: Page, credential: dict[str, Any]) -> Page:
    """What the script does on the page of the second step."""
    form = page.form_with("passkey-verify")
    fields = {**form.fields, "credential": as_text(credential)}
    return page.browser.open("POST", page.url, form=list(fields.items()))


def tokens(provider: Provider, client: Client, page: Page, pkce: Pkce) -> dict[str, Any]:
    answer = provider.exchange(client, response_parameters(page)["code"], verifier=pkce.verifier)
    return jose.claims(answer.json()["id_token"])


@pytest.mark.parametrize("flags_left_out", [0, UV])
def test_a_key_that_only_notices_somebody_is_something_they_have(provider, ada, shop, device, flags_left_out):
    """Acr ladder: password and a touch are two factors that cannot be phished; `amr` names what was done."""
    add(provider, device)
    browser, pkce = provider.browser(), Pkce()
    page = provider.authorize(browser, shop, acr_values="urn:idp:loa:3", **pkce.parameters)
    page = page.submit("login-submit", username="ada", password=PASSWORD)
    options = PasskeyDoor(browser).options(page, step="verify")

    page = answer_step(page, device.get(options, mask=flags_left_out))

    told = tokens(provider, shop, page, pkce)
    assert told["acr"] == "urn:idp:loa:3"
    assert ("user" in told["amr"]) == (flags_left_out == 0)
    assert {"pwd", "pop", "mfa"} <= set(told["amr"])


def test_the_options_of_a_step_name_the_persons_passkeys(provider, ada, shop, device):
    """Only once the password has proved whose they are (L6)."""
    add(provider, device)
    browser = provider.browser()
    page = provider.authorize(browser, shop, acr_values="urn:idp:loa:3", **Pkce().parameters)
    door = PasskeyDoor(browser)
    assert door.ask("/passkey/options", page, step="verify").status == 422

    page = page.submit("login-submit", username="ada", password=PASSWORD)

    options = door.options(page, step="verify")
    assert [one["type"] for one in options["allowCredentials"]] == ["public-key"]
    assert options["userVerification"] == "preferred"


@pytest.mark.parametrize(*SQLITE_ONLY)
def test_a_challenge_of_a_step_is_the_steps(provider, ada, shop, device):
    """M3, M9: not one of a sign-in without a name, nor another attempt's; nor used twice."""
    add(provider, device)

    def at_the_step() -> tuple[Browser, Page]:
        browser = provider.browser()
        page = provider.authorize(browser, shop, acr_values="urn:idp:loa:3", **Pkce().parameters)
        return browser, page.submit("login-submit", username="ada", password=PASSWORD)

    browser, page = at_the_step()
    other, other_page = at_the_step()
    door = PasskeyDoor(browser)
    nameless, mine = door.options(page), door.options(page, step="verify")
    others = PasskeyDoor(other).options(other_page, step="verify")

    assert answer_step(page, device.get(nameless)).status == 422
    assert answer_step(page, device.get(others)).status == 422
    assert PasskeyDoor(browser).sign_in(page, device.get(mine)).status == 422
    assert answer_step(page, device.get(mine, origin="https://evil.example")).status == 422
    assert answer_step(page, device.get(mine)).status == 422  # the refusal has used it up
    assert answer_step(page, device.get(door.options(page, step="verify"))).left


@pytest.mark.parametrize(*SQLITE_ONLY)
def test_in_a_step_only_that_persons_passkeys_count(provider, ada, shop, device):
    """M11: another account's passkey is no second step of this one."""
    provider.account("grace", password=GRACE)
    add(provider, device)
    other = Authenticator(origin=provider.issuer, rp_id="idp.example")
    add(provider, other, "grace", GRACE)
    browser = provider.browser()
    page = provider.authorize(browser, shop, acr_values="urn:idp:loa:3", **Pkce().parameters)
    page = page.submit("login-submit", username="ada", password=PASSWORD)
    door = PasskeyDoor(browser)

    for handle in (b"", None, ada["id"].encode()):
        options = door.options(page, step="verify")
        assert answer_step(page, other.get(options, user_handle=handle)).status == 422
    assert answer_step(page, {}).status == 400


@pytest.mark.parametrize(*SQLITE_ONLY)
def test_a_first_verification_needs_another_proof_where_one_is_asked_for(provider, ada, device):
    """WebAuthn Level 3 §7.2 step 25: a passkey that the browser made by itself has verified nobody."""
    add(provider, device, automatic=True)
    generator = enrol_generator(provider, ada["id"])
    browser = provider.browser()
    assert use(browser, device).status == 422

    page = sign_in(browser)
    door = PasskeyDoor(browser)
    page = browser.get(page.path + "?method=passkey")
    page = answer_step(page, device.get(door.options(page, step="verify")))

    assert page.path == "/"
    assert use(provider.browser(), device).status == 200
    assert generator


@pytest.mark.parametrize(*SQLITE_ONLY)
def test_proving_oneself_again_is_for_the_person_of_the_session(provider, ada, device):
    """M7: whoever sits down at an open session does not prove it with a passkey of their own."""
    provider.account("grace", password=GRACE)
    add(provider, device)
    thief = Authenticator(origin=provider.issuer, rp_id="idp.example")
    add(provider, thief, "grace", GRACE)
    browser = provider.browser()
    sign_in(browser)
    provider.advance(minutes=11)
    page, door = browser.get("/reauthenticate?return_to=/account/security"), PasskeyDoor(browser)

    refused = door.sign_in(page, thief.get(door.options(page)), again="yes")
    accepted = door.sign_in(page, device.get(door.options(page)), again="yes", return_to="/account/security")

    assert (refused.status, accepted.status) == (422, 200)
    assert accepted.answer.json()["location"] == "/account/security"
    page = browser.get("/account/security")
    assert PasskeyDoor(browser).ask("/passkey/registration-options", page).status == 200


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example/", "/\\evil.example", "x", "/%0a"]
)
@pytest.mark.parametrize(*SQLITE_ONLY)
def test_a_passkey_leads_to_no_other_site(provider, ada, device, target):
    """R15: only paths of our own to go on to."""
    add(provider, device)

    location = use(provider.browser(), device, return_to=target).answer.json()["location"]

    assert location == "/" or location == target == "/%0a"


@pytest.mark.parametrize(*SQLITE_ONLY)
def test_prompt_login_takes_a_passkey(provider, ada, shop, device):
    """OpenID Connect Core §3.1.2.1: a new proof, with a new `auth_time`."""
    browser, pkce = provider.browser(), Pkce()
    add(provider, device, browser=browser)
    before = provider.clock.now().timestamp()
    provider.advance(minutes=5)
    page = provider.authorize(browser, shop, prompt="login", **pkce.parameters)
    uid = page.path.rpartition("/")[2]
    door = PasskeyDoor(browser)

    answer = door.sign_in(page, device.get(door.options(page)), interaction=uid)
    page = browser.get(answer.answer.json()["location"])

    told = tokens(provider, shop, page, pkce)
    assert told["auth_time"] > before
    assert told["acr"] == "urn:idp:loa:3"


def test_two_removals_at_once_leave_a_way_in(provider, ada, device):
    """Of an account with two passkeys and no password, one stays, whoever is asked to remove them at once."""
    browser = provider.browser()
    add(provider, device, browser=browser)
    other = Authenticator(origin=provider.issuer, rp_id="idp.example")
    page, door = browser.get("/passkey/offer"), PasskeyDoor(browser)
    assert door.register(page, other.create(door.creation_options(page))).status == 200
    own = provider.container.own_passkeys
    with provider.container.database.transaction():
        provider.container.repos.accounts.delete_password(ada["id"])
    page = browser.get("/account/security")
    start, statuses = threading.Barrier(2), []

    def remove(passkey: str) -> None:
        twin = provider.browser()
        twin.cookies.update(browser.cookies)
        token = page.forms[0].fields["csrf_token"]
        form = [("csrf_token", token), ("passkey", passkey)]
        start.wait()
        statuses.append(twin.open("POST", "/account/passkeys/remove", form=form, follow=False).status)

    threads = [threading.Thread(target=remove, args=(one.id,)) for one in own.list_(ada["id"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [303, 422]
    assert len(own.list_(ada["id"])) == 1


@pytest.mark.parametrize(*SQLITE_ONLY)
def test_who_has_a_second_step_is_asked_for_a_passkey_too(provider, ada, device):
    """After the last step, and no sooner: a passkey takes the place of both."""
    generator = enrol_generator(provider, ada["id"])
    browser = provider.browser()
    page = browser.get("/login").submit("login-submit", username="ada", password=PASSWORD, can_passkey="yes")
    assert page.path == "/login/verify"

    page = page.submit("code-submit", code=generator.at(provider.clock.now()), can_passkey="yes")

    assert page.path == "/passkey/offer"
    door = PasskeyDoor(browser)
    assert door.register(page, device.create(door.creation_options(page))).status == 200
    assert use(provider.browser(), device).status == 200


@pytest.mark.parametrize(*SQLITE_ONLY)
def test_a_sign_in_that_left_the_second_step_out_adds_no_passkey(provider, ada, device):
    """M7, M8: at a remembered device the password alone signs in, but changes nothing that protects."""
    generator = enrol_generator(provider, ada["id"])
    browser = provider.browser()
    page = sign_in(browser)
    page.submit("code-submit", code=generator.at(provider.clock.now()), trust_device="yes")
    for name in ("__Host-idp_session", "__Host-idp_attempt"):
        browser.cookies.pop(name, None)

    page = sign_in(browser)

    assert page.path == "/"
    page = browser.get("/account/security")
    assert PasskeyDoor(browser).ask("/passkey/registration-options", page).status == 403
