"""Operators see and end the sessions of one person (row S7)."""

from typing import Any

import pytest

from idp.errors import NotFound
from tests.account.people import FIREFOX, add_sessions, at_home, is_signed_in
from tests.provider import Client, Provider


def test_an_operator_sees_where_somebody_is_signed_in(provider: Provider, ada: dict[str, Any]) -> None:
    """Row S7: browser, times and level, but nothing that would let anybody in."""
    browser = at_home(provider, user_agent=FIREFOX)

    (row,) = provider.container.admin.account_sessions.list_("ada")

    assert (row["browser"], row["system"]) == ("Firefox", "Linux")
    assert row["acr"] == "urn:idp:loa:1"
    assert all(value not in str(row) for value in browser.cookies.values())


def test_an_operator_signs_somebody_out_everywhere(
    provider: Provider, shop: Client, ada: dict[str, Any]
) -> None:
    """Row S7: sessions and their tokens end at once; offline access only where that is asked for."""
    phone, desk = provider.browser(), at_home(provider)
    tokens = provider.tokens(shop, browser=phone)
    offline = provider.tokens(shop, browser=phone, scope="openid offline_access", prompt="consent")

    ended = provider.container.admin.account_sessions.end_all("ada")

    assert ended["ended_sessions"] == 2
    assert not is_signed_in(desk)
    assert not is_signed_in(phone)
    assert provider.userinfo(tokens["access_token"]).status == 401
    assert provider.refresh(shop, offline["refresh_token"]).status == 200
    provider.container.admin.account_sessions.end_all("ada", offline_too=True)
    assert provider.refresh(shop, offline["refresh_token"]).status == 400
    assert is_signed_in(at_home(provider))


def test_the_list_is_read_page_by_page(provider: Provider, ada: dict[str, Any]) -> None:
    """Row X3: a limit, and a place to go on from."""
    add_sessions(provider, ada["id"], 150)
    sessions = provider.container.admin.account_sessions

    first = sessions.list_(ada["id"], limit=100)
    rest = sessions.list_(ada["id"], limit=100, after=first[-1]["id"])

    assert (len(first), len(rest)) == (100, 50)
    assert not {row["id"] for row in first} & {row["id"] for row in rest}


def test_nobody_by_that_name_is_said_so(provider: Provider) -> None:
    """Operators may know who there is."""
    with pytest.raises(NotFound):
        provider.container.admin.account_sessions.list_("nobody")
    with pytest.raises(NotFound):
        provider.container.admin.account_sessions.end_all("nobody")
