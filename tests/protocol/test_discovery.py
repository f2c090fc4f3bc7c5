"""Metadata and signing keys.

| row            | MUST                                          | test                                     |
|----------------|-----------------------------------------------|------------------------------------------|
| Discovery 3, 4 | required members; issuer is the prefix        | test_required_members,                   |
|                |                                               | test_addresses_start_with_the_issuer     |
| Discovery 3    | RS256 among the algorithms; registered names  | test_what_is_offered,                    |
|                | only                                          | test_only_registered_members             |
| 8414 3         | the same document                             | test_oauth_metadata_is_the_same_document |
| 8414 3.1       | well-known addresses of an issuer with a path | test_issuer_with_a_path                  |
| C5, R6, R10    | S256 only; iss announced; code only           | test_what_is_offered                     |
| X18            | kid, use, alg, distinct kids, no private      | test_keys_are_public_and_complete,       |
|                | members, max-age                              | test_keys_have_a_short_max_age           |
| D14            | rotation: the old key stays while its tokens  | test_rotation_keeps_the_old_key          |
|                | live                                          |                                          |
| section 1      | a revoked key is gone at once, its tokens     | test_revoked_key_is_gone                 |
|                | with it                                       |                                          |
| 9110 13.1.2    | ETag, 304                                     | test_etag                                |
| X4             | GET and HEAD only                             | test_methods                             |
| 8414 2         | scopes of resource servers                    | test_scopes_follow_the_resource_servers  |
"""

from http import HTTPStatus

import pytest

from tests.protocol import jose
from tests.provider import Client, Provider

OIDC = "/.well-known/openid-configuration"
OAUTH = "/.well-known/oauth-authorization-server"
DOCUMENTS = pytest.mark.parametrize("path", [OIDC, OAUTH, "/jwks"])

REGISTERED = {
    "issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri",
    "registration_endpoint", "scopes_supported", "response_types_supported", "response_modes_supported",
    "grant_types_supported", "acr_values_supported", "subject_types_supported",
    "id_token_signing_alg_values_supported", "id_token_encryption_alg_values_supported",
    "id_token_encryption_enc_values_supported", "userinfo_signing_alg_values_supported",
    "userinfo_encryption_alg_values_supported", "userinfo_encryption_enc_values_supported",
    "request_object_signing_alg_values_supported", "request_object_encryption_alg_values_supported",
    "request_object_encryption_enc_values_supported", "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported", "display_values_supported", "claim_types_supported",
    "claims_supported", "service_documentation", "claims_locales_supported", "ui_locales_supported",
    "claims_parameter_supported", "request_parameter_supported", "request_uri_parameter_supported",
    "require_request_uri_registration", "op_policy_uri", "op_tos_uri", "revocation_endpoint",
    "revocation_endpoint_auth_methods_supported", "revocation_endpoint_auth_signing_alg_values_supported",
    "introspection_endpoint", "introspection_endpoint_auth_methods_supported",
    "introspection_endpoint_auth_signing_alg_values_supported", "code_challenge_methods_supported",
    "authorization_response_iss_parameter_supported", "end_session_endpoint", "prompt_values_supported",
    "frontchannel_logout_supported", "frontchannel_logout_session_supported",
    "backchannel_logout_supported", "backchannel_logout_session_supported", "protected_resources",
}  # fmt: skip
"""IANA registry of OAuth Authorization Server Metadata, as far as it could concern us."""


def published(provider: Provider) -> list[str]:
    return [key["kid"] for key in jose.published_keys(provider)]


@DOCUMENTS
def test_is_json(provider, path):
    """OIDC Discovery §4.2: 200, application/json."""
    answer = provider.http.get(path)

    assert answer.status == HTTPStatus.OK
    assert answer.header("Content-Type") == "application/json"
    assert isinstance(answer.json(), dict)


def test_required_members(provider):
    """OIDC Discovery §3, RP-Initiated Logout §2.1: REQUIRED members, and those a certification asks for."""
    required = {
        "issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri",
        "end_session_endpoint", "response_types_supported", "subject_types_supported",
        "id_token_signing_alg_values_supported", "scopes_supported", "claims_supported",
        "request_parameter_supported", "request_uri_parameter_supported", "claims_parameter_supported",
        "introspection_endpoint", "revocation_endpoint",
    }  # fmt: skip

    assert required <= set(provider.metadata())


def test_only_registered_members(provider):
    """OIDC Discovery §3: names of the IANA registry, and no empty or null values."""
    metadata = provider.metadata()

    assert set(metadata) - REGISTERED == set()
    assert [name for name, value in metadata.items() if value in (None, [], "")] == []


def test_addresses_start_with_the_issuer(provider):
    """OIDC Discovery §4.3, X2: the issuer is the configured one, and every address answers below it."""
    metadata = provider.metadata()

    assert metadata["issuer"] == "https://idp.example"
    for name, value in metadata.items():
        if name.endswith(("_endpoint", "_uri")):
            assert value.startswith(metadata["issuer"] + "/"), name
            assert provider.http.get(value.removeprefix(metadata["issuer"])).status != HTTPStatus.NOT_FOUND


def test_what_is_offered(provider):
    """C5, R6, R10, T1: code with S256, iss in responses, RS256, no password and no implicit grant."""
    metadata = provider.metadata()

    assert metadata["response_types_supported"] == ["code"]
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert metadata["authorization_response_iss_parameter_supported"] is True
    assert "RS256" in metadata["id_token_signing_alg_values_supported"]
    assert not {"none", "HS256"} & set(metadata["id_token_signing_alg_values_supported"])
    assert set(metadata["grant_types_supported"]) == {
        "authorization_code",
        "refresh_token",
        "client_credentials",
    }
    assert set(metadata["response_modes_supported"]) == {"query", "fragment", "form_post"}
    assert "none" not in metadata["introspection_endpoint_auth_methods_supported"]
    assert metadata["request_parameter_supported"] is False
    assert metadata["request_uri_parameter_supported"] is False, "absent would mean true"
    assert {"openid", "profile", "email", "address", "phone", "offline_access"} <= set(
        metadata["scopes_supported"]
    )


def test_oauth_metadata_is_the_same_document(provider):
    """RFC 8414 §3: one document at both addresses."""
    assert provider.http.get(OIDC).body == provider.http.get(OAUTH).body


def test_scopes_follow_the_resource_servers(provider):
    """RFC 8414 §2: a registered resource server's scopes are announced, and its deletion is seen."""
    provider.resource("https://api.example", read_things="See")
    assert "read:things" in provider.metadata()["scopes_supported"]

    provider.container.admin.resources.delete("https://api.example")
    provider.settle()

    assert "read:things" not in provider.metadata()["scopes_supported"]


def test_issuer_with_a_path(new_provider):
    """OIDC Discovery §4.1, RFC 8414 §3.1: appended to the path for one, inserted before it for the other."""
    provider = new_provider(issuer="https://idp.example/tenant/a")

    openid = provider.http.get("/tenant/a/.well-known/openid-configuration")
    oauth = provider.http.get("/.well-known/oauth-authorization-server/tenant/a")

    assert openid.json()["issuer"] == "https://idp.example/tenant/a"
    assert oauth.body == openid.body
    assert openid.json()["token_endpoint"] == "https://idp.example/tenant/a/token"
    assert provider.http.get("/tenant/a/jwks").status == HTTPStatus.OK
    assert provider.http.get("/jwks").status == HTTPStatus.NOT_FOUND


def test_host_header_changes_nothing(provider):
    """X2: addresses come from the configuration; a foreign Host is refused."""
    trusted = provider.http.get(OIDC).body

    assert provider.http.get(OIDC, headers=[("X-Forwarded-Host", "evil.example")]).body == trusted
    answer = provider.http.get(OIDC, headers=[("Host", "evil.example")])
    assert answer.status == HTTPStatus.BAD_REQUEST
    assert b"evil.example" not in answer.body


def test_keys_are_public_and_complete(provider):
    """X18, RFC 7517: kid, use, alg; distinct kids; RSA of 2048 bits; not one private member."""
    keys = jose.published_keys(provider)

    assert len({key["kid"] for key in keys}) == len(keys)
    for key in keys:
        assert key["use"] == "sig"
        assert set(key) <= {"kty", "kid", "use", "alg", "crv", "x", "y", "n", "e"}
    kinds = {"RS256": ("RSA", None), "ES256": ("EC", "P-256"), "EdDSA": ("OKP", "Ed25519")}
    assert {key["alg"] for key in keys} == set(kinds)
    assert all((key["kty"], key.get("crv")) == kinds[key["alg"]] for key in keys)
    assert all(len(jose.decode(key["n"])) == 256 for key in keys if key["kty"] == "RSA")


def test_keys_have_a_short_max_age(provider):
    """X18: explicit and short, as it is how long a revoked key is still believed."""
    cache = provider.http.get("/jwks").header("Cache-Control") or ""

    assert "max-age=60" in cache
    assert "public" in cache


@DOCUMENTS
def test_etag(provider, path):
    """RFC 9110 §13.1.2: 304 without a body for who has it, 200 for who has something else."""
    first = provider.http.get(path)
    etag = first.header("ETag") or ""
    assert etag.startswith('"')

    for known in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        again = provider.http.get(path, headers=[("If-None-Match", known)])
        assert (again.status, again.body) == (304, b""), known
        assert again.header("ETag") == etag
        assert again.header("Cache-Control") == first.header("Cache-Control")
    other = provider.http.get(path, headers=[("If-None-Match", '"other"')])
    assert (other.status, other.body) == (200, first.body)


@DOCUMENTS
def test_methods(provider, path):
    """X4: GET and HEAD; a HEAD has the headers of the GET and no body."""
    get, head = provider.http.get(path), provider.http.send("HEAD", path)

    assert (head.status, head.body) == (200, b"")
    assert head.header("ETag") == get.header("ETag")
    for method in ("POST", "PUT", "DELETE"):
        assert provider.http.send(method, path).status == HTTPStatus.METHOD_NOT_ALLOWED


@DOCUMENTS
def test_any_origin_may_read(provider, path):
    """OIDC Discovery §4: scripts configure themselves; without cookies, without credentials."""
    answer = provider.http.get(path, headers=[("Origin", "https://app.example")])

    assert answer.header("Access-Control-Allow-Origin") == "*"
    assert answer.header("Access-Control-Allow-Credentials") is None
    assert not answer.all_headers("Set-Cookie")


@DOCUMENTS
def test_query_is_ignored(provider, path):
    """R9: unknown parameters are ignored."""
    assert provider.http.get(path + "?v=1").body == provider.http.get(path).body


def rotate(provider: Provider, **options: object) -> None:
    provider.container.admin.keys.rotate(**options)
    provider.settle()


def machine_token(provider: Provider, robot: Client) -> str:
    answer = provider.http.post("/token", {"grant_type": "client_credentials"}, auth=robot.auth)
    token: str = answer.json()["access_token"]
    return token


def test_rotation_keeps_the_old_key(provider, robot):
    """D14: after a rotation new tokens have a new key, old ones verify until they end, then the key goes."""
    etag = provider.http.get("/jwks").header("ETag")
    provider.advance(minutes=10)
    before = machine_token(provider, robot)

    rotate(provider)
    provider.advance(minutes=4)
    after = machine_token(provider, robot)

    old, new = jose.header(before)["kid"], jose.header(after)["kid"]
    assert old != new
    assert {old, new} <= set(published(provider))
    assert provider.http.get("/jwks").header("ETag") != etag
    assert provider.introspect(robot, before).json()["active"] is True
    assert jose.verified(provider, after, alg="ES256")["sub"] == robot.id
    provider.advance(days=400)
    assert old not in published(provider)


def test_new_key_is_published_before_it_signs(provider, robot):
    """OIDC Core §10.1.1: relying parties can fetch a key before they meet it."""
    known = set(published(provider))
    provider.advance(minutes=10)

    rotate(provider)
    provider.advance(hours=1)

    assert jose.header(machine_token(provider, robot))["kid"] in known


def test_revoked_key_is_gone(provider, shop):
    """Section 1: out of the key set at once; our own endpoints refuse its tokens at once; signing goes on."""
    tokens = provider.tokens(shop)
    kid = jose.header(tokens["access_token"])["kid"]
    assert provider.userinfo(tokens["access_token"]).status == HTTPStatus.OK

    provider.container.admin.keys.revoke(kid)
    provider.settle()

    assert kid not in published(provider)
    assert provider.userinfo(tokens["access_token"]).status == HTTPStatus.UNAUTHORIZED
    assert provider.introspect(shop, tokens["access_token"]).json() == {"active": False}
    again = provider.refresh(shop, tokens["refresh_token"]).json()
    assert provider.userinfo(again["access_token"]).status == HTTPStatus.OK


def test_metadata_is_stable(new_provider):
    """9110 8.8.3: two nodes send the same bytes, so the ETag means the same everywhere."""
    one, two = new_provider(), new_provider()

    for path in (OIDC, "/jwks"):
        answers = [node.http.get(path) for node in (one, two)]
        assert answers[0].body == answers[1].body
        assert answers[0].header("ETag") == answers[1].header("ETag")
