"""Setting up a generator: a secret that waits until a code shows that an app has it."""

from datetime import datetime, timedelta
from typing import Final

from idp.authenticators.totp import Totp
from idp.crypto import Sealer, Secret, Unsealable, b64url_decode, b64url_encode
from idp.onetime import OneTimeDrafts

_KIND: Final = "totp"
_LIFETIME: Final = timedelta(minutes=30)
"""How long the secret waits: people look for their telephone first."""


class TotpEnrolment:
    """Keeps the secret of a generator that is being set up; the caller holds the transaction.

    It stays on the server, sealed and bound to whoever asked for it, so that no form carries it
    and nobody else can put a secret of theirs in its place.

    Args:
        totp: the enrolled generators.
        drafts: keep what is not confirmed.
        sealer: keeps the secrets from whoever reads the database (row M6).
    """

    def __init__(self, totp: Totp, drafts: OneTimeDrafts, sealer: Sealer) -> None:
        self._totp = totp
        self._drafts = drafts
        self._sealer = sealer

    def begin(self, account_id: str, *, binding: str, now: datetime) -> Secret[str]:
        """A new secret in the place of one that was waiting.

        Args:
            account_id: whose generator it will be.
            binding: the session, or sign-in on its way, that alone may see and confirm it.
            now: aware UTC time.
        """
        secret = self._totp.new_secret()
        context = _context(account_id, binding)
        sealed = self._sealer.seal(secret.reveal().encode(), context=context)
        self._drafts.keep(
            _KIND,
            binding=binding,
            account_id=account_id,
            payload={"sealed": b64url_encode(sealed)},
            lifetime=_LIFETIME,
            now=now,
        )
        return secret

    def waiting(self, account_id: str, *, binding: str, now: datetime) -> Secret[str] | None:
        """The secret that waits to be confirmed; None if there is none."""
        draft = self._drafts.find(_KIND, binding=binding, now=now)
        if draft is None or draft.account_id != account_id:
            return None
        sealed = b64url_decode(draft.payload["sealed"])
        try:
            return Secret(self._sealer.open(sealed, context=_context(account_id, binding)).decode())
        except Unsealable:  # kept under another root key: the person begins again
            return None

    def confirm(self, account_id: str, *, binding: str, code: str, now: datetime) -> bool:
        """Enrol the generator, if the code is one of its; False if not, and the secret goes on waiting.

        At most one caller ever succeeds with one secret.
        """
        secret = self.waiting(account_id, binding=binding, now=now)
        if secret is None or not self._totp.matches(secret, code, now):
            return False
        # First the claim, then its effect: who comes second changes nothing, whatever their caller commits.
        if self._drafts.claim(_KIND, binding=binding, now=now) is None:
            return False
        return self._totp.enrol(account_id, secret, code, now)


def _context(account_id: str, binding: str) -> bytes:
    return f"{account_id} {binding}".encode()
