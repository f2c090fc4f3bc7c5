"""The claims that an account can have, and the type each of them must have."""

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from idp.errors import Invalid
from idp.storage import GROUPS, GROUPS_ELSEWHERE

_MAX_TEXT: Final = 1024
_MAX_URL: Final = 2048
_MAX_CLAIMS: Final = 200
_MAX_GROUPS: Final = 200
_MAX_VALUES: Final = 200
_MAX_NUMBER: Final = 2**53 - 1
"""What every reader of JSON takes exactly (RFC 8259 §6)."""
_LONGEST_GROUP: Final = 256

_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
_LOCALE = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9][A-Za-z0-9_+-]*)*")
_BIRTHDATE = re.compile(r"[0-9]{4}(?:-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01]))?")
_PHONE = re.compile(r"\+?[0-9(][0-9 ().\-/]{1,40}(?:;ext=[0-9]{1,10})?")
_ADDRESS_MEMBERS: Final = frozenset(
    {"formatted", "street_address", "locality", "region", "postal_code", "country"}
)


def _text(value: Any, name: str, *, breaks: bool = True, limit: int = _MAX_TEXT) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Invalid(f"The claim {name} must be a text that is not empty.", field=name)
    if len(value) > limit:
        raise Invalid(f"The claim {name} may have at most {limit} characters.", field=name)
    for character in value:
        if unicodedata.category(character) in {"Cc", "Cs"} and not (breaks and character in "\r\n"):
            raise Invalid(f"The claim {name} must not contain control characters.", field=name)
    return value


def _line(value: Any, name: str) -> str:
    return _text(value, name, breaks=False)


def _url(value: Any, name: str) -> str:
    """An absolute http(s) address; anything else could run in the page that shows it."""
    text = _text(value, name, breaks=False, limit=_MAX_URL)
    try:
        parts = urlsplit(text)
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        fine = False
    if not fine or any(character.isspace() or character in '<>"\\' for character in text):
        raise Invalid(
            f"The claim {name} must be a web address that starts with https:// or http://.", field=name
        )
    return text


def _matching(pattern: re.Pattern[str], meaning: str) -> Callable[[Any, str], str]:
    def check(value: Any, name: str) -> str:
        text = _line(value, name)
        if not pattern.fullmatch(text):
            raise Invalid(f"The claim {name} must be {meaning}.", field=name)
        return text

    return check


def _boolean(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise Invalid(f"The claim {name} must be true or false.", field=name)
    return value


def _address(value: Any, name: str) -> dict[str, str]:
    """Source: OpenID Connect Core §5.1.1."""
    if not isinstance(value, dict) or not value:
        raise Invalid("The claim address must be an object.", field=name)
    unknown = [member for member in value if member not in _ADDRESS_MEMBERS]
    if unknown:
        raise Invalid(f"The claim address has no member {str(unknown[0])[:40]!r}.", field=name)
    return {member: _text(part, name) for member, part in value.items()}


def _groups(value: Any, name: str) -> list[str]:
    """Names of groups, in the order in which they are given; no standard says what a group is."""
    if not isinstance(value, list) or len(value) > _MAX_GROUPS:
        raise Invalid(f"The claim {name} must be a list of at most {_MAX_GROUPS} texts.", field=name)
    groups = [_text(group, name, breaks=False, limit=_LONGEST_GROUP) for group in value]
    if len(set(groups)) < len(groups):
        raise Invalid(f"The claim {name} must name each group once.", field=name)
    return groups


STANDARD_CLAIMS: Final[Mapping[str, Callable[[Any, str], Any]]] = {
    "name": _line,
    "given_name": _line,
    "family_name": _line,
    "middle_name": _line,
    "nickname": _line,
    "preferred_username": _line,
    "profile": _url,
    "picture": _url,
    "website": _url,
    "gender": _line,
    "birthdate": _matching(_BIRTHDATE, "a date such as 1990-12-31, 0000-12-31 or 1990"),
    "zoneinfo": _matching(_ZONE, "a time zone such as Europe/Berlin"),
    "locale": _matching(_LOCALE, "a language such as en or de-AT"),
    "phone_number": _matching(_PHONE, "a telephone number such as +49 30 123456"),
    "phone_number_verified": _boolean,
    "address": _address,
}
"""Claims an account may carry and their checks (OpenID Connect Core §5.1).

``sub``, ``email``, ``email_verified`` and ``updated_at`` are columns of the account, not free claims.
"""

_CHECKS: Final[Mapping[str, Callable[[Any, str], Any]]] = {**STANDARD_CLAIMS, GROUPS: _groups}

_TAGGABLE: Final = frozenset({
    "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username",
    "profile", "picture", "website", "gender", "address",
})  # fmt: skip

_OURS: Final = {
    "sub": "is given by this server",
    "email": "is a field of the account",
    "email_verified": "is a field of the account",
    "updated_at": "is kept by this server",
    GROUPS_ELSEWHERE: "comes from linked identities",
}


def _custom(value: Any, name: str) -> Any:
    """A claim of the operator's own: a text, a whole number, a truth value, or a list of texts."""
    if isinstance(value, bool) or (isinstance(value, int) and abs(value) <= _MAX_NUMBER):
        return value
    if isinstance(value, list) and 0 < len(value) <= _MAX_VALUES:
        return [_line(text, name) for text in value]
    if isinstance(value, str):
        return _line(value, name)
    raise Invalid(
        f"The claim {name} must be a text, a whole number, true or false, or a list of texts.", field=name
    )


def validate_claims(claims: Mapping[str, Any], custom: Collection[str] = ()) -> dict[str, Any]:
    """Check every claim and return the same claims as a new dictionary.

    A claim whose value people read may carry a language tag: ``name#de`` (Core §5.2). Tags are
    compared without case, so the same claim cannot be given twice in one language.

    Args:
        claims: names and values.
        custom: names of the operator's own claims (``claims.custom``).

    Raises:
        Invalid: ``field`` is the claim's name; unknown names are refused, so that a typing error
            is seen when the account is made and not when a client misses the claim.

    Source: OpenID Connect Core §5.1, §5.1.1, §5.2.
    """
    if not isinstance(claims, Mapping):
        raise Invalid("Claims must be an object of names and values.", field="claims")
    if len(claims) > _MAX_CLAIMS:
        raise Invalid(f"An account may carry at most {_MAX_CLAIMS} claims.", field="claims")
    seen: set[str] = set()
    checked: dict[str, Any] = {}
    for name, value in claims.items():
        check = _custom if name in custom else _check_for(name)
        if name.lower() in seen:
            raise Invalid(f"The claim {name} is given twice.", field=name)
        seen.add(name.lower())
        checked[name] = check(value, name)
    return checked


def _check_for(name: Any) -> Callable[[Any, str], Any]:
    if not isinstance(name, str):
        raise Invalid("Claim names must be text.", field="claims")
    base, mark, tag = name.partition("#")
    if base in _OURS:
        raise Invalid(f"The claim {base} {_OURS[base]} and cannot be set here.", field=base)
    check = _CHECKS.get(base)
    if check is None:
        raise Invalid(f"{name[:60]!a} is not a claim that an account can have.", field="claims")
    if mark and (base not in _TAGGABLE or not _LANGUAGE.fullmatch(tag)):
        raise Invalid(f"The claim {base} cannot carry the language {tag[:40]!a}.", field=base)
    return check
