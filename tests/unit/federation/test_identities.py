"""Who somebody is elsewhere, and what is kept of it."""

from datetime import timedelta

import pytest

from idp.crypto import Sealer, Unsealable
from idp.errors import Conflict, NotFound
from idp.federation import Identities, label_of
from idp.storage import groups_in
from tests.storage import rows
from tests.unit.federation.stored_values import ISSUER, tokens, upstream

SUBJECT = "248289761001"


@pytest.fixture
def identities(repos):
    return Identities(repos, tokens=Sealer(b"t" * 32), id_tokens=Sealer(b"i" * 32))


@pytest.fixture(autouse=True)
def people(database, repos, now):
    with database.transaction():
        repos.providers.add(rows.identity_provider(now))
        repos.accounts.add(rows.account(now), [])
        repos.accounts.add(rows.account(now, id="acc_2", username="bob"), [])
        repos.sessions.add(rows.browser_session(now))


@pytest.fixture
def linked(database, identities, now):
    with database.transaction():
        return identities.link(upstream(tokens=tokens()), "acc_1", now)


def test_a_link_is_found_by_its_key(database, identities, linked):
    """V9: (provider, issuer, subject), and nothing less."""
    with database.transaction(write=False):
        assert identities.find("elsewhere", ISSUER, SUBJECT) == linked
        assert identities.find("elsewhere", ISSUER, "") is None
        assert identities.of_account("acc_1") == (linked,)
        assert identities.of_account("acc_2") == ()

    assert linked.id.startswith("xid_")
    assert (linked.label, linked.account_id) == ("alice@elsewhere.example", "acc_1")
    assert linked.profile == {"name": "Alice", "email": "alice@elsewhere.example", "email_verified": True}


def test_an_identity_is_linked_once(database, identities, now, linked):
    for account_id in ("acc_1", "acc_2"):
        with pytest.raises(Conflict), database.transaction():
            identities.link(upstream(), account_id, now)


@pytest.mark.parametrize("subject", ["", "x" * 256])
def test_what_cannot_be_a_key_is_not_linked(database, identities, now, subject):
    """V9: an empty subject would be everybody who has none."""
    with pytest.raises(ValueError, match="subject"), database.transaction():
        identities.link(upstream(subject=subject), "acc_1", now)


def test_a_link_is_cut_by_its_owner(database, identities, now, linked):
    with pytest.raises(NotFound), database.transaction():
        identities.unlink("acc_2", linked.id, now)
    with database.transaction():
        assert identities.unlink("acc_1", linked.id, now).label == linked.label
        assert identities.upstream_tokens(linked.id) is None
    with pytest.raises(NotFound), database.transaction():
        identities.unlink("acc_1", linked.id, now)


def test_a_sign_in_is_noted(database, identities, now, linked):
    later = now + timedelta(days=1)
    with database.transaction():
        identities.used(linked.id, upstream(email=None, claims={"name": "Alice B."}), later)

    with database.transaction(write=False):
        found = identities.find("elsewhere", ISSUER, SUBJECT)
    assert (found.label, found.last_used_at, found.profile) == ("Alice B.", later, {"name": "Alice B."})


def test_a_link_that_was_cut_meanwhile_is_not_used(database, identities, now):
    with pytest.raises(NotFound), database.transaction():
        identities.used("xid_none", upstream(), now)


def test_groups_of_an_identity_are_apart(database, repos, identities, now, linked):
    """What one identity brings goes with it, and neither with another one nor with the account's own."""
    with database.transaction():
        repos.accounts.set_claims("acc_1", {"groups": ["own", "both"]}, now)
        other = identities.link(upstream(subject="another"), "acc_1", now)
        assert identities.bring_groups(linked, ("both", "one"), now)
        assert not identities.bring_groups(linked, ("both", "one"), now)
        assert identities.bring_groups(other, ("one", "two"), now)

    assert groups_of(database, repos) == ["both", "one", "own", "two"]
    with database.transaction():
        identities.bring_groups(linked, (), now)
    assert groups_of(database, repos) == ["both", "one", "own", "two"]
    with database.transaction():
        identities.unlink("acc_1", other.id, now)
    assert groups_of(database, repos) == ["both", "own"]
    with database.transaction(write=False):
        assert repos.accounts.get("acc_1").claims == {"groups": ["own", "both"]}


def groups_of(database, repos):
    with database.transaction(write=False):
        return groups_in(repos.accounts.get("acc_1").claims)


def test_tokens_are_kept_sealed_and_only_while_they_are_wanted(database, repos, identities, now, linked):
    """X10: never in clear; gone with the first sign-in after the operator stopped keeping them."""
    with database.transaction():
        sealed = repos.identities.tokens(linked.id).sealed_tokens
        kept = identities.upstream_tokens(linked.id)
        identities.used(linked.id, upstream(tokens=None), now)
        gone = identities.upstream_tokens(linked.id)

    assert b"access-1" not in sealed
    assert b"refresh-1" not in sealed
    assert kept.access_token.reveal() == "access-1"
    assert kept.refresh_token.reveal() == "refresh-1"
    assert gone is None


def test_a_refresh_token_stays_when_only_the_first_answer_had_one(database, identities, now, linked):
    """RFC 6749 §6: without a new one, the old one goes on."""
    with database.transaction():
        identities.used(linked.id, upstream(tokens=tokens("access-2", None)), now)
        kept = identities.upstream_tokens(linked.id)

    assert (kept.access_token.reveal(), kept.refresh_token.reveal()) == ("access-2", "refresh-1")


def test_sealed_values_do_not_open_in_another_row(database, repos, identities, now, linked):
    """D5: what is sealed says which row it belongs to."""
    with database.transaction():
        other = identities.link(upstream(subject="other", tokens=tokens()), "acc_2", now)
        row = repos.identities.tokens(linked.id)
        repos.identities.set_tokens(
            rows.upstream_token(now, identity_id=other.id, sealed_tokens=row.sealed_tokens)
        )
        with pytest.raises(Unsealable):
            identities.upstream_tokens(other.id)


def test_a_session_knows_where_it_came_from(database, repos, identities, now):
    with database.transaction():
        identities.bind_session("ses_1", upstream(), now)
        found = identities.session_of("ses_1")
        row = repos.federated_sessions.find("ses_1")

    assert (found.subject, found.upstream_sid) == (SUBJECT, "there-1")
    assert found.id_token.reveal() == "header.claims.signature"
    assert b"signature" not in row.sealed_id_token
    assert "signature" not in repr(found)


def test_a_session_can_come_from_nowhere_else(database, identities):
    with database.transaction(write=False):
        assert identities.session_of("ses_1") is None


def test_a_session_must_exist_to_be_bound(database, identities, now):
    with pytest.raises(Conflict), database.transaction():
        identities.bind_session("ses_none", upstream(), now)


def test_an_endless_name_of_a_session_is_not_kept(database, identities, now):
    with database.transaction():
        identities.bind_session("ses_1", upstream(upstream_sid="x" * 256, id_token=None), now)
        found = identities.session_of("ses_1")

    assert (found.upstream_sid, found.id_token) == (None, None)


def test_a_logout_token_names_somebody(database, identities, now):
    """K11: neither person nor session would be everybody."""
    with database.transaction():
        identities.bind_session("ses_1", upstream(), now)
        about = {"provider_id": "elsewhere", "issuer": ISSUER, "subject": None, "upstream_sid": None}
        with pytest.raises(ValueError, match="person or a session"):
            identities.sessions_for_logout(**about)
        found = identities.sessions_for_logout(**about | {"upstream_sid": "there-1"})

    assert found == (("ses_1", "acc_1"),)


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ({}, "alice@elsewhere.example"),
        ({"email": None}, "Alice"),
        ({"email": None, "claims": {"preferred_username": "al", "name": "Alice"}}, "al"),
        ({"email": None, "claims": {}}, SUBJECT),
        ({"email": None, "claims": {"name": "\u202e\u200b"}}, SUBJECT),
        ({"email": None, "claims": {"name": "a\u202eb"}}, "ab"),
        ({"email": None, "claims": {"name": "x" * 300}}, "x" * 200),
    ],
)
def test_a_person_recognises_an_identity(changes, label):
    assert label_of(upstream(**changes)) == label
