"""RegisteredClient answers from what was computed once."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.clients import RegisteredClient, validate_metadata
from idp.clients.secrets import new_client_secret, secret_digest
from idp.crypto import Secret

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
KEY = Secret(b"k" * 32)


def make_client(secrets=(), **metadata):
    given = {"client_name": "Shop", "redirect_uris": ["https://shop.example/cb"], **metadata}
    return RegisteredClient.from_metadata(
        "shop",
        validate_metadata(given),
        secrets=[(secret_digest(KEY.reveal(), secret), expires_at) for secret, expires_at in secrets],
        secret_key=KEY,
        disabled=False,
        not_before=None,
        created_at=NOW,
        updated_at=NOW,
    )


@pytest.mark.parametrize(
    "uri",
    [
        "https://shop.example/cb/",
        "https://shop.example/cb?x=1",
        "https://shop.example/CB",
        "https://SHOP.example/cb",
        "https://shop.example:443/cb",
        "https://shop.example/c%62",
        "https://shop.example/cb#",
        "https://shop.example.evil.example/cb",
        "http://shop.example/cb",
        "",
        "\ud800",
    ],
)
def test_redirect_uris_are_compared_exactly(uri):
    """R1: exact string comparison."""
    client = make_client(post_logout_redirect_uris=["https://shop.example/cb"])

    assert client.allows_redirect_uri("https://shop.example/cb")
    assert not client.allows_redirect_uri(uri)
    assert not client.allows_post_logout_redirect_uri(uri)


def test_a_native_client_may_use_any_loopback_port():
    """R1, RFC 8252 §7.3: the port is picked when the app starts."""
    client = make_client(
        token_endpoint_auth_method="none", redirect_uris=["http://127.0.0.1/cb", "http://[::1]:1234/cb"]
    )

    assert client.allows_redirect_uri("http://127.0.0.1:51004/cb")
    assert client.allows_redirect_uri("http://[::1]:51004/cb")
    assert client.allows_redirect_uri("http://[::1]/cb")
    assert not client.allows_redirect_uri("http://127.0.0.1:51004/other")
    assert not client.allows_redirect_uri("http://localhost:51004/cb")
    assert not client.allows_redirect_uri("http://127.0.0.1:51004/cb?x=1")
    assert not client.allows_redirect_uri("http://127.0.0.2:51004/cb")


def test_localhost_needs_the_registered_port():
    """RFC 8252 §8.3: the free port is for IP literals."""
    client = make_client(token_endpoint_auth_method="none", redirect_uris=["http://localhost:3000/cb"])

    assert client.application_type == "native"
    assert client.allows_redirect_uri("http://localhost:3000/cb")
    assert not client.allows_redirect_uri("http://localhost:3001/cb")


def test_a_web_client_has_no_free_port():
    client = make_client(redirect_uris=["http://127.0.0.1:3000/cb"])

    assert client.application_type == "web"
    assert not client.allows_redirect_uri("http://127.0.0.1:3001/cb")


def test_two_secrets_live_until_their_end():
    """K5: two live secrets during rotation."""
    client = make_client(secrets=[("old", NOW + timedelta(days=7)), ("new", None)])

    assert client.check_secret("old", NOW)
    assert client.check_secret("new", NOW)
    assert not client.check_secret("old", NOW + timedelta(days=7))
    assert client.check_secret("new", NOW + timedelta(days=7))


def test_a_public_client_never_matches():
    """K5: a secret sent for a client without one is wrong, whatever its row holds."""
    client = make_client(secrets=[("s", None)], token_endpoint_auth_method="none")

    assert client.is_public
    assert not client.check_secret("s", NOW)
    assert not client.check_secret("", NOW)


@settings(deadline=None)
@given(st.one_of(st.text(alphabet=st.characters()), st.binary(), st.none(), st.integers()))
def test_junk_is_no_secret_and_never_raises(junk):
    assert not make_client(secrets=[("right", None)]).check_secret(junk, NOW)


def test_secrets_and_their_key_are_in_no_representation():
    """X10: nothing secret in logs."""
    secret = new_client_secret().reveal()
    client = make_client(secrets=[(secret, None)])

    assert secret not in repr(client)
    assert "secrets=" not in repr(client)
    assert "kkkk" not in repr(client)


def test_generated_secrets_are_recognisable_and_long():
    """T18, C9: a prefix for scanners, 256 bits."""
    first, second = new_client_secret().reveal(), new_client_secret().reveal()

    assert first.startswith("idp_cs_")
    assert len(first) >= 7 + 43
    assert first != second


def test_lifetimes_and_grants_come_from_the_metadata():
    client = make_client(access_token_lifetime=60, refresh_token_grace=0, scope="openid email")

    assert client.access_token_lifetime == timedelta(minutes=1)
    assert client.refresh_token_grace == timedelta(0)
    assert client.refresh_token_lifetime is None
    assert client.scopes == {"openid", "email"}
    assert client.allows_grant("authorization_code")
    assert not client.allows_grant("client_credentials")


def test_metadata_of_an_older_release_takes_defaults():
    metadata = validate_metadata({"client_name": "Shop", "redirect_uris": ["https://shop.example/cb"]})
    del metadata["response_modes"]

    client = RegisteredClient.from_metadata(
        "shop",
        metadata,
        secrets=[],
        secret_key=KEY,
        disabled=False,
        not_before=None,
        created_at=NOW,
        updated_at=NOW,
    )

    assert client.response_modes == {"query", "fragment", "form_post"}
    assert hash(client) == hash(make_client())
