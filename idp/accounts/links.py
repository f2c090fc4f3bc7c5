"""Links that lead into an account: made, written to people, and looked at again."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from idp.accounts.accounts import Account
from idp.accounts.identifiers import canonical_email, canonical_identifier
from idp.delivery import Channel, Outbox
from idp.languages import SOURCE_LANGUAGE
from idp.onetime import Claimed, OneTimeLinks
from idp.settings import RegistrationSettings

_SMS_LIFETIME: Final = timedelta(minutes=10)
"""At most, for what is sent to a telephone. Source: NIST SP 800-63B-4 §4.2.1.2."""


class LinkKind(StrEnum):
    """What a link is good for; one of a kind is none of another (row V4)."""

    RESET = "reset"
    """A new password."""
    VERIFY = "verify_email"
    """The address of an account is the person's."""
    UNDO = "undo_email"
    """Back to the address that was given up."""
    INVITATION = "invitation"
    """An account for somebody who has none."""


class AccountLinks:
    """Makes links and writes the messages they travel in; the caller holds the transaction.

    A link is bound to purpose, account and address, and one to a new password also to the account's
    epoch: it is dead as soon as the password was replaced (rows V3, V4).

    Args:
        links: the secrets.
        outbox: where messages go.
        issuer: what every link begins with; never what a request says (row V2).
        settings: how long links live.
    """

    def __init__(
        self, links: OneTimeLinks, outbox: Outbox, *, issuer: str, settings: RegistrationSettings
    ) -> None:
        self._links = links
        self._outbox = outbox
        self._issuer = issuer
        self._settings = settings

    def send_reset(
        self,
        account: Account | None,
        *,
        to: str,
        channel: Channel,
        locale: str,
        source: str | None,
        now: datetime,
    ) -> bool:
        """Write somebody a link to a new password; the same work if there is nobody (row L6).

        Args:
            account: whose password; ``None`` if nobody has the name that was given.
            to: address or number; what was typed if there is nobody.
            channel: how it travels.
            locale: language of the page, for people who have not chosen one.
            source: network address of whoever asked.
            now: aware UTC time.

        Returns:
            whether a message will leave.
        """
        lifetime = self._settings.reset_lifetime
        if channel is Channel.SMS:
            lifetime = min(lifetime, _SMS_LIFETIME)
        link = self._reset(account, to, channel, lifetime, now)
        values = {"link": link, "minutes": int(lifetime.total_seconds()) // 60, **_greeting(account)}
        written_in = _locale(account, locale)
        if account is None:
            self._outbox.decoy(
                channel, "reset_password", to=to, locale=written_in, values=values, now=now, source=source
            )
            return False
        write = self._outbox.sms if channel is Channel.SMS else self._outbox.mail
        return write(
            "reset_password",
            to=to,
            locale=written_in,
            values=values,
            account_id=account.id,
            now=now,
            expires_at=now + lifetime,
            source=source,
        )

    def reset_address(self, account: Account, *, now: datetime) -> str:
        """A link to a new password that an operator passes on (row V10)."""
        return self._reset(account, account.email, Channel.MAIL, self._settings.reset_lifetime, now)

    def send_verification(self, account: Account, *, locale: str, source: str | None, now: datetime) -> bool:
        """Write a person a link that proves their address; False if it cannot be sent, or too many were."""
        if account.email is None:
            return False
        lifetime = self._settings.verification_lifetime
        secret = self._links.issue(
            LinkKind.VERIFY, account_id=account.id, target=account.email, lifetime=lifetime, now=now
        )
        return self._outbox.mail(
            "verify_email",
            to=account.email,
            locale=_locale(account, locale),
            values={"link": f"{self._issuer}/verify-email/{secret.reveal()}", **_greeting(account)},
            account_id=account.id,
            now=now,
            expires_at=now + lifetime,
            source=source,
        )

    def send_undo(self, account: Account, *, locale: str, now: datetime) -> None:
        """Tell the address that an account gives up, with a way back to it (row V6).

        Args:
            account: as it was before the change.
            locale: language of the page, for people who have not chosen one.
            now: aware UTC time.
        """
        if account.email is None:
            return
        lifetime = self._settings.undo_lifetime
        secret = self._links.issue(
            LinkKind.UNDO,
            account_id=account.id,
            target=account.email,
            payload={
                "username": account.username,
                "verified": account.email_verified,
                "happened_at": now.isoformat(),
            },
            lifetime=lifetime,
            now=now,
        )
        self._outbox.notice(
            "email_changed",
            to=account.email,
            locale=_locale(account, locale),
            values={
                "link": f"{self._issuer}/undo-email/{secret.reveal()}",
                "days": lifetime.days,
                **_greeting(account),
            },
            account_id=account.id,
            now=now,
            expires_at=now + lifetime,
        )

    def invite(self, email: str, *, locale: str, mail: bool, now: datetime) -> tuple[str, bool]:
        """A link to an account of one's own, and whether it was mailed."""
        lifetime = self._settings.invitation_lifetime
        secret = self._links.issue(
            LinkKind.INVITATION, account_id=None, target=email, lifetime=lifetime, now=now
        )
        link = f"{self._issuer}/invitation/{secret.reveal()}"
        mailed = mail and self._outbox.notice(
            "invitation",
            to=email,
            locale=locale,
            values={"link": link, "days": lifetime.days},
            account_id=None,
            now=now,
            expires_at=now + lifetime,
        )
        return link, mailed

    def peek(self, kind: LinkKind, token: str, now: datetime) -> Claimed | None:
        """What a link is about, without using it (row S9)."""
        return self._links.peek(kind, token, now)

    def claim(self, kind: LinkKind, token: str, now: datetime) -> Claimed | None:
        """Use a link up, in the transaction of its effect; at most one caller ever succeeds."""
        return self._links.claim(kind, token, now)

    def _reset(
        self, account: Account | None, to: str | None, channel: Channel, lifetime: timedelta, now: datetime
    ) -> str:
        secret = self._links.issue(
            LinkKind.RESET,
            account_id=None if account is None else account.id,
            target=to,
            payload={"channel": channel.value, "epoch": _epoch(account)},
            lifetime=lifetime,
            now=now,
        )
        return f"{self._issuer}/recover/{secret.reveal()}"


def is_still_good(claimed: Claimed, account: Account) -> bool:
    """Whether a link to a new password still fits the account: same address, nothing replaced meanwhile."""
    if claimed.payload.get("epoch") != _epoch(account):
        return False
    if claimed.target is None:
        return True
    if claimed.payload.get("channel") == Channel.SMS:
        return account.phone == claimed.target
    return account.email is not None and canonical_email(account.email) == canonical_identifier(
        claimed.target
    )


def _epoch(account: Account | None) -> str:
    before = None if account is None else account.not_before
    return "" if before is None else before.isoformat()


def _locale(account: Account | None, locale: str) -> str:
    chosen = None if account is None else account.claims.get("locale")
    return chosen if isinstance(chosen, str) else locale or SOURCE_LANGUAGE


def _greeting(account: Account | None) -> Mapping[str, Any]:
    return {"name": None if account is None else account.claims.get("name") or account.username}
