"""Time-based one-time passwords (RFC 6238): enrol a generator, accept each of its steps once."""

from datetime import datetime
from typing import Final

import pyotp
from pyotp.exceptions import OTPVerificationError

from idp.crypto import Sealer, Secret, Unsealable
from idp.observability import get_logger
from idp.onetime import digits_of
from idp.storage import Repositories, TotpRow

_log = get_logger(__name__)

_DIGITS: Final = 6
_WINDOW: Final = 1
"""Steps of 30 seconds that a clock may be off, either way (row M1)."""
_SECRET_CHARACTERS: Final = 32
"""160 bits. Source: RFC 4226 §4 R6."""


class Totp:
    """The generator of each account; the caller holds the transaction.

    SHA-1, six digits and 30 seconds, because that is all that every authenticator app knows; the
    hash's weakness is collisions, which HMAC does not rest on (RFC 6238 §1.2, RFC 4226 appendix B).

    Args:
        repos: repositories on the caller's session.
        sealer: keeps the secrets from whoever reads the database (row M6).
        issuer_name: what apps list the account under.
    """

    def __init__(self, repos: Repositories, sealer: Sealer, *, issuer_name: str) -> None:
        self._rows = repos.totp
        self._sealer = sealer
        self._issuer_name = issuer_name

    def new_secret(self) -> Secret[str]:
        """A secret in base 32, for a generator that is not enrolled yet."""
        return Secret(pyotp.random_base32(_SECRET_CHARACTERS))

    def uri(self, secret: Secret[str], account_name: str) -> str:
        """The ``otpauth:`` address that apps read from a QR code. As secret as the secret."""
        return pyotp.TOTP(secret.reveal()).provisioning_uri(name=account_name, issuer_name=self._issuer_name)

    def matches(self, secret: Secret[str], code: str, now: datetime) -> bool:
        """Whether a code shows that an app has this secret, which is nobody's yet."""
        return _step(secret, code, now) is not None

    def enrol(self, account_id: str, secret: Secret[str], code: str, now: datetime) -> bool:
        """Make it the account's only generator, if the code shows that an app has it; else False.

        The code's step counts as used: nobody who saw it being typed can sign in with it.
        """
        step = _step(secret, code, now)
        if step is None:
            return False
        sealed = self._sealer.seal(secret.reveal().encode(), context=account_id.encode())
        self._rows.set(TotpRow(account_id=account_id, sealed_secret=sealed, last_step=step, created_at=now))
        return True

    def is_enrolled(self, account_id: str) -> bool:
        """Whether the account has a generator."""
        return self._rows.find(account_id) is not None

    def since(self, account_id: str) -> tuple[datetime, datetime | None] | None:
        """When it was enrolled and last used; None if there is none."""
        row = self._rows.find(account_id)
        return None if row is None else (row.created_at, row.last_used_at)

    def verify(self, account_id: str, code: str, now: datetime) -> bool:
        """Use up a code; at most one caller ever succeeds with one step (row M1).

        Failures are not counted here: whoever asks has a counter (row L4).

        Args:
            account_id: whose generator.
            code: as typed; spaces and dashes are ignored.
            now: aware UTC time.

        Source: RFC 6238 §5.2.
        """
        row = self._rows.find(account_id)
        if row is None:
            return False
        try:
            secret = Secret(self._sealer.open(row.sealed_secret, context=account_id.encode()).decode())
        except Unsealable as error:
            # Not an error page: the person still has other ways in, and cannot mend this one.
            _log.exception(
                "totp.secret.unsealable", extra={"fields": {"account": account_id, "detail": str(error)}}
            )
            return False
        step = _step(secret, code, now)
        return step is not None and self._rows.claim_step(account_id, step, now)

    def remove(self, account_id: str) -> bool:
        """Forget the generator; False if there was none."""
        return self._rows.delete(account_id)


def _step(secret: Secret[str], code: str, now: datetime) -> int | None:
    """The time step a code belongs to; None if to none in the window."""
    typed = digits_of(code)
    if len(typed) != _DIGITS:
        return None
    try:
        return pyotp.TOTP(secret.reveal()).verify_and_get_timecode(
            typed, for_time=int(now.timestamp()), valid_window=_WINDOW
        )
    except OTPVerificationError:
        return None
