"""Consents add up (row K1)."""

from datetime import timedelta

import pytest

from idp.consents import Consents

API = "https://api.example"


@pytest.fixture
def grant(database, repos, now):
    def record(*, resource="", scopes=(), claims=(), at=now):
        with database.transaction():
            Consents(repos).grant("acc_1", "shop", resource, scopes=scopes, claims=claims, now=at)

    return record


def missing(database, repos, scopes, claims=(), *, account="acc_1", client="shop", resource=""):
    with database.transaction(write=False):
        return Consents(repos).missing(account, client, resource, scopes, claims)


def test_nothing_is_allowed_before_anybody_was_asked(database, repos):
    assert missing(database, repos, ["openid"], ["userinfo.email"]).scopes == {"openid"}
    assert missing(database, repos, ["openid"], ["userinfo.email"]).claims == {"userinfo.email"}


def test_what_was_allowed_is_covered_and_no_more(database, repos, grant):
    """K1: consent is asked for each new scope and resource."""
    grant(scopes=["openid", "email"])

    assert not missing(database, repos, ["email"])
    assert missing(database, repos, ["openid", "profile"]).scopes == {"profile"}
    assert missing(database, repos, ["openid"], ["name"]).claims == {"name"}
    assert missing(database, repos, ["openid"], client="other")
    assert missing(database, repos, ["openid"], account="acc_2")
    assert missing(database, repos, ["openid"], resource=API)


def test_later_answers_are_added(database, repos, grant, now):
    grant(scopes=["openid"], claims=["name"])
    grant(scopes=["email"], claims=["picture"], at=now + timedelta(days=1))

    assert not missing(database, repos, ["openid", "email"], ["name", "picture"])
    with database.transaction(write=False):
        row = repos.consents.find("acc_1", "shop", "")
        assert row.granted_at == now
        assert row.updated_at == now + timedelta(days=1)
