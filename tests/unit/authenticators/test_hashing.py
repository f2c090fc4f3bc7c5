"""Password hashing is bounded (row L8) and costs the same for unknown accounts (row L7)."""

import threading
from datetime import timedelta

import pytest

from idp.authenticators import BoundedHasher, Busy
from idp.crypto import Argon2Parameters, PasswordHasher
from idp.fibers import before_blocking

CHEAP = Argon2Parameters(memory_kib=64, passes=1)


class Gate(PasswordHasher):
    """A hasher whose work takes until the gate opens."""

    def __init__(self):
        super().__init__(CHEAP, b"pepper")
        self.open = threading.Event()
        self.started = threading.Semaphore(0)

    def verify(self, password, phc):
        self.started.release()
        assert self.open.wait(10)
        return super().verify(password, phc)


def in_threads(count, work):
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


@pytest.fixture
def bounded():
    made = []

    def make(hasher, **options):
        made.append(BoundedHasher(hasher, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_beyond_the_bound_the_answer_is_fast(bounded):
    """L8: no slot within the queue time-out answers 503 with Retry-After."""
    gate = Gate()
    hasher = bounded(gate, slots=1, waiting=2, queue_timeout=timedelta(milliseconds=20))
    running = in_threads(1, lambda: hasher.verify("x", "phc"))
    assert gate.started.acquire(timeout=10)

    with pytest.raises(Busy) as caught:
        hasher.verify("y", "phc")

    assert caught.value.retry_after == timedelta(seconds=1)
    gate.open.set()
    for thread in running:
        thread.join(10)


def test_not_everybody_may_wait(bounded):
    """L8: waiting itself must not use up the threads that answer requests."""
    gate = Gate()
    hasher = bounded(gate, slots=1, waiting=2, queue_timeout=timedelta(seconds=10))
    refused = threading.Semaphore(0)

    def attempt():
        try:
            hasher.verify("x", "phc")
        except Busy:
            refused.release()

    threads = in_threads(5, attempt)

    assert refused.acquire(timeout=5)  # one runs, two wait, the others are refused at once
    assert refused.acquire(timeout=5)
    assert not refused.acquire(blocking=False)
    gate.open.set()
    for thread in threads:
        thread.join(10)


def test_who_would_be_refused_at_the_hash_is_refused_before_anything_is_looked_up(bounded):
    """L8: the answer beyond the bound is fast."""
    gate = Gate()
    hasher = bounded(gate, slots=1, waiting=1, queue_timeout=timedelta(seconds=10))
    hasher.assert_room()
    threads = in_threads(1, lambda: hasher.verify("x", "phc"))
    assert gate.started.acquire(timeout=10)
    hasher.assert_room()  # one more may wait, and asking takes no place
    hasher.assert_room()
    threads += in_threads(1, lambda: hasher.verify("y", "phc"))

    while hasher.in_hand < 2:
        assert threads[-1].is_alive()

    with pytest.raises(Busy) as caught:
        hasher.assert_room()

    assert caught.value.retry_after == timedelta(seconds=10)
    gate.open.set()
    for thread in threads:
        thread.join(10)
    hasher.assert_room()


def test_who_waits_is_served_and_first_come_first_served(bounded):
    """L8: a burst within the bound loses nobody."""
    served = []

    class Recording(Gate):
        def verify(self, password, phc):
            served.append(password)
            return super().verify(password, phc)

    gate = Recording()
    hasher = bounded(gate, slots=1, waiting=3, queue_timeout=timedelta(seconds=10))
    threads = []
    for number in range(4):
        threads += in_threads(1, lambda name=str(number): hasher.verify(name, "phc"))
        while hasher.in_hand < number + 1:
            assert threads[-1].is_alive()

    gate.open.set()

    for thread in threads:
        thread.join(10)
    assert served == ["0", "1", "2", "3"]


def test_slots_come_back_after_errors(bounded):
    class Broken(PasswordHasher):
        def hash(self, password):
            raise RuntimeError(password)

    hasher = bounded(Broken(CHEAP, b""), slots=1, waiting=0, queue_timeout=timedelta(seconds=10))

    for _ in range(10):
        with pytest.raises(RuntimeError):
            hasher.hash("x")


def test_an_unknown_account_costs_a_hash(bounded):
    """L7: a dummy is hashed with equal cost."""
    calls = []

    class Counting(PasswordHasher):
        def verify(self, password, phc):
            calls.append(phc)
            return super().verify(password, phc)

    hasher = bounded(Counting(CHEAP, b""), slots=1, waiting=0, queue_timeout=timedelta(seconds=10))
    phc = hasher.hash("secret word")

    assert hasher.verify("secret word", phc)
    assert not hasher.verify("secret word", None)
    assert len(calls) == 2
    assert calls[0].split("$")[:4] == calls[1].split("$")[:4]  # same algorithm and parameters


def test_who_waits_for_a_hash_says_so_before(bounded):
    """L8: another thread of the server takes the requests meanwhile."""
    gate = Gate()
    hasher = bounded(gate, slots=1, waiting=1, queue_timeout=timedelta(seconds=10))
    said = threading.Event()

    def works():
        before_blocking(said.set)
        hasher.verify("x", gate.hash("x"))

    (running,) = in_threads(1, works)

    assert said.wait(10)
    gate.open.set()
    running.join(10)
