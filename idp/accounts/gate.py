"""The one gate: may this account be used at all?

Every door asks here (sign-in, authorization response, grants), so that a new door cannot forget
a disabled account (row T16).
"""

from datetime import datetime

from idp.accounts.accounts import Account
from idp.errors import Refused


def assert_may_authenticate(account: Account, now: datetime, *, auth_time: datetime | None = None) -> None:
    """Refuse an account that is switched off, or a sign-in that an epoch has made void.

    Args:
        account: freshly read, in the transaction of the decision.
        now: aware UTC time.
        auth_time: when the person proved who they are; ``None`` while they are just doing it.

    Raises:
        Refused: the public text does not say why, because strangers read it too (row L6).
    """
    if account.disabled_at is not None and account.disabled_at <= now:
        raise Refused("This account cannot be used.", detail=f"account {account.id} is disabled")
    if auth_time is not None and account.not_before is not None and auth_time < account.not_before:
        raise Refused(
            "Please sign in again.", detail=f"sign-in to account {account.id} predates its not_before"
        )
