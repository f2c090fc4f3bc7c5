"""What a client may be registered with: names of RFC 7591, and a few of ours.

``validate_metadata`` is one list of fields, each with its check and default, and one list of
rules between fields. The result is complete and ready to be stored as JSON.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, Final

from idp.assurance import ACR_VALUES_SUPPORTED
from idp.clients.redirect_uris import validate_redirect_uri
from idp.clients.uris import validate_link
from idp.errors import Invalid
from idp.keys import SUPPORTED_ALGORITHMS

CONFIDENTIAL_METHODS: Final = ("client_secret_basic", "client_secret_post")
"""Ways a client with a secret proves itself (RFC 7591 §2)."""

GRANT_TYPES: Final = ("authorization_code", "refresh_token", "client_credentials")
RESPONSE_TYPES: Final = ("code",)
RESPONSE_MODES: Final = ("query", "fragment", "form_post")
TOKEN_FORMATS: Final = ("jwt", "opaque")

MAX_ACCESS_TOKEN_SECONDS: Final = 24 * 3600
"""As for the server's setting: a retired signing key stays published for as long."""

_IDENTIFIER = re.compile(r"[\x21-\x7E]{1,512}")
_MAX_URIS: Final = 100
_MAX_SCOPES: Final = 200
_MAX_SECONDS: Final = 10 * 366 * 24 * 3600
_CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:@+\-]{0,127}")
_PROVIDER = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,200}")

Check = Callable[[Any, str], Any]


def validate_client_id(client_id: object) -> str:
    """Accept the identifier of a client.

    Raises:
        Invalid: empty, longer than 128 characters, with characters that need encoding in URLs,
            or in the name space of accounts.

    Source: RFC 6749 §2.2, appendix A.1; security row T17 (RFC 9700 §4.15).
    """
    if not isinstance(client_id, str) or not _CLIENT_ID.fullmatch(client_id):
        raise Invalid(
            "A client id has 1 to 128 characters: letters, digits and . _ ~ : @ + -, starting with"
            " a letter or digit.",
            field="client_id",
        )
    if client_id.lower().startswith("acc_"):
        raise Invalid(
            "A client id must not start with acc_: that is how accounts are named.", field="client_id"
        )
    return client_id


def split_scope(value: object, field: str = "scope") -> tuple[str, ...]:
    """The scopes of a space-separated list, each once, in order.

    Raises:
        Invalid: not text, or a scope with a character that RFC 6749 §3.3 forbids.
    """
    if not isinstance(value, str):
        raise Invalid("Scopes are given as one text, separated by spaces.", field=field)
    scopes = tuple(dict.fromkeys(value.split(" "))) if value else ()
    scopes = tuple(scope for scope in scopes if scope)
    if len(scopes) > _MAX_SCOPES or not all(_SCOPE_TOKEN.fullmatch(scope) for scope in scopes):
        raise Invalid('Scopes are visible ASCII without " and \\, at most 200 of them.', field=field)
    return scopes


def _one_of(*allowed: str) -> Check:
    def check(value: Any, field: str) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise Invalid(f"{field} must be one of {', '.join(allowed)}.", field=field)
        return value

    return check


def _several_of(*allowed: str) -> Check:
    def check(value: Any, field: str) -> list[str]:
        listed = value if isinstance(value, list) else None
        if listed is None or not all(isinstance(part, str) and part in allowed for part in listed):
            raise Invalid(f"{field} must be a list of {', '.join(allowed)}.", field=field)
        return list(dict.fromkeys(listed))

    return check


def _boolean(value: Any, field: str) -> bool:
    if not isinstance(value, bool):
        raise Invalid(f"{field} must be true or false.", field=field)
    return value


def _seconds(minimum: int, maximum: int = _MAX_SECONDS) -> Check:
    def check(value: Any, field: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
            raise Invalid(f"{field} must be whole seconds, {minimum} to {maximum}.", field=field)
        return value

    return check


def _redirect_uris(value: Any, field: str) -> list[str]:
    if not isinstance(value, list | tuple) or len(value) > _MAX_URIS:
        raise Invalid(f"{field} must be a list of at most {_MAX_URIS} addresses.", field=field)
    for uri in value:
        validate_redirect_uri(uri, field=field)
    return list(dict.fromkeys(value))


def _identifiers(value: Any, field: str) -> list[str]:
    if not isinstance(value, list | tuple) or len(value) > _MAX_URIS:
        raise Invalid(f"{field} must be a list of at most {_MAX_URIS} identifiers.", field=field)
    for identifier in value:
        if not isinstance(identifier, str) or not _IDENTIFIER.fullmatch(identifier):
            raise Invalid(f"{field} must hold identifiers of resource servers.", field=field)
    return list(dict.fromkeys(value))


def _scope(value: Any, field: str) -> str:
    return " ".join(split_scope(value, field))


def _label(value: Any, field: str) -> str:
    if not isinstance(value, str) or not 1 <= len(value.strip()) <= 200:  # noqa: PLR2004 - in the message
        raise Invalid(f"{field} must be a text of 1 to 200 characters.", field=field)
    # Cf holds the direction overrides that make one name show as another on the consent page.
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in value):
        raise Invalid(f"{field} must not contain control characters.", field=field)
    return unicodedata.normalize("NFC", value).strip()


def _contacts(value: Any, field: str) -> list[str]:
    if not isinstance(value, list) or len(value) > _MAX_URIS:
        raise Invalid(f"{field} must be a list of texts.", field=field)
    return [_label(part, field) for part in value]


def _providers(value: Any, field: str) -> list[str]:
    if not isinstance(value, list | tuple) or len(value) > _MAX_URIS:
        raise Invalid(f"{field} must be a list of at most {_MAX_URIS} ids of providers.", field=field)
    return list(dict.fromkeys(_provider(name, field) for name in value))


def _provider(value: Any, field: str) -> str:
    if not isinstance(value, str) or not _PROVIDER.fullmatch(value):
        raise Invalid(
            f"{field} must name providers as `idp provider create --id` does: small letters, digits, -.",
            field=field,
        )
    return value


def _colour(value: Any, field: str) -> str:
    if not isinstance(value, str) or not _COLOUR.fullmatch(value):
        raise Invalid(f"{field} must be a colour such as #2f5bea.", field=field)
    return value.lower()


def _link(value: Any, field: str) -> str:
    return validate_link(value, field=field)


FIELDS: Final[Mapping[str, tuple[Check, Any]]] = {
    # RFC 7591, OpenID Connect Registration: check, default (None: decided below, or absent)
    "client_name": (_label, None),
    "token_endpoint_auth_method": (_one_of(*CONFIDENTIAL_METHODS, "none"), "client_secret_basic"),
    "redirect_uris": (_redirect_uris, []),
    "post_logout_redirect_uris": (_redirect_uris, []),
    "grant_types": (_several_of(*GRANT_TYPES), ["authorization_code"]),
    "response_types": (_several_of(*RESPONSE_TYPES), None),
    "scope": (_scope, None),
    "application_type": (_one_of("web", "native"), None),
    "subject_type": (_one_of("public"), "public"),
    "id_token_signed_response_alg": (_one_of(*SUPPORTED_ALGORITHMS), "RS256"),
    "default_max_age": (_seconds(0), None),
    "require_auth_time": (_boolean, False),
    "default_acr_values": (_several_of(*ACR_VALUES_SUPPORTED), []),
    "backchannel_logout_uri": (_link, None),
    "backchannel_logout_session_required": (_boolean, False),
    "logo_uri": (_link, None),
    "client_uri": (_link, None),
    "policy_uri": (_link, None),
    "tos_uri": (_link, None),
    "contacts": (_contacts, []),
    # ours
    "response_modes": (_several_of(*RESPONSE_MODES), list(RESPONSE_MODES)),
    "first_party": (_boolean, False),
    "accent_color": (_colour, None),
    "allow_registration": (_boolean, True),
    "minimum_acr": (_one_of(*ACR_VALUES_SUPPORTED), None),
    "identity_providers": (_providers, None),
    "required_identity_provider": (_provider, None),
    "require_pkce": (_boolean, True),
    "access_token_format": (_one_of(*TOKEN_FORMATS), None),
    "access_token_signing_alg": (_one_of(*SUPPORTED_ALGORITHMS), "ES256"),
    "access_token_lifetime": (_seconds(1, MAX_ACCESS_TOKEN_SECONDS), None),
    "refresh_token_lifetime": (_seconds(1), None),
    "refresh_token_idle_lifetime": (_seconds(1), None),
    "refresh_token_grace": (_seconds(0), None),
    "rotate_refresh_tokens": (_boolean, None),
    "resource_servers": (_identifiers, []),
}
"""Every member a client may be registered with, its check and its default."""


def validate_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Check a client's metadata and fill in what follows from it.

    Returns:
        A dictionary with every member of :data:`FIELDS`; what the client leaves to the server's
        settings is None.

    Raises:
        Invalid: ``field`` names the member; an unknown member is refused by its name.

    Source: RFC 7591 §2, OpenID Connect Registration §2, RFC 9700 §2.
    """
    if not isinstance(metadata, Mapping):
        raise Invalid("Client metadata must be an object.", field="metadata")
    for name in metadata:
        if name not in FIELDS:
            raise Invalid(
                f"{ascii(name)[:60]} is not a member of client metadata.", field=str(ascii(name))[:60]
            )
    checked: dict[str, Any] = {}
    for name, (check, default) in FIELDS.items():
        given = metadata.get(name)
        if given is not None:
            checked[name] = check(given, name)
        else:
            checked[name] = list(default) if isinstance(default, list) else default
    _fill_in(checked)
    for rule in _RULES:
        rule(checked)
    return checked


def _fill_in(metadata: dict[str, Any]) -> None:
    """Defaults that follow from other members."""
    public = metadata["token_endpoint_auth_method"] == "none"
    uses_code = "authorization_code" in metadata["grant_types"]
    if metadata["response_types"] is None:
        metadata["response_types"] = ["code"] if uses_code else []
    if metadata["scope"] is None:
        metadata["scope"] = "openid" if uses_code else ""
    if metadata["application_type"] is None:
        kinds = [validate_redirect_uri(uri) for uri in metadata["redirect_uris"]]
        native = public and any(kind.is_loopback or kind.is_private_scheme for kind in kinds)
        metadata["application_type"] = "native" if native else "web"
    if metadata["rotate_refresh_tokens"] is None:
        metadata["rotate_refresh_tokens"] = public


def _needs_a_name(metadata: dict[str, Any]) -> None:
    if metadata["client_name"] is None:
        raise Invalid("A client must have a name that people can read.", field="client_name")


def _grants_fit(metadata: dict[str, Any]) -> None:
    grants = metadata["grant_types"]
    if not grants:
        raise Invalid("A client must have at least one grant type.", field="grant_types")
    if "refresh_token" in grants and "authorization_code" not in grants:
        raise Invalid(
            "refresh_token needs authorization_code: machines ask again instead.", field="grant_types"
        )
    if bool(metadata["response_types"]) != ("authorization_code" in grants):
        raise Invalid(
            "response_types must be code with authorization_code, and empty without.", field="response_types"
        )
    if "authorization_code" in grants and not metadata["redirect_uris"]:
        raise Invalid("authorization_code needs at least one redirect URI.", field="redirect_uris")
    if not metadata["response_modes"]:
        raise Invalid("A client must have at least one response mode.", field="response_modes")


def _public_clients_prove_possession(metadata: dict[str, Any]) -> None:
    """Source: RFC 6749 §4.4, RFC 9700 §2.1.1, §4.14.2 (rows C5 and T7)."""
    if metadata["token_endpoint_auth_method"] != "none":
        return
    if "client_credentials" in metadata["grant_types"]:
        raise Invalid("client_credentials needs a client with a secret.", field="grant_types")
    if not metadata["require_pkce"]:
        raise Invalid("A client without a secret must use PKCE.", field="require_pkce")
    if not metadata["rotate_refresh_tokens"]:
        raise Invalid(
            "Refresh tokens of a client without a secret must rotate.", field="rotate_refresh_tokens"
        )


def _required_provider_is_offered(metadata: dict[str, Any]) -> None:
    offered, required = metadata["identity_providers"], metadata["required_identity_provider"]
    if required is not None and offered is not None and required not in offered:
        raise Invalid(
            "The required provider must be among identity_providers.", field="required_identity_provider"
        )


def _schemes_fit_the_application(metadata: dict[str, Any]) -> None:
    if metadata["application_type"] == "native":
        return
    for field in ("redirect_uris", "post_logout_redirect_uris"):
        if any(validate_redirect_uri(uri, field=field).is_private_scheme for uri in metadata[field]):
            raise Invalid("Private-use schemes are for native applications (application_type).", field=field)


_RULES: Final = (
    _needs_a_name,
    _grants_fit,
    _public_clients_prove_possession,
    _required_provider_is_offered,
    _schemes_fit_the_application,
)
