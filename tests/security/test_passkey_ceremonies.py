"""What an authenticator, a browser or an attacker may send in a passkey ceremony, and what becomes of it.

| rule (WebAuthn Level 3; rows)                         | test                                          |
|-------------------------------------------------------|-----------------------------------------------|
| §7.2: type, challenge, origin, frames                 | test_a_sign_in_from_elsewhere_is_refused      |
| §7.2: RP ID, UP, UV, BE and BS, signature             | test_flags_are_checked, test_another_rp_id…   |
| M9: challenge once, short, of this browser, ceremony  | test_a_challenge_…                            |
| M10: sign counter                                     | test_a_counter_…                              |
| M11: account from the credential and its user handle  | test_the_user_handle_…, test_a_stranger_…     |
| M12: a credential id belongs to one person            | test_a_credential_id_is_registered_once       |
| §7.1: the same of a registration                      | test_a_registration_…, test_unsound_keys_…    |
| attestation policy                                    | test_attestation_…                            |
| L4, L6, S8: limits, no enumeration, other sites       | test_guesses_…, test_options_…, test_other_…  |
| X3, X5: junk and giants                               | test_junk_…, test_a_broken_…, test_broken_…   |
"""

import datetime as dt
import threading
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from idp.crypto import b64url_encode
from tests.frontchannel import SQLITE_ONLY
from tests.passkey import BE, BS, EDDSA, UP, UV, Authenticator, Credential, PasskeyDoor, self_attestation
from tests.provider import PASSWORD, Provider

GRACE = "a quite different passphrase"
YUBIKEY = "2fc0579f-8113-47ea-b116-bb5a8db9202a"


@pytest.fixture
def device(provider) -> Authenticator:
    return Authenticator(origin=provider.issuer, rp_id="idp.example")


class Person:
    """Somebody's browser at the pages that have to do with passkeys."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.browser = provider.browser()
        self.door = PasskeyDoor(self.browser)

    def signed_in(self, username: str = "ada", password: str = PASSWORD) -> "Person":
        self.browser.get("/login").submit("login-submit", username=username, password=password)
        return self

    def register(self, device: Authenticator, **lies: Any):
        page = self.browser.get("/passkey/offer")
        return self.door.register(page, device.create(self.door.creation_options(page), **lies))

    def options(self) -> dict[str, Any]:
        return self.door.options(self.browser.get("/login"))

    def sign_in(self, credential: object, **fields: str):
        return self.door.sign_in(self.browser.get("/login"), credential, **fields)


@pytest.fixture
def enrolled(provider, ada, device) -> Authenticator:
    """A device with a passkey of Ada's."""
    assert Person(provider).signed_in().register(device).status == 200
    return device


def reasons(provider: Provider) -> list[Any]:
    """Why passkeys were refused, by the audit."""
    with provider.container.database.transaction(write=False):
        found = provider.container.repos.audit.list_(limit=100)
    return [row.detail.get("reason") for row in found if row.event == "account.passkey.failed"]


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "https://idp.example.evil.example"},
        {"origin": "http://idp.example"},
        {"origin": "https://idp.example:8443"},
        {"origin": "https://login.idp.example"},
        {"origin": "null"},
        {"type": "webauthn.create"},
        {"type": "payment.get"},
        {"challenge": b64url_encode(b"x" * 32)},
        {"crossOrigin": True},
        {"crossOrigin": "false"},
        {"crossOrigin": None, "topOrigin": "https://idp.example"},
        {"crossOrigin": False, "topOrigin": "https://evil.example"},
    ],
    ids=str,
)
@pytest.mark.parametrize(*SQLITE_ONLY)
def test_a_sign_in_from_elsewhere_is_refused(provider, enrolled, lie):
    """M10; WebAuthn Level 3 §7.2 steps 11 to 14."""
    person = Person(provider)

    answer = person.sign_in(enrolled.get(person.options(), **lie))

    assert answer.status == 422
    assert "idp_session" not in "".join(person.browser.cookies)
    # X11: what was sent is in no audit event.
    [reason] = reasons(provider)
    assert reason in {
        "type",
        "origin",
        "made in a frame of another origin",
        "challenge unknown, used, expired or another's",
    }


@pytest.mark.parametrize(
    "flags",
    [
        UV | BE | BS,  # nobody there
        UP | BE | BS,  # nobody verified
        UP | UV | BS,  # backed up, and cannot be
        UP | UV,  # cannot be backed up any more
        0,
        0xFF,
    ],
)
@pytest.mark.parametrize(*SQLITE_ONLY)
def test_flags_are_checked(provider, enrolled, flags):
    """M10; WebAuthn Level 3 §7.2 steps 16 to 19; §6.1.3: backup eligibility never changes."""
    person = Person(provider)

    assert person.sign_in(enrolled.get(person.options(), flags=flags)).status in {400, 422}


@pytest.mark.parametrize(*SQLITE_ONLY)
def test_another_rp_id_is_refused(provider, enrolled):
    """WebAuthn Level 3 §7.2 step 15."""
    person = Person(provider)
    enrolled.rp_id = "example"

    assert person.sign_in(enrolled.get(person.options())).status == 422


@pytest.mark.parametrize(*SQLITE_ONLY)
def test_a_wrong_signature_is_refused(provider, enrolled):
    person = Person(provider)
    other = Authenticator(origin=provider.issuer, rp_id="idp.example")
    options = person.options()
    other.create({"user": {"id": b64url_encode(b"acc_other")}, "challenge": options["challenge"]})
    other.credentials[0].id = enrolled.credentials[0].id
    other.credentials[0].user_handle = enrolled.credentials[0].user_handle

    assert person.sign_in(other.get(options)).status == 422
    assert person.sign_in(enrolled.get(person.options(), signature=b"x")).status == 422


def test_a_challenge_is_used_once(provider, enrolled):
    """M9: not again after a sign-in, nor after a refusal; whoever copies an answer has nothing."""
    person = Person(provider)
    credential = enrolled.get(person.options())

    assert person.sign_in(credential).status == 200
    person.browser.cookies.pop("__Host-idp_session")
    assert person.sign_in(credential).status == 422

    options = person.options()
    assert person.sign_in(enrolled.get(options, origin="https://evil.example")).status == 422
    assert person.sign_in(enrolled.get(options)).status == 422
    assert person.sign_in(enrolled.get(person.options())).status == 200


def test_a_challenge_is_used_once_in_parallel(provider, enrolled):
    """M9 and decision D2: of ten that show the same answer at once, one gets in."""
    person = Person(provider)
    page = person.browser.get("/login")
    credential = enrolled.get(person.door.options(page))
    start, statuses = threading.Barrier(10), []

    def run() -> None:
        browser = provider.browser()
        browser.cookies.update(person.browser.cookies)
        start.wait()
        statuses.append(PasskeyDoor(browser).sign_in(page, credential).status)

    threads = [threading.Thread(target=run) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [200] + [422] * 9


def test_a_challenge_ends(provider, enrolled):
    """M9: after five minutes."""
    person = Person(provider)
    credential = enrolled.get(person.options())
    provider.advance(minutes=5)

    assert person.sign_in(credential).status == 422


@pytest.mark.parametrize(*SQLITE_ONLY)
def test_a_challenge_belongs_to_its_browser(provider, enrolled):
    """M9: an answer that was made for one browser signs nobody in at another."""
    victim, thief = Person(provider), Person(provider)
    credential = enrolled.get(victim.options())

    assert thief.sign_in(credential).status == 422
    assert victim.sign_in(credential).status == 200


@pytest.mark.parametrize(*SQLITE_ONLY)
def test_a_challenge_belongs_to_its_ceremony(provider, enrolled):
    """M9: one made for a registration is none for a sign-in, nor the other way round."""
    person = Person(provider).signed_in()
    page = person.browser.get("/passkey/offer")
    creation, request = person.door.creation_options(page), person.door.options(page)

    assert person.door.sign_in(page, enrolled.get(creation)).status == 422
    assert person.door.register(page, enrolled.create({**creation, **request})).status == 422


@pytest.mark.parametrize(*SQLITE_ONLY)
def test_a_registration_belongs_to_its_session(provider, ada, device):
    """M9, M11: a challenge of one person's session adds no passkey to another's account."""
    grace = provider.account("grace", password=GRACE)
    first, second = Person(provider).signed_in(), Person(provider).signed_in("grace", GRACE)
    page = first.browser.get("/passkey/offer")
    made = device.create(first.door.creation_options(page))

    assert second.door.register(second.browser.get("/passkey/offer"), made).status == 422
    assert provider.container.own_passkeys.list_(grace["id"]) == []


@pytest.mark.parametrize(*SQLITE_ONLY)
def test_a_counter_that_goes_back_is_refused(provider, ada, device):
    """M10: a key that cannot leave its device, and counts less than before, has a twin."""
    device.synced, device.counts = False, True
    person = Person(provider).signed_in()
    person.register(device)
    for _ in range(3):
        assert person.sign_in(device.get(person.options())).status == 200

    for count in (3, 2, 0):
        assert person.sign_in(device.get(person.options(), counter=count)).status == 422
    assert person.sign_in(device.get(person.options(), counter=4)).status == 200
    assert reasons(provider) == ["sign counter did not grow"] * 3


@pytest.mark.parametrize(*SQLITE_ONLY)
def test_a_counter_of_a_synced_key_is_noted_only(provider, enrolled):
    """WebAuthn Level 3 §6.1.1: copies count for themselves; their owner is not locked out."""
    person = Person(provider)
    assert person.sign_in(enrolled.get(person.options(), counter=7)).status == 200

    assert person.sign_in(enrolled.get(person.options(), counter=3)).status == 200
    with provider.container.database.transaction(write=False):
        events = provider.container.repos.audit.list_(limit=100)
    behind = [row.detail["counter_behind"] for row in events if row.event == "account.passkey.verified"]
    assert sorted(behind) == [False, True]


@pytest.mark.parametrize("handle", [None, b"acc_somebody_else", b"x" * 64, b"x" * 65])
@pytest.mark.parametrize(*SQLITE_ONLY)
def test_the_user_handle_is_the_owners(provider, enrolled, handle):
    """M11; WebAuthn Level 3 §7.2 step 6: without a name typed, the authenticator names the account."""
    person = Person(provider)

    assert person.sign_in(enrolled.get(person.options(), user_handle=handle)).status in {400, 422}


@pytest.mark.parametrize(*SQLITE_ONLY)
def test_a_stranger_in_a_live_session_is_themself(provider, ada, enrolled):
    """M11: whose browser it was does not matter; the passkey says who comes."""
    provider.account("grace", password=GRACE)
    person = Person(provider).signed_in("grace", GRACE)
    page = person.browser.get("/passkey/offer")

    answer = person.door.sign_in(page, enrolled.get(person.door.options(page)))

    assert answer.status == 200
    cookie = person.browser.cookies["__Host-idp_session"]
    assert provider.container.sessions.find(cookie, provider.clock.now()).account_id == ada["id"]


def test_a_credential_id_is_registered_once(provider, ada, enrolled):
    """M12: to nobody else, and not again."""
    provider.account("grace", password=GRACE)
    taken = enrolled.credentials[0].id

    answers = [
        Person(provider).signed_in("grace", GRACE).register(enrolled, credential_id=taken),
        Person(provider).signed_in().register(enrolled, credential_id=taken),
    ]

    assert [answer.status for answer in answers] == [409, 409]


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "https://evil.example"},
        {"type": "webauthn.get"},
        {"crossOrigin": True},
        {"topOrigin": "https://evil.example"},
        {"mask": UP},
        {"mask": UV},
        {"mask": BE},
        {"flags": UP | UV | BS},
        {"credential_id": b""},
        {"credential_id": b"x" * 1024},
        {"statement": lambda *_: ("made-up", {})},
        {"statement": lambda *_: ("none", {"sig": b"x"})},
        {"statement": lambda *_: ("packed", {"alg": -7, "sig": b"x"})},
        {"statement": lambda *_: ("android-safetynet", {"ver": "1", "response": b"x.y.z"})},
        {"statement": lambda *_: (["packed"], {})},
    ],
    ids=lambda lie: next(iter(lie)),
)
@pytest.mark.parametrize(*SQLITE_ONLY)
def test_a_registration_with_a_lie_is_refused(provider, ada, device, lie):
    """M10; WebAuthn Level 3 §7.1."""
    answer = Person(provider).signed_in().register(device, **lie)

    assert answer.status in {400, 422}
    assert answer.answer.json()["error_description"]
    assert provider.container.own_passkeys.list_(ada["id"]) == []


@pytest.mark.parametrize(
    "cose",
    [
        {1: 2, 3: -7, -1: 1, -2: b"\1" * 32, -3: b"\2" * 32},  # not on the curve
        {1: 2, 3: -7, -1: 2, -2: b"\1" * 48, -3: b"\2" * 48},  # ES256 on P-384
        {1: 2, 3: -8, -1: 1, -2: b"\1" * 32, -3: b"\2" * 32},  # EdDSA with an EC2 key
        {1: 2, 3: -35, -1: 2, -2: b"\1" * 48, -3: b"\2" * 48},  # ES384, which was not asked for
        {1: 3, 3: -257, -1: b"\xff" * 64, -2: b"\1\0\1"},  # RSA of 512 bits
        {1: 3, 3: -257, -1: b"\xff" * 1025, -2: b"\1\0\1"},  # and of 8200
        {1: 3, 3: -65535, -1: b"\xff" * 256, -2: b"\1\0\1"},  # RSA with SHA-1
        {1: 4, 3: -7, -1: b"k"},
        {3: -7},
        {},
        {1: "2", 3: "x"},
    ],
    ids=str,
)
@pytest.mark.parametrize(*SQLITE_ONLY)
def test_unsound_keys_are_refused(provider, ada, device, cose):
    """WebAuthn Level 3 §5.8.5: a key fits its algorithm, and that is one we asked for."""
    answer = Person(provider).signed_in().register(device, cose=cose)

    assert answer.status in {400, 422}


JUNK = [
    "",
    "null",
    "[]",
    "{}",
    '"x"',
    "{" * 20_000,
    "[" * 15_000,
    "x" * 40_000,
    '{"id":"AA","rawId":"AA","type":"public-key"}',
    '{"id":"AA","rawId":"AA","type":"public-key","response":[]}',
    '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":1}}',
    '{"id":"AA","rawId":"AQ","type":"public-key","response":{}}',
    '{"id":"A","rawId":"A","type":"public-key","response":{}}',
    '{"id":["AA"],"rawId":["AA"],"type":"public-key","response":{}}',
    '{"id":1e400,"rawId":NaN,"type":"public-key","response":{}}',
    '{"id":"\\ud800","rawId":"\\ud800","type":"public-key","response":{}}',
    "\N{GRINNING FACE}",
]


@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: repr(junk[:30]))
@pytest.mark.parametrize(*SQLITE_ONLY)
def test_junk_is_a_clear_refusal(provider, ada, junk):
    """X3, X5: 400 and words, whatever is sent; never a server error."""
    person = Person(provider).signed_in()
    page = person.browser.get("/passkey/offer")

    for answer in (person.door.sign_in(page, junk), person.door.register(page, junk)):
        assert answer.status == 400
        assert answer.answer.json()["error_description"]


@pytest.mark.parametrize("part", ["clientDataJSON", "authenticatorData", "signature", "userHandle"])
@pytest.mark.parametrize(
    "value", [None, 1, {}, "", "=", "ÿ", "AA", b64url_encode(b"\xff" * 40), "A" * 20_000]
)
@pytest.mark.parametrize(*SQLITE_ONLY)
def test_a_broken_part_is_a_clear_refusal(provider, enrolled, part, value):
    """X3, X5: each part of an answer may be anything at all."""
    person = Person(provider)
    credential = enrolled.get(person.options())
    credential["response"][part] = value

    answer = person.sign_in(credential)

    assert answer.status in {400, 422}
    assert answer.answer.json()["error_description"]


@pytest.mark.parametrize(
    "client_data", [b"", b"[]", b"\xff\xfe", b"\xef\xbb\xbf{}", b'{"type":1}', b"{" * 9_000], ids=str
)
@pytest.mark.parametrize(*SQLITE_ONLY)
def test_broken_client_data_are_a_clear_refusal(provider, enrolled, client_data):
    person = Person(provider)
    credential = enrolled.get(person.options())
    credential["response"]["clientDataJSON"] = b64url_encode(client_data)

    assert person.sign_in(credential).status == 400


@pytest.mark.parametrize(*SQLITE_ONLY)
def test_a_name_twice_in_client_data_gains_nothing(provider, enrolled):
    """The check of frames and the library's checks read the same of two challenges or origins."""
    person = Person(provider)
    options = person.options()
    sent = (
        '{"type":"webauthn.get","origin":"https://evil.example","crossOrigin":true,"crossOrigin":false,'
        f'"challenge":"{options["challenge"]}","origin":"https://idp.example","topOrigin":"https://a.example"}}'
    )
    credential = enrolled.get(options)
    credential["response"]["clientDataJSON"] = b64url_encode(sent.encode())

    assert person.sign_in(credential).status == 422


def test_options_say_nothing_about_anybody(provider, enrolled):
    """L6: the same for a browser that Ada has used and for a stranger's; nothing can be asked for by name."""
    known, stranger = Person(provider).signed_in(), Person(provider)
    answers = [
        person.door.ask("/passkey/options", person.browser.get("/login"), username=name)
        for person in (stranger,)
        for name in ("ada", "nobody")
    ] + [known.door.ask("/passkey/options", known.browser.get("/passkey/offer"), username="ada")]

    shown = [{**answer.answer.json(), "challenge": ""} for answer in answers]

    assert shown[0] == shown[1] == shown[2]
    assert shown[0]["allowCredentials"] == []
    assert len({answer.answer.json()["challenge"] for answer in answers}) == 3
    assert len({len(answer.answer.text) for answer in answers}) == 1


@pytest.mark.parametrize(*SQLITE_ONLY)
def test_a_disabled_account_does_not_get_in(provider, enrolled):
    """T16: the one gate stands here too; the refusal is recorded."""
    provider.container.admin.accounts.disable("ada")
    person = Person(provider)

    answer = person.sign_in(enrolled.get(person.options()))

    assert answer.status == 422
    assert "unknown_credential" not in answer.answer.json()
    assert "__Host-idp_session" not in person.browser.cookies


def test_guesses_meet_the_limits_of_other_ways(new_provider):
    """L2, L4: attempts with passkeys and with passwords are counted together, by source."""
    provider = new_provider(ratelimit={"enabled": True, "login_per_source": "5/minute"})
    provider.account("ada")
    person = Person(provider)
    page = person.browser.get("/login")

    statuses = [person.door.sign_in(page, "{}").status for _ in range(6)]
    page = page.submit("login-submit", username="ada", password=PASSWORD)

    assert statuses == [400] * 5 + [429]
    assert page.status == 429


@pytest.mark.parametrize(*SQLITE_ONLY)
def test_other_sites_cannot_use_the_doors(provider, enrolled):
    """S8: no token, or another origin: nothing happens."""
    person = Person(provider).signed_in()
    page = person.browser.get("/passkey/offer")
    token = page.forms[0].fields["csrf_token"]

    for path in (
        "/passkey/options",
        "/passkey/sign-in",
        "/passkey/registration-options",
        "/passkey/register",
    ):
        assert person.browser.open("POST", path, form=[("credential", "{}")]).status in {400, 403}
        crossed = person.browser.open("POST", path, form=[("csrf_token", token)], site="cross-site")
        assert crossed.status in {400, 403}
        assert person.browser.open("GET", path).status == 405


# Attestation


class Maker:
    """Makes authenticators that prove their make with a certificate."""

    def __init__(self, aaguid: str = YUBIKEY) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Maker of keys")])
        self._aaguid = bytes.fromhex(aaguid.replace("-", ""))
        self.root = self._certificate(self._name, self._key, is_authority=True)
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "SE"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Maker"),
                x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Authenticator Attestation"),
                x509.NameAttribute(NameOID.COMMON_NAME, "Batch 1"),
            ]
        )
        self.leaf = self._certificate(subject, self._leaf_key, is_authority=False)

    @property
    def pem(self) -> bytes:
        return self.root.public_bytes(serialization.Encoding.PEM)

    def statement(
        self, data: bytes, client_data_hash: bytes, _made: Credential
    ) -> tuple[str, dict[str, Any]]:
        signature = self._leaf_key.sign(data + client_data_hash, ec.ECDSA(hashes.SHA256()))
        der = self.leaf.public_bytes(serialization.Encoding.DER)
        return "packed", {"alg": -7, "sig": signature, "x5c": [der]}

    def _certificate(self, subject: x509.Name, key: Any, *, is_authority: bool) -> x509.Certificate:
        today = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - dt.timedelta(days=1))
            .not_valid_after(today + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        if not is_authority:
            make = x509.UnrecognizedExtension(
                x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4"), b"\x04\x10" + self._aaguid
            )
            builder = builder.add_extension(make, critical=False)
        return builder.sign(self._key, hashes.SHA256())


@pytest.fixture
def strict(new_provider, tmp_path):
    """A provider that takes keys of one maker only, and that maker."""
    maker, roots = Maker(), tmp_path / "roots.pem"
    roots.write_bytes(maker.pem)
    provider = new_provider(
        passkeys={
            "attestation": "required",
            "attestation_roots": str(roots),
            "allowed_aaguids": [YUBIKEY],
        }
    )
    provider.account("ada")
    return provider, maker


def _attested(provider: Provider, **given: Any) -> Authenticator:
    return Authenticator(
        origin=provider.issuer, rp_id="idp.example", synced=False, **{"aaguid": YUBIKEY, **given}
    )


@pytest.mark.parametrize(*SQLITE_ONLY)
def test_attestation_by_the_makers_certificate_is_accepted(strict):
    provider, maker = strict
    person = Person(provider).signed_in()
    page = person.browser.get("/passkey/offer")
    options = person.door.creation_options(page)

    answer = person.door.register(page, _attested(provider).create(options, statement=maker.statement))

    assert (options["attestation"], options["hints"]) == ("direct", ["security-key"])
    assert answer.status == 200
    assert answer.answer.json()["name"] == "YubiKey 5 NFC"


@pytest.mark.parametrize(
    ("aaguid", "statement"),
    [
        (YUBIKEY, lambda _: None),  # none at all
        (YUBIKEY, lambda _: self_attestation),  # by the new key itself
        (YUBIKEY, lambda _: Maker().statement),  # another maker
        (
            "ee882879-721c-4913-9775-3dfcce97072a",
            lambda maker: maker.statement,
        ),  # the certificate's is another
    ],
    ids=["none", "self", "maker", "make"],
)
@pytest.mark.parametrize(*SQLITE_ONLY)
def test_attestation_that_proves_nothing_is_refused(strict, aaguid, statement):
    """Policy; py_webauthn takes self attestation, and any chain where no roots are given."""
    provider, maker = strict

    answer = (
        Person(provider).signed_in().register(_attested(provider, aaguid=aaguid), statement=statement(maker))
    )

    assert answer.status == 422


@pytest.mark.parametrize(*SQLITE_ONLY)
def test_self_attestation_is_welcome_where_none_is_asked_for(provider, ada, device):
    device.algorithm = EDDSA

    assert Person(provider).signed_in().register(device, statement=self_attestation).status == 200
