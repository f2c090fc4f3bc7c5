"""The ``claims`` parameter: single claims a client asks for. Source: OpenID Connect Core §5.5."""

import json
import math
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from authlib.oauth2.rfc6749.errors import InvalidRequestError

from idp.oauth.claims import SCOPE_CLAIMS, Vocabulary

ClaimsRequest = Mapping[str, Mapping[str, Mapping[str, Any] | None]]
"""Normalised: ``{"userinfo": {name: None | {"essential", "value", "values"}}, "id_token": {...}}``.

Both members are always there. Only claims and members this server understands are kept; the
specification asks to ignore the rest.
"""

PROTOCOL_CLAIMS = frozenset({"sub", "acr", "amr", "auth_time"})
"""Claims about the sign-in rather than the person: they need no consent of their own."""

_PLACES = ("userinfo", "id_token")
_MEMBERS = ("essential", "value", "values")
_MAX_VALUES = 20
_MAX_DIGITS = 19
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def parse_claims_request(text: str | None, known: Vocabulary = SCOPE_CLAIMS) -> ClaimsRequest | None:
    """Read a ``claims`` parameter; ``None`` when it is absent or asks for nothing we know.

    Raises:
        InvalidRequestError: not a JSON object, or a part of it has the wrong type.
    """
    if text is None:
        return None
    document = _load(text)
    if not isinstance(document, dict):
        raise InvalidRequestError("The claims parameter must be a JSON object.")
    understood = PROTOCOL_CLAIMS.union(*known.values())
    request = {place: dict(_requested(document.get(place), place, understood)) for place in _PLACES}
    return request if any(request.values()) else None


def claims_within(
    request: ClaimsRequest | None, scopes: Collection[str], known: Vocabulary = SCOPE_CLAIMS
) -> ClaimsRequest | None:
    """The part of a request that a client with these scopes may make; ``None`` if nothing is left.

    A claim is no way round the scopes a client is registered for (row K4); what it may not have
    is passed over like a claim nobody knows (OpenID Connect Core §5.5).
    """
    if request is None:
        return None
    allowed = PROTOCOL_CLAIMS.union(*(known.get(scope, ()) for scope in scopes))
    kept = {
        place: {name: member for name, member in request[place].items() if name in allowed}
        for place in _PLACES
    }
    return kept if any(kept.values()) else None


def personal_claims(
    request: ClaimsRequest | None, scopes: tuple[str, ...], known: Vocabulary = SCOPE_CLAIMS
) -> tuple[str, ...]:
    """Names of the claims about the person that no scope of the same request covers already."""
    if request is None:
        return ()
    covered = PROTOCOL_CLAIMS.union(*(known.get(scope, ()) for scope in scopes))
    names = dict.fromkeys(name for place in _PLACES for name in request[place])
    return tuple(name for name in names if name not in covered)


def requested_subject(request: ClaimsRequest | None) -> str | None:
    """The ``sub`` the client insists on. Source: OpenID Connect Core §5.5.1, §3.1.2.2.

    Raises:
        InvalidRequestError: the value is no string, or the two places name different people.
    """
    values = [value for value in _values(request, "sub") if value is not None]
    if not values:
        return None
    subject = values[0]
    if not isinstance(subject, str) or any(value != subject for value in values):
        raise InvalidRequestError("The claims parameter must name one sub, as a string.")
    return subject


def essential_acrs(request: ClaimsRequest | None) -> tuple[str, ...]:
    """The ``acr`` values one of which the ID token must have; empty when none is demanded.

    Source: OpenID Connect Core §5.5.1.1: an essential ``acr`` that cannot be met is a failed sign-in.
    """
    member = request["id_token"].get("acr") if request else None
    if not member or not member.get("essential"):
        return ()
    # A number is no level, but it was insisted on, and cannot be met.
    return tuple(str(value) for value in _acr_values(member) if value is not None)


def wished_acrs(request: ClaimsRequest | None) -> tuple[str, ...] | None:
    """The ``acr`` values the client would like in the ID token, most preferred first.

    ``None`` when it says nothing of them, or insists on some (:func:`essential_acrs`).
    """
    member = request["id_token"].get("acr") if request else None
    if not member or member.get("essential") or not {"value", "values"} & member.keys():
        return None
    return tuple(value for value in _acr_values(member) if isinstance(value, str))


def _acr_values(member: Mapping[str, Any]) -> list[Any]:
    values: list[Any] = member.get("values", [member["value"]] if "value" in member else [])
    return values


def _values(request: ClaimsRequest | None, name: str) -> Iterator[Any]:
    for place in _PLACES if request else ():
        member = request[place].get(name) if request else None
        if member:
            yield member.get("value")
            yield from member.get("values", ())


def _load(text: str) -> Any:
    """Strict JSON: no duplicate member names, no NaN, no endless nesting or digits."""
    try:
        return json.loads(
            text, object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_finite, parse_int=_short
        )
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError("The claims parameter is not valid JSON.") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member")
    return members


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(digits)
    return number


def _short(digits: str) -> int:
    """An integer that every JSON reader takes: one of hundreds of digits is infinite as a double."""
    if len(digits) > _MAX_DIGITS:
        raise ValueError(digits)
    return int(digits)


def _requested(
    claims: Any, place: str, understood: Collection[str]
) -> Iterator[tuple[str, dict[str, Any] | None]]:
    if claims is None:
        return
    if not isinstance(claims, dict):
        raise InvalidRequestError(f"The {place} member of the claims parameter must be a JSON object.")
    for name, member in claims.items():
        if member is not None and not isinstance(member, dict):
            raise InvalidRequestError("A requested claim must be null or a JSON object.")
        kept = None if member is None else _member(member)
        if name in understood:
            yield name, kept


def _member(member: Mapping[str, Any]) -> dict[str, Any] | None:
    kept = {name: member[name] for name in _MEMBERS if name in member}
    if not isinstance(kept.get("essential", False), bool):
        raise InvalidRequestError("The essential member of a requested claim must be true or false.")
    values = kept.get("values", [])
    if not isinstance(values, list) or len(values) > _MAX_VALUES:
        raise InvalidRequestError(f"The values member of a claim must be an array of up to {_MAX_VALUES}.")
    for value in (kept.get("value"), *values):
        if not isinstance(value, str | bool | int | float | None):
            raise InvalidRequestError("The value of a requested claim must be a string, number or boolean.")
        if isinstance(value, str) and _UNPRINTABLE.search(value):
            raise InvalidRequestError("A requested claim has characters that are not allowed.")
    return kept or None
