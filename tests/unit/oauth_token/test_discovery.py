"""Server metadata. Sources: OpenID Connect Discovery §3, RFC 8414 §2."""

import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.discovery import OpenIDProviderMetadata

from idp.oauth import metadata
from idp.settings import Settings

SCOPES = ("openid", "profile", "read:things")


@pytest.mark.parametrize(
    "issuer", ["https://idp.example", "https://idp.example/auth", "http://localhost:8000"]
)
def test_the_issuer_is_the_prefix_of_every_address(issuer):
    document = metadata(Settings(issuer=issuer), SCOPES)

    assert document["issuer"] == issuer
    for name, value in document.items():
        if name.endswith(("_endpoint", "_uri")):
            assert value.startswith(issuer + "/"), name
            assert not value.endswith("/")


def test_authlib_accepts_it_as_both_documents():
    document = metadata(Settings(issuer="https://idp.example"), SCOPES)

    OpenIDProviderMetadata(document).validate()
    AuthorizationServerMetadata(document).validate()


def test_it_states_what_is_and_is_not_supported():
    """C5, R6, R10; openid-provider "Metadata"."""
    document = metadata(Settings(issuer="https://idp.example"), SCOPES)

    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["authorization_response_iss_parameter_supported"] is True
    assert document["response_types_supported"] == ["code"]
    assert "password" not in document["grant_types_supported"]
    assert "RS256" in document["id_token_signing_alg_values_supported"]
    assert "none" not in document["id_token_signing_alg_values_supported"]
    assert document["scopes_supported"] == list(SCOPES)
    assert document["claims_parameter_supported"] is True
    assert document["request_parameter_supported"] is False
    assert document["request_uri_parameter_supported"] is False
    assert "none" not in document["introspection_endpoint_auth_methods_supported"]
