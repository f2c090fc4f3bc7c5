"""From a provider's claims to ours. Pure: no network, no clock.

Only what is well formed comes through; the rest is as if it had not been said. Two things are strict on
purpose: the subject (row V9) and whether an address is verified (row V8).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from idp.federation.errors import UpstreamRefused
from idp.federation.provider import Provider, ProviderKind
from idp.federation.signed_tokens import name_of

_LONGEST_TEXT = 255
_LONGEST_EMAIL = 254
_LONGEST_URL = 2048
_MOST_VALUES = 200

_TEXTS = (
    "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username",
    "gender", "birthdate", "zoneinfo", "locale",
)  # fmt: skip
_URLS = ("profile", "picture", "website")
_OWN_FIELDS = frozenset({"sub", "email", "email_verified", "groups"})
"""Claims of ours that have a field of their own in an identity."""
_PROTOCOL = frozenset(
    {
        "iss",
        "aud",
        "azp",
        "exp",
        "iat",
        "nbf",
        "jti",
        "nonce",
        "at_hash",
        "c_hash",
        "sid",
        "acr",
        "amr",
        "auth_time",
    }
)
"""Never taken over by a mapping: they speak of the token, not of the person."""

_MISSING = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedClaims:
    """What a provider's claims mean here."""

    subject: str
    claims: Mapping[str, Any]
    email: str | None
    email_verified: bool
    groups: tuple[str, ...]


def map_claims(provider: Provider, claims: Mapping[str, Any]) -> MappedClaims:
    """What the provider's mapping makes of these claims.

    Args:
        provider: its mapping and quirks.
        claims: verified ones of the ID token with userinfo, or the answer of a provider without ID tokens.

    Raises:
        UpstreamRefused: they name no subject that could be a key.
    """
    email = _email(_said(provider, claims, "email"))
    return MappedClaims(
        subject=_subject(provider, claims),
        claims=_profile(provider, claims),
        email=email,
        email_verified=email is not None and _is_true(provider, _said(provider, claims, "email_verified")),
        groups=_groups(provider, claims),
    )


def preview(provider: Provider, claims: Mapping[str, Any]) -> dict[str, Any]:
    """What the provider's mapping makes of these claims, for an operator to look at.

    Args:
        provider: its mapping and quirks.
        claims: as the provider would send them; the answer of an address with a list of e-mail addresses
            stands under ``emails``.

    Returns:
        ``subject``, ``claims``, ``email``, ``email_verified``, ``groups``, ``missing`` (required claims
        that are not there) and ``refused`` (the reason code for which a sign-in would fail, or ``None``).
    """
    if provider.emails_endpoint:
        claims = with_primary_email(claims, claims.get("emails"))
    refused = None
    try:
        subject = _subject(provider, claims)
    except UpstreamRefused as error:
        subject, refused = None, error.detail
    email = _email(_said(provider, claims, "email"))
    profile = _profile(provider, claims)
    known = {**profile, **({"email": email} if email else {})}
    return {
        "subject": subject,
        "claims": profile,
        "email": email,
        "email_verified": email is not None and _is_true(provider, _said(provider, claims, "email_verified")),
        "groups": list(_groups(provider, claims)),
        "missing": [name for name in provider.required_claims if name not in known],
        "refused": refused,
    }


def with_primary_email(claims: Mapping[str, Any], addresses: object) -> dict[str, Any]:
    """The claims with the primary address of a list like GitHub's, and whether that one is verified.

    The address in the claims themselves is what a person shows in public, and says nothing about being
    verified.
    """
    listed = [entry for entry in addresses if isinstance(entry, dict)] if isinstance(addresses, list) else []
    primary = next((entry for entry in listed if entry.get("primary") is True), {})
    return {**claims, "email": primary.get("email"), "email_verified": primary.get("verified")}


def wanted_claims(provider: Provider) -> tuple[str, ...]:
    """Claims that we ask the provider for, by its scopes and the mapping."""
    wanted = [path for ours, path in provider.claims.items() if ours not in _PROTOCOL]
    if "email" in provider.scopes:
        wanted.append(provider.claims.get("email", "email"))
    if "profile" in provider.scopes:
        wanted.append(provider.claims.get("name", "name"))
    if provider.group_claim:
        wanted.append(provider.group_claim)
    return tuple(dict.fromkeys(wanted))


def find_claim(claims: Mapping[str, Any], path: str) -> Any:
    """The value at a path like ``emails.0.value``; ``None`` if there is none.

    A name that itself holds dots, for example a URL, is found as it is.
    """
    found = _walk(claims, path)
    return None if found is _MISSING else found


def _walk(value: Any, path: str) -> Any:
    if isinstance(value, Mapping) and path in value:
        return value[path]
    head, dot, rest = path.partition(".")
    if isinstance(value, Mapping) and head in value:
        below = value[head]
    elif isinstance(value, list) and head.isascii() and head.isdigit() and int(head) < len(value):
        below = value[int(head)]
    else:
        return _MISSING
    return _walk(below, rest) if dot else below


def _said(provider: Provider, claims: Mapping[str, Any], name: str) -> Any:
    """What the provider says for a claim of ours; its own name for it unless the mapping has another."""
    return find_claim(claims, provider.claims.get(name, name))


def _subject(provider: Provider, claims: Mapping[str, Any]) -> str:
    # The ID token's "sub" is the key by specification; no mapping chooses another claim for it.
    value = claims.get("sub") if provider.kind is ProviderKind.OIDC else _said(provider, claims, "sub")
    if provider.numeric_subject and isinstance(value, int) and not isinstance(value, bool) and value > 0:
        value = str(value)
    subject = name_of(value)
    if subject is None:
        raise UpstreamRefused("subject_invalid")
    return subject


def _is_true(provider: Provider, value: object) -> bool:
    """Whether it is literally true; the text ``true`` counts only where that is a known quirk."""
    return value is True or (provider.email_verified_as_text and value == "true")


def _email(value: object) -> str | None:
    if not isinstance(value, str) or len(value) > _LONGEST_EMAIL or not value.isprintable() or " " in value:
        return None
    local, at, domain = value.rpartition("@")
    return value if at and local and domain else None


def _profile(provider: Provider, claims: Mapping[str, Any]) -> dict[str, Any]:
    wanted: dict[str, Callable[[Any], Any]] = {
        **dict.fromkeys(_TEXTS, _text),
        **dict.fromkeys(_URLS, _url),
    }
    for ours in provider.claims:
        if ours not in wanted and ours not in _OWN_FIELDS and ours not in _PROTOCOL:
            wanted[ours] = _custom
    found = {name: read(_said(provider, claims, name)) for name, read in wanted.items()}
    return {name: value for name, value in found.items() if value is not None}


def _text(value: Any) -> str | None:
    if not isinstance(value, str) or not value.isprintable():
        return None
    text = value.strip()
    return text if 0 < len(text) <= _LONGEST_TEXT else None


def _url(value: Any) -> str | None:
    if (
        not isinstance(value, str)
        or len(value) > _LONGEST_URL
        or not value.isascii()
        or not value.isprintable()
    ):
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    return value if parts.scheme in {"https", "http"} and parts.netloc and " " not in value else None


def _custom(value: Any) -> Any:
    """A claim of the operator's own: a text, a number, a truth value, or a list of texts."""
    if isinstance(value, bool | int):
        return value
    if isinstance(value, list):
        texts = [text for text in map(_text, value[:_MOST_VALUES]) if text is not None]
        return texts if len(texts) == len(value) else None
    return _text(value)


def _groups(provider: Provider, claims: Mapping[str, Any]) -> tuple[str, ...]:
    """Our groups for theirs; a group that the mapping does not name gives nothing."""
    if provider.group_claim is None:
        return ()
    value = find_claim(claims, provider.group_claim)
    listed: Sequence[Any] = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    ours = (
        provider.group_map[group]
        for group in listed
        if isinstance(group, str) and group in provider.group_map
    )
    return tuple(dict.fromkeys(ours))[:_MOST_VALUES]
