"""The life of a passkey, as a person's browser lives it; an authenticator in software answers for the device.

| chapter                                               | test                                              |
|-------------------------------------------------------|---------------------------------------------------|
| add one, sign in with it, nothing typed               | test_add_a_passkey_and_sign_in_with_it            |
| every algorithm we offer                              | test_every_algorithm_works                        |
| on the way to an application                          | test_passkey_sign_in_goes_on_to_the_application   |
| only an old sign-in is at hand                        | test_adding_and_removing_need_a_fresh_proof       |
| the browser adds one by itself                        | test_a_passkey_made_by_itself_...                 |
| asked after a sign-in with a password, not now        | test_people_are_asked_once_in_14_days             |
| told by mail, and taken away by "this was not me"     | test_people_are_told_...                          |
| rename, remove, never the last way in                 | test_rename..., test_remove...                    |
"""

import re

import pytest

from idp.crypto import b64url_encode
from idp.sessions import ACR_PHISHING_RESISTANT
from tests.browser import Browser, Page
from tests.frontchannel import SQLITE_ONLY
from tests.passkey import EDDSA, ES256, ICLOUD, RS256, Authenticator, PasskeyDoor
from tests.provider import PASSWORD, Pkce, Provider, response_parameters

NOWHERE = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def device(provider) -> Authenticator:
    return Authenticator(origin=provider.issuer, rp_id="idp.example")


def sign_in(provider: Provider, browser: Browser | None = None, **fields: str) -> Page:
    """Ada at the front door, with her password."""
    page = (browser or provider.browser()).get("/login")
    return page.submit("login-submit", username="ada", password=PASSWORD, **fields)


def add(provider: Provider, device: Authenticator, browser: Browser | None = None) -> str:
    """Ada adds a passkey; its id."""
    page = sign_in(provider, browser)
    door, page = PasskeyDoor(page.browser), page.browser.get("/passkey/offer")
    answer = door.register(page, device.create(door.creation_options(page)))
    assert answer.status == 200, answer.answer.text
    passkey: str = answer.answer.json()["passkey"]
    return passkey


def use(provider: Provider, device: Authenticator, browser: Browser | None = None, **fields: str) -> Page:
    """Somebody signs in with the device's passkey at the front door."""
    page = (browser or provider.browser()).get("/login")
    door = PasskeyDoor(page.browser)
    return door.sign_in(page, device.get(door.options(page)), **fields)


def session_of(provider: Provider, browser: Browser):
    return provider.container.sessions.find(browser.cookies.get("__Host-idp_session"), provider.clock.now())


def test_add_a_passkey_and_sign_in_with_it(provider, ada, device):
    """M9 to M11: the account is found from the credential; the level is the highest there is."""
    add(provider, device)
    browser = provider.browser()

    answer = use(provider, device, browser)

    assert (answer.status, answer.answer.json()["location"]) == (200, "/")
    session = session_of(provider, browser)
    assert (session.account_id, session.acr) == (ada["id"], ACR_PHISHING_RESISTANT)
    assert set(session.amr) == {"mfa", "pop", "swk", "user"}


@pytest.mark.parametrize(*SQLITE_ONLY)
@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256])
def test_every_algorithm_works(provider, ada, device, algorithm):
    """WebAuthn Level 3 §5.4 step 7: what the options name, the server verifies."""
    device.algorithm = algorithm
    add(provider, device)

    assert use(provider, device).status == 200


def test_a_device_bound_key_counts_and_says_so(provider, ada, device):
    """WebAuthn Level 3 §6.1.1: a counter that grows is fine, and `amr` names a key that cannot leave."""
    device.synced, device.counts = False, True
    add(provider, device)
    browser = provider.browser()

    assert [use(provider, device).status, use(provider, device, browser).status] == [200, 200]
    assert "hwk" in session_of(provider, browser).amr


def test_options_ask_for_what_a_passkey_is(provider, ada, device):
    """A discoverable credential that verifies the person, and not one that is there already."""
    add(provider, device)
    browser = provider.browser()
    sign_in(provider, browser)
    page = browser.get("/passkey/offer")

    options = PasskeyDoor(browser).creation_options(page)

    assert options["rp"]["id"] == "idp.example"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert [one["id"] for one in options["excludeCredentials"]] == [b64url_encode(device.credentials[0].id)]
    assert options["attestation"] == "none"
    assert len(options["challenge"]) >= 22  # 128 bits


def test_passkey_sign_in_goes_on_to_the_application(provider, ada, shop, device):
    add(provider, device)
    browser = provider.browser()
    page = provider.authorize(browser, shop, **Pkce().parameters)
    uid = page.path.rpartition("/")[2]

    answer = PasskeyDoor(browser).sign_in(
        page, device.get(PasskeyDoor(browser).options(page)), interaction=uid
    )
    page = browser.get(answer.answer.json()["location"])

    assert response_parameters(page)["code"]


def test_adding_and_removing_need_a_fresh_proof(provider, ada, device):
    """M7: with a sign-in of an hour ago nobody changes what protects the account."""
    browser = provider.browser()
    passkey = add(provider, device, browser)
    page = browser.get("/passkey/offer")
    door = PasskeyDoor(browser)
    options = door.creation_options(page)
    provider.advance(minutes=11)

    answers = [
        door.ask("/passkey/registration-options", page),
        door.register(page, device.create(options)),
    ]
    removal = door.browser.open(
        "POST",
        "/account/passkeys/remove",
        form=[("csrf_token", page.forms[0].fields["csrf_token"]), ("passkey", passkey)],
        follow=False,
    )

    assert [answer.status for answer in answers] == [403, 403]
    assert answers[0].answer.json()["location"].startswith("/reauthenticate?return_to=")
    assert removal.answer.location == "/reauthenticate?return_to=%2Faccount%2Fsecurity"
    assert use(provider, device).status != 200 or len(provider.container.own_passkeys.list_(ada["id"])) == 1


def test_a_passkey_made_by_itself_may_have_noticed_nobody(provider, ada, device):
    """WebAuthn Level 3 §7.1 step 15: only a conditional creation may leave UP and UV out."""
    sign_in(provider, browser := provider.browser())
    page, door = browser.get("/passkey/offer"), PasskeyDoor(browser)
    asked = door.creation_options(page)
    by_itself = door.creation_options(page, automatic="yes")

    assert by_itself["authenticatorSelection"]["userVerification"] == "preferred"
    assert door.register(page, device.create(asked, mask=0x05)).status == 422
    assert door.register(page, device.create(by_itself, mask=0x05)).status == 200
    assert use(provider, device).status == 200


def test_people_are_asked_once_in_14_days(provider, ada, device):
    """A "not now" holds for 14 days; who has a passkey, or a browser without them, is not asked."""
    assert sign_in(provider).path == "/"
    page = sign_in(provider, can_passkey="yes")
    assert (page.path, page.has("passkey-add")) == ("/passkey/offer", True)
    assert page.submit("passkey-skip").path == "/"

    provider.advance(days=13)
    assert sign_in(provider, can_passkey="yes").path == "/"
    provider.advance(days=2)
    assert sign_in(provider, can_passkey="yes").path == "/passkey/offer"
    add(provider, device)
    assert sign_in(provider, can_passkey="yes").path == "/"


def test_the_offer_goes_on_to_the_application(provider, ada, shop):
    page = provider.authorize(provider.browser(), shop, **Pkce().parameters)
    page = page.submit("login-submit", username="ada", password=PASSWORD, can_passkey="yes")
    assert page.has("passkey-add")

    page = page.submit("passkey-skip")

    assert response_parameters(page)["code"]


def test_the_list_names_makes_and_says_what_is_synced(provider, ada, device):
    """Names and icons by AAGUID, from a table of our own; a make that nobody knows is just a passkey."""
    add(provider, device)
    stick = Authenticator(origin=provider.issuer, rp_id="idp.example", aaguid=NOWHERE, synced=False)
    browser = provider.browser()
    add(provider, stick, browser)

    page = browser.get("/account/security")

    assert device.aaguid == ICLOUD
    assert "iCloud Keychain" in page.text
    assert "Synced between your devices" in page.text
    assert "Only on one device" in page.text
    icons = {icon["data-icon"] for icon in page.elements("svg") if "data-icon" in icon}
    assert icons == {"manager", "unknown"}


def test_rename_a_passkey(provider, ada, device):
    browser = provider.browser()
    passkey = add(provider, device, browser)
    page = browser.get("/account/security")

    page = page.submit(f"rename-{passkey}", name="  My <b>phone</b>  ")

    assert "My <b>phone</b>" in page.text
    assert page.submit(f"rename-{passkey}", name="x" * 61).status == 422
    assert page.submit(f"rename-{passkey}", name="   ").status == 422
    page.submit(f"rename-{passkey}", name="Stolen", passkey="pk_of_somebody_else")
    assert "Stolen" not in browser.get("/account/security").text


def test_remove_a_passkey(provider, ada, device):
    """What is removed signs in nobody, and password managers hear of it (Signal API)."""
    browser = provider.browser()
    passkey = add(provider, device, browser)

    page = browser.get("/account/security").submit(f"remove-{passkey}")
    answer = use(provider, device)

    assert page.has("passkeys-none")
    assert answer.status == 422
    assert answer.answer.json()["unknown_credential"] == b64url_encode(device.credentials[0].id)
    assert answer.answer.json()["rp_id"] == "idp.example"


def test_the_last_way_in_stays(provider, ada, device):
    """A passkey that is all there is cannot be removed."""
    browser = provider.browser()
    passkey = add(provider, device, browser)
    page = browser.get("/account/security")
    with provider.container.database.transaction():
        provider.container.repos.accounts.delete_password(ada["id"])

    page = page.submit(f"remove-{passkey}")

    assert page.status == 422
    assert use(provider, device).status == 200


@pytest.fixture
def telling(new_provider, tmp_path) -> Provider:
    """A provider that tells people what was done to their account, by mail."""
    made = new_provider(mail={"transport": "folder", "folder": tmp_path / "mail", "sender": "id@idp.example"})
    made.account("ada", email="ada@example.org", email_verified=True)
    return made


def test_people_are_told_and_can_take_a_strangers_passkey_away(telling):
    """M13: a mail for each passkey that comes or goes; "this was not me" removes the one it speaks of."""
    stranger = Authenticator(origin=telling.issuer, rp_id="idp.example")
    add(telling, stranger)
    told = telling.mails()[-1]
    assert use(telling, stranger).status == 200
    assert told.subject == "A passkey was added to your account"
    assert "iCloud Keychain" in told.text
    [link] = re.findall(r"https://idp\.example/not-me/\S+", told.text)

    telling.browser().get(link).submit("secure-submit")

    assert use(telling, stranger).status == 422


def test_a_removal_is_told(telling):
    browser, device = telling.browser(), Authenticator(origin=telling.issuer, rp_id="idp.example")
    passkey = add(telling, device, browser)

    browser.get("/account/security").submit(f"remove-{passkey}")

    assert telling.mails()[-1].subject == "A passkey was removed from your account"
