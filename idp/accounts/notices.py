"""Telling people what was done to their account, with a way to object."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from idp.accounts.accounts import Account
from idp.audit import Source
from idp.delivery import Outbox
from idp.onetime import OneTimeLinks
from idp.storage import Repositories
from idp.user_agents import describe

NOT_ME: Final = "not_me"
"""Kind of the one-time link "this was not me"; its payload names the notice and the moment."""

OBJECT_WITHIN: Final = timedelta(days=7)
"""How long the link works: people read mail on Mondays."""


class Notice(StrEnum):
    """What people are told of. Each has its template ``templates/mail/notice/<name>.jinja``."""

    NEW_DEVICE = "new_device"
    PASSWORD_CHANGED = "password_changed"
    PASSWORD_RESET = "password_reset"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    TOTP_ADDED = "totp_added"
    TOTP_REMOVED = "totp_removed"
    RECOVERY_CODES_CREATED = "recovery_codes_created"
    RECOVERY_CODE_USED = "recovery_code_used"
    CODE_FACTOR_ADDED = "code_factor_added"
    CODE_FACTOR_REMOVED = "code_factor_removed"
    IDENTITY_LINKED = "identity_linked"
    IDENTITY_UNLINKED = "identity_unlinked"
    SECOND_FACTOR_RESET = "second_factor_reset"
    SECOND_STEP_FAILED = "second_step_failed"
    EMAIL_CHANGED = "email_changed"
    PHONE_CHANGED = "phone_changed"
    SESSIONS_ENDED = "sessions_ended"
    ACCOUNT_SECURED = "account_secured"
    DELETION_REQUESTED = "deletion_requested"
    DELETION_CANCELLED = "deletion_cancelled"
    ACCOUNT_DELETED = "account_deleted"


_WITHOUT_OBJECTION: Final = frozenset({Notice.ACCOUNT_SECURED, Notice.ACCOUNT_DELETED})
"""What it is too late to object to, or what was an objection itself."""


class Notices:
    """Writes notices into the outbox; the caller holds the transaction.

    Args:
        repos: repositories on the caller's session.
        outbox: where they go.
        links: makes the links "this was not me".
        issuer: what they begin with (row V2).
    """

    def __init__(self, repos: Repositories, outbox: Outbox, links: OneTimeLinks, issuer: str) -> None:
        self._accounts = repos.accounts
        self._outbox = outbox
        self._links = links
        self._issuer = issuer

    def tell(
        self,
        account: Account | str,
        notice: Notice,
        *,
        source: Source | None,
        now: datetime,
        detail: Mapping[str, Any] | None = None,
        locale: str | None = None,
        to: str | None = None,
    ) -> None:
        """Write to a person what was just done, when, and from where.

        Nothing is written if no mail can be sent, or to an account without an address.

        Args:
            account: whose, or its id.
            notice: what was done.
            source: who did it, at a browser; None for an operator or the server itself.
            now: aware UTC time.
            detail: what the template shows besides, under names of its own; plain text.
            locale: language for people who have not chosen one; default: that of the page they are at.
            to: another address, for example the one that was given up; default: the account's.
        """
        if not self._outbox.can_mail:
            return
        row = self._accounts.get(account if isinstance(account, str) else account.id)
        recipient = to or (None if row is None else row.email)
        if row is None or recipient is None:
            return
        device = None if source is None else describe(source.user_agent)
        values = {
            **(detail or {}),
            "notice": notice.value,
            "person": row.claims.get("name") or row.username,
            "happened_at": now.isoformat(),
            "zone": row.claims.get("zoneinfo"),
            "browser": None if device is None else device.browser,
            "system": None if device is None else device.system,
            "address": None if source is None else source.address,
            "link": self._objection(row.id, notice, recipient, now),
        }
        self._outbox.notice(
            f"notice/{notice.value}",
            to=recipient,
            locale=row.claims.get("locale") or locale or ("" if source is None else source.language),
            values=values,
            account_id=row.id,
            now=now,
        )

    def _objection(self, account_id: str, notice: Notice, to: str, now: datetime) -> str | None:
        if notice in _WITHOUT_OBJECTION:
            return None
        secret = self._links.issue(
            NOT_ME,
            account_id=account_id,
            target=to,
            payload={"notice": notice.value, "happened_at": now.isoformat()},
            lifetime=OBJECT_WITHIN,
            now=now,
        )
        return f"{self._issuer}/not-me/{secret.reveal()}"
