"""Other providers, linked identities, and sessions that came from there, alike on both databases."""

from datetime import timedelta

import pytest

from idp.errors import Conflict
from idp.storage import GROUPS_ELSEWHERE, IntegrityConflict
from tests.storage import rows
from tests.storage.threads import in_parallel

ISSUER = "https://elsewhere.example"
SUBJECT = "248289761001"


@pytest.fixture
def elsewhere(database, repos, now):
    with database.transaction():
        repos.providers.add(rows.identity_provider(now))
        repos.accounts.add(rows.account(now), [])
        repos.accounts.add(rows.account(now, id="acc_2", username="bob"), [])
    return "elsewhere"


@pytest.fixture
def linked(database, repos, now, elsewhere):
    with database.transaction():
        repos.identities.add(rows.external_identity(now))
        repos.identities.set_tokens(rows.upstream_token(now))
        repos.sessions.add(rows.browser_session(now))
        repos.federated_sessions.set(rows.federated_session(now))
    return "xid_1"


def test_provider_returns_as_it_went(database, repos, now, elsewhere):
    with database.transaction(write=False):
        row = repos.providers.get(elsewhere)
        assert (row.config, row.sealed_secret, row.disabled_at) == ({"name": "Elsewhere"}, b"sealed", None)
        assert repos.providers.get("Elsewhere") is None
        assert repos.providers.has_secrets()


def test_provider_id_is_taken_once(database, repos, now, elsewhere):
    with pytest.raises(Conflict, match="provider id"), database.transaction():
        repos.providers.add(rows.identity_provider(now))


def test_provider_is_changed_across_transactions(database, repos, now, elsewhere):
    with database.transaction(write=False):
        row = repos.providers.get(elsewhere)
    row.config, row.disabled_at, row.sealed_secret = {"name": "There"}, now, None
    with database.transaction():
        repos.providers.update(row)

    with database.transaction(write=False):
        row = repos.providers.get(elsewhere)
        assert (row.config, row.disabled_at, row.sealed_secret) == ({"name": "There"}, now, None)
        assert not repos.providers.has_secrets()
        assert [one.id for one in repos.providers.load_all()] == [elsewhere]


def test_identity_is_found_by_provider_issuer_and_subject_only(database, repos, linked):
    """V9: neither another issuer, another provider nor another spelling is the same person."""
    with database.transaction(write=False):
        assert repos.identities.find("elsewhere", ISSUER, SUBJECT).account_id == "acc_1"
        assert repos.identities.find("elsewhere", "https://other.example", SUBJECT) is None
        assert repos.identities.find("other", ISSUER, SUBJECT) is None
        for subject in ("", SUBJECT + " ", SUBJECT[:-1]):
            assert repos.identities.find("elsewhere", ISSUER, subject) is None


def test_identity_belongs_to_one_account(database, repos, now, linked):
    """V9: what is linked is not linked again, not even to the same account."""
    for account_id in ("acc_1", "acc_2"):
        with pytest.raises(IntegrityConflict, match="linked"), database.transaction():
            repos.identities.add(rows.external_identity(now, id="xid_2", account_id=account_id))

    with database.transaction(write=False):
        assert repos.identities.find("elsewhere", ISSUER, SUBJECT).id == linked


def test_identity_is_linked_once_by_many_at_once(database, repos, now, elsewhere):
    """V9, X12: twenty answers about one person at once make one link, and the others find it."""

    def link(number) -> str:
        account_id = f"acc_new_{number}"
        try:
            with database.transaction():
                repos.accounts.add(rows.account(now, id=account_id, username=account_id), [])
                repos.identities.add(rows.external_identity(now, id=f"xid_{number}", account_id=account_id))
        except IntegrityConflict:
            with database.transaction(write=False):
                return repos.identities.find("elsewhere", ISSUER, SUBJECT).account_id
        return account_id

    found = in_parallel(20, link)

    assert len(set(found)) == 1
    with database.transaction(write=False):
        made = [number for number in range(20) if repos.accounts.get(f"acc_new_{number}") is not None]
        assert [f"acc_new_{number}" for number in made] == [found[0]]
        assert repos.providers.count_identities("elsewhere") == 1


def test_link_needs_its_provider_and_its_account(database, repos, now, elsewhere):
    for changes in ({"provider_id": "nobody"}, {"account_id": "acc_none"}):
        with pytest.raises(IntegrityConflict), database.transaction():
            repos.identities.add(rows.external_identity(now, **changes))


def test_use_is_noted(database, repos, now, linked):
    later = now + timedelta(days=1)
    with database.transaction():
        assert repos.identities.note_use(linked, label="Alice", profile={"name": "A"}, now=later)
        assert not repos.identities.note_use("xid_none", label="", profile={}, now=later)

    with database.transaction(write=False):
        row = repos.identities.find("elsewhere", ISSUER, SUBJECT)
        assert (row.label, row.profile, row.last_used_at) == ("Alice", {"name": "A"}, later)


def test_link_is_cut_by_its_account_only(database, repos, now, linked):
    """Another account's link cannot be named; with the link go the tokens that were kept."""
    with database.transaction():
        assert repos.identities.delete("acc_2", linked) is None
        assert repos.identities.tokens(linked) is not None
        assert repos.identities.delete("acc_1", linked).label == "alice@elsewhere.example"
        assert repos.identities.delete("acc_1", linked) is None

    with database.transaction():
        assert repos.identities.tokens(linked) is None
        assert repos.identities.list_("acc_1") == []
        repos.identities.add(rows.external_identity(now, id="xid_2", account_id="acc_2"))


def test_tokens_are_replaced_and_dropped(database, repos, now, linked):
    later = now + timedelta(hours=1)
    with database.transaction():
        repos.identities.set_tokens(
            rows.upstream_token(later, sealed_tokens=b"newer", expires_at=later, scope="openid email")
        )
    with database.transaction():
        row = repos.identities.tokens(linked)
        assert (row.sealed_tokens, row.expires_at, row.scope) == (b"newer", later, "openid email")
        assert repos.identities.ids_with_tokens("acc_1") == {linked}
        assert repos.identities.drop_tokens(linked)
        assert not repos.identities.drop_tokens(linked)
        assert repos.identities.ids_with_tokens("acc_1") == frozenset()


def test_logout_token_names_sessions_by_person_or_session(database, repos, now, linked):
    """K11: by ``sub`` all sessions of the person, by ``sid`` one; never those of another issuer."""
    with database.transaction():
        for number, sid in ((2, "there-2"), (3, None)):
            session = f"ses_{number}"
            repos.sessions.add(rows.browser_session(now, id=session, token_digest=session.encode()))
            repos.federated_sessions.set(rows.federated_session(now, session_id=session, upstream_sid=sid))

    def about(**changes: str | None) -> list[str]:
        names = {"provider_id": "elsewhere", "issuer": ISSUER, "subject": None, "upstream_sid": None}
        with database.transaction(write=False):
            found = repos.federated_sessions.for_logout(**names | changes, limit=10)
            assert {login.account_id for login in found} <= {"acc_1"}
            return [login.session_id for login in found]

    assert about(subject=SUBJECT) == ["ses_1", "ses_2", "ses_3"]
    assert about(upstream_sid="there-2") == ["ses_2"]
    assert about(subject=SUBJECT, upstream_sid="there-1") == ["ses_1"]
    assert about(subject="somebody", upstream_sid="there-1") == []
    assert about(subject=SUBJECT, issuer="https://other.example") == []
    assert about(subject=SUBJECT, provider_id="other") == []


def test_ended_session_is_not_ended_again(database, repos, now, linked):
    with database.transaction():
        repos.sessions.end("ses_1", "logout", now)

        found = repos.federated_sessions.for_logout(
            provider_id="elsewhere", issuer=ISSUER, subject=SUBJECT, upstream_sid=None, limit=10
        )
    assert found == []


def test_latest_proof_says_where_a_session_came_from(database, repos, now, linked):
    later = now + timedelta(minutes=5)
    with database.transaction():
        repos.federated_sessions.set(rows.federated_session(later, upstream_sid=None, sealed_id_token=None))

    with database.transaction(write=False):
        row = repos.federated_sessions.find("ses_1")
        assert (row.upstream_sid, row.sealed_id_token, row.created_at) == (None, None, later)
        assert repos.federated_sessions.find("ses_2") is None


def test_deleted_account_leaves_no_link(database, repos, now, linked):
    with database.transaction():
        repos.deletions.delete_account("acc_1")

    with database.transaction(write=False):
        assert repos.identities.find("elsewhere", ISSUER, SUBJECT) is None
        assert repos.identities.tokens(linked) is None
        assert repos.federated_sessions.find("ses_1") is None


def test_purged_session_takes_its_origin_along(database, repos, now, linked):
    with database.transaction():
        repos.expired.purge(now + timedelta(days=365), 10)

    with database.transaction(write=False):
        assert repos.federated_sessions.find("ses_1") is None
        assert repos.identities.find("elsewhere", ISSUER, SUBJECT) is not None


def test_deleted_provider_leaves_nothing_to_a_namesake(database, repos, now, linked):
    """V9: who is added under the id again says nothing about the people of the first one."""
    with database.transaction():
        assert repos.providers.count_identities("elsewhere") == 1
        assert repos.identities.drop_tokens_of("elsewhere", 10) == 1
        assert repos.providers.clear("elsewhere", 10, now) == (1, 1)
        assert repos.providers.delete("elsewhere")
        assert not repos.providers.delete("elsewhere")
        repos.providers.add(rows.identity_provider(now))

    with database.transaction(write=False):
        assert repos.identities.list_("acc_1") == []
        assert repos.federated_sessions.find("ses_1") is None
        assert repos.sessions.get("ses_1").ended_at is None


def test_deleted_provider_takes_its_groups_along(database, repos, now, linked):
    """Those of its identities alone, and of every one of them, however many go at a time."""
    with database.transaction():
        repos.providers.add(rows.identity_provider(now, id="other"))
        for identity, provider, account in (
            ("xid_2", "elsewhere", "acc_2"),
            ("xid_3", "other", "acc_2"),
        ):
            repos.identities.add(
                rows.external_identity(
                    now, id=identity, provider_id=provider, account_id=account, subject=identity
                )
            )
            repos.accounts.set_groups_elsewhere(account, identity, [f"from {provider}"], now)
        repos.accounts.set_groups_elsewhere("acc_1", linked, ["from elsewhere"], now)

    for _ in range(2):
        with database.transaction():
            assert repos.providers.clear("elsewhere", 1, now).identities == 1
    with database.transaction():
        assert repos.providers.clear("elsewhere", 1, now).identities == 0

    with database.transaction(write=False):
        assert GROUPS_ELSEWHERE not in repos.accounts.get("acc_1").claims
        assert repos.accounts.get("acc_2").claims[GROUPS_ELSEWHERE] == {"xid_3": ["from other"]}


def test_way_in_counts_while_its_provider_can_be_used(database, repos, now, linked):
    """What an account can prove itself with: a disabled provider is no way in."""
    with database.transaction():
        before = repos.enrolments.of("acc_1").identities
        row = repos.providers.get("elsewhere")
        row.disabled_at = now
        repos.providers.update(row)
        after = repos.enrolments.of("acc_1").identities

    assert (before, after) == (1, 0)
