"""The account record and its life cycle."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from idp.accounts.claims import STANDARD_CLAIMS, validate_claims
from idp.accounts.identifiers import (
    canonical_email,
    canonical_identifier,
    canonical_phone,
    normalized_email,
    normalized_username,
)
from idp.errors import Invalid, NotFound
from idp.ids import new_id
from idp.languages import marked
from idp.storage import GROUPS_ELSEWHERE, AccountRow, Repositories


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
    terms_version: str | None = None
    """Which terms the person accepted."""

    @property
    def phone(self) -> str | None:
        """The telephone number, if it is known to be the person's."""
        number = self.claims.get("phone_number")
        return (
            number if isinstance(number, str) and self.claims.get("phone_number_verified") is True else None
        )

    @property
    def own_claims(self) -> dict[str, Any]:
        """The claims without what linked identities bring."""
        return {name: value for name, value in self.claims.items() if name != GROUPS_ELSEWHERE}

    @property
    def groups_elsewhere(self) -> Mapping[str, Sequence[str]]:
        """The groups that linked identities bring, by the id of the identity."""
        found: Mapping[str, Sequence[str]] = self.claims.get(GROUPS_ELSEWHERE, {})
        return found

    @property
    def is_disabled(self) -> bool:
        """Whether the account must not be used for anything."""
        return self.disabled_at is not None


class Accounts:
    """Makes, finds and switches accounts. Callers hold the transaction.

    Args:
        repos: repositories on the caller's session.
        custom_claims: names of the operator's own claims.
    """

    def __init__(self, repos: Repositories, custom_claims: Collection[str] = ()) -> None:
        self._accounts = repos.accounts
        self._custom_claims = frozenset(custom_claims)

    def validate_claims(self, claims: Mapping[str, Any]) -> dict[str, Any]:
        """Check claims that an account here is to have, and return them in a new dictionary.

        Raises:
            Invalid: see :func:`validate_claims`.
        """
        return validate_claims(claims, self._custom_claims)

    def knows_claim(self, name: str) -> bool:
        """Whether accounts here may have it: a standard claim, or one of the operator's own."""
        return name in STANDARD_CLAIMS or name in self._custom_claims

    def create(
        self,
        *,
        username: str,
        email: str | None,
        email_verified: bool,
        claims: Mapping[str, Any],
        phone: str | None = None,
        terms_version: str | None = None,
        account_id: str | None = None,
        now: datetime,
    ) -> Account:
        """Make an account that can be found by its username, its e-mail address and its proved number.

        Usernames, addresses and numbers share one name space: a username cannot be somebody else's
        address, nor the other way round (row V7).

        Args:
            username: the name that is shown.
            email: an address.
            email_verified: whether it was proved to be the person's, or somebody vouches for it.
            claims: standard claims; without the telephone number if ``phone`` is given.
            phone: a number that was proved to be the person's.
            terms_version: the terms they accepted just now.
            account_id: its id, if it had to be known before.
            now: aware UTC time.

        Raises:
            Invalid: a name, an address or a claim breaks its rule.
            Conflict: the username or the address belongs to another account.
        """
        if email is None and email_verified:
            raise Invalid("There is no e-mail address to be verified.", field="email_verified")
        identifiers = {canonical_identifier(username): "username"}
        if email is not None:
            identifiers.setdefault(canonical_email(email), "email")
        if phone is not None:
            identifiers.setdefault(canonical_phone(phone), "phone")
            claims = {**claims, **_proved(phone)}
        row = AccountRow(
            id=account_id or new_id("acc", now),
            username=normalized_username(username),
            email=None if email is None else normalized_email(email),
            email_verified=email_verified,
            claims=self.validate_claims(claims),
            disabled_at=None,
            not_before=None,
            created_at=now,
            updated_at=now,
            terms_version=terms_version,
            terms_accepted_at=None if terms_version is None else now,
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

    def confirm_email(self, account_id: str, email: str, now: datetime) -> bool:
        """Note that an address was proved to be the person's; False if the account has another by now.

        Raises:
            NotFound: there is no such account.
        """
        account = self.get(account_id)
        if account.email is None or canonical_email(account.email) != canonical_email(email):
            return False
        self._accounts.set_email(account_id, account.email, verified=True, now=now)
        return True

    def change_email(
        self,
        account_id: str,
        email: str,
        now: datetime,
        *,
        verified: bool = True,
        username: str | None = None,
    ) -> Account:
        """Give the account another address, which is a name to sign in with from now on.

        Who is called by their address, because they registered with it, is called by the new one.

        Args:
            account_id: whose.
            email: the new address.
            now: aware UTC time.
            verified: whether it was proved.
            username: the name to go with it; by default kept, or changed with the address.

        Raises:
            NotFound: there is no such account.
            Invalid: not an address.
            Conflict: it is another account's name.
        """
        account = self.get(account_id)
        address = normalized_email(email)
        if username is None and account.email is not None and _same(account.username, account.email):
            username = address
        if username is not None and username != account.username:
            self._accounts.set_username(account_id, normalized_username(username), now)
        self._accounts.set_email(account_id, address, verified=verified, now=now)
        return self._rename(account_id)

    def change_phone(self, account_id: str, phone: str, now: datetime) -> Account:
        """Give the account a telephone number that was proved to be the person's.

        Raises:
            NotFound: there is no such account.
            Invalid: not a number.
            Conflict: it is another account's name.
        """
        account = self.get(account_id)
        if account.phone is not None and _same(account.username, account.phone):
            self._accounts.set_username(account_id, canonical_phone(phone), now)
        self._accounts.set_claims(account_id, {**account.claims, **_proved(phone)}, now)
        return self._rename(account_id, phone=phone)

    def change_username(self, account_id: str, username: str, now: datetime) -> Account:
        """Call the account by another name, which clients are told as ``preferred_username``.

        Security: nobody calls themself by what looks like an address or a telephone number, unless it is
        their own: it might become somebody else's (row V7), and an answer would tell whether it has an
        account already (row L6).

        Raises:
            NotFound: there is no such account.
            Invalid: not a name, or an address or a number of others.
            Conflict: it is another account's name.
        """
        account = self.get(account_id)
        name = normalized_username(username)
        canonical = canonical_identifier(name)
        own = {known for known, _ in self._accounts.list_identifiers(account_id)}
        if canonical not in own and ("@" in canonical or _is_phone(canonical)):
            raise Invalid(
                marked("Choose a name that is neither an e-mail address nor a telephone number."),
                field="username",
            )
        if name == account.username:
            return account
        self._accounts.set_username(account_id, name, now)
        return self._rename(account_id)

    def _rename(self, account_id: str, *, phone: str | None = None) -> Account:
        """Make the names of the record those it is found by; ``phone`` in place of a number that is one."""
        account = self.get(account_id)
        former = self._accounts.list_identifiers(account_id)
        numbers = [canonical for canonical, kind in former if kind == "phone"] if phone is None else [phone]
        identifiers = {canonical_identifier(account.username): "username"}
        if account.email is not None:
            identifiers.setdefault(canonical_email(account.email), "email")
        for number in numbers:
            identifiers.setdefault(canonical_phone(number), "phone")
        self._accounts.replace_identifiers(account_id, list(identifiers.items()))
        return self.get(account_id)

    def change_claims(self, account_id: str, claims: Mapping[str, Any], now: datetime) -> tuple[str, ...]:
        """Give the account these claims in place of those of the same names; ``None`` takes one away.

        Returns:
            the names of those that are others than before, sorted.

        Raises:
            NotFound: there is no such account.
            Invalid: a claim breaks its rule.
        """
        row = self._accounts.lock(account_id)
        if row is None:
            raise NotFound("There is no such account.")
        given = {name: value for name, value in claims.items() if value is not None}
        kept = {name: value for name, value in row.claims.items() if name not in claims}
        after = {**kept, **self.validate_claims(given)}
        changed = {name for name in {*row.claims, *after} if row.claims.get(name) != after.get(name)}
        if changed:
            self._accounts.set_claims(account_id, after, now)
        return tuple(sorted(changed))

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


def _same(one: str, other: str) -> bool:
    return canonical_identifier(one) == canonical_identifier(other)


def _proved(phone: str) -> dict[str, Any]:
    return {"phone_number": canonical_phone(phone), "phone_number_verified": True}


def _is_phone(canonical: str) -> bool:
    try:
        canonical_phone(canonical)
    except Invalid:
        return False
    return True


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
        terms_version=row.terms_version,
    )
