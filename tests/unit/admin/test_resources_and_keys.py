"""Operators register APIs and rotate keys."""

import pytest

from idp.errors import Conflict, Invalid, NotFound

API = "https://api.example"


def test_a_resource_is_registered_and_reaches_the_workers(admin, container, events):
    made = admin.resources.create(identifier=API, name="API", scopes={"read:things": "See your things"})
    container.feed.poll()

    assert made == {
        "identifier": API,
        "name": "API",
        "scopes": {"read:things": "See your things"},
        "access_token_format": None,
    }
    assert admin.resources.list_() == [made]
    assert admin.resources.get(API) == made
    assert container.resources.owner_of("read:things").identifier == API
    assert admin.resources.delete(API) == {"identifier": API, "deleted": True}
    container.feed.poll()
    assert container.resources.find(API) is None
    assert {event for event, _ in events()} == {"resource.created", "resource.deleted"}


def test_bad_and_taken_resources_make_nothing(admin):
    admin.resources.create(identifier=API, name="API", scopes={})

    with pytest.raises(Conflict):
        admin.resources.create(identifier=API, name="API", scopes={})
    with pytest.raises(Invalid):
        admin.resources.create(identifier=f"{API}#x", name="API", scopes={})
    with pytest.raises(NotFound):
        admin.resources.delete("https://other.example")

    assert len(admin.resources.list_()) == 1


def test_keys_are_listed_without_their_private_part(admin, as_json):
    """X18, K12: nothing secret in list responses."""
    keys = admin.keys.list_()

    assert {key["alg"] for key in keys} == {"ES256", "RS256", "EdDSA"}
    assert {key["state"] for key in keys} == {"active", "next"}
    assert "private" not in as_json(keys)


def test_rotation_is_recorded_and_reaches_the_workers(admin, events, versions):
    before = versions()["keys"]
    old = next(key["kid"] for key in admin.keys.list_() if key["alg"] == "ES256" and key["state"] == "active")

    result = admin.keys.rotate("ES256", activate_now=True)

    assert {step["change"] for step in result["changes"]} >= {"activated", "retired"}
    assert next(key["state"] for key in admin.keys.list_() if key["kid"] == old) == "retired"
    assert versions()["keys"] > before
    assert {event for event, _ in events()} >= {"key.activated", "key.retired", "key.created"}


def test_revocation_says_how_long_others_may_still_trust_the_key(admin, events, as_json):
    """Section 1 of the security list: both numbers are printed."""
    admin.clients.create(
        client_id="robot",
        metadata={"client_name": "R", "grant_types": ["client_credentials"], "access_token_lifetime": 3600},
    )
    kid = next(key["kid"] for key in admin.keys.list_() if key["alg"] == "ES256" and key["state"] == "active")

    result = admin.keys.revoke(kid)

    assert result["key_sets_refreshed_within_seconds"] == 60
    assert result["tokens_gone_within_seconds"] == 3660
    assert "key.revoked" in {event for event, _ in events()}
    assert as_json(result)
    with pytest.raises(NotFound):
        admin.keys.revoke("unknown")
    with pytest.raises(NotFound):
        admin.keys.rotate("HS256")
