"""The life of signing keys: made, rotated, revoked, settled (D14)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from idp.crypto import RootKey
from idp.errors import NotFound
from idp.keys import SUPPORTED_ALGORITHMS, KeyState, SigningKeyUnreadable
from tests.unit.keys.deployment import LEAD, LONGEST, MAX_AGE, START, assembled, started, store_for

LATER = START + timedelta(days=1)


@pytest.fixture
def idp(database, repos):
    return started(database, repos)


def states(idp, alg="ES256", now=LATER):
    with idp.database.transaction(write=False):
        return {key.kid: key.state for key in idp.store.list_(now) if key.alg == alg}


def kid_of(idp, state, alg="ES256", now=LATER):
    return next(kid for kid, known in states(idp, alg, now).items() if known is state)


def rotate(idp, alg="ES256", now=LATER, **options):
    with idp.database.transaction():
        return idp.store.rotate(alg, now, **options)


def revoke(idp, kid, now=LATER):
    with idp.database.transaction():
        return idp.store.revoke(kid, now)


def version(idp):
    with idp.database.transaction(write=False):
        return idp.repos.changes.versions().get("keys", 0)


@pytest.mark.parametrize("alg", SUPPORTED_ALGORITHMS)
def test_first_start_makes_an_active_and_a_next_key(idp, alg):
    assert sorted(states(idp, alg, START).values()) == [KeyState.ACTIVE, KeyState.NEXT]


def test_second_start_changes_nothing(idp):
    before = version(idp)

    with idp.database.transaction():
        assert idp.store.ensure_keys(LATER) == []

    assert version(idp) == before


def test_first_start_reports_and_announces_what_it_made(database, repos):
    idp = assembled(database, repos)

    with idp.database.transaction():
        changes = idp.store.ensure_keys(START)

    assert sorted(change.kind for change in changes) == ["activated"] * 3 + ["created"] * 6
    assert version(idp) == 1


def test_workers_that_start_together_make_one_set_of_keys(database, repos):
    """Four processes on an empty database."""
    idp = assembled(database, repos)

    def start():
        with idp.database.transaction():
            return len(idp.store.ensure_keys(START))

    with ThreadPoolExecutor(4) as pool:
        made = sorted(pool.map(lambda _: start(), range(4)))

    assert made == [0, 0, 0, 9]
    with idp.database.transaction(write=False):
        assert len(idp.store.list_(START)) == 6


def test_private_keys_are_stored_sealed(idp):
    """D5: a stolen database holds no key; rows cannot be swapped."""
    with idp.database.transaction(write=False):
        (first, sealed), (second, _), *_rest = idp.store.sealed_keys()

    assert idp.store.unseal(first.kid, sealed).startswith(b"0")
    assert b"PRIVATE" not in sealed
    with pytest.raises(SigningKeyUnreadable):
        idp.store.unseal(second.kid, sealed)


def test_keys_of_another_root_key_are_named(idp):
    with idp.database.transaction(write=False):
        (key, sealed), *_ = idp.store.sealed_keys()

    with pytest.raises(SigningKeyUnreadable, match=f"{key.kid}.*another root key"):
        store_for(idp.repos, RootKey(bytes(32))).unseal(key.kid, sealed)


def test_first_rotation_takes_effect_at_once(idp):
    """The key made with the first active key is in every key set that was ever served."""
    waiting = kid_of(idp, KeyState.NEXT)

    changes = rotate(idp, now=START)

    assert [change.kind for change in changes] == ["retired", "activated", "created"]
    assert states(idp, now=START)[waiting] is KeyState.ACTIVE


def test_key_that_relying_parties_have_had_time_to_fetch_signs_at_once(idp):
    rotate(idp, now=START)
    waiting = kid_of(idp, KeyState.NEXT, now=START)

    rotate(idp, now=START + LEAD)

    assert states(idp, now=START + LEAD)[waiting] is KeyState.ACTIVE


def test_key_that_is_too_young_is_scheduled(idp):
    """D14: no relying party that cached the key set meets an unknown kid."""
    rotate(idp, now=START)
    active, waiting = kid_of(idp, KeyState.ACTIVE, now=START), kid_of(idp, KeyState.NEXT, now=START)
    soon, due = START + timedelta(seconds=1), START + LEAD

    changes = rotate(idp, now=soon)

    assert [(change.kid, change.at) for change in changes if change.kind == "scheduled"] == [(waiting, due)]
    assert states(idp, now=due - timedelta(microseconds=1))[active] is KeyState.ACTIVE
    assert states(idp, now=due)[active] is KeyState.RETIRED
    assert states(idp, now=due)[waiting] is KeyState.ACTIVE


def test_planned_rotation_is_not_planned_twice(idp):
    rotate(idp, now=START)
    soon = START + timedelta(seconds=1)
    rotate(idp, now=soon)
    before = version(idp)

    assert rotate(idp, now=soon) == []
    assert version(idp) == before


def test_operator_may_hurry(idp):
    rotate(idp, now=START)
    waiting = kid_of(idp, KeyState.NEXT, now=START)
    soon = START + timedelta(seconds=1)
    rotate(idp, now=soon)

    rotate(idp, now=soon, activate_now=True)

    assert states(idp, now=soon)[waiting] is KeyState.ACTIVE


def test_old_key_is_published_while_its_tokens_may_live(idp):
    old = kid_of(idp, KeyState.ACTIVE)

    rotate(idp)

    with idp.database.transaction(write=False):
        record = next(key for key in idp.store.list_(LATER) if key.kid == old)
    assert record.retired_at == LATER
    assert record.unpublish_at == LATER + LONGEST + MAX_AGE + timedelta(seconds=60)


def test_there_is_always_one_active_and_one_next_key(idp):
    now = START
    for step in range(8):
        now += timedelta(seconds=40 * step)
        rotate(idp, now=now, activate_now=step % 3 == 0)
        kinds = list(states(idp, now=now).values())
        assert kinds.count(KeyState.ACTIVE) == 1
        assert KeyState.NEXT in kinds


def test_rotation_without_a_name_rotates_all(idp):
    assert {change.alg for change in rotate(idp, alg=None)} == set(SUPPORTED_ALGORITHMS)


@pytest.mark.parametrize("alg", ["none", "HS256", ""])
def test_unknown_algorithm_is_not_found(idp, alg):
    with pytest.raises(NotFound):
        rotate(idp, alg=alg)


def test_settling_writes_down_what_time_has_brought(idp):
    rotate(idp, now=START)
    active, waiting = kid_of(idp, KeyState.ACTIVE, now=START), kid_of(idp, KeyState.NEXT, now=START)
    rotate(idp, now=START + timedelta(seconds=1))

    with idp.database.transaction():
        changes = idp.store.settle(LATER)

    assert {(c.kid, c.kind, c.at) for c in changes} == {
        (active, "retired", START + LEAD),
        (waiting, "activated", START + LEAD),
    }
    with idp.database.transaction():
        assert idp.store.settle(LATER) == []
        stored = {row.kid: row.state for row in idp.repos.keys.list_()}
    assert stored[waiting] == "active"
    assert stored[active] == "retired"


def test_settling_ahead_of_a_plan_changes_nothing(idp):
    rotate(idp, now=START)
    rotate(idp, now=START + timedelta(seconds=1))

    with idp.database.transaction():
        assert idp.store.settle(START + timedelta(seconds=2)) == []


def test_revoked_active_key_is_replaced_by_the_next(idp):
    """Key compromise: out at once, and another key signs at once."""
    old, waiting = kid_of(idp, KeyState.ACTIVE), kid_of(idp, KeyState.NEXT)

    changes = revoke(idp, old)

    assert [change.kind for change in changes] == ["revoked", "activated", "created"]
    assert states(idp)[old] is KeyState.REVOKED
    assert states(idp)[waiting] is KeyState.ACTIVE
    assert KeyState.NEXT in states(idp).values()


def test_revoked_next_key_is_replaced(idp):
    active, waiting = kid_of(idp, KeyState.ACTIVE), kid_of(idp, KeyState.NEXT)

    revoke(idp, waiting)

    assert states(idp)[active] is KeyState.ACTIVE
    assert sorted(states(idp).values()) == [KeyState.ACTIVE, KeyState.NEXT, KeyState.REVOKED]


def test_revoking_a_planned_key_cancels_its_rotation(idp):
    rotate(idp, now=START)
    active, planned = kid_of(idp, KeyState.ACTIVE, now=START), kid_of(idp, KeyState.NEXT, now=START)
    rotate(idp, now=START + timedelta(seconds=1))

    revoke(idp, planned, now=START + timedelta(seconds=2))

    assert states(idp, now=LATER)[active] is KeyState.ACTIVE


def test_active_key_revoked_during_a_planned_rotation_is_replaced_by_the_planned_one(idp):
    rotate(idp, now=START)
    active, planned = kid_of(idp, KeyState.ACTIVE, now=START), kid_of(idp, KeyState.NEXT, now=START)
    rotate(idp, now=START + timedelta(seconds=1))

    revoke(idp, active, now=START + timedelta(seconds=2))

    assert states(idp, now=START + timedelta(seconds=2))[planned] is KeyState.ACTIVE


def test_revoking_twice_changes_nothing(idp):
    old = kid_of(idp, KeyState.ACTIVE)
    revoke(idp, old)
    before = version(idp)

    assert revoke(idp, old) == []
    assert version(idp) == before


@pytest.mark.parametrize("kid", ["unknown", "", "\x00"])
def test_unknown_key_is_not_found(idp, kid):
    with pytest.raises(NotFound):
        revoke(idp, kid)


def test_failed_transaction_leaves_the_keys_as_they_were(idp):
    before = states(idp)

    with pytest.raises(LookupError):
        _rotate_and_fail(idp)

    assert states(idp) == before


INTERVAL = timedelta(days=90)


def rotate_due(idp, now, interval=INTERVAL):
    with idp.database.transaction():
        return idp.store.rotate_due(now, interval)


def test_key_that_has_signed_long_enough_is_replaced(idp):
    waiting = kid_of(idp, KeyState.NEXT)

    assert rotate_due(idp, START + INTERVAL - timedelta(seconds=1)) == []
    changes = rotate_due(idp, START + INTERVAL)

    assert {change.alg for change in changes} == set(SUPPORTED_ALGORITHMS)
    assert states(idp, now=START + INTERVAL)[waiting] is KeyState.ACTIVE
    assert rotate_due(idp, START + INTERVAL) == []


def test_only_the_algorithm_that_is_due_is_replaced(idp):
    rotate(idp, alg="RS256", now=LATER)

    changes = rotate_due(idp, START + INTERVAL)

    assert {change.alg for change in changes} == {"ES256", "EdDSA"}


def test_interval_of_zero_leaves_rotation_to_the_operator(idp):
    assert rotate_due(idp, START + 100 * INTERVAL, timedelta(0)) == []


def test_workers_that_find_a_key_due_together_replace_it_once(idp):
    with ThreadPoolExecutor(3) as pool:
        made = sorted(pool.map(lambda _: len(rotate_due(idp, START + INTERVAL)), range(3)))

    assert made[:2] == [0, 0]
    assert list(states(idp, now=START + INTERVAL).values()).count(KeyState.ACTIVE) == 1


def test_every_algorithm_missing_later_is_added(idp):
    """An upgrade that brings an algorithm: the start makes its keys."""
    with idp.database.transaction():
        for row in idp.repos.keys.list_():
            if row.alg == "EdDSA":
                idp.repos.keys.set_state(row.kid, state="revoked")

    with idp.database.transaction():
        changes = idp.store.ensure_keys(LATER)

    assert sorted((change.alg, change.kind) for change in changes) == [
        ("EdDSA", "activated"),
        ("EdDSA", "created"),
        ("EdDSA", "created"),
    ]


def _rotate_and_fail(idp):
    with idp.database.transaction():
        idp.store.rotate(None, LATER)
        raise LookupError
