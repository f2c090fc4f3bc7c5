"""Doing the same thing many times at once."""

import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def in_parallel(count: int, work: Callable[[int], Result]) -> list[Result]:
    """Call ``work(0)`` to ``work(count - 1)`` in threads released together; results in order."""
    gate = threading.Barrier(count)
    results: dict[int, Result] = {}
    errors: list[BaseException] = []

    def run(number: int) -> None:
        gate.wait()
        try:
            results[number] = work(number)
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
