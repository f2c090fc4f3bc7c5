"""Known devices: browsers in which the account's owner has signed in before."""

from datetime import timedelta
from typing import Final

from idp.crypto import Secret, random_token, token_digest
from idp.storage import Repositories

LIFETIME: Final = timedelta(days=180)
"""How long a device is remembered after the last sign-in from it."""

_PREFIX: Final = "idp_dv_"
_KIND: Final = "known-device"


class KnownDevices:
    """Remembers browsers by a secret cookie value; ``LoginStore`` finds and keeps them.

    All it gives is a failure counter of its own (row L3): the password is asked all the same. A
    value that is known for the account stays; any other is replaced by one made here, so that
    nobody can plant a value of theirs in another person's browser (row S2).
    """

    def __init__(self, repos: Repositories) -> None:
        self._devices = repos.devices

    def digest(self, cookie: str | None) -> bytes | None:
        """What a cookie value is stored under; ``None`` for none, and for what we did not make."""
        if not cookie or not cookie.startswith(_PREFIX):
            return None
        return token_digest(_KIND, cookie)

    def new(self) -> tuple[Secret[str], bytes]:
        """A value for a device that is not known yet, and its digest."""
        fresh = _PREFIX + random_token()
        return Secret(fresh), token_digest(_KIND, fresh)

    def forget_all(self, account_id: str) -> None:
        """Forget every device of an account, for example after a theft. In the caller's transaction."""
        self._devices.delete_for_account(account_id)
