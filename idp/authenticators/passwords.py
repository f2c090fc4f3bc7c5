"""Passwords of accounts: set, check, store."""

from dataclasses import dataclass, field
from datetime import datetime

from idp.authenticators.hashing import BoundedHasher, Busy
from idp.authenticators.password_rules import SHORTEST, normalized_password, validate_new_password
from idp.crypto import PasswordHasher
from idp.settings import PasswordSettings
from idp.storage import Repositories


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordCheck:
    """The outcome of checking a password.

    ``phc_to_store`` is a new hash, present when the password was right and its stored hash was
    made with other parameters than today's (row P6).
    """

    correct: bool
    phc_to_store: str | None = field(default=None, repr=False)


class Passwords:
    """Sets and checks passwords.

    Hashing takes tens of milliseconds and may wait for a slot, so it never happens inside a
    transaction: ``hash`` and ``verify`` touch no database, ``stored_hash`` and ``store`` run in
    the caller's transaction.

    Args:
        repos: repositories on the caller's session.
        hasher: Argon2id with today's parameters.
        settings: lengths and bounds.
    """

    def __init__(self, repos: Repositories, hasher: PasswordHasher, settings: PasswordSettings) -> None:
        self._accounts = repos.accounts
        self._settings = settings
        self._hasher = BoundedHasher(
            hasher,
            slots=settings.max_concurrent_hashes,
            waiting=settings.max_waiting_hashes,
            queue_timeout=settings.hash_queue_timeout,
        )

    def assert_room(self) -> None:
        """Refuse a sign-in before it costs anything, when no more of them may wait for a hash.

        Raises:
            Busy: too much hashing right now (row L8).
        """
        self._hasher.assert_room()

    def hash(self, password: str) -> str:
        """Check a new password's length and hash it; what people choose passes `NewPasswords` first.

        Raises:
            Invalid: too short, too long or not valid text (field ``password``).
            Busy: too much hashing right now.
        """
        normal = validate_new_password(
            password,
            min_length=self._settings.min_length or SHORTEST,
            max_bytes=self._settings.max_bytes,
        )
        return self._hasher.hash(normal)

    def store(self, account_id: str, phc: str, now: datetime) -> None:
        """Make the hash the account's only password. Runs in the caller's transaction."""
        self._accounts.set_password(account_id, phc, now)

    def stored_hash(self, account_id: str) -> str | None:
        """The account's hash, or None. Runs in the caller's transaction."""
        row = self._accounts.get_password(account_id)
        return None if row is None else row.phc

    def verify(self, password: str, phc: str | None) -> PasswordCheck:
        """Check a password against a hash; touches no database.

        The work is the same for None, so that time does not tell who has an account (row L7).

        Raises:
            Invalid: too long or not valid text, before any hashing (row P4).
            Busy: too much hashing right now (row L8).
        """
        normal = normalized_password(password, max_bytes=self._settings.max_bytes)
        if not self._hasher.verify(normal, phc) or phc is None:
            return PasswordCheck(correct=False)
        return PasswordCheck(correct=True, phc_to_store=self._renewed(normal, phc))

    def _renewed(self, normal: str, phc: str) -> str | None:
        if not self._hasher.needs_rehash(phc):
            return None
        try:
            return self._hasher.hash(normal)
        except Busy:  # the next sign-in renews it; this one succeeded
            return None

    def close(self) -> None:
        """Let the hashing threads end."""
        self._hasher.close()
