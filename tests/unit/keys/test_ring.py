"""What a worker signs and verifies with, and how it follows the others."""

import json
import threading
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from idp.crypto import RootKey
from idp.errors import Unavailable
from idp.keys import SUPPORTED_ALGORITHMS, InvalidToken, KeyRing, SigningKeyUnreadable
from tests.unit.keys.deployment import LEAD, store_for, with_keys

SECOND = timedelta(seconds=1)


@pytest.fixture
def idp(tmp_path):
    with with_keys(tmp_path) as made:
        yield made


def rotate(idp, alg="ES256", **options):
    with idp.database.transaction():
        return idp.store.rotate(alg, idp.clock.now(), **options)


def published(ring):
    return {key["kid"]: key for key in json.loads(ring.jwks().body)["keys"]}


@pytest.mark.parametrize("alg", SUPPORTED_ALGORITHMS)
def test_worker_verifies_what_another_signed(idp, alg):
    token = idp.worker().sign({"sub": "acc_1"}, typ="at+jwt", alg=alg)

    assert idp.worker().verify(token, typ="at+jwt") == {"sub": "acc_1"}


def test_type_is_checked(idp):
    """T4: a token of one type is not another."""
    ring = idp.worker()
    token = ring.sign({"sub": "acc_1"}, typ="JWT", alg="RS256")

    assert ring.verify(token, typ=frozenset({None, "jwt"})) == {"sub": "acc_1"}
    with pytest.raises(InvalidToken):
        ring.verify(token, typ="at+jwt")


def test_key_set_is_complete_and_public(idp):
    """X18: every key with kid, use and alg, kids distinct, nothing private."""
    keys = json.loads(idp.worker().jwks().body)["keys"]

    assert len({key["kid"] for key in keys}) == len(keys) == 6
    assert {key["use"] for key in keys} == {"sig"}
    assert {key["alg"] for key in keys} == set(SUPPORTED_ALGORITHMS)
    assert not {name for key in keys for name in key} - {
        "kty",
        "crv",
        "x",
        "y",
        "n",
        "e",
        "kid",
        "use",
        "alg",
    }


def test_key_set_is_the_same_on_every_worker(idp):
    first, second = idp.worker().jwks(), idp.worker().jwks()

    assert first == second
    assert first.max_age == 60
    assert first.etag.startswith('"')
    assert first.etag.endswith('"')


def test_key_set_has_another_validator_after_a_change(idp):
    ring = idp.worker()
    before = ring.jwks()
    rotate(idp)

    ring.reload()

    assert ring.jwks().etag != before.etag
    assert set(published(ring)) > {key["kid"] for key in json.loads(before.body)["keys"]}


def test_planned_rotation_happens_on_every_worker_by_the_clock(idp):
    """D14: without a further write, and without a reload."""
    rotate(idp)
    idp.clock.advance(SECOND)
    rotate(idp)
    workers = [idp.worker(), idp.worker()]
    before = workers[0].active("ES256").kid

    idp.clock.advance(LEAD - 2 * SECOND)
    assert {ring.active("ES256").kid for ring in workers} == {before}
    idp.clock.advance(SECOND)
    after = {ring.active("ES256").kid for ring in workers}

    assert len(after) == 1
    assert after != {before}


def test_settling_changes_nothing_for_workers(idp):
    rotate(idp)
    idp.clock.advance(SECOND)
    rotate(idp)
    idp.clock.advance(LEAD)
    ring = idp.worker()
    before = (ring.active("ES256").kid, ring.jwks())

    with idp.database.transaction():
        assert idp.store.settle(idp.clock.now())
    ring.reload()

    assert (ring.active("ES256").kid, ring.jwks()) == before


def test_tokens_of_a_retired_key_are_accepted_until_it_is_unpublished(idp):
    ring = idp.worker()
    token = ring.sign({"sub": "acc_1"}, typ="at+jwt", alg="ES256")
    kid = ring.active("ES256").kid
    rotate(idp)
    ring.reload()

    idp.clock.advance(idp.store.retention - SECOND)
    assert ring.verify(token, typ="at+jwt")
    assert kid in published(ring)
    idp.clock.advance(SECOND)

    assert kid not in published(ring)
    with pytest.raises(InvalidToken):
        ring.verify(token, typ="at+jwt")


def test_revoked_key_is_refused_at_once(idp):
    """Key compromise: our own endpoints refuse at once, the key set is without it."""
    ring = idp.worker()
    token = ring.sign({"sub": "acc_1"}, typ="at+jwt", alg="ES256")
    kid = ring.active("ES256").kid
    with idp.database.transaction():
        idp.store.revoke(kid, idp.clock.now())

    ring.reload()

    assert kid not in published(ring)
    assert ring.find(kid) is None
    assert ring.active("ES256").kid != kid
    with pytest.raises(InvalidToken):
        ring.verify(token, typ="at+jwt")


def test_reload_keeps_the_parsed_keys(idp):
    """An RSA import costs as much as hundreds of requests."""
    ring = idp.worker()
    before = ring.active("RS256"), ring.find(ring.active("RS256").kid)
    rotate(idp, alg="ES256")

    ring.reload()

    assert ring.active("RS256") is before[0]
    assert ring.find(before[0].kid) is before[1]


def test_worker_goes_on_when_the_database_is_gone(idp):
    """Discovery and the key set keep answering from memory."""
    ring = idp.worker()
    before = ring.jwks()
    with idp.database.transaction():
        idp.database.session().execute(text("DROP TABLE signing_key"))

    with pytest.raises(DBAPIError):
        ring.reload()

    assert ring.jwks() == before
    assert ring.verify(ring.sign({}, typ="x", alg="ES256"), typ="x") == {}


def test_worker_with_another_root_key_does_not_start(idp):
    stranger = KeyRing(idp.database, store_for(idp.repos, RootKey(bytes(32))), idp.clock)

    with pytest.raises(SigningKeyUnreadable):
        stranger.reload()


def test_ring_that_was_never_loaded_says_so(idp):
    ring = KeyRing(idp.database, idp.store, idp.clock)

    with pytest.raises(Unavailable):
        ring.jwks()


def test_unknown_algorithm_has_no_active_key(idp):
    with pytest.raises(Unavailable):
        idp.worker().active("none")


def test_threads_sign_while_keys_rotate(idp):
    """Readers need no lock: each token verifies, whatever was loaded in between."""
    ring = idp.worker()
    tokens: list[str] = []
    threads = [
        threading.Thread(
            target=lambda: tokens.extend(ring.sign({"n": n}, typ="x", alg="EdDSA") for n in range(200))
        )
        for _ in range(3)
    ]

    for thread in threads:
        thread.start()
    for _ in range(5):
        rotate(idp, alg="EdDSA", activate_now=True)
        ring.reload()
    for thread in threads:
        thread.join()

    assert len(tokens) == 600
    assert all(ring.verify(token, typ="x") for token in tokens)
