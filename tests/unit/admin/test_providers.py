"""Operators add providers, are told what is wrong with them, and never see a secret again."""

import socket

import pytest

from idp.errors import Conflict, Invalid, NotFound
from idp.federation import Providers
from tests.publisher import KEYS, METADATA, publishing
from tests.storage import rows

SECRET = "swordfish-canary"


@pytest.fixture
def publisher():
    with publishing() as made:
        yield made


@pytest.fixture
def create(admin, publisher):
    def run(provider_id="elsewhere", **members):
        said = {"name": "Elsewhere", "client_id": "idp", "issuer": publisher.issuer, **members}
        return admin.providers.create(provider_id, said, preset_name="oidc", secret=SECRET)

    return run


@pytest.fixture
def details(container):
    def read(event):
        with container.database.transaction(write=False):
            return [row.detail for row in container.repos.audit.list_() if row.event == event]

    return read


def link(container, clock, *, tokens=False):
    with container.database.transaction():
        container.repos.accounts.add(rows.account(clock.now()), [])
        container.repos.identities.add(rows.external_identity(clock.now()))
        if tokens:
            container.repos.identities.set_tokens(rows.upstream_token(clock.now()))


def test_a_provider_that_answers_is_added_without_a_warning(create, publisher, container, details):
    made = create()
    container.feed.poll()

    assert made["warnings"] == []
    assert made["redirect_uri"] == "https://idp.example/federation/elsewhere/callback"
    assert made["authorization_origins"] == [publisher.issuer]
    assert container.providers.find("elsewhere").enabled
    assert details("provider.created") == [
        {"provider": "elsewhere", "name": "Elsewhere", "preset": "oidc", "issuer": publisher.issuer}
    ]


def test_no_secret_is_shown_or_recorded(create, admin, container, as_json):
    """K12, X10: not in the result that made it either, because the operator has it."""
    shown = [create(), admin.providers.get("elsewhere"), admin.providers.list_()]
    shown += [admin.providers.update("elsewhere", {"name": "There"}, secret=SECRET + "2")]
    shown += [admin.providers.check("elsewhere"), admin.providers.disable("elsewhere")]
    shown += [admin.providers.delete("elsewhere")]

    with container.database.transaction(write=False):
        recorded = [row.detail for row in container.repos.audit.list_()]
    assert "swordfish" not in as_json([shown, recorded])
    assert shown[1]["secret"] == "client secret"


def test_a_provider_that_cannot_be_reached_is_added_with_a_warning(create):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]

    made = create(issuer=f"http://localhost:{port}")

    assert "cannot be fetched" in made["warnings"][0]
    assert "authorization_origins" not in made


@pytest.mark.parametrize(
    ("published", "words"),
    [
        ({"issuer": "https://other.example"}, "letter by letter"),
        ({"issuer": None}, "nothing"),
        ({"token_endpoint": None}, "does not say its token_endpoint"),
        ({"authorization_endpoint": None}, "does not say its authorization_endpoint"),
        ({"jwks_uri": None}, "does not say its jwks_uri"),
        ({"id_token_signing_alg_values_supported": ["HS256", "none"]}, "HS256, none"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint_malformed"),
        ({"token_endpoint": 5}, "token_endpoint_malformed"),
    ],
)
def test_what_does_not_fit_is_said_in_words(create, admin, publisher, published, words):
    create()
    publisher.publish(**published)

    found = admin.providers.check("elsewhere")

    assert found["ok"] is False
    assert words in " ".join(found["problems"])


@pytest.mark.parametrize(
    ("path", "document", "words"),
    [
        (METADATA, b"<!DOCTYPE html>", "not a JSON object"),
        (METADATA, [1], "not a JSON object"),
        (METADATA, None, "status 404"),
        (METADATA, b"x" * 3_000_000, "larger than"),
        (KEYS, {"keys": []}, "is empty"),
        (KEYS, None, "key set"),
    ],
)
def test_whatever_is_published_the_check_ends_in_words(create, admin, publisher, path, document, words):
    """X1: pages, nothing at all, and far too much."""
    create()
    publisher.documents[path] = document

    assert words in " ".join(admin.providers.check("elsewhere")["problems"])


def test_what_may_be_meant_so_is_a_remark(create, admin, publisher):
    create(scopes=["openid", "email", "staff"])
    publisher.publish(
        token_endpoint_auth_methods_supported=["private_key_jwt"],
        code_challenge_methods_supported=["plain"],
        scopes_supported=["openid", "email"],
    )

    found = admin.providers.check("elsewhere")

    assert found["ok"] is True
    assert [word in " ".join(found["remarks"]) for word in ("private_key_jwt", "S256", "staff")] == [True] * 3


def test_the_check_learns_where_the_provider_moved(create, admin, publisher, container):
    """The way there must be allowed by the pages' policy before the provider is used."""
    create()
    publisher.publish(authorization_endpoint="https://login.example/authorize")

    found = admin.providers.check("elsewhere")
    container.feed.poll()

    assert found["authorization_origins"] == [publisher.issuer, "https://login.example"]
    assert container.providers.find("elsewhere").authorization_origins[1] == "https://login.example"


def test_a_change_of_address_is_looked_at(create, admin):
    create()

    found = admin.providers.update("elsewhere", {"jwks_uri": "http://localhost:1/keys"})

    assert found["changed"] == ["jwks_uri"]
    assert "key set" in found["warnings"][0]


def test_a_preset_is_filled_in(admin):
    """An OAuth 2.0 preset publishes nothing, so nothing is asked."""
    made = admin.providers.create(
        "github", {"client_id": "Iv1", "issuer": "https://git.example"}, preset_name="github", secret=SECRET
    )

    assert made["token_endpoint"] == "https://git.example/login/oauth/access_token"
    assert made["claims"]["sub"] == "id"
    assert (made["warnings"], made["authorization_origins"]) == ([], ["https://git.example"])
    with pytest.raises(Invalid, match="tenant"):
        admin.providers.create("g", {"client_id": "x"}, preset_name="google", tenant="t", secret=SECRET)


def test_a_mistake_leaves_nothing_behind(create, admin, events):
    for members in ({"issuer": "ftp://x"}, {"home_domains": ["x"]}, {"nonsense": 1}):
        with pytest.raises(Invalid):
            create(**members)
    create(home_domains=["example.org"])
    with pytest.raises(Conflict):
        create("other", home_domains=["example.org"])

    assert [provider["id"] for provider in admin.providers.list_()] == ["elsewhere"]
    assert [name for name, _ in events()].count("provider.created") == 1


def test_changes_are_recorded_by_name(create, admin, details):
    create()

    changed = admin.providers.update("elsewhere", {"hidden": True, "name": "Elsewhere"}, secret="new")
    admin.providers.update("elsewhere", {"hidden": True})

    assert changed["changed"] == ["hidden", "secret"]
    assert details("provider.updated") == [{"provider": "elsewhere", "fields": ["hidden", "secret"]}]


def test_a_provider_is_disabled_and_enabled(create, admin, container, clock, events):
    """Links stay, but are no way in meanwhile."""
    create()
    link(container, clock)

    def ways_in():
        container.feed.poll()
        with container.database.transaction(write=False):
            return container.providers.enabled(), container.repos.enrolments.of("acc_1").identities

    assert admin.providers.disable("elsewhere")["enabled"] is False
    assert ways_in() == ((), 0)
    assert admin.providers.enable("elsewhere")["enabled"] is True
    assert ways_in()[1] == 1
    assert {"provider.disabled", "provider.enabled"} <= {name for name, _ in events()}


def test_a_deleted_provider_says_how_many_links_went(create, admin, container, clock, details, versions):
    create(stores_tokens=True)
    link(container, clock, tokens=True)
    before = versions()["providers"]

    assert admin.providers.get("elsewhere")["linked_identities"] == 1
    assert admin.providers.delete("elsewhere")["removed_identities"] == 1

    assert versions()["providers"] > before
    assert details("provider.deleted") == [{"provider": "elsewhere", "identities": 1}]
    with container.database.transaction(write=False):
        assert container.repos.identities.list_("acc_1") == []
        assert container.repos.accounts.get("acc_1") is not None
    for call in (admin.providers.delete, admin.providers.get, admin.providers.check, admin.providers.disable):
        with pytest.raises(NotFound):
            call("elsewhere")


def test_tokens_are_forgotten_when_they_are_not_to_be_kept(create, admin, container, clock):
    create(stores_tokens=True)
    link(container, clock, tokens=True)

    admin.providers.update("elsewhere", {"stores_tokens": False})

    with container.database.transaction(write=False):
        assert container.repos.identities.tokens("xid_1") is None


def test_an_account_shows_who_it_is_elsewhere(create, admin, container, clock):
    create()
    link(container, clock)

    (shown,) = admin.accounts.get("acc_1")["authenticators"]["identities"]

    assert (shown["provider"], shown["label"]) == ("elsewhere", "alice@elsewhere.example")


def test_a_preview_keeps_nothing(create, admin, container):
    create(claims={"given_name": "first"}, trusted_email_domains=["example.org"])

    found = admin.providers.preview(
        "elsewhere", {"sub": "1", "first": "Ada", "email": "ada@example.org", "email_verified": "true"}
    )

    assert (found["subject"], found["claims"]["given_name"]) == ("1", "Ada")
    assert (found["email_verified"], found["email_domain_trusted"]) == (False, True)
    with container.database.transaction(write=False):
        assert container.repos.providers.count_identities("elsewhere") == 0


def test_deleting_goes_on_where_it_was_broken_off(create, admin, container, clock, monkeypatch):
    """The provider is disabled by then, so nobody links one more."""
    create()
    link(container, clock)
    with monkeypatch.context() as broken:
        broken.setattr(Providers, "clear", _break)
        with pytest.raises(KeyboardInterrupt):
            admin.providers.delete("elsewhere")

    assert admin.providers.get("elsewhere")["enabled"] is False
    assert admin.providers.delete("elsewhere")["removed_identities"] == 1


def _break(*_: object) -> None:
    raise KeyboardInterrupt
