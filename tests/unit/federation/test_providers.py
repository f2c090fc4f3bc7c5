"""Providers are changed by rules, and their secrets are sealed."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from idp.crypto import Sealer, Unsealable
from idp.errors import Conflict, Invalid, NotFound
from idp.federation import ProviderDirectory, Providers, ProviderSecrets
from tests.storage import rows
from tests.storage.threads import in_parallel
from tests.unit.federation.stored_values import ISSUER, oauth2, openid

SECRET = "swordfish-canary"


@pytest.fixture
def secrets():
    return ProviderSecrets(Sealer(b"p" * 32))


@pytest.fixture
def providers(repos, secrets):
    return Providers(repos, secrets, plain_hosts=["sso.internal"])


@pytest.fixture
def elsewhere(database, providers, now):
    with database.transaction():
        return providers.create("elsewhere", openid(), secret=SECRET, now=now)


@pytest.fixture
def someone(database, repos, now, elsewhere):
    with database.transaction():
        repos.accounts.add(rows.account(now), [])
        repos.identities.add(rows.external_identity(now))


def pem(key, encryption=NoEncryption()) -> str:  # noqa: B008 - without state
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()


def test_a_provider_returns_as_it_went(database, providers, elsewhere):
    with database.transaction(write=False):
        found = providers.get("elsewhere")

    assert replace(found, secret=None) == replace(elsewhere, secret=None)
    assert (found.issuer, found.scopes, found.enabled) == (ISSUER, ("openid", "profile", "email"), True)
    assert found.secret is not None
    assert found.secret.reveal() == SECRET
    assert SECRET not in repr(found)


def test_a_secret_is_sealed_for_its_provider(database, repos, secrets, elsewhere):
    """K5: neither in clear in the row, nor worth anything in another one."""
    with database.transaction(write=False):
        sealed = repos.providers.get("elsewhere").sealed_secret

    assert SECRET.encode() not in sealed
    with pytest.raises(Unsealable):
        secrets.open("other", sealed)


def test_a_provider_with_a_lost_secret_counts_as_disabled(database, repos, providers, now, elsewhere):
    """With another root key the others go on."""
    with database.transaction():
        row = repos.providers.get("elsewhere")
        row.sealed_secret = b"\x01" + b"x" * 40
        repos.providers.update(row)

    with database.transaction(write=False):
        found = providers.get("elsewhere")
    assert (found.enabled, found.secret) == (False, None)
    with pytest.raises(Invalid), database.transaction():
        providers.update("elsewhere", {"auth_method": "client_secret_post"}, now=now)
    with database.transaction():
        assert providers.update("elsewhere", {}, secret="another", now=now)[0].enabled


def test_an_id_is_given_once(database, providers, now, elsewhere):
    with pytest.raises(Conflict, match="provider id"), database.transaction():
        providers.create("elsewhere", openid(), secret=SECRET, now=now)


@pytest.mark.parametrize(
    ("members", "secret", "field"),
    [
        ({}, None, "secret"),
        ({}, "", "secret"),
        ({}, "two\nlines", "secret"),
        ({}, "ä", "secret"),
        ({"auth_method": "none"}, "x", "secret"),
        ({"auth_method": "private_key_jwt"}, None, "private_key"),
        ({"auth_method": "private_key_jwt"}, "no PEM canary", "private_key"),
        ({"auth_method": "apple"}, None, "key_id"),
        ({"auth_method": "apple", "key_id": "k"}, None, "team_id"),
    ],
)
def test_the_secret_fits_the_way_of_authentication(providers, now, members, secret, field):
    with pytest.raises(Invalid) as refused:
        providers.draft("elsewhere", openid(**members), secret=secret, now=now)

    assert refused.value.field == field
    assert "canary" not in refused.value.description + refused.value.detail


def test_a_public_client_needs_no_secret(providers, now):
    assert providers.draft("e", openid(auth_method="none"), secret=None, now=now).secret is None


def test_private_keys_are_strong_and_in_clear(providers, now):
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 - to be refused
    locked = BestAvailableEncryption(b"x")
    for text in (pem(weak), pem(ed25519.Ed25519PrivateKey.generate(), locked), "x" * 20_000):
        with pytest.raises(Invalid) as refused:
            providers.draft("e", openid(auth_method="private_key_jwt"), secret=text, now=now)
        assert refused.value.field == "private_key"
        assert refused.value.__cause__ is None

    for key in (ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())):
        assert providers.draft("e", openid(auth_method="private_key_jwt"), secret=pem(key), now=now).secret


def test_apples_key_is_on_p256(providers, now):
    members = openid(auth_method="apple", key_id="K", team_id="T")

    with pytest.raises(Invalid):
        providers.draft("a", members, secret=pem(ec.generate_private_key(ec.SECP384R1())), now=now)
    assert providers.draft("a", members, secret=pem(ec.generate_private_key(ec.SECP256R1())), now=now)


def test_changed_members_are_named(database, providers, now, elsewhere):
    with database.transaction():
        changed = providers.update("elsewhere", {"name": "There", "hidden": False}, now=now)[1]
        again = providers.update("elsewhere", {"name": "There"}, now=now)[1]
        secret = providers.update("elsewhere", {}, secret="another", now=now)[1]
        default = providers.update("elsewhere", {"scopes": None}, now=now)[1]
        found = providers.get("elsewhere")

    assert (changed, again, secret, default) == (("name",), (), ("secret",), ())
    assert (found.name, found.secret.reveal()) == ("There", "another")


def test_a_secret_can_be_sent_in_another_way_but_a_key_is_none(database, providers, now, elsewhere):
    key = pem(ed25519.Ed25519PrivateKey.generate())
    with database.transaction():
        providers.update("elsewhere", {"auth_method": "client_secret_post"}, now=now)
        assert providers.get("elsewhere").secret.reveal() == SECRET
    with pytest.raises(Invalid), database.transaction():
        providers.update("elsewhere", {"auth_method": "private_key_jwt"}, now=now)
    with database.transaction():
        providers.update("elsewhere", {"auth_method": "private_key_jwt"}, secret=key, now=now)
    with pytest.raises(Invalid), database.transaction():
        providers.update("elsewhere", {"auth_method": "client_secret_basic"}, now=now)
    with database.transaction():
        providers.update("elsewhere", {"auth_method": "none"}, now=now)
        assert providers.get("elsewhere").secret is None


def test_a_home_domain_has_one_provider(database, providers, now, elsewhere):
    with database.transaction():
        providers.update("elsewhere", {"home_domains": ["example.org"]}, now=now)
        providers.update("elsewhere", {"home_domains": ["example.org", "example.net"]}, now=now)

    for domain in ("example.org", "EXAMPLE.net"):
        with pytest.raises(Conflict, match="elsewhere"), database.transaction():
            providers.create("other", openid(home_domains=[domain]), secret=SECRET, now=now)


def test_a_home_domain_is_given_once_to_providers_added_at_once(database, providers, now):
    """X12: each looks at the others' domains, one after another."""

    def create(number) -> bool:
        try:
            with database.transaction():
                providers.create(f"p{number}", openid(home_domains=["example.org"]), secret=SECRET, now=now)
        except Conflict:
            return False
        return True

    assert sum(in_parallel(6, create)) == 1


@pytest.mark.parametrize("changes", [{"issuer": "https://other.example"}, {"issuer": f"{ISSUER}/"}])
def test_people_who_are_linked_do_not_become_others(database, providers, now, someone, changes):
    """V9: the issuer is part of the key; another one would make everybody a stranger, or somebody else."""
    with pytest.raises(Conflict, match="issuer"), database.transaction():
        providers.update("elsewhere", changes, now=now)
    with database.transaction():
        assert providers.update("elsewhere", {"name": "There"}, now=now)[1] == ("name",)


def test_another_claim_does_not_become_the_key_of_who_is_linked(database, repos, providers, now):
    """V9: for an OAuth 2.0 provider, ``sub`` is what the mapping says."""
    with database.transaction():
        providers.create("elsewhere", oauth2(), secret=SECRET, now=now)
        providers.update("elsewhere", {"claims": {"sub": "uid"}}, now=now)
        repos.accounts.add(rows.account(now), [])
        repos.identities.add(rows.external_identity(now))

    for changes in ({"claims": {"sub": "email"}}, {"numeric_subject": True}):
        with pytest.raises(Conflict, match="linked"), database.transaction():
            providers.update("elsewhere", changes, now=now)


def test_an_unknown_provider_is_not_found(database, providers, now):
    for call in (
        lambda: providers.get("nobody"),
        lambda: providers.update("nobody", {}, now=now),
        lambda: providers.set_disabled("nobody", disabled=True, now=now),
        lambda: providers.delete("nobody"),
    ):
        with pytest.raises(NotFound), database.transaction():
            call()


@pytest.fixture
def directory(own_database, own_repos, feed, secrets):
    return ProviderDirectory(own_database, own_repos, feed, secrets)


@pytest.fixture
def change(database, repos, providers, now):
    def run(act):
        with database.transaction():
            act(providers)
            repos.changes.bump("providers", now)

    return run


def test_providers_are_loaded_once(directory, database, elsewhere):
    found = directory.find("elsewhere")

    with database.statements.measure() as later:
        assert directory.find("elsewhere") is found
        for guess in ("nobody", "", "\ud800", "x" * 10_000):
            assert directory.find(guess) is None
            assert directory.for_email_domain(guess) is None
        assert directory.enabled() == (found,)

    assert not later.statements


def test_a_disabled_provider_is_gone_when_the_feed_has_announced_it(directory, change, feed, now, elsewhere):
    """Row T16, for providers: known, but neither offered nor a home."""
    change(lambda providers: providers.update("elsewhere", {"home_domains": ["example.org"]}, now=now))
    assert feed.poll()
    assert directory.for_email_domain("Example.org").id == "elsewhere"
    change(lambda providers: providers.set_disabled("elsewhere", disabled=True, now=now))

    assert feed.poll()

    assert directory.enabled() == ()
    assert directory.for_email_domain("example.org") is None
    assert directory.find("elsewhere").enabled is False


def test_buttons_have_an_order(directory, change, now):
    change(
        lambda providers: [
            providers.create(name.lower(), openid(name=name, position=place), secret=SECRET, now=now)
            for name, place in (("Zebra", 0), ("ant", 0), ("Bee", 0), ("First", 1))
        ]
    )

    assert [provider.name for provider in directory.enabled()] == ["ant", "Bee", "Zebra", "First"]
