"""What another provider is configured with.

``validate_configuration`` is one list of fields, each with its check and default, and one list of rules
between fields. The result is complete and ready to be stored as JSON; the secret is not part of it.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from idp.assurance import ACR_VALUES_SUPPORTED
from idp.errors import Invalid
from idp.federation.field_checks import (
    TENANT,
    Check,
    boolean,
    claim_path,
    claim_paths,
    domains,
    group_names,
    identifier,
    identifiers,
    issuer,
    label,
    names,
    one_of,
    origins,
    parameters,
    position,
    scopes,
    several_of,
    trusted_domains,
    web_address,
)
from idp.federation.presets import preset_names
from idp.federation.provider import ProviderKind

AUTH_METHODS: Final = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none", "apple")
KEY_METHODS: Final = frozenset({"private_key_jwt", "apple"})
"""Ways to authenticate for which the secret is a private key."""

ID_TOKEN_ALGS: Final = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
)  # fmt: skip
"""Security: neither ``none`` nor one with a shared secret (RFC 8725 §3.1)."""

WISHES: Final = ("login", "select_account", "max_age", "login_hint", "ui_locales", "acr_values")
REQUIRABLE_CLAIMS: Final = ("email", "name", "given_name", "family_name")

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def validate_provider_id(provider_id: object) -> str:
    """Accept the id of a provider, which becomes part of the redirect address.

    Raises:
        Invalid: not 1 to 40 small letters, digits and hyphens, beginning with a letter or digit.
    """
    if not isinstance(provider_id, str) or not _ID.fullmatch(provider_id):
        raise Invalid(
            "A provider id has 1 to 40 characters: small letters, digits and hyphens, not a hyphen first.",
            field="id",
        )
    return provider_id


FIELDS: Final[Mapping[str, tuple[Check, Any]]] = {
    # check, default (None: absent, or decided below)
    "preset": (one_of(*preset_names()), None),
    "kind": (one_of(*ProviderKind), None),
    "name": (label, None),
    "hidden": (boolean, False),
    "position": (position, 0),
    # how it knows us
    "client_id": (identifier, None),
    "auth_method": (one_of(*AUTH_METHODS), "client_secret_basic"),
    "key_id": (identifier, None),
    "team_id": (identifier, None),
    # where it is
    "issuer": (issuer, None),
    "allowed_tenants": (identifiers, []),
    "discovery": (boolean, None),
    "discovery_url": (web_address, None),
    "authorization_endpoint": (web_address, None),
    "token_endpoint": (web_address, None),
    "userinfo_endpoint": (web_address, None),
    "jwks_uri": (web_address, None),
    "end_session_endpoint": (web_address, None),
    "par_endpoint": (web_address, None),
    "emails_endpoint": (web_address, None),
    "authorization_origins": (origins, []),
    # what we ask
    "scopes": (scopes, []),
    "authorization_params": (parameters, {}),
    "response_mode": (one_of("query", "form_post"), None),
    "use_par": (boolean, False),
    "pkce": (boolean, True),
    "wishes": (several_of(*WISHES), [wish for wish in WISHES if wish != "select_account"]),
    "echoes_nonce": (boolean, True),
    "id_token_algs": (several_of(*ID_TOKEN_ALGS), ["RS256", "ES256", "PS256", "EdDSA"]),
    # what its answers mean
    "userinfo": (one_of("auto", "always", "never"), "auto"),
    "numeric_subject": (boolean, False),
    "email_verified_as_text": (boolean, False),
    "name_in_answer": (boolean, False),
    "claims": (claim_paths, {}),
    "group_claim": (claim_path, None),
    "group_map": (group_names, {}),
    # what they lead to
    "trusted_email_domains": (trusted_domains, []),
    "home_domains": (domains, []),
    "creates": (one_of("automatic", "ask", "never"), "automatic"),
    "required_claims": (several_of(*REQUIRABLE_CLAIMS), []),
    "profile_sync": (one_of("first", "always", "never"), "first"),
    "trust_assurance": (boolean, False),
    "acr_map": (names, {}),
    "stores_tokens": (boolean, False),
}
"""Every member of a provider's configuration, its check and its default."""


def validate_configuration(
    configuration: Mapping[str, Any], *, plain_hosts: Collection[str] = ()
) -> dict[str, Any]:
    """Check a provider's configuration and fill in what follows from it.

    Args:
        configuration: members of :data:`FIELDS`; ``None`` gives one its default.
        plain_hosts: hosts that may be spoken to without TLS (``http.allowed_private_hosts``).

    Returns:
        A dictionary with every member of :data:`FIELDS`.

    Raises:
        Invalid: ``field`` names the member; an unknown member is refused by its name.
    """
    if not isinstance(configuration, Mapping):
        raise Invalid("The configuration of a provider must be an object.", field="configuration")
    for name in configuration:
        if name not in FIELDS:
            shown = str(ascii(name))[:60]
            raise Invalid(f"{shown} is not a member of a provider's configuration.", field=shown)
    checked: dict[str, Any] = {}
    for name, (check, default) in FIELDS.items():
        given = configuration.get(name)
        checked[name] = _copy(default) if given is None else check(given, name)
    _fill_in(checked)
    for rule in _RULES:
        rule(checked)
    _refuse_plain_http(checked, plain_hosts)
    return checked


def _copy(default: Any) -> Any:
    return default.copy() if isinstance(default, list | dict) else default


def _fill_in(checked: dict[str, Any]) -> None:
    """Defaults that follow from other members."""
    if checked["kind"] is None and checked["preset"] in set(ProviderKind):
        checked["kind"] = checked["preset"]
    if checked["discovery"] is None:
        checked["discovery"] = checked["kind"] == ProviderKind.OIDC
    if not checked["scopes"] and checked["kind"] == ProviderKind.OIDC:
        checked["scopes"] = ["openid", "profile", "email"]
    if checked["issuer"] is None and checked["kind"] == ProviderKind.OAUTH2:
        # Its name for itself, and part of the key: written down, so that it stays when an address moves.
        parts = urlsplit(checked["authorization_endpoint"] or "")
        checked["issuer"] = f"{parts.scheme}://{parts.netloc}" if parts.netloc else None


def _require(checked: Mapping[str, Any], *fields: str, because: str) -> None:
    for field in fields:
        if checked[field] in (None, [], {}):
            raise Invalid(f"{field} is missing: {because}.", field=field)


def _complete(checked: Mapping[str, Any]) -> None:
    _require(checked, "preset", "kind", "name", "client_id", because="every provider needs it")


def _openid(checked: Mapping[str, Any]) -> None:
    if checked["kind"] != ProviderKind.OIDC:
        return
    _require(checked, "issuer", because="an ID token is compared with it")
    _require(checked, "id_token_algs", because="without an algorithm no ID token can be verified")
    if "openid" not in checked["scopes"]:
        raise Invalid("scopes must hold openid: without it there is no ID token.", field="scopes")
    if "sub" in checked["claims"]:
        raise Invalid("claims must not map sub: the key is that of the ID token.", field="claims")
    if checked["numeric_subject"]:
        raise Invalid("numeric_subject is for OAuth 2.0: an ID token's sub is text.", field="numeric_subject")
    if not checked["discovery"]:
        _require(
            checked,
            "authorization_endpoint",
            "token_endpoint",
            "jwks_uri",
            because="discovery is switched off",
        )


def _plain_oauth(checked: Mapping[str, Any]) -> None:
    if checked["kind"] != ProviderKind.OAUTH2:
        return
    if checked["discovery"]:
        raise Invalid("discovery is for OpenID Connect; enter the endpoints.", field="discovery")
    fields = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint")
    _require(checked, *fields, because="an OAuth 2.0 provider does not publish it")
    if "sub" not in checked["claims"]:
        raise Invalid("claims must map sub: which of its claims names a person for good.", field="claims")


def _authentication(checked: Mapping[str, Any]) -> None:
    if checked["auth_method"] == "apple":
        _require(checked, "key_id", "team_id", because="the client secret is made with it")


def _tenants(checked: Mapping[str, Any]) -> None:
    if checked["allowed_tenants"] and TENANT not in (checked["issuer"] or ""):
        raise Invalid(f"allowed_tenants is for an issuer with {TENANT}.", field="allowed_tenants")
    if TENANT in (checked["issuer"] or "") and checked["discovery"] and not checked["discovery_url"]:
        raise Invalid(
            f"discovery_url is missing: an issuer with {TENANT} is no address.", field="discovery_url"
        )


def _mappings(checked: Mapping[str, Any]) -> None:
    if checked["group_map"] and checked["group_claim"] is None:
        raise Invalid("group_map needs group_claim: where the groups are found.", field="group_claim")
    for value in checked["acr_map"].values():
        if value not in ACR_VALUES_SUPPORTED:
            raise Invalid(f"acr_map leads to {', '.join(ACR_VALUES_SUPPORTED)} only.", field="acr_map")
    if checked["acr_map"] and not checked["trust_assurance"]:
        raise Invalid("acr_map counts only with trust_assurance.", field="acr_map")


_RULES: Final[tuple[Callable[[Mapping[str, Any]], None], ...]] = (
    _complete,
    _openid,
    _plain_oauth,
    _authentication,
    _tenants,
    _mappings,
)


def _refuse_plain_http(checked: Mapping[str, Any], plain_hosts: Collection[str]) -> None:
    """Security: without TLS anybody on the way says who a person is (row X1)."""
    allowed = _LOOPBACK | {host.strip("[]") for host in plain_hosts}
    for field, (check, _) in FIELDS.items():
        if check not in (issuer, web_address, origins) or not checked[field]:
            continue
        for address in checked[field] if isinstance(checked[field], list) else [checked[field]]:
            parts = urlsplit(address)
            if parts.scheme != "https" and parts.hostname not in allowed:
                raise Invalid(
                    f"{field} must use https; plain http is for the own machine and the hosts of"
                    " http.allowed_private_hosts.",
                    field=field,
                )
