"""The root key: one file from which every other key is derived.

It seals the signing keys, peppers passwords and authenticates refresh tokens, each through
its own HKDF label, so that no two purposes share key material (decision D5).
"""

import contextlib
import os
import secrets
import stat
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from idp.crypto.values import b64url_decode, b64url_encode

_FILE_NAME = "root.key"
_PREFIX = "idp-root-key-1:"
_SIZE = 32


class RootKeyError(Exception):
    """The root key is missing, unreadable, readable by others, or damaged."""


class RootKey:
    """32 random bytes that never leave the process; other keys are derived from them."""

    __slots__ = ("_material",)

    def __init__(self, material: bytes) -> None:
        if len(material) != _SIZE:
            raise RootKeyError(f"the root key must be {_SIZE} bytes, not {len(material)}")
        self._material = material

    def derive(self, label: str, length: int = 32) -> bytes:
        """A key for one purpose; the same label always gives the same key.

        Source: RFC 5869, with the label as ``info``.
        """
        return HKDF(algorithm=SHA256(), length=length, salt=None, info=b"idp:" + label.encode()).derive(
            self._material
        )

    def __repr__(self) -> str:
        """Hide the key in logs and tracebacks."""
        return "RootKey(**********)"


def load_root_key(directory: Path, *, create: bool = True) -> RootKey:
    """Read ``root.key`` in ``directory``, or make it on the first start.

    Args:
        directory: where the key file lives; made with mode 0700 if missing.
        create: make a new key if there is none. Several processes may start at once; one wins
            and the others read its key.

    Raises:
        RootKeyError: missing and ``create`` is off, readable by group or others, or damaged.
    """
    path = directory / _FILE_NAME
    if not path.exists():
        if not create:
            raise RootKeyError(
                f"{path} does not exist, and the database was set up with one;"
                " copy it from a backup or from another node"
            )
        _create(path)
    _refuse_if_open_to_others(path)
    try:
        text = path.read_text(encoding="ascii").strip()
        return RootKey(b64url_decode(text.removeprefix(_PREFIX)))
    except (OSError, ValueError) as error:
        raise RootKeyError(f"{path} cannot be read as a root key: {error}") from error


def _create(path: Path) -> None:
    """Write a new key so that a half-written file can never be seen under the final name."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{_FILE_NAME}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(_PREFIX + b64url_encode(secrets.token_bytes(_SIZE)) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A hard link fails if the name exists, so the first of several processes wins.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def _refuse_if_open_to_others(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise RootKeyError(
            f"{path} is accessible by group or others (mode {mode:04o}); run: chmod 600 {path}"
        )
