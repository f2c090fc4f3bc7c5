"""Argon2id in PHC format, with a pepper kept outside the database."""

import base64
import binascii
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Final, Self

from argon2.exceptions import HashingError
from argon2.low_level import ARGON2_VERSION

from idp.crypto.argon2id import argon2id

_SALT_SIZE: Final = 16
_HASH_SIZE: Final = 32
_PHC: Final = re.compile(
    r"\$argon2id\$v=(16|19)\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,8})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)",
    re.ASCII,
)


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


@dataclass(frozen=True, slots=True)
class _Stored:
    """What a PHC string says. Source: the PHC string format of the Password Hashing Competition."""

    parameters: Argon2Parameters
    salt: bytes
    digest: bytes
    version: int = ARGON2_VERSION

    @classmethod
    def read(cls, phc: str) -> Self | None:
        """The parts of a string; ``None`` if it is damaged."""
        found = _PHC.fullmatch(phc)
        if found is None:
            return None
        version, memory_kib, passes, lanes = map(int, found.group(1, 2, 3, 4))
        try:
            salt, digest = (_decoded(text) for text in found.group(5, 6))
        except binascii.Error:
            return None
        return cls(Argon2Parameters(memory_kib, passes, lanes), salt, digest, version)

    def __str__(self) -> str:
        cost = self.parameters
        return (
            f"$argon2id$v={self.version}$m={cost.memory_kib},t={cost.passes},p={cost.lanes}"
            f"${_encoded(self.salt)}${_encoded(self.digest)}"
        )


class PasswordHasher:
    """Hashes and verifies passwords; every call costs the same for known and unknown accounts.

    The password is first keyed with the pepper (HMAC-SHA-256), so a stolen database without
    the root key cannot be searched at all (security row P6).
    """

    def __init__(self, parameters: Argon2Parameters, pepper: bytes) -> None:
        self._parameters = parameters
        self._pepper = pepper
        # Random instead of computed: no password makes it, and it costs the same to check.
        self._dummy = str(
            _Stored(parameters, secrets.token_bytes(_SALT_SIZE), secrets.token_bytes(_HASH_SIZE))
        )
        self._head = self._dummy[: self._dummy.index("$", self._dummy.index("p=")) + 1]
        self._lengths = [*map(len, self._dummy.split("$"))]

    def hash(self, password: str) -> str:
        """A PHC string ``$argon2id$v=19$m=...`` with a fresh salt."""
        salt = secrets.token_bytes(_SALT_SIZE)
        digest = self._digest(password, self._parameters, salt, _HASH_SIZE, ARGON2_VERSION)
        return str(_Stored(self._parameters, salt, digest))

    def verify(self, password: str, phc: str) -> bool:
        """Whether the password made this PHC string. A damaged string counts as no."""
        stored = _Stored.read(phc)
        if stored is None:
            return False
        try:
            digest = self._digest(
                password, stored.parameters, stored.salt, len(stored.digest), stored.version
            )
        except HashingError:
            return False
        return hmac.compare_digest(digest, stored.digest)

    def verify_nothing(self, password: str) -> None:
        """Spend exactly the work of :meth:`verify` for an account that does not exist (row L7)."""
        self.verify(password, self._dummy)

    def needs_rehash(self, phc: str) -> bool:
        """Whether the string was made with other parameters than the present ones."""
        # The same text up to the salt, and as long from there on and after it.
        return not phc.startswith(self._head) or [*map(len, phc.split("$"))] != self._lengths

    def _digest(self, password: str, cost: Argon2Parameters, salt: bytes, size: int, version: int) -> bytes:
        return argon2id(
            self._keyed(password),
            salt,
            memory_kib=cost.memory_kib,
            passes=cost.passes,
            lanes=cost.lanes,
            size=size,
            version=version,
        )

    def _keyed(self, password: str) -> bytes:
        # Argon2 takes any bytes, yet other implementations stop at NUL: keep it text.
        return base64.b64encode(
            hmac.digest(self._pepper, password.encode("utf-8", "surrogatepass"), "sha256")
        )


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).rstrip(b"=").decode("ascii")


def _decoded(text: str) -> bytes:
    """The bytes of unpadded base64.

    Raises:
        binascii.Error: not the text that these bytes have.
    """
    data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    if _encoded(data) != text:
        raise binascii.Error("bits are left over")
    return data
