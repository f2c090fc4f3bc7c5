"""Whether somebody has proved lately enough who they are to change what protects their account."""

from datetime import datetime, timedelta

from idp.errors import Refused
from idp.languages import marked
from idp.sessions import BrowserSession


class NotFresh(Refused):
    """The sign-in is too long ago, or left the account's second step out; the person proves themself again.

    ``return_to`` is the page to come back to; ``None`` for the one that was asked for.
    """

    def __init__(self, *, detail: str, return_to: str | None = None) -> None:
        super().__init__(marked("Please confirm that it is you."), detail=detail)
        self.return_to = return_to


def assert_fresh(
    session: BrowserSession,
    now: datetime,
    fresh_for: timedelta,
    *,
    second_step: bool = False,
    return_to: str | None = None,
) -> None:
    """Let a change of authenticators or addresses pass, or ask for a proof first (row M7).

    Args:
        session: the signed-in person's.
        now: aware UTC time.
        fresh_for: how long a proof counts.
        second_step: the account has a second step set up, so a sign-in that left it out, for
            example at a remembered browser, is not enough (row M8).
        return_to: path to come back to.

    Raises:
        NotFresh: the pages send the person to prove themself.
    """
    if now - session.auth_time > fresh_for:
        raise NotFresh(detail="authenticated too long ago", return_to=return_to)
    if second_step and not _took_second_step(session):
        raise NotFresh(detail="second step left out", return_to=return_to)


def _took_second_step(session: BrowserSession) -> bool:
    return bool({"mfa", "otp"} & set(session.amr))
