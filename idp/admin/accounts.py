"""Accounts, as operators make and switch them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from idp.accounts import Account, canonical_email
from idp.admin.authenticators import AuthenticatorAdmin
from idp.admin.context import AdminContext, moment
from idp.audit import AuditEvent
from idp.errors import Invalid, NotFound

_BATCH: Final = 10_000
"""Sessions, and families, ended in one transaction: half a second at most, whatever an account has."""


_NOT_UPDATED: Final = frozenset(
    {
        "email",
        "email_verified",
        "groups_elsewhere",
        "phone_number",
        "phone_number_verified",
        "preferred_username",
        "sub",
        "updated_at",
    }
)
"""What people sign in with, what they have to prove, and what is kept by this server."""


class _Ended(NamedTuple):
    sessions: int
    families: int


class AccountAdmin:
    """Creates, lists, shows, disables and enables accounts."""

    def __init__(self, context: AdminContext) -> None:
        self._context = context
        self._authenticators = AuthenticatorAdmin(context)

    def create(
        self,
        *,
        username: str,
        email: str | None = None,
        email_verified: bool = False,
        claims: Mapping[str, Any] | None = None,
        password: str | None = None,
    ) -> dict[str, Any]:
        """Make an account; without a password nobody can sign in to it yet.

        Args:
            username: any valid Unicode that is a name.
            email: also a name to sign in with.
            email_verified: the operator vouches for the address.
            claims: standard claims. ``email`` and ``email_verified`` may stand here instead;
                ``updated_at``, as in another provider's export, is checked and left out, because
                this server keeps it.
            password: hashed before the transaction begins.

        Raises:
            Invalid: a name, claim or password breaks its rule.
            Conflict: a name is taken.
        """
        context = self._context
        email, email_verified, free = _sort_out(claims or {}, email, email_verified=email_verified)
        context.accounts.validate_claims(free)  # before the work of hashing
        phc = None if password is None else context.passwords.hash(password)
        with context.change() as now:
            account = context.accounts.create(
                username=username, email=email, email_verified=email_verified, claims=free, now=now
            )
            context.record(
                AuditEvent.ACCOUNT_CREATED, now, account=account.id, detail={"username": account.username}
            )
            if phc is not None:
                self._store_password(account.id, phc, now)
            return self._shown_whole(account)

    def update(self, name: str, claims: Mapping[str, Any]) -> dict[str, Any]:
        """Give an account other claims; those that are not named stay, and ``None`` takes one away.

        Args:
            name: id, username or e-mail address.
            claims: standard claims and ``groups``, but for the telephone number, which people prove.

        Raises:
            NotFound: no such account.
            Invalid: a claim breaks its rule.
        """
        for claim in claims:
            if claim in _NOT_UPDATED:
                raise Invalid(f"{claim} cannot be changed here.", field=claim)
        context = self._context
        with context.change() as now:
            account = self._resolve(name)
            changed = context.accounts.change_claims(account.id, claims, now)
            if changed:
                detail = {"fields": changed}
                context.record(AuditEvent.ACCOUNT_UPDATED, now, account=account.id, detail=detail)
            return self._shown_whole(self._resolve(account.id))

    def set_password(self, name: str, password: str) -> dict[str, Any]:
        """Give an account a password in place of the one it has.

        Everything that was signed in with the former password ends: sessions, tokens, known devices.
        So do the failures counted against it: this is how somebody locked out comes back (row L3).

        Raises:
            NotFound: no such account.
            Invalid: the password breaks a rule.
        """
        context = self._context
        phc = context.passwords.hash(password)
        with context.change() as now:
            account = self._resolve(name)
            self._store_password(account.id, phc, now)
            context.repos.accounts.set_not_before(account.id, now)
            context.throttle.forget(account.id)
            context.devices.forget_all(account.id)
            ended = self._end_some(account.id, "password_set", now)
            shown = _shown(self._resolve(account.id))
        self._end_rest(account.id, "password_set", now, ended)
        return shown

    def list_(self, *, limit: int = 100, after: str | None = None) -> list[dict[str, Any]]:
        """Accounts, oldest first: the next ``limit`` after the id ``after``."""
        with self._context.database.transaction(write=False):
            return [_shown(account) for account in self._context.accounts.list_(limit=limit, after=after)]

    def get(self, name: str) -> dict[str, Any]:
        """One account by id, username or e-mail address, with what it proves itself with.

        Raises:
            NotFound: there is none.
        """
        with self._context.database.transaction(write=False):
            return self._shown_whole(self._resolve(name))

    def reset_second_factor(self, name: str, *, passkeys: bool = False) -> dict[str, Any]:
        """Take all second steps away, for somebody who has lost them and whose word was checked.

        The person is told, and can object. Their password and sessions stay.

        Args:
            name: id, username or e-mail address.
            passkeys: take the passkeys away too.

        Raises:
            NotFound: no such account.
        """
        with self._context.change():
            account = self._resolve(name)
            removed = self._authenticators.reset(account, passkeys=passkeys)
            return {**self._shown_whole(account), "removed": removed}

    def disable(self, name: str) -> dict[str, Any]:
        """Switch an account off: its sessions, token families and tokens end at once (rows T16, S6).

        Raises:
            NotFound: there is no such account.
        """
        context = self._context
        with context.change() as now:
            account = context.accounts.disable(self._resolve(name).id, now)
            ended = self._end_some(account.id, "account_disabled", now)
            context.record(
                AuditEvent.ACCOUNT_DISABLED,
                now,
                account=account.id,
                detail={"sessions": ended.sessions, "families": ended.families},
            )
        ended = self._end_rest(account.id, "account_disabled", now, ended)
        return {**_shown(account), "ended_sessions": ended.sessions, "revoked_families": ended.families}

    def enable(self, name: str) -> dict[str, Any]:
        """Switch a disabled account on again; what was ended stays ended.

        Raises:
            NotFound: there is no such account.
        """
        context = self._context
        with context.change() as now:
            account = context.accounts.enable(self._resolve(name).id)
            context.record(AuditEvent.ACCOUNT_ENABLED, now, account=account.id)
            return _shown(account)

    def _end_some(self, account_id: str, reason: str, now: datetime) -> _Ended:
        """End what an account was used for, at most a batch of each kind."""
        context = self._context
        return _Ended(
            context.sessions.end_for_account(account_id, reason, now, limit=_BATCH),
            context.repos.families.revoke_for_account(account_id, reason, now, limit=_BATCH),
        )

    def _end_rest(self, account_id: str, reason: str, now: datetime, ended: _Ended) -> _Ended:
        """End what the first batch left; all of it is dead already, by the account's epoch."""
        batch = ended
        while max(batch) == _BATCH:
            with self._context.database.transaction():
                batch = self._end_some(account_id, reason, now)
            ended = _Ended(ended.sessions + batch.sessions, ended.families + batch.families)
        return ended

    def _shown_whole(self, account: Account) -> dict[str, Any]:
        return {**_shown(account), "authenticators": self._authenticators.shown(account.id)}

    def _store_password(self, account_id: str, phc: str, now: datetime) -> None:
        self._context.passwords.store(account_id, phc, now)
        self._context.record(AuditEvent.PASSWORD_SET, now, account=account_id)

    def _resolve(self, name: str) -> Account:
        accounts = self._context.accounts
        account = accounts.find(name) if name.startswith("acc_") else None
        account = account or accounts.find_by_identifier(name)
        if account is None:
            raise NotFound("There is no such account.")
        return account


def _sort_out(
    claims: Mapping[str, Any], email: str | None, *, email_verified: bool
) -> tuple[str | None, bool, dict[str, Any]]:
    """Take out of the claims what the account has fields for."""
    free = dict(claims)
    claimed = free.pop("email", None)
    if claimed is not None:
        if email is not None and canonical_email(claimed) != canonical_email(email):
            raise Invalid("The claims name another e-mail address.", field="email")
        email = email or claimed
    verified = free.pop("email_verified", False)
    if not isinstance(verified, bool):
        raise Invalid("The claim email_verified must be true or false.", field="email_verified")
    updated_at = free.pop("updated_at", 0)
    if not isinstance(updated_at, int | float) or isinstance(updated_at, bool):
        raise Invalid("The claim updated_at must be a number.", field="updated_at")
    return email, email_verified or verified, free


def _shown(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "username": account.username,
        "email": account.email,
        "email_verified": account.email_verified,
        "claims": account.own_claims,
        **({"groups_elsewhere": account.groups_elsewhere} if account.groups_elsewhere else {}),
        "disabled": account.is_disabled,
        "created_at": moment(account.created_at),
        "updated_at": moment(account.updated_at),
    }
