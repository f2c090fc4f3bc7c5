"""The account record and its life cycle."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from idp.accounts.claims import validate_claims
from idp.accounts.identifiers import (
    canonical_email,
    canonical_identifier,
    normalized_email,
    normalized_username,
)
from idp.errors import Invalid, NotFound
from idp.ids import new_id
from idp.storage import AccountRow, Repositories


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person as this server knows them.

    ``id`` is the ``sub`` of every token. ``not_before``: nothing issued or signed in before that
    moment counts any more (revocation epoch, decision D13).
    """

    id: str
    username: str
    email: str | None
    email_verified: bool
    claims: Mapping[str, Any]
    disabled_at: datetime | None
    not_before: datetime | None
    created_at: datetime
    updated_at: datetime

    @property
    def is_disabled(self) -> bool:
        """Whether the account must not be used for anything."""
        return self.disabled_at is not None


class Accounts:
    """Makes, finds and switches accounts. Callers hold the transaction."""

    def __init__(self, repos: Repositories) -> None:
        self._accounts = repos.accounts

    def create(
        self,
        *,
        username: str,
        email: str | None,
        email_verified: bool,
        claims: Mapping[str, Any],
        now: datetime,
    ) -> Account:
        """Make an account that can be found by its username and its e-mail address.

        Usernames and addresses share one name space: a username cannot be somebody else's
        address, nor the other way round (row V7).

        Raises:
            Invalid: a name, an address or a claim breaks its rule.
            Conflict: the username or the address belongs to another account.
        """
        if email is None and email_verified:
            raise Invalid("There is no e-mail address to be verified.", field="email_verified")
        identifiers = {canonical_identifier(username): "username"}
        if email is not None:
            identifiers.setdefault(canonical_email(email), "email")
        row = AccountRow(
            id=new_id("acc", now),
            username=normalized_username(username),
            email=None if email is None else normalized_email(email),
            email_verified=email_verified,
            claims=validate_claims(claims),
            disabled_at=None,
            not_before=None,
            created_at=now,
            updated_at=now,
        )
        self._accounts.add(row, list(identifiers.items()))
        return _account(row)

    def get(self, account_id: str) -> Account:
        """The account with this id.

        Raises:
            NotFound: there is none.
        """
        account = self.find(account_id)
        if account is None:
            raise NotFound("There is no such account.")
        return account

    def find(self, account_id: str) -> Account | None:
        """The account with this id, or None."""
        row = self._accounts.get(account_id)
        return None if row is None else _account(row)

    def find_by_identifier(self, text: str) -> Account | None:
        """The account with this username or e-mail address; None for unknown names and for junk."""
        try:
            canonical = canonical_identifier(text)
        except Invalid:
            return None
        row = self._accounts.find_by_identifier(canonical)
        return None if row is None else _account(row)

    def list_(self, *, limit: int = 100, after: str | None = None) -> list[Account]:
        """Accounts in the order they were made, the next ``limit`` after the id ``after``."""
        return [_account(row) for row in self._accounts.list_(limit=limit, after=after)]

    def disable(self, account_id: str, now: datetime) -> Account:
        """Switch the account off, and end for good whatever it was used for until ``now``.

        Ending its sessions and token families is the caller's part (admin/).

        Raises:
            NotFound: there is no such account.
        """
        self.get(account_id)
        self._accounts.set_disabled(account_id, now)
        # Without the epoch, a token from before would come back to life with the account.
        self._accounts.set_not_before(account_id, now)
        return self.get(account_id)

    def enable(self, account_id: str) -> Account:
        """Switch the account on again; the person signs in anew.

        Raises:
            NotFound: there is no such account.
        """
        self.get(account_id)
        self._accounts.set_disabled(account_id, None)
        return self.get(account_id)


def _account(row: AccountRow) -> Account:
    return Account(
        id=row.id,
        username=row.username,
        email=row.email,
        email_verified=row.email_verified,
        claims=dict(row.claims),
        disabled_at=row.disabled_at,
        not_before=row.not_before,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
