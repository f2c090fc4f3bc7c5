"""Argon2id in PHC format, with a pepper kept outside the database."""

import base64
import hmac
from dataclasses import dataclass

from argon2 import PasswordHasher as _Argon2
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type


@dataclass(frozen=True, slots=True)
class Argon2Parameters:
    """Cost of one password hash.

    The default is OWASP's first choice (Password Storage Cheat Sheet): 19 MiB, two passes,
    one lane.
    """

    memory_kib: int = 19456
    """Memory in KiB."""
    passes: int = 2
    """Iterations over the memory."""
    lanes: int = 1
    """Degree of parallelism."""


class PasswordHasher:
    """Hashes and verifies passwords; every call costs the same for known and unknown accounts.

    The password is first keyed with the pepper (HMAC-SHA-256), so a stolen database without
    the root key cannot be searched at all (security row P6).
    """

    def __init__(self, parameters: Argon2Parameters, pepper: bytes) -> None:
        self._argon2 = _Argon2(
            time_cost=parameters.passes,
            memory_cost=parameters.memory_kib,
            parallelism=parameters.lanes,
            type=Type.ID,
        )
        self._pepper = pepper
        self._dummy = self._argon2.hash(b"no account has this password")

    def hash(self, password: str) -> str:
        """A PHC string ``$argon2id$v=19$m=...`` with a fresh salt."""
        return self._argon2.hash(self._keyed(password))

    def verify(self, password: str, phc: str) -> bool:
        """Whether the password made this PHC string. A damaged string counts as no."""
        try:
            return self._argon2.verify(phc, self._keyed(password))
        except (VerificationError, InvalidHashError):
            return False

    def verify_nothing(self, password: str) -> None:
        """Spend exactly the work of :meth:`verify` for an account that does not exist (row L7)."""
        self.verify(password, self._dummy)

    def needs_rehash(self, phc: str) -> bool:
        """Whether the string was made with other parameters than the present ones."""
        return self._argon2.check_needs_rehash(phc)

    def _keyed(self, password: str) -> bytes:
        # Argon2 takes any bytes, yet other implementations stop at NUL: keep it text.
        return base64.b64encode(
            hmac.digest(self._pepper, password.encode("utf-8", "surrogatepass"), "sha256")
        )
