"""Links that say "this was not me": they take an account back from whoever got into it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from idp.accounts import (
    NOT_ME,
    Account,
    AccountLinks,
    Accounts,
    LinkKind,
    Notice,
    Notices,
    canonical_email,
)
from idp.audit import Actor, Audit, AuditEvent, Source
from idp.authenticators import Channel as CodeChannel
from idp.authenticators import CodeFactors, Passkeys, RecoveryCodes, Totp
from idp.delivery import Channel
from idp.errors import NotFound
from idp.federation import Identities
from idp.languages import marked
from idp.login.ending import EverythingOfAccount
from idp.onetime import Claimed, OneTimeLinks
from idp.ratelimit import Limit, RateLimiter
from idp.storage import Database, Repositories

_DEAD: Final = marked("This link was used already, or is too old.")
_TAKES_BACK: Final = (NOT_ME, LinkKind.UNDO, LinkKind.RESET, LinkKind.VERIFY)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecuringServices:
    """What securing an account stands on, put together once by the container."""

    database: Database
    repos: Repositories
    accounts: Accounts
    links: AccountLinks
    links_once: OneTimeLinks
    notices: Notices
    passkeys: Passkeys
    totp: Totp
    recovery_codes: RecoveryCodes
    code_factors: CodeFactors
    identities: Identities
    everything: EverythingOfAccount
    ratelimiter: RateLimiter
    audit: Audit


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """What a link "this was not me" is about."""

    notice: Notice
    happened_at: datetime
    username: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerAddress:
    """What a link to a former address is about."""

    address: str
    username: str


class SecuringFlow:
    """Ends everything, takes away what may be in wrong hands, and leads to a new password."""

    def __init__(self, services: SecuringServices) -> None:
        self._services = services

    def look_at_objection(self, token: str, now: datetime) -> Objection:
        """What was reported; does not use the link up (row S9).

        Raises:
            NotFound: the link is used, expired or none.
        """
        with self._services.database.transaction(write=False):
            claimed = _live(self._services.links_once.peek(NOT_ME, token, now))
            return _objection(claimed, self._account(claimed))

    def secure(self, token: str, *, locale: str, source: Source, now: datetime) -> bool:
        """Sign everybody out, drop the password and what was added since, and mail a link to a new one.

        The password goes, because whoever the person did not recognise may know it.

        Returns:
            whether a link to a new password will arrive. Not if the account has another address by now: then
            the mail about that change takes it back.

        Raises:
            NotFound: the link is used, expired or none; of parallel uses one succeeds.
            Refused: too many steps from this source.
        """
        services = self._services
        services.ratelimiter.hit(Limit.ACCOUNT_REQUESTS, source.address, now)
        with services.database.transaction():
            claimed = _live(services.links_once.claim(NOT_ME, token, now))
            account = self._account(claimed)
            objection = _objection(claimed, account)
            removed = self._remove_since(account.id, objection.happened_at, objection.notice, now)
            services.repos.accounts.delete_password(account.id)
            ended = services.everything.end(account.id, "secured", now)
            services.audit.record(
                AuditEvent.ACCOUNT_SECURED,
                actor=Actor.account(account.id, source),
                account=account.id,
                detail={
                    "notice": objection.notice.value,
                    "sessions": ended.sessions,
                    "families": ended.families,
                    "authenticators": removed,
                },
                now=now,
            )
            services.notices.tell(account.id, Notice.ACCOUNT_SECURED, source=source, now=now)
            if not _is_address_of(account, claimed.target):
                return False
            return self._send_reset(account.id, locale, source, now)

    def look_at_former_address(self, token: str, now: datetime) -> FormerAddress:
        """Which address a link gives back; does not use it up (row S9).

        Raises:
            NotFound: the link is used, expired or none.
        """
        with self._services.database.transaction(write=False):
            claimed = _live(self._services.links.peek(LinkKind.UNDO, token, now))
            return FormerAddress(address=claimed.target or "", username=self._account(claimed).username)

    def restore_address(self, token: str, *, locale: str, source: Source, now: datetime) -> bool:
        """Give an account its former address back, and secure it (row V6); whether a mail will arrive.

        Raises:
            NotFound: the link is used, expired or none; of parallel uses one succeeds.
            Conflict: the address belongs to another account by now.
            Refused: too many steps from this source.
        """
        services = self._services
        services.ratelimiter.hit(Limit.ACCOUNT_REQUESTS, source.address, now)
        with services.database.transaction():
            claimed = _live(services.links.claim(LinkKind.UNDO, token, now))
            account, address = self._account(claimed), claimed.target or ""
            # Security: whoever changed the address twice holds a link back to the first of theirs.
            services.links_once.void(account.id, _TAKES_BACK, now)
            services.accounts.change_email(
                account.id,
                address,
                now,
                verified=claimed.payload["verified"],
                username=claimed.payload["username"],
            )
            since = datetime.fromisoformat(claimed.payload["happened_at"])
            self._remove_since(account.id, since, Notice.EMAIL_CHANGED, now)
            services.code_factors.follow(account.id, CodeChannel.EMAIL, former=account.email, address=address)
            services.repos.accounts.delete_password(account.id)
            ended = services.everything.end(account.id, "email_restored", now)
            services.audit.record(
                AuditEvent.EMAIL_RESTORED,
                actor=Actor.account(account.id, source),
                account=account.id,
                detail={"sessions": ended.sessions, "families": ended.families},
                now=now,
            )
            return self._send_reset(account.id, locale, source, now)

    def _remove_since(self, account_id: str, since: datetime, notice: Notice, now: datetime) -> int:
        """Take away what was added since, and every link to an account elsewhere; how many."""
        services, removed = self._services, 0
        for passkey in services.passkeys.list_(account_id):
            if passkey.created_at >= since:
                services.passkeys.remove(account_id, passkey.id)
                removed += 1
        generator = services.totp.since(account_id)
        if generator is not None and generator[0] >= since:
            removed += services.totp.remove(account_id)
        for factor in services.code_factors.list_(account_id):
            if factor.created_at >= since:
                removed += services.code_factors.remove(account_id, factor.channel)
        if removed or notice is Notice.RECOVERY_CODES_CREATED:
            services.recovery_codes.remove(account_id, now)
        # Security: whoever it was may have the account elsewhere, as they may know the password.
        for link in services.identities.of_account(account_id):
            services.identities.unlink(account_id, link.id, now)
            removed += 1
        return removed

    def _send_reset(self, account_id: str, locale: str, source: Source, now: datetime) -> bool:
        account = self._services.accounts.get(account_id)
        if account.email is None:
            return False
        return self._services.links.send_reset(
            account,
            to=account.email,
            channel=Channel.MAIL,
            locale=locale,
            source=source.address,
            now=now,
        )

    def _account(self, claimed: Claimed) -> Account:
        account = self._services.accounts.find(claimed.account_id or "")
        if account is None:
            raise NotFound(_DEAD)
        return account


def _live(claimed: Claimed | None) -> Claimed:
    if claimed is None:
        raise NotFound(_DEAD)
    return claimed


def _objection(claimed: Claimed, account: Account) -> Objection:
    return Objection(
        notice=Notice(claimed.payload["notice"]),
        happened_at=datetime.fromisoformat(claimed.payload["happened_at"]),
        username=account.username,
    )


def _is_address_of(account: Account, address: str | None) -> bool:
    return (
        account.email is not None
        and address is not None
        and canonical_email(account.email) == canonical_email(address)
    )
