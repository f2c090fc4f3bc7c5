"""A person's own passkeys: add, rename, remove; and whether to ask for one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from idp.accounts import Account, Accounts, Notice, Notices
from idp.audit import Actor, Audit, AuditEvent, Source
from idp.authenticators import Passkey, Passkeys
from idp.errors import Refused
from idp.selfservice.freshness import assert_fresh
from idp.sessions import BrowserSession
from idp.storage import Database, Repositories

ASK_AGAIN_AFTER: Final = timedelta(days=14)
"""How long "not now" holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPasskeyServices:
    """What a person's passkeys stand on, put together once by the container."""

    database: Database
    repos: Repositories
    accounts: Accounts
    passkeys: Passkeys
    audit: Audit
    notices: Notices
    fresh_for: timedelta
    """``settings.login.fresh_for``."""
    ask_to_add: bool
    """``settings.passkeys.ask_to_add``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeySignals:
    """What the browser may tell the person's password managers.

    Source: WebAuthn Level 3 §5.1.10 (Signal API).
    """

    rp_id: str
    user_id: str
    credential_ids: tuple[str, ...]
    """All that work; what else they keep for this account may vanish."""
    name: str
    display_name: str


class OwnPasskeys:
    """Changes the passkeys of a signed-in person; each change needs a fresh proof (row M7)."""

    def __init__(self, services: OwnPasskeyServices) -> None:
        self._services = services

    @property
    def available(self) -> bool:
        """Whether browsers do WebAuthn at the issuer's address."""
        return self._services.passkeys.available

    def list_(self, account_id: str) -> list[Passkey]:
        """Those of an account, oldest first."""
        with self._services.database.transaction(write=False):
            return self._services.passkeys.list_(account_id)

    def signals(self, account_id: str) -> PasskeySignals:
        """What password managers should know of this account by now."""
        services = self._services
        with services.database.transaction(write=False):
            name, display_name = _names(services.accounts.get(account_id))
            passkeys = services.passkeys.list_(account_id)
        return PasskeySignals(
            rp_id=services.passkeys.party.rp_id,
            user_id=services.passkeys.user_handle(account_id),
            credential_ids=tuple(passkey.credential_id for passkey in passkeys),
            name=name,
            display_name=display_name,
        )

    def creation_options(
        self, session: BrowserSession, *, here: bool, automatic: bool, now: datetime
    ) -> Mapping[str, Any]:
        """Options for a new passkey; the challenge is bound to the session.

        Args:
            session: the person's.
            here: whether a passkey of this very device is meant.
            automatic: whether the browser may make it by itself.
            now: aware UTC time.

        Raises:
            NotFresh: they have to prove themself first.
        """
        services = self._services
        with services.database.transaction():
            self._assert_fresh(session, now)
            name, display_name = _names(services.accounts.get(session.account_id))
            return services.passkeys.creation_options(
                account_id=session.account_id,
                name=name,
                display_name=display_name,
                binding=session.id,
                here=here,
                automatic=automatic,
                now=now,
            )

    def add(self, session: BrowserSession, credential: str, *, source: Source, now: datetime) -> Passkey:
        """Add a passkey.

        Args:
            session: the person's.
            credential: JSON of the browser's answer, as received.
            source: where the browser is.
            now: aware UTC time.

        Raises:
            NotFresh: they have to prove themself first.
            Invalid: the answer is malformed.
            Refused: it does not prove what it has to, or policy says no.
            Conflict: the passkey is registered already.
        """
        services = self._services
        services.passkeys.prepare()
        with services.database.transaction():
            self._assert_fresh(session, now)
            passkey = services.passkeys.register(
                credential, account_id=session.account_id, binding=session.id, now=now
            )
            self._record(
                AuditEvent.PASSKEY_ADDED,
                session,
                {
                    "passkey": passkey.id,
                    "aaguid": passkey.aaguid,
                    "synced": passkey.is_synced,
                    "user_verified": passkey.is_verifying,
                },
                source,
                now,
            )
            self._tell(session, Notice.PASSKEY_ADDED, passkey, source, now)
        return passkey

    def rename(
        self, session: BrowserSession, passkey_id: str, name: str, *, source: Source, now: datetime
    ) -> None:
        """Give a passkey another name. Protects nothing, so it needs no fresh proof.

        Raises:
            Invalid: no name, or too long.
            NotFound: the person has no such passkey.
        """
        services = self._services
        with services.database.transaction():
            services.passkeys.rename(session.account_id, passkey_id, name)
            self._record(AuditEvent.PASSKEY_RENAMED, session, {"passkey": passkey_id}, source, now)

    def remove(self, session: BrowserSession, passkey_id: str, *, source: Source, now: datetime) -> None:
        """Remove a passkey, unless it is the last way in.

        Raises:
            NotFresh: they have to prove themself first.
            Refused: there would be no way in any more.
            NotFound: the person has no such passkey.
        """
        services = self._services
        with services.database.transaction():
            self._assert_fresh(session, now)
            services.repos.passkeys.lock_owner(session.account_id)
            removed = services.passkeys.remove(session.account_id, passkey_id)
            # Asked after the change and under a lock, so that two removals at once do not leave nothing.
            left = services.repos.enrolments.of(session.account_id)
            if not (left.passkeys or left.password or left.identities):
                raise Refused(
                    "This is your only way to sign in. Add another passkey or a password first.",
                    detail="last way in",
                )
            self._record(
                AuditEvent.PASSKEY_REMOVED,
                session,
                {"passkey": removed.id, "aaguid": removed.aaguid},
                source,
                now,
            )
            self._tell(session, Notice.PASSKEY_REMOVED, removed, source, now)

    def should_offer(self, account_id: str, now: datetime) -> bool:
        """Whether to ask this person, who has just signed in with a password, for a passkey."""
        services = self._services
        if not services.ask_to_add or not self.available:
            return False
        with services.database.transaction(write=False):
            return services.repos.passkeys.is_missing(account_id, declined_before=now - ASK_AGAIN_AFTER)

    def decline(self, session: BrowserSession, *, source: Source, now: datetime) -> None:
        """Not now: ask again in 14 days."""
        with self._services.database.transaction():
            self._services.repos.passkeys.note_declined(session.account_id, now)
            self._record(AuditEvent.PASSKEY_DECLINED, session, {}, source, now)

    def _assert_fresh(self, session: BrowserSession, now: datetime) -> None:
        services = self._services
        enrolled = services.repos.enrolments.of(session.account_id)
        assert_fresh(
            session,
            now,
            services.fresh_for,
            second_step=bool(enrolled.totp or enrolled.sms or enrolled.email),
        )

    def _tell(
        self, session: BrowserSession, notice: Notice, passkey: Passkey, source: Source, now: datetime
    ) -> None:
        self._services.notices.tell(
            session.account_id, notice, source=source, now=now, detail={"name": passkey.name}
        )

    def _record(
        self,
        event: AuditEvent,
        session: BrowserSession,
        detail: Mapping[str, Any],
        source: Source,
        now: datetime,
    ) -> None:
        self._services.audit.record(
            event,
            actor=Actor.account(session.account_id, source),
            account=session.account_id,
            session=session.id,
            detail=detail,
            now=now,
        )


def _names(account: Account) -> tuple[str, str]:
    """What password managers list a passkey under, and the person's name."""
    display_name = account.claims.get("name")
    return account.username, display_name if isinstance(display_name, str) else account.username
