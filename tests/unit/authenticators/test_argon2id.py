"""Argon2id in memory of its own gives what the library gives, and leaves nothing behind (row P6)."""

import hmac
import threading
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2.exceptions import HashingError
from argon2.low_level import Type, hash_secret, hash_secret_raw

from idp.crypto import Argon2Parameters, PasswordHasher
from idp.crypto.argon2id import Block, argon2id, keeper

SALT = b"sixteen bytes of"
CHEAP = Argon2Parameters(memory_kib=64, passes=1)


@pytest.mark.parametrize(
    ("memory_kib", "passes", "lanes", "size", "version"),
    [(64, 1, 1, 32, 19), (19456, 2, 1, 32, 19), (256, 3, 4, 16, 19), (64, 2, 1, 64, 16), (8, 1, 1, 4, 19)],
)
def test_it_is_the_library_s_argon2id(memory_kib, passes, lanes, size, version):
    ours = argon2id(
        b"secret", SALT, memory_kib=memory_kib, passes=passes, lanes=lanes, size=size, version=version
    )

    assert ours == hash_secret_raw(b"secret", SALT, passes, memory_kib, lanes, size, Type.ID, version)


def test_the_memory_is_wiped_and_used_again():
    argon2id(b"secret", SALT, memory_kib=256, passes=1, lanes=1, size=32)
    memory = keeper.own_block().of_size(1)

    argon2id(b"another", SALT, memory_kib=128, passes=1, lanes=1, size=32)

    assert keeper.own_block().of_size(1) is memory
    assert not any(memory[:])


def test_memory_that_nobody_used_since_the_last_look_goes_back():
    block = Block()
    block.of_size(1)[0] = 1

    block.give_back_if_idle()
    assert block.is_resident
    with block.in_use:
        block.give_back_if_idle()
        assert block.is_resident
    block.give_back_if_idle()

    assert not block.is_resident
    assert block.of_size(1)[0] == 0


def test_the_memory_of_a_thread_that_waits_goes_back_by_itself():
    def work():
        argon2id(b"secret", SALT, memory_kib=256, passes=1, lanes=1, size=32)
        return keeper.own_block()

    with ThreadPoolExecutor(1) as pool:
        for _ in range(2):
            block = pool.submit(work).result(30)
            for looking in [thread for thread in threading.enumerate() if thread.name == "idp-hash-memory"]:
                looking.join(30)

            assert not block.is_resident


def test_threads_do_not_share_memory():
    """A barrier makes the hashes overlap; mixed memory would give other results."""
    barrier, results = threading.Barrier(4), []

    def work():
        barrier.wait(10)
        results.append(argon2id(b"secret", SALT, memory_kib=4096, passes=2, lanes=1, size=32))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert results == [hash_secret_raw(b"secret", SALT, 2, 4096, 1, 32, Type.ID)] * 4


def test_parameters_out_of_bounds_are_an_error():
    with pytest.raises(HashingError):
        argon2id(b"secret", SALT, memory_kib=1, passes=1, lanes=1, size=32)


def test_strings_go_both_ways_between_us_and_the_library():
    """Strings stored by earlier releases stay good, and ours are good elsewhere."""
    hasher = PasswordHasher(CHEAP, b"pepper")
    keyed = b64encode(hmac.digest(b"pepper", b"correct horse", "sha256"))
    theirs = hash_secret(keyed, SALT, 1, 64, 1, 32, Type.ID).decode()

    assert hasher.verify("correct horse", theirs)
    assert not hasher.needs_rehash(theirs)
    assert not hasher.verify("wrong horse", theirs)
    ours = hasher.hash("correct horse")
    salt = ours.split("$")[4]
    assert ours.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert len(salt) == 22
    assert len(ours.split("$")[5]) == 43


@pytest.mark.parametrize(
    "damage",
    [
        lambda phc: phc[:-1],
        lambda phc: phc + "A",
        lambda phc: phc + "\n",
        lambda phc: phc.replace("argon2id", "argon2i"),
        lambda phc: phc.replace("v=19", "v=20"),
        lambda phc: phc.replace("m=64", "m=0"),
        lambda phc: phc.replace("m=64", "m=-64"),
        lambda phc: phc.replace("t=1", "t=0"),
        lambda phc: phc.replace(",p=1", ""),
        lambda phc: phc.rpartition("$")[0] + "$",
        lambda phc: phc.rpartition("$")[0],
        lambda phc: "$argon2id$v=19$m=64,t=1,p=1$AAAA$" + phc.rpartition("$")[2],
        lambda _: "",
        lambda _: "!",
    ],
)
def test_a_damaged_string_counts_as_no(damage):
    hasher = PasswordHasher(CHEAP, b"pepper")
    phc = hasher.hash("correct horse")
    assert hasher.verify("correct horse", phc)

    assert hasher.verify("correct horse", damage(phc)) is False


@pytest.mark.parametrize(
    "other", [Argon2Parameters(128, 1, 1), Argon2Parameters(64, 2, 1), Argon2Parameters(64, 1, 2)]
)
def test_other_parameters_are_hashed_again(other):
    """P6: re-hash on login when the parameters change."""
    stored = PasswordHasher(other, b"pepper").hash("correct horse")
    hasher = PasswordHasher(CHEAP, b"pepper")

    assert hasher.verify("correct horse", stored)
    assert hasher.needs_rehash(stored)


def test_nothing_costs_what_something_costs():
    """L7: the string that stands for nobody has today's parameters and the same sizes."""
    checked = []

    class Recording(PasswordHasher):
        def verify(self, password, phc):
            checked.append(phc)
            return super().verify(password, phc)

    hasher = Recording(CHEAP, b"pepper")
    real = hasher.hash("x")

    hasher.verify_nothing("x")

    (dummy,) = checked
    assert dummy.split("$")[:4] == real.split("$")[:4]
    assert [len(part) for part in dummy.split("$")] == [len(part) for part in real.split("$")]
    assert not hasher.needs_rehash(dummy)
