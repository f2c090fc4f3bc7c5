"""What a provider may be configured with, and which field the refusal names."""

import dataclasses

import pytest

from idp.errors import Invalid
from idp.federation import (
    FIELDS,
    Provider,
    preset,
    preset_names,
    validate_configuration,
    validate_provider_id,
)
from tests.unit.federation.stored_values import ISSUER, oauth2, openid

REQUIRED = {"preset", "kind", "name", "client_id"}


def refused_field(members, **hosts) -> str:
    with pytest.raises(Invalid) as refused:
        validate_configuration(members, **hosts)
    return refused.value.field


def test_the_fields_are_those_of_a_provider_with_the_same_defaults():
    """A provider that a test constructs and one that was stored mean the same."""
    beside = {"id", "enabled", "secret", "created_at", "updated_at"}
    fields = {field.name: field for field in dataclasses.fields(Provider) if field.name not in beside}

    assert set(fields) == set(FIELDS)
    for name, field in fields.items():
        default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        listed = FIELDS[name][1]
        if name not in REQUIRED | {"discovery", "auth_method"}:
            assert (tuple(listed) if isinstance(listed, list) else listed) == default, name


def test_a_generic_provider_needs_a_name_an_id_and_an_issuer():
    checked = validate_configuration(openid())

    assert set(checked) == set(FIELDS)
    assert (checked["kind"], checked["discovery"]) == ("oidc", True)
    assert checked["scopes"] == ["openid", "profile", "email"]


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_a_configuration(name):
    """What a preset fills in, with what only the operator knows, passes the rules."""
    said = {
        "oidc": {"name": "E", "issuer": ISSUER},
        "oauth2": oauth2(),
        "apple": {"key_id": "K", "team_id": "T"},
    }

    members = {**preset(name), **said.get(name, {}), "client_id": "idp", "preset": name}

    assert validate_configuration(members)["preset"] == name


@pytest.mark.parametrize("missing", ["name", "client_id", "issuer", "preset"])
def test_what_is_missing_is_named(missing):
    assert refused_field(openid(**{missing: None, "kind": "oidc"})) == missing


@pytest.mark.parametrize("missing", ["authorization_endpoint", "token_endpoint", "userinfo_endpoint"])
def test_an_oauth_provider_publishes_nothing(missing):
    assert refused_field(oauth2(**{missing: None})) == missing


def test_an_oauth_provider_says_which_claim_is_the_person():
    """V9: the key must be named, and never falls back to another claim."""
    assert refused_field(oauth2(claims={"email": "email"})) == "claims"


def test_the_key_of_an_id_token_is_its_sub():
    """V9: no mapping makes another claim, such as an address, the key."""
    assert refused_field(openid(claims={"sub": "email"})) == "claims"


def test_an_oauth_provider_has_a_name_for_itself_in_the_key():
    """V9: written down, so that another address does not make everybody somebody else."""
    assert validate_configuration(oauth2())["issuer"] == ISSUER


def test_without_discovery_the_endpoints_are_entered():
    assert refused_field(openid(discovery=False)) == "authorization_endpoint"
    entered = {"authorization_endpoint": f"{ISSUER}/a", "token_endpoint": f"{ISSUER}/t"}
    assert refused_field(openid(discovery=False, **entered)) == "jwks_uri"
    assert validate_configuration(openid(discovery=False, jwks_uri=f"{ISSUER}/k", **entered))


@pytest.mark.parametrize("alg", ["none", "None", "HS256", "HS512", "RS1", "", "dir"])
def test_an_algorithm_that_proves_nothing_is_refused(alg):
    """RFC 8725 §3.1: ``none``, shared secrets and unknown ones never verify an ID token."""
    assert refused_field(openid(id_token_algs=["RS256", alg])) == "id_token_algs"


def test_without_any_algorithm_nothing_is_verified():
    assert refused_field(openid(id_token_algs=[])) == "id_token_algs"


@pytest.mark.parametrize(
    "issuer",
    [
        "http://elsewhere.example", "ftp://elsewhere.example", "elsewhere.example", "https://",
        "https://a@b.example", "https://e.example/#f", "https://e.example/?q", "https://e.example/a b",
        "https://e.exämple", "javascript:x", "https://{tenantid}.example/",
        "https://e.example/{tenantid}/{tenantid}", "https://e.example/{other}", 1, [],
        "https://[::1", "https://e.example:99999", "https://e.example\\@x", "https://" + "e" * 2050,
    ],
)  # fmt: skip
def test_an_issuer_is_a_plain_https_address(issuer):
    """X1: without TLS, anybody on the way says who a person is."""
    assert refused_field(openid(issuer=issuer)) == "issuer"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_plain_http_stays_on_the_own_machine(host):
    assert validate_configuration(openid(issuer=f"http://{host}:9000"))


def test_plain_http_is_for_hosts_the_settings_name():
    assert refused_field(openid(issuer="http://sso.internal")) == "issuer"
    assert validate_configuration(openid(issuer="http://sso.internal"), plain_hosts=["sso.internal"])
    assert (
        refused_field(openid(jwks_uri="http://other.internal/k"), plain_hosts=["sso.internal"]) == "jwks_uri"
    )


def test_an_issuer_with_a_gap_says_where_its_metadata_is():
    gap = "https://login.example/{tenantid}/v2.0"

    assert refused_field(openid(issuer=gap)) == "discovery_url"
    assert refused_field(openid(allowed_tenants=["t"])) == "allowed_tenants"
    assert validate_configuration(
        openid(issuer=gap, discovery_url="https://login.example/common/d", allowed_tenants=["t"])
    )


@pytest.mark.parametrize(
    "name", ["state", "nonce", "redirect_uri", "code_challenge", "response_type", "request"]
)
def test_no_fixed_parameter_undoes_what_protects_a_request(name):
    assert refused_field(openid(authorization_params={name: "x"})) == "authorization_params"


@pytest.mark.parametrize("path", ["", ".", "a..b", ".a", "a.", " a", 5, None, "a\nb", "x" * 201])
def test_a_claim_is_found_at_a_path(path):
    assert refused_field(openid(claims={"email": path})).startswith("claims")
    if path is not None:
        assert refused_field(openid(group_claim=path)) == "group_claim"


@pytest.mark.parametrize(
    "name", ["iss", "aud", "exp", "nonce", "acr", "amr", "auth_time", "groups", "sid", ""]
)
def test_what_speaks_of_the_token_is_not_mapped(name):
    assert refused_field(openid(claims={name: "x"})) == "claims"


def test_groups_are_mapped_from_somewhere():
    assert refused_field(openid(group_map={"admins": "staff"})) == "group_claim"
    assert validate_configuration(openid(group_map={"admins": "staff"}, group_claim="realm.roles"))


def test_a_mapped_acr_is_one_of_ours_and_counts():
    ours = {"gold": "urn:idp:loa:2"}

    assert refused_field(openid(acr_map={"gold": "gold"}, trust_assurance=True)) == "acr_map"
    assert refused_field(openid(acr_map=ours)) == "acr_map"
    assert validate_configuration(openid(acr_map=ours, trust_assurance=True))["acr_map"] == ours


@pytest.mark.parametrize(
    "domain", ["", "example", "@example.org", "a b.example", "*.example.org", "-a.example", 1, None]
)
def test_a_domain_is_a_domain(domain):
    assert refused_field(openid(home_domains=[domain])) == "home_domains"
    assert refused_field(openid(trusted_email_domains=[domain])) == "trusted_email_domains"


def test_domains_are_kept_in_one_form():
    checked = validate_configuration(
        openid(home_domains=["Example.ORG", "example.org", "bücher.example"], trusted_email_domains=["*"])
    )

    assert checked["home_domains"] == ["example.org", "xn--bcher-kva.example"]
    assert checked["trusted_email_domains"] == ["*"]


def test_every_domain_and_some_is_a_mistake():
    assert refused_field(openid(trusted_email_domains=["*", "example.org"])) == "trusted_email_domains"
    assert refused_field(openid(home_domains=["*"])) == "home_domains"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hidden", "yes"), ("hidden", 1), ("position", -1), ("position", True), ("position", "1"),
        ("creates", "maybe"), ("profile_sync", ""), ("required_claims", ["phone"]),
        ("required_claims", "email"), ("scopes", ['"']), ("scopes", ["email"]),
        ("response_mode", "fragment"), ("auth_method", "client_secret_jwt"), ("kind", "saml"),
        ("preset", "myspace"), ("name", ""), ("name", "a\u202eb"), ("client_id", ""),
        ("client_id", "ä"), ("authorization_origins", ["https://e.example/path"]),
        ("userinfo", "sometimes"), ("claims", []), ("wishes", ["x"]), ("trust_assurance", None),
        ("numeric_subject", True),
    ],
)  # fmt: skip
def test_the_refusal_names_the_field(field, value):
    if value is None:
        assert validate_configuration(openid(**{field: value}))[field] is False
    else:
        assert refused_field(openid(**{field: value})) == field


def test_an_unknown_member_is_refused_by_its_name():
    """X16: nothing is taken over that is not on the list, the secret included."""
    for name in ("client_secret", "secret", "sealed_secret", "id", "Issuer"):
        assert name in refused_field(openid(**{name: "x"}))


@pytest.mark.parametrize("provider_id", ["", "A", "-a", "a" * 41, "a/b", "a.b", "ä", "a b", None, 1, "a\n"])
def test_an_id_is_a_part_of_an_address(provider_id):
    with pytest.raises(Invalid) as refused:
        validate_provider_id(provider_id)

    assert refused.value.field == "id"


def test_usual_ids_are_accepted():
    for provider_id in ("google", "work-sso", "1", "a" * 40):
        assert validate_provider_id(provider_id) == provider_id
