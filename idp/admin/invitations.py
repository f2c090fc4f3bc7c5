"""Operators bring people in, and help them back in, without choosing a password for them (row V10)."""

from typing import Any

from idp.accounts import Account, normalized_email
from idp.admin.context import AdminContext
from idp.audit import AuditEvent
from idp.delivery import Channel
from idp.errors import Conflict, NotFound


class InvitationAdmin:
    """Sends links: to an account of one's own, and to a new password."""

    def __init__(self, context: AdminContext) -> None:
        self._context = context

    def invite(self, email: str, *, locale: str = "", mail: bool = True) -> dict[str, Any]:
        """Invite somebody to make an account, also where registration is off.

        Args:
            email: the address that the account will have; the invitation proves it.
            locale: language of the mail.
            mail: whether to send it; else the operator passes the link on, and vouches for the address.

        Returns:
            the link, and whether it was mailed.

        Raises:
            Invalid: not an address.
            Conflict: the address has an account.
        """
        context, address = self._context, normalized_email(email)
        with context.change() as now:
            if context.accounts.find_by_identifier(address) is not None:
                raise Conflict("There is an account with this address already.")
            link, mailed = context.links.invite(address, locale=locale, mail=mail, now=now)
            context.record(AuditEvent.INVITED, now, detail={"mailed": mailed})
        return {"email": address, "mailed": mailed, "link": link}

    def reset(self, name: str) -> dict[str, Any]:
        """Send a person a link to a new password; the old one works until they use it.

        Raises:
            NotFound: there is no such account.
            Conflict: nothing can be sent to it.
        """
        context = self._context
        with context.change() as now:
            account = context.accounts.find(name) if name.startswith("acc_") else None
            account = account or context.accounts.find_by_identifier(name)
            if account is None:
                raise NotFound("There is no such account.")
            channel, to = self._way(account)
            if not context.links.send_reset(account, to=to, channel=channel, locale="", source=None, now=now):
                raise Conflict("Nothing can be sent there: no transport is configured, or too much was sent.")
            context.record(
                AuditEvent.RECOVERY_REQUESTED,
                now,
                account=account.id,
                detail={"channel": channel.value, "sent": True},
            )
        return {"id": account.id, "channel": channel.value, "to": to}

    def _way(self, account: Account) -> tuple[Channel, str]:
        if account.email is not None:
            return Channel.MAIL, account.email
        if account.phone is not None:
            return Channel.SMS, account.phone
        raise Conflict("The account has neither an e-mail address nor a telephone number that is proved.")
