"""Claims of the operator's own, and that nothing else of an account gets out.

| row        | MUST                                                  | test                                 |
|------------|-------------------------------------------------------|--------------------------------------|
| Core 5.1.2 | additional claims, told as others are                 | test_the_scope_opens_it              |
| Core 5.5   | asked for by name, within the registration (K4)       | test_by_name                         |
| K4         | what is stored under another name is told to nobody   | test_nothing_unregistered_gets_out   |
"""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.accounts import STANDARD_CLAIMS
from idp.oauth.claims import SCOPE_CLAIMS, id_token_claims, userinfo_claims, vocabulary
from idp.storage.hot import AccountState
from tests.frontchannel import SQLITE_ONLY, VERIFIER, ask, signed_in, success
from tests.protocol import jose
from tests.provider import START

CUSTOM = {"claims": {"custom": ["department=profile", "cost_center=groups", "floors=groups"]}}
HELD = {"department": "R&D", "cost_center": 4711, "floors": ["2", "3"]}

ONE_DATABASE = pytest.mark.parametrize(*SQLITE_ONLY)


@pytest.fixture
def house(new_provider):
    """A provider with claims of its own, and somebody who has them."""
    made = new_provider(**CUSTOM)
    made.account("ada", email="ada@example.org", email_verified=True, claims={"name": "Ada", **HELD})
    return made


def test_the_scope_opens_it(house):
    shop = house.client("shop")

    profile = house.userinfo(house.tokens(shop, scope="openid profile")["access_token"]).json()
    groups = house.userinfo(house.tokens(shop, scope="openid groups")["access_token"]).json()
    email = house.userinfo(house.tokens(shop, scope="openid email")["access_token"]).json()

    assert profile["department"] == "R&D"
    assert {name: groups[name] for name in groups if name != "sub"} == {
        "cost_center": 4711,
        "floors": ["2", "3"],
    }
    assert not HELD.keys() & email.keys()
    assert not {"cost_center", "floors"} & profile.keys()
    assert HELD.keys() <= set(house.metadata()["claims_supported"])


@ONE_DATABASE
def test_by_name(house):
    """Where it is asked for; and not to a client that may not have the scope it belongs to."""
    claims = json.dumps({"id_token": {"department": None}, "userinfo": {"cost_center": {"essential": True}}})
    found = []
    for client in (house.client("shop"), house.client("bare", scope="openid profile", first_party=True)):
        page = house.sign_in(ask(house, client, scope="openid", claims=claims))
        tokens = house.exchange(client, success(page), verifier=VERIFIER).json()
        told = jose.verified(house, tokens["id_token"], alg="RS256")
        found.append((told.get("department"), house.userinfo(tokens["access_token"]).json()))

    (first, everything), (second, little) = found
    assert (first, second) == ("R&D", "R&D")
    assert everything == {"sub": little["sub"], "cost_center": 4711}
    assert little.keys() == {"sub"}


@ONE_DATABASE
def test_consent_names_it(house):
    """K1: what no scope of the request covers is asked for by its name."""
    guest = house.client("guest", first_party=False)
    claims = json.dumps({"userinfo": {"cost_center": None}})

    page = ask(house, guest, signed_in(house), scope="openid", claims=claims)

    assert page.has("consent-allow")
    assert "cost_center" in page.text


NAMES = st.sampled_from(
    [*STANDARD_CLAIMS, *HELD, "groups", "groups_elsewhere", "shoe_size", "sub", "iss", "acr"]
)
KNOWN = vocabulary({"department": "profile", "cost_center": "groups"})


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    held=st.dictionaries(NAMES | st.text(max_size=8), st.text(min_size=1, max_size=8)),
    scopes=st.sets(st.sampled_from([*SCOPE_CLAIMS, "openid", "department", "shoe_size"])),
    asked=st.sets(NAMES | st.text(max_size=8)),
)
def test_nothing_unregistered_gets_out(held, scopes, asked):
    """K4: whatever is stored, whatever is asked for."""
    held = {**held, "groups": ["own"], "groups_elsewhere": {"xid_1": ["there"]}}
    account = AccountState(
        id="acc_1",
        username="ada",
        email="ada@example.org",
        email_verified=True,
        claims_json=json.dumps(held),
        updated_at=START,
        disabled=False,
        not_before=None,
    )
    request = {"userinfo": dict.fromkeys(asked), "id_token": dict.fromkeys(asked)}
    allowed = {name for scope in scopes for name in KNOWN.get(scope, ())} | asked

    told = userinfo_claims(account, scopes, request, KNOWN)
    signed = id_token_claims(account, request, KNOWN)

    every = {name for names in KNOWN.values() for name in names}
    assert told["sub"] == "acc_1"
    assert told.keys() - {"sub"} <= allowed & every
    assert signed.keys() <= asked & every
    assert told.get("groups", ["own", "there"]) == ["own", "there"]
