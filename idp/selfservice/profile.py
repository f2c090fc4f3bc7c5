"""What a person says about themself: the standard claims they may change."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from idp.accounts import Account, validate_claims
from idp.audit import Actor, AuditEvent, Source
from idp.errors import Invalid, NotFound
from idp.languages import marked
from idp.selfservice.services import SelfServiceServices

TEXTS: Final = ("name", "given_name", "family_name", "middle_name", "nickname", "gender")
ADDRESSES_OF_PAGES: Final = ("profile", "picture", "website")
FIELDS: Final = (*TEXTS, *ADDRESSES_OF_PAGES, "birthdate", "zoneinfo", "locale")
"""Claims with one text each, in no order.

``preferred_username`` is not among them: clients are told the name that people sign in with, which is unique
here, so that nobody can take another person's name at a client that goes by it (see username.py). E-mail and
telephone have pages of their own too, because they must be proved. Source: OpenID Connect Core §5.1, §5.7.
"""

ADDRESS: Final = ("street_address", "locality", "region", "postal_code", "country")
"""Parts of the postal address. Source: OpenID Connect Core §5.1.1."""

_MESSAGES: Final[Mapping[str, str]] = {
    **dict.fromkeys(ADDRESSES_OF_PAGES, marked("Enter a web address that starts with https:// or http://.")),
    "birthdate": marked("Enter a date such as 1990-12-31, or the year alone."),
    "zoneinfo": marked("Enter a time zone such as Europe/Berlin."),
    "locale": marked("Choose a language."),
}
_TEXT_MESSAGE: Final = marked("Use at most 1024 characters, and no control characters.")
_LEAP_YEAR: Final = "2000"
_BREAKS = re.compile(r"\r\n?")


class InvalidProfile(Invalid):
    """Some fields cannot be accepted; ``fields`` says of each what to change."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        name, message = next(iter(fields.items()))
        super().__init__(message, field=name)
        self.fields = fields


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileChange:
    """The account after a change, and which claims are others than before."""

    account: Account
    changed: tuple[str, ...]


class Profile:
    """Changes a person's claims."""

    def __init__(self, services: SelfServiceServices) -> None:
        self._services = services

    def change(
        self, account_id: str, typed: Mapping[str, str], *, source: Source, now: datetime
    ) -> ProfileChange:
        """Write what a person typed into their profile; what they left empty is forgotten.

        Claims that the form does not have stay: those in other languages (``name#de``), the telephone number.

        Args:
            account_id: whose profile.
            typed: texts by the names in ``FIELDS`` and ``ADDRESS``; a missing name counts as empty.
            source: where the browser is.
            now: aware UTC time; becomes ``updated_at`` if anything changed.

        Raises:
            InvalidProfile: names every field that has to change.
            NotFound: the account was deleted a moment ago.
        """
        wanted = _claims(typed)
        services = self._services
        with services.database.transaction():
            row = services.repos.accounts.lock(account_id)
            if row is None:
                raise NotFound("There is no such account.")
            claims = _merged(row.claims, wanted)
            changed = tuple(
                sorted(name for name in {*FIELDS, "address"} if claims.get(name) != row.claims.get(name))
            )
            if changed:
                services.repos.accounts.set_claims(account_id, claims, now)
                services.audit.record(
                    AuditEvent.ACCOUNT_UPDATED,
                    actor=Actor.account(account_id, source),
                    account=account_id,
                    detail={"fields": changed},
                    now=now,
                )
            return ProfileChange(account=services.accounts.get(account_id), changed=changed)


def _claims(typed: Mapping[str, str]) -> dict[str, Any]:
    """The claims that these texts make, without those that are empty.

    Raises:
        InvalidProfile: see :meth:`Profile.change`.
    """
    claims: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name in FIELDS:
        text = typed.get(name, "").strip()
        if text:
            claims[name] = text
            if not _is_acceptable(name, text):
                wrong[name] = _MESSAGES.get(name, _TEXT_MESSAGE)
    address = {}
    for part in ADDRESS:
        text = _BREAKS.sub("\n", typed.get(part, "")).strip()
        if text:
            address[part] = text
            if not _is_claim("address", {part: text}):
                wrong[part] = _TEXT_MESSAGE
    if wrong:
        raise InvalidProfile(wrong)
    return {**claims, "address": address} if address else claims


def _merged(present: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in present.items() if name not in {*FIELDS, "address"}}
    merged = {**kept, **wanted}
    before, after = present.get("address"), wanted.get("address")
    if isinstance(before, dict) and "formatted" in before and after is not None:
        parts = {name: value for name, value in before.items() if name != "formatted"}
        if parts == after:  # the address as one text is about these parts, and gone when they change
            merged["address"] = before
    return merged


def _is_acceptable(name: str, text: str) -> bool:
    if not _is_claim(name, text):
        return False
    if name == "birthdate":
        return _is_date(text)
    return name != "zoneinfo" or _is_zone(text)


def _is_claim(name: str, value: Any) -> bool:
    try:
        validate_claims({name: value})
    except Invalid:
        return False
    return True


def _is_date(text: str) -> bool:
    """Whether a year, or a day that there is; year 0000 stands for "not told" (Core §5.1)."""
    year, mark, rest = text.partition("-")
    if not mark:
        return True
    try:
        date.fromisoformat(f"{_LEAP_YEAR if year == '0000' else year}-{rest}")
    except ValueError:
        return False
    return True


def _is_zone(text: str) -> bool:
    """Whether this machine knows the time zone; where it knows none, all that look like one will do."""
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return not _knows_zones()
    return True


def _knows_zones() -> bool:
    try:
        ZoneInfo("Europe/Berlin")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
