"""What an account proves itself with, as operators see it and take it away."""

from typing import Any

from idp.accounts import Account, Notice
from idp.admin.context import AdminContext, moment
from idp.audit import AuditEvent
from idp.authenticators import GUESSABLE


class AuthenticatorAdmin:
    """Shows and resets second steps; the caller names the account and holds the transaction."""

    def __init__(self, context: AdminContext) -> None:
        self._context = context

    def shown(self, account_id: str) -> dict[str, Any]:
        """Which authenticators there are; no secret, and addresses as they are sent to."""
        context = self._context
        has = context.repos.enrolments.of(account_id)
        since = context.totp.since(account_id)
        return {
            "password": has.password,
            "passkeys": [
                {
                    "id": row.id,
                    "name": row.name,
                    "created_at": moment(row.created_at),
                    "last_used_at": moment(row.last_used_at),
                }
                for row in context.repos.passkeys.list_(account_id)
            ],
            "totp": None
            if since is None
            else {"created_at": moment(since[0]), "last_used_at": moment(since[1])},
            "codes": [
                {
                    "channel": factor.channel.value,
                    "address": factor.address,
                    "created_at": moment(factor.created_at),
                    "last_used_at": moment(factor.last_used_at),
                }
                for factor in context.code_factors.list_(account_id)
            ],
            "recovery_codes_left": has.recovery_codes,
            "identities": [
                {
                    "id": identity.id,
                    "provider": identity.provider_id,
                    "issuer": identity.issuer,
                    "subject": identity.subject,
                    "label": identity.label,
                    "created_at": moment(identity.created_at),
                    "last_used_at": moment(identity.last_used_at),
                }
                for identity in context.identities.of_account(account_id)
            ],
        }

    def reset(self, account: Account, *, passkeys: bool) -> list[str]:
        """Take all second steps away, for somebody who has lost them; which ones there were.

        The password stays, and is enough from then on unless everybody needs a second step: then the
        person sets up a new one when they sign in.

        Args:
            account: whose.
            passkeys: passkeys too.
        """
        context, account_id, now = self._context, account.id, self._context.clock.now()
        removed = [
            *(["totp"] if context.totp.remove(account_id) else []),
            *(
                factor.channel.value
                for factor in context.code_factors.list_(account_id)
                if context.code_factors.remove(account_id, factor.channel)
            ),
        ]
        if context.recovery_codes.left(account_id):
            context.recovery_codes.remove(account_id, now)
            removed.append("recovery_codes")
        if passkeys:
            rows = context.repos.passkeys.list_(account_id)
            if [row.id for row in rows if context.repos.passkeys.delete(account_id, row.id)]:
                removed.append("passkeys")
        context.devices.distrust_all(account_id, now)
        context.factor_throttle.forget(account_id, None, *GUESSABLE)
        if removed:
            context.record(
                AuditEvent.SECOND_FACTOR_RESET, now, account=account_id, detail={"removed": removed}
            )
            context.notices.tell(account, Notice.SECOND_FACTOR_RESET, source=None, now=now)
        return removed
