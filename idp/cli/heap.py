"""The memory that the server below the application keeps for each of its threads."""

from collections.abc import MutableMapping
from typing import Final

_VARIABLE: Final = "_RJEM_MALLOC_CONF"
"""Where granian's allocator, jemalloc, looks when the library is loaded, and never again."""

_FRUGAL: Final = "narenas:1,lg_tcache_max:10,tcache_nslots_small_max:20"
"""One heap for all threads; each keeps no more than twenty free blocks of a size, none above 1 KiB.

Left to itself it keeps 150 KiB for every thread that has answered a request, 3 MiB in all, and
four heaps for each processor, where one thread at a time runs Python. Source: jemalloc(3), TUNING.
"""


def keep_server_heap_small(environ: MutableMapping[str, str]) -> None:
    """Say so before granian is loaded; what the operator has set stays."""
    environ.setdefault(_VARIABLE, _FRUGAL)
