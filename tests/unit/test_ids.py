"""Identifiers: sortable by time, alike in form, never alike."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from idp.ids import NAME_BYTES, fresh_bytes, new_id

NOW = datetime(2026, 3, 1, 12, 0, 0, 123_000, tzinfo=UTC)
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def test_form():
    """ULID: ten characters of time, sixteen of chance, Crockford's alphabet."""
    prefix, _, rest = new_id("acc", NOW).partition("_")

    assert (prefix, len(rest)) == ("acc", 26)
    assert set(rest) <= set(ALPHABET)


@pytest.mark.parametrize(
    "moment", [NOW, datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)]
)
def test_time_can_be_read_from_it(moment):
    number = 0
    for character in new_id("acc", moment)[4:14]:
        number = number * 32 + ALPHABET.index(character)

    assert number == round(moment.timestamp() * 1000)


def test_they_sort_by_time():
    made = [new_id("acc", NOW + timedelta(milliseconds=step)) for step in (0, 1, 40, 33_000, 2**40)]

    assert made == sorted(made)


def test_no_two_are_alike():
    """The same millisecond gives the same first part, and every character of the rest differs at times."""
    made = [new_id("acc", NOW) for _ in range(2000)]

    assert len({*made}) == len(made)
    assert {text[:14] for text in made} == {made[0][:14]}
    assert [len({text[place] for text in made}) for place in range(14, 30)] == [32] * 16


def test_fresh_bytes_are_never_alike():
    """Also over the ends of the blocks they come in."""
    made = [fresh_bytes() for _ in range(1000)]

    assert {len(one) for one in made} == {NAME_BYTES}
    assert len(set(made)) == len(made)


def test_forked_workers_do_not_share_fresh_bytes():
    """Workers are forked from a process that has names in store; each begins anew (row C9)."""
    fresh_bytes()  # leaves some in store
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # nothing but these calls: the child of a test run must not go on with it
        os.write(writer, b"".join(fresh_bytes() for _ in range(200)))
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    with os.fdopen(reader, "rb") as sent:
        theirs = sent.read()
    ours = {fresh_bytes() for _ in range(200)}

    assert len(theirs) == 200 * NAME_BYTES
    assert ours.isdisjoint(theirs[start : start + NAME_BYTES] for start in range(0, len(theirs), NAME_BYTES))
