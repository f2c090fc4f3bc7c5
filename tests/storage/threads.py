"""Doing the same thing many times at once."""

import threading
from collections.abc import Callable
from typing import TypeVar

from idp.errors import Unavailable

Result = TypeVar("Result")

_TRIES = 20


def in_parallel(count: int, work: Callable[[int], Result]) -> list[Result]:
    """Call ``work(0)`` to ``work(count - 1)`` in threads released together; results in order.

    Who is told that the database has no time comes back, as a client would: on a slow disk, not all of
    fifty that want to write get their turn within the time-outs.
    """
    gate = threading.Barrier(count)
    results: dict[int, Result] = {}
    errors: list[BaseException] = []

    def run(number: int) -> None:
        gate.wait()
        try:
            results[number] = _coming_back(work, number)
        except BaseException as error:  # noqa: BLE001 -- raised again in the waiting thread
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return [results[number] for number in range(count)]


def _coming_back(work: Callable[[int], Result], number: int) -> Result:
    for _ in range(_TRIES - 1):
        try:
            return work(number)
        except Unavailable:
            continue
    return work(number)
