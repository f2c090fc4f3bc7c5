"""Argon2id in memory of its own.

Left to itself the library takes the memory of each hash from ``malloc``, and there are two bad
ways that goes. Returned to the system after each hash, 19 MiB are faulted in anew, page by page:
half as much again in time. Kept by ``malloc``, they are kept up to three times, because small
blocks of other threads settle in between. So each thread that hashes has one block that it uses
again, in huge pages where the system has them. Measured for 19 MiB and two passes: 33 ms, 22 ms
and 18 ms of processor a hash.

Blocks that were not used for a moment go back to the system and come again with the next hash,
for some 5 ms more: a sign-in now and then costs that, and a rush of them keeps its block.

The library calls back for memory in its C interface (``argon2_context`` of the reference
implementation, RFC 9106); it wipes the block itself after each use.
"""

import contextlib
import mmap
import os
import threading
import time
import weakref
from typing import Any, Final

from _argon2_cffi_bindings import ffi, lib  # type: ignore[import-untyped] # made by cffi
from argon2.exceptions import HashingError
from argon2.low_level import ARGON2_VERSION, Type, core, error_to_str

_HUGE_PAGE: Final = 2 << 20

_LOOK_SECONDS: Final = 0.1
"""How often to look for idle blocks. One hash between two looks costs 5 % of a processor more."""


class Block:
    """The memory of one thread, which hashes in it; the thread of the `Keeper` empties it."""

    def __init__(self) -> None:
        self.in_use = threading.Lock()
        self.is_resident = False
        """Whether a hash has used it since it was given back."""
        self._memory: mmap.mmap | None = None
        self._was_used = False

    def of_size(self, size: int) -> mmap.mmap:
        """The memory, at least so many bytes, for the holder of ``in_use``."""
        if self._memory is None or len(self._memory) < size:
            length = -(-size // _HUGE_PAGE) * _HUGE_PAGE
            # Private, because huge pages are given for no other kind.
            self._memory = mmap.mmap(-1, length, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            with contextlib.suppress(AttributeError, OSError):  # not on every system
                self._memory.madvise(mmap.MADV_HUGEPAGE)
        self.is_resident = self._was_used = True
        return self._memory

    def give_back_if_idle(self) -> None:
        """Give the pages back to the system if no hash has used them since the last call."""
        if not self.in_use.acquire(blocking=False):
            return
        try:
            if self._memory is not None and not self._was_used:
                with contextlib.suppress(AttributeError, OSError):  # not on every system
                    self._memory.madvise(mmap.MADV_DONTNEED)
                self.is_resident = False
            self._was_used = False
        finally:
            self.in_use.release()


class Keeper:
    """Knows the blocks of all threads; has a thread of its own while one of them has pages."""

    def __init__(self) -> None:
        self._own = threading.local()
        self.after_fork()

    def after_fork(self) -> None:
        """Begin anew in a child: it has none of the parent's threads, and maybe their locks."""
        self._lock = threading.Lock()
        self._blocks: weakref.WeakSet[Block] = weakref.WeakSet()
        self._own.__dict__.clear()
        self._is_looking = False

    def own_block(self) -> Block:
        """The block of the calling thread; it ends with the thread."""
        block: Block | None = getattr(self._own, "block", None)
        if block is None:
            block = self._own.block = Block()
            with self._lock:
                self._blocks.add(block)
        return block

    def look_after_blocks(self) -> None:
        """See to it that what was used is given back in the end."""
        with self._lock:
            if not self._is_looking:
                self._is_looking = True
                threading.Thread(target=self._look, name="idp-hash-memory", daemon=True).start()

    def give_back_idle(self) -> bool:
        """Look at every block once; whether one still has pages. If none has, nobody looks any longer."""
        with self._lock:
            blocks = list(self._blocks)
            for block in blocks:
                block.give_back_if_idle()
            self._is_looking = any(block.is_resident for block in blocks)
            return self._is_looking

    def _look(self) -> None:
        time.sleep(_LOOK_SECONDS)
        while self.give_back_idle():
            time.sleep(_LOOK_SECONDS)


keeper: Final = Keeper()
os.register_at_fork(after_in_child=keeper.after_fork)


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
    block = keeper.own_block()
    with block.in_use:
        code = core(context, Type.ID.value)
        keeper.look_after_blocks()
    del kept_secret, kept_salt  # named above, because the structure holds only their addresses
    if code != lib.ARGON2_OK:
        raise HashingError(error_to_str(code))
    return bytes(ffi.buffer(out, size))


def _allocate_memory(memory: Any, size: int) -> int:
    memory[0] = ffi.cast("uint8_t *", ffi.from_buffer(keeper.own_block().of_size(size)))
    return int(lib.ARGON2_OK)


def _keep_memory(memory: Any, size: int) -> None:
    """The block stays with the thread; it has been wiped."""


_FIELDS: Final = dict(ffi.typeof("argon2_context").fields)
_allocate = ffi.callback(
    _FIELDS["allocate_cbk"].type, _allocate_memory, error=lib.ARGON2_MEMORY_ALLOCATION_ERROR
)
_free = ffi.callback(_FIELDS["free_cbk"].type, _keep_memory)
