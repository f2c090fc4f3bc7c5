"""What a client may be registered with (RFC 7591 and the rules of the security list)."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.clients import validate_client_id, validate_metadata
from idp.clients.metadata import FIELDS
from idp.errors import Invalid

WEB = {"client_name": "Shop", "redirect_uris": ["https://shop.example/cb"]}
MACHINE = {"client_name": "Robot", "grant_types": ["client_credentials"], "scope": "jobs:run"}
APP = {"client_name": "App", "token_endpoint_auth_method": "none", "redirect_uris": ["http://127.0.0.1/cb"]}


def test_defaults_are_filled_in():
    metadata = validate_metadata(WEB)

    assert set(metadata) == set(FIELDS)
    assert metadata["token_endpoint_auth_method"] == "client_secret_basic"
    assert metadata["grant_types"] == ["authorization_code"]
    assert metadata["response_types"] == ["code"]
    assert metadata["scope"] == "openid"
    assert metadata["application_type"] == "web"
    assert metadata["id_token_signed_response_alg"] == "RS256"
    assert metadata["require_pkce"] is True
    assert metadata["first_party"] is False
    assert metadata["rotate_refresh_tokens"] is False


def test_defaults_do_not_share_lists():
    validate_metadata(MACHINE)["redirect_uris"].append("x")

    assert validate_metadata(MACHINE)["redirect_uris"] == []


def test_validated_metadata_validates_to_itself():
    for metadata in (WEB, MACHINE, APP):
        once = validate_metadata(metadata)
        assert validate_metadata(once) == once
        assert json.loads(json.dumps(once)) == once


def test_public_clients_rotate_and_with_a_loopback_are_native():
    """T7, RFC 8252: an app on the person's machine."""
    metadata = validate_metadata(APP)

    assert metadata["application_type"] == "native"
    assert metadata["rotate_refresh_tokens"] is True


def test_a_public_client_with_web_addresses_only_is_web():
    assert validate_metadata({**APP, "redirect_uris": ["https://spa.example/"]})["application_type"] == "web"


def test_a_machine_has_no_response_types():
    metadata = validate_metadata(MACHINE)

    assert metadata["response_types"] == []
    assert metadata["redirect_uris"] == []


@pytest.mark.parametrize(
    ("base", "change", "field"),
    [
        (WEB, {"client_name": None}, "client_name"),
        (WEB, {"client_name": " "}, "client_name"),
        (WEB, {"client_name": "a\u202eb"}, "client_name"),
        (WEB, {"client_name": 5}, "client_name"),
        (WEB, {"redirect_uris": []}, "redirect_uris"),
        (WEB, {"redirect_uris": "https://shop.example/cb"}, "redirect_uris"),
        (WEB, {"redirect_uris": ["javascript:alert(1)"]}, "redirect_uris"),
        (WEB, {"post_logout_redirect_uris": ["https://shop.example/#"]}, "post_logout_redirect_uris"),
        (WEB, {"redirect_uris": ["com.example.app:/cb"]}, "redirect_uris"),
        (APP, {"application_type": "web", "redirect_uris": ["com.example.app:/cb"]}, "redirect_uris"),
        (WEB, {"grant_types": ["password"]}, "grant_types"),
        (WEB, {"grant_types": ["implicit"]}, "grant_types"),
        (WEB, {"grant_types": []}, "grant_types"),
        (WEB, {"grant_types": "authorization_code"}, "grant_types"),
        (MACHINE, {"grant_types": ["refresh_token"]}, "grant_types"),
        (WEB, {"response_types": ["token"]}, "response_types"),
        (WEB, {"response_types": []}, "response_types"),
        (MACHINE, {"response_types": ["code"]}, "response_types"),
        (WEB, {"response_modes": ["web_message"]}, "response_modes"),
        (WEB, {"response_modes": []}, "response_modes"),
        (APP, {"grant_types": ["authorization_code", "client_credentials"]}, "grant_types"),
        (APP, {"require_pkce": False}, "require_pkce"),
        (APP, {"rotate_refresh_tokens": False}, "rotate_refresh_tokens"),
        (WEB, {"require_pkce": "false"}, "require_pkce"),
        (WEB, {"first_party": 1}, "first_party"),
        (WEB, {"token_endpoint_auth_method": "client_secret_jwt"}, "token_endpoint_auth_method"),
        (WEB, {"token_endpoint_auth_method": ["none"]}, "token_endpoint_auth_method"),
        (WEB, {"id_token_signed_response_alg": "none"}, "id_token_signed_response_alg"),
        (WEB, {"id_token_signed_response_alg": "HS256"}, "id_token_signed_response_alg"),
        (WEB, {"access_token_signing_alg": "HS256"}, "access_token_signing_alg"),
        (WEB, {"access_token_format": "xml"}, "access_token_format"),
        (WEB, {"access_token_lifetime": 0}, "access_token_lifetime"),
        (WEB, {"access_token_lifetime": True}, "access_token_lifetime"),
        (WEB, {"access_token_lifetime": "60"}, "access_token_lifetime"),
        (WEB, {"access_token_lifetime": 10**12}, "access_token_lifetime"),
        (WEB, {"default_max_age": -1}, "default_max_age"),
        (WEB, {"scope": ["openid"]}, "scope"),
        (WEB, {"scope": 'a"b'}, "scope"),
        (WEB, {"scope": "a\\b"}, "scope"),
        (WEB, {"scope": "é"}, "scope"),
        (WEB, {"scope": "a\nb"}, "scope"),
        (WEB, {"logo_uri": "http://shop.example/logo.png"}, "logo_uri"),
        (WEB, {"policy_uri": "javascript:alert(1)"}, "policy_uri"),
        (WEB, {"tos_uri": "https://"}, "tos_uri"),
        (WEB, {"tos_uri": "https://user@shop.example"}, "tos_uri"),
        (WEB, {"client_uri": "https://[::1"}, "client_uri"),
        (WEB, {"accent_color": "red;}body{display:none"}, "accent_color"),
        (WEB, {"accent_color": "2f5bea"}, "accent_color"),
        (WEB, {"contacts": "ada@example.org"}, "contacts"),
        (WEB, {"subject_type": "pairwise"}, "subject_type"),
        (WEB, {"frist_party": True}, "'frist_party'"),
        (WEB, {"client_secret": "s"}, "'client_secret'"),
    ],
)
def test_what_breaks_a_rule_is_refused_by_name(base, change, field):
    """R3, R10, C5, T1, T7, X16: allow-listed members, allow-listed values."""
    with pytest.raises(Invalid) as caught:
        validate_metadata({**base, **change})

    assert caught.value.field == field


def test_a_confidential_client_may_be_exempted_from_pkce():
    assert validate_metadata({**WEB, "require_pkce": False})["require_pkce"] is False


def test_scopes_are_listed_once_in_order():
    assert validate_metadata({**WEB, "scope": "openid  email openid"})["scope"] == "openid email"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(alphabet=st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), JSON, max_size=6))
def test_nothing_but_invalid_is_raised(change):
    with contextlib.suppress(Invalid):
        validate_metadata({**WEB, **change})


@pytest.mark.parametrize("client_id", ["shop", "s6BhdRkqt3", "a.b_c~d:e@f+g-h", "7", "x" * 128])
def test_client_ids_that_need_no_encoding_are_accepted(client_id):
    assert validate_client_id(client_id) == client_id


@pytest.mark.parametrize(
    "client_id",
    ["", "acc_1", "ACC_1", " shop", "a/b", "a b", "a?b", "é", "x" * 129, ".a", "a\n", "a\x00", None, 5],
)
def test_other_client_ids_are_refused(client_id):
    """T17: the name spaces of clients and accounts are apart (RFC 9700 §4.15)."""
    with pytest.raises(Invalid) as caught:
        validate_client_id(client_id)

    assert caught.value.field == "client_id"


def test_other_providers_are_named_by_their_ids():
    """All by default, none by an empty list, one that is required."""
    assert validate_metadata(WEB)["identity_providers"] is None
    assert validate_metadata({**WEB, "identity_providers": []})["identity_providers"] == []
    given_twice = {**WEB, "identity_providers": ["acme", "acme"], "required_identity_provider": "acme"}
    assert validate_metadata(given_twice)["identity_providers"] == ["acme"]


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"identity_providers": "acme"}, "identity_providers"),
        ({"identity_providers": ["../acme"]}, "identity_providers"),
        ({"required_identity_provider": "ACME"}, "required_identity_provider"),
        (
            {"identity_providers": ["other"], "required_identity_provider": "acme"},
            "required_identity_provider",
        ),
    ],
)
def test_other_providers_that_cannot_be(members, field):
    with pytest.raises(Invalid) as caught:
        validate_metadata({**WEB, **members})

    assert caught.value.field == field
