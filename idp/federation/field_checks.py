"""How the value of one field of a provider's configuration is checked.

Each check takes the value as it came from JSON and the field's name, and gives the value to store.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from idp.errors import Invalid
from idp.federation.domains import ANY_DOMAIN, ascii_domain

Check = Callable[[Any, str], Any]

TENANT: Final = "{tenantid}"
"""The gap in an issuer that ``tid`` of the ID token fills (Entra)."""

_MAX_URL: Final = 2048
_MAX_TEXT: Final = 200
_MAX_VALUES: Final = 200
_MAX_POSITION: Final = 10_000
_LONGEST_GROUP: Final = 256
_VISIBLE_ASCII = re.compile(r"[!-~]+")
_PRINTABLE_ASCII = re.compile(r"[ -~]{1,512}")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,200}")
_PARAMETER = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_OURS = re.compile(r"[A-Za-z][A-Za-z0-9_:/.-]{0,199}")
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

_RESERVED_PARAMETERS: Final = frozenset(
    {
        "client_id", "client_secret", "code_challenge", "code_challenge_method", "nonce", "redirect_uri",
        "request", "request_uri", "response_mode", "response_type", "scope", "state",
    }
)  # fmt: skip

_NOT_OF_A_PERSON: Final = frozenset(
    {
        "acr", "amr", "at_hash", "aud", "auth_time", "azp", "c_hash", "exp", "groups", "iat", "iss", "jti",
        "nbf", "nonce", "sid",
    }
)  # fmt: skip
"""They speak of the token; groups have a mapping of their own."""


def one_of(*allowed: str) -> Check:
    """One of these words."""

    def check(value: Any, field: str) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise Invalid(f"{field} must be one of {', '.join(allowed)}.", field=field)
        return value

    return check


def several_of(*allowed: str) -> Check:
    """A list of these words, each once."""

    def check(value: Any, field: str) -> list[str]:
        listed = _list(value, field)
        if not all(isinstance(part, str) and part in allowed for part in listed):
            raise Invalid(f"{field} must be a list of {', '.join(allowed)}.", field=field)
        return list(dict.fromkeys(listed))

    return check


def boolean(value: Any, field: str) -> bool:
    """True or false, literally."""
    if not isinstance(value, bool):
        raise Invalid(f"{field} must be true or false.", field=field)
    return value


def position(value: Any, field: str) -> int:
    """A place in an order."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MAX_POSITION:
        raise Invalid(f"{field} must be a whole number, 0 to {_MAX_POSITION}.", field=field)
    return value


def label(value: Any, field: str) -> str:
    """A text that people read."""
    if not isinstance(value, str) or not 1 <= len(value.strip()) <= _MAX_TEXT:
        raise Invalid(f"{field} must be a text of 1 to {_MAX_TEXT} characters.", field=field)
    # Cf holds the direction overrides that make one name show as another.
    if any(unicodedata.category(character) in _INVISIBLE for character in value):
        raise Invalid(f"{field} must not contain control characters.", field=field)
    return unicodedata.normalize("NFC", value).strip()


def identifier(value: Any, field: str) -> str:
    """An identifier as another system gave it to us."""
    if not isinstance(value, str) or not _PRINTABLE_ASCII.fullmatch(value) or value != value.strip():
        raise Invalid(
            f"{field} must be 1 to 512 printable ASCII characters, without spaces around them.", field=field
        )
    return value


def identifiers(value: Any, field: str) -> list[str]:
    """Several identifiers, each once."""
    return list(dict.fromkeys(identifier(part, field) for part in _list(value, field)))


def scopes(value: Any, field: str) -> list[str]:
    """Scopes in order, each once. Source: RFC 6749 §3.3."""
    listed = _list(value, field)
    if not all(isinstance(part, str) and _SCOPE.fullmatch(part) for part in listed):
        raise Invalid(f'{field} must be a list of scopes: visible ASCII without " and \\.', field=field)
    return list(dict.fromkeys(listed))


def web_address(value: Any, field: str) -> str:
    """A full web address. Whether plain http will do is asked where the hosts are known."""
    text = value if isinstance(value, str) else ""
    if len(text) > _MAX_URL or not _VISIBLE_ASCII.fullmatch(text) or any(mark in text for mark in '<>"\\{}'):
        raise Invalid(f"{field} must be a web address, such as https://accounts.example.", field=field)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host or parts.scheme not in {"https", "http"}:
        raise Invalid(f"{field} must be a web address, such as https://accounts.example.", field=field)
    if "@" in parts.netloc or "#" in text:
        raise Invalid(f"{field} must hold neither a user name (@) nor a fragment (#).", field=field)
    return text


def issuer(value: Any, field: str) -> str:
    """An issuer: a web address without a query, and at most one gap for the tenant.

    Source: OpenID Connect Discovery 1.0 §3.
    """
    text = value if isinstance(value, str) else ""
    filled = text.replace(TENANT, "tenant", 1)
    web_address(filled, field)
    if "?" in text:
        raise Invalid(f"{field} must not have a query (?).", field=field)
    if filled != text and TENANT in urlsplit(text).netloc:
        raise Invalid(f"{field} may hold {TENANT} in its path only.", field=field)
    return text


def origins(value: Any, field: str) -> list[str]:
    """Origins: scheme, host and port, nothing behind them."""
    found = []
    for part in _list(value, field):
        parts = urlsplit(web_address(part, field))
        if parts.path or parts.query:
            raise Invalid(f"{field} must hold origins, such as https://accounts.example.", field=field)
        found.append(part.lower())
    return list(dict.fromkeys(found))


def domains(value: Any, field: str) -> list[str]:
    """Domains of e-mail addresses, in ASCII and lower case."""
    found = [ascii_domain(part) if isinstance(part, str) else None for part in _list(value, field)]
    if None in found:
        raise Invalid(f"{field} must hold domains, such as example.org.", field=field)
    return list(dict.fromkeys(domain for domain in found if domain is not None))


def trusted_domains(value: Any, field: str) -> list[str]:
    """Domains, or the one word for every domain."""
    if ANY_DOMAIN in _list(value, field):
        if len(value) > 1:
            raise Invalid(f"{field} holds * and further domains: * means every domain.", field=field)
        return [ANY_DOMAIN]
    return domains(value, field)


def parameters(value: Any, field: str) -> dict[str, str]:
    """Further parameters of a request; none of those that protect it."""
    found = _texts(value, field)
    for name in found:
        if name in _RESERVED_PARAMETERS:
            raise Invalid(f"{field} must not hold {name}: it is set for each request.", field=field)
        if not _PARAMETER.fullmatch(name):
            raise Invalid(f"{field} holds a name that no parameter has.", field=field)
    return found


def claim_paths(value: Any, field: str) -> dict[str, str]:
    """Claims of ours, and where in the provider's each is found."""
    found = {}
    for name, path in _texts(value, field).items():
        if name in _NOT_OF_A_PERSON:
            reason = "use group_claim and group_map" if name == "groups" else "it speaks of the token"
            raise Invalid(f"{field} must not map {name}: {reason}.", field=field)
        if not _OURS.fullmatch(name):
            raise Invalid(f"{field} holds a name that no claim has.", field=field)
        found[name] = claim_path(path, f"{field}.{name}")
    return found


def claim_path(value: Any, field: str) -> str:
    """A path in a provider's claims: names and places in lists, with dots between them."""
    parts = value.split(".") if isinstance(value, str) else []
    usable = isinstance(value, str) and 1 <= len(value) <= _MAX_TEXT and value.isprintable()
    if not usable or value != value.strip() or not all(parts):
        raise Invalid(f"{field} must be a path such as email or emails.0.value.", field=field)
    return str(value)


def names(value: Any, field: str) -> dict[str, str]:
    """Names there, and names here."""
    return _texts(value, field)


def group_names(value: Any, field: str) -> dict[str, str]:
    """Groups there, and groups here, which an account must be able to have."""
    found = _texts(value, field)
    for group in found.values():
        if len(group) > _LONGEST_GROUP or not group.strip():
            raise Invalid(f"{field} must hold groups of 1 to {_LONGEST_GROUP} characters.", field=field)
    return found


def _list(value: Any, field: str) -> list[Any]:
    if not isinstance(value, list | tuple) or len(value) > _MAX_VALUES:
        raise Invalid(f"{field} must be a list of at most {_MAX_VALUES} values.", field=field)
    return list(value)


def _texts(value: Any, field: str) -> dict[str, str]:
    if not hasattr(value, "items") or len(value) > _MAX_VALUES:
        raise Invalid(f"{field} must be an object with at most {_MAX_VALUES} members.", field=field)
    found = dict(value.items())
    for text in (*found, *found.values()):
        if not isinstance(text, str) or not 1 <= len(text) <= _MAX_URL or not text.isprintable():
            raise Invalid(f"{field} must hold texts that are not empty.", field=field)
    return found
