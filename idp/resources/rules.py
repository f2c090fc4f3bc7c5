"""What a resource server is, and what it may be called."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from idp.errors import Invalid

OIDC_SCOPES: Final = ("openid", "profile", "email", "address", "phone", "groups", "offline_access")
"""Scopes of OpenID Connect Core §5.4 and §11, and ``groups``: they mean something to the issuer only."""

TOKEN_FORMATS: Final = ("jwt", "opaque")

_MAX_IDENTIFIER: Final = 500
_MAX_SCOPES: Final = 200
_MAX_TEXT: Final = 200
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+")
_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,200}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceServer:
    """An API with its own audience.

    ``scopes`` maps each scope to the sentence the consent page shows. ``access_token_format``
    is ``jwt``, ``opaque`` or None for the client's or the server's choice.
    """

    identifier: str
    name: str
    scopes: Mapping[str, str]
    access_token_format: str | None = None


def validate_identifier(identifier: object) -> str:
    """Accept the identifier of a resource server: an absolute URI without a fragment.

    It becomes the ``aud`` of tokens and is compared as a string, so no spelling is changed here.

    Raises:
        Invalid: field ``resource``.

    Source: RFC 8707 §2.
    """
    if not isinstance(identifier, str) or len(identifier) > _MAX_IDENTIFIER or not _URI.fullmatch(identifier):
        raise Invalid(
            "A resource must be an absolute URI without a fragment, such as https://api.example.",
            field="resource",
        )
    try:
        parts = urlsplit(identifier)
        host = parts.hostname
    except ValueError as error:
        raise Invalid("A resource must be a valid URI.", field="resource") from error
    if parts.scheme in {"http", "https"} and not host:
        raise Invalid("A resource with http or https must name a host.", field="resource")
    if "@" in parts.netloc:
        raise Invalid("A resource must not contain user information (@).", field="resource")
    return identifier


def validate_resource(
    *, identifier: object, name: object, scopes: object, access_token_format: object = None
) -> ResourceServer:
    """Accept a resource server for registration.

    Raises:
        Invalid: ``field`` is ``resource``, ``name``, ``scope`` or ``access_token_format``.
    """
    if access_token_format is not None and not (
        isinstance(access_token_format, str) and access_token_format in TOKEN_FORMATS
    ):
        raise Invalid("access_token_format must be jwt or opaque.", field="access_token_format")
    if not isinstance(scopes, Mapping) or len(scopes) > _MAX_SCOPES:
        raise Invalid(f"A resource defines at most {_MAX_SCOPES} scopes.", field="scope")
    described: dict[str, str] = {}
    for scope, sentence in scopes.items():
        if not isinstance(scope, str) or not _SCOPE_TOKEN.fullmatch(scope):
            raise Invalid('A scope is visible ASCII without spaces, " and \\.', field="scope")
        if scope in OIDC_SCOPES:
            raise Invalid(f"The scope {scope} is this server's own.", field="scope")
        described[scope] = _sentence(sentence, "scope")
    return ResourceServer(
        identifier=validate_identifier(identifier),
        name=_sentence(name, "name"),
        scopes=described,
        access_token_format=access_token_format,
    )


def _sentence(value: object, field: str) -> str:
    if not isinstance(value, str) or not 1 <= len(value.strip()) <= _MAX_TEXT:
        raise Invalid(f"Names and descriptions are texts of 1 to {_MAX_TEXT} characters.", field=field)
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in value):
        raise Invalid("Names and descriptions must not contain control characters.", field=field)
    return unicodedata.normalize("NFC", value).strip()
