"""The address and the telephone number of an account: proved, changed, and taken back."""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from idp.accounts import Account, LinkKind, Notice, canonical_email, canonical_phone, normalized_email
from idp.audit import Actor, AuditEvent, Source
from idp.authenticators import Channel as CodeChannel
from idp.errors import Conflict, Invalid, NotFound, Refused, Unavailable
from idp.languages import marked
from idp.selfservice.authenticators import Authenticators
from idp.selfservice.services import SelfServiceServices
from idp.sessions import BrowserSession

_MINUTE: Final = timedelta(minutes=1)
_DEAD: Final = marked("This link was used already, or is too old.")
_WRONG: Final = marked("That code is not right, or it is too old. Check it, or ask for a new one.")
_TOO_MANY: Final = marked("Too many messages were sent. Please wait a while before you ask for another.")


class Contact(StrEnum):
    """What is changed."""

    EMAIL = "email"
    PHONE = "phone"


class ContactChanges:
    """Changes an address or number once a code has come back from the new one (row V6).

    The new one waits on the server with the code, bound to the session. The former address hears of it and
    can take it back; see ``login.SecuringFlow``.
    """

    def __init__(self, services: SelfServiceServices, authenticators: Authenticators) -> None:
        self._services = services
        self._authenticators = authenticators

    def can_change(self, contact: Contact) -> bool:
        """Whether a code can be sent there."""
        outbox = self._services.outbox
        return outbox.can_mail if contact is Contact.EMAIL else outbox.can_sms

    def assert_fresh(self, session: BrowserSession, now: datetime) -> None:
        """Ask for a proof before the form is filled in (row M7).

        Raises:
            NotFresh: they have to prove themself first.
        """
        with self._services.database.transaction(write=False):
            self._authenticators.assert_fresh(session, now)

    def begin(
        self,
        session: BrowserSession,
        contact: Contact,
        text: str,
        *,
        locale: str,
        source: Source,
        now: datetime,
    ) -> None:
        """Send a code to the new address or number.

        Whether it is another account's, only who can read what is sent there learns (row L6).

        Raises:
            Invalid: not an address or number, or the one that is there (field named for the contact).
            Unavailable: nothing can be sent there.
            Refused: too many messages.
            NotFresh: they have to prove themself first.
        """
        if not self.can_change(contact):
            raise Unavailable("This cannot be changed here at the moment.", detail="no transport")
        new = normalized_email(text) if contact is Contact.EMAIL else canonical_phone(text)
        services = self._services
        lifetime = services.settings.login.one_time_code_lifetime
        with services.database.transaction():
            self._authenticators.assert_fresh(session, now)
            account = services.accounts.get(session.account_id)
            if _has(account, contact, new):
                raise Invalid("This is what your account has already.", field=contact.value)
            code = services.codes_once.issue(
                _kind(contact),
                binding=session.id,
                account_id=account.id,
                target=new,
                lifetime=lifetime,
                now=now,
            )
            write = services.outbox.mail if contact is Contact.EMAIL else services.outbox.sms
            if not write(
                "confirm_code",
                to=new,
                locale=locale,
                values={"code": code, "minutes": lifetime // _MINUTE},
                account_id=account.id,
                now=now,
                expires_at=now + lifetime,
                source=source.address,
            ):
                raise Refused(_TOO_MANY, detail=f"{contact} limited")

    def waiting(self, session: BrowserSession, contact: Contact, now: datetime) -> str | None:
        """What a code was sent to that can still be entered; None if nothing."""
        with self._services.database.transaction(write=False):
            code = self._services.codes_once.waiting(_kind(contact), binding=session.id, now=now)
            return None if code is None else code.target

    def confirm(
        self,
        session: BrowserSession,
        contact: Contact,
        code: str,
        *,
        locale: str,
        source: Source,
        now: datetime,
    ) -> None:
        """Take the new address or number, if the code came from there.

        Raises:
            Invalid: the code is wrong (field ``code``); five wrong ones, and it counts no more.
            NotFound: nothing waits any more.
            Conflict: it is another account's.
            NotFresh: they have to prove themself first.
        """
        services = self._services
        with services.database.transaction():
            self._authenticators.assert_fresh(session, now)
            if services.codes_once.waiting(_kind(contact), binding=session.id, now=now) is None:
                raise NotFound(
                    marked("That code is too old. Please ask for a new one."), detail="no code waits"
                )
            claimed = services.codes_once.claim(_kind(contact), binding=session.id, code=code, now=now)
            if claimed is not None and claimed.target is not None:
                change = self._change_email if contact is Contact.EMAIL else self._change_phone
                self._apply(change, session, claimed.target, locale, source, now)
                return
        # After the transaction, which keeps count of the wrong try.
        raise Invalid(_WRONG, field="code", detail="code refused")

    def send_verification(
        self, session: BrowserSession, *, locale: str, source: Source, now: datetime
    ) -> None:
        """Mail a link that proves the address the account has.

        Raises:
            Unavailable: nothing can be mailed.
            Refused: too many messages, or the account has no address.
        """
        services = self._services
        if not services.outbox.can_mail:
            raise Unavailable("Mail cannot be sent at the moment.", detail="no transport")
        with services.database.transaction():
            account = services.accounts.get(session.account_id)
            if not services.links.send_verification(account, locale=locale, source=source.address, now=now):
                raise Refused(_TOO_MANY, detail="verification limited")

    def look_at_verification(self, token: str, now: datetime) -> tuple[str, str]:
        """The address and the account's name that a link is about; does not use it up (row S9).

        Raises:
            NotFound: the link is used, expired or none, or the account has another address by now.
        """
        services = self._services
        with services.database.transaction(write=False):
            claimed = services.links.peek(LinkKind.VERIFY, token, now)
            account = None if claimed is None else services.accounts.find(claimed.account_id or "")
            if claimed is None or claimed.target is None or account is None:
                raise NotFound(_DEAD)
            if not _has(account, Contact.EMAIL, claimed.target):
                raise NotFound(_DEAD)
            return claimed.target, account.username

    def verify(self, token: str, *, source: Source, now: datetime) -> None:
        """Note that the address is the person's.

        Raises:
            NotFound: as :meth:`look_at_verification`; of parallel uses one succeeds.
        """
        services = self._services
        with services.database.transaction():
            claimed = services.links.claim(LinkKind.VERIFY, token, now)
            if claimed is None or claimed.account_id is None or claimed.target is None:
                raise NotFound(_DEAD)
            if not services.accounts.confirm_email(claimed.account_id, claimed.target, now):
                raise NotFound(_DEAD)
            services.audit.record(
                AuditEvent.EMAIL_VERIFIED,
                actor=Actor.account(claimed.account_id, source),
                account=claimed.account_id,
                now=now,
            )

    def _apply(
        self,
        change: Callable[[Account, str, str, Source, datetime], AuditEvent],
        session: BrowserSession,
        new: str,
        locale: str,
        source: Source,
        now: datetime,
    ) -> None:
        services = self._services
        before = services.accounts.get(session.account_id)
        try:
            event = change(before, new, locale, source, now)
        except Conflict as error:
            raise Conflict("Another account has this already.", detail=error.detail) from error
        services.audit.record(
            event,
            actor=Actor.account(before.id, source),
            account=before.id,
            session=session.id,
            detail={
                "first": before.email is None if event is AuditEvent.EMAIL_CHANGED else before.phone is None
            },
            now=now,
        )

    def _change_email(
        self, before: Account, new: str, locale: str, source: Source, now: datetime
    ) -> AuditEvent:
        services = self._services
        services.accounts.change_email(before.id, new, now)
        services.code_factors.follow(before.id, CodeChannel.EMAIL, former=before.email, address=new)
        services.links.send_undo(before, locale=locale, now=now)
        services.notices.tell(before.id, Notice.EMAIL_CHANGED, source=source, now=now, locale=locale)
        return AuditEvent.EMAIL_CHANGED

    def _change_phone(
        self, before: Account, new: str, locale: str, source: Source, now: datetime
    ) -> AuditEvent:
        self._services.accounts.change_phone(before.id, new, now)
        self._services.code_factors.follow(before.id, CodeChannel.SMS, former=before.phone, address=new)
        self._services.notices.tell(before.id, Notice.PHONE_CHANGED, source=source, now=now, locale=locale)
        return AuditEvent.PHONE_CHANGED


def _kind(contact: Contact) -> str:
    return f"change_{contact.value}"


def _has(account: Account, contact: Contact, value: str) -> bool:
    if contact is Contact.PHONE:
        return account.phone == value
    return account.email is not None and canonical_email(account.email) == canonical_email(value)
