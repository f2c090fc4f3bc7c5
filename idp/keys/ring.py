"""The keys of this process, as objects: what a request signs and verifies with.

A request never parses a key and never asks the database. The ring holds the rows as they
were loaded last and a view of them that is true until the next planned change; both are
replaced whole, so readers need no lock.
"""

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from joserfc.jwk import import_key

from idp.clock import Clock
from idp.errors import Unavailable
from idp.keys.algorithms import SUPPORTED_ALGORITHMS, byte_signer
from idp.keys.jwks import Jwks, render
from idp.keys.signing import SigningKey
from idp.keys.states import KeyRecord, KeyState, in_order, is_published, next_change, settled
from idp.keys.store import KeyStore
from idp.keys.verification import VerificationKey, verify
from idp.storage import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """What holds from one planned change to the next."""

    signers: Mapping[str, SigningKey]
    """By algorithm."""
    verifiers: Mapping[str, VerificationKey]
    """By kid."""
    jwks: Jwks
    stale_at: datetime | None
    """When a planned change makes this view wrong."""


class KeyRing:
    """Signs and verifies with the deployment's keys; thread-safe.

    Args:
        database: opens the short read of :meth:`reload`.
        store: the stored keys.
        clock: decides which planned rotations have happened.
    """

    def __init__(self, database: Database, store: KeyStore, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._clock = clock
        self._reloading = threading.Lock()
        self._swapping = threading.Lock()
        self._records: tuple[KeyRecord, ...] = ()
        self._signing: dict[str, SigningKey] = {}
        self._verifying: dict[str, VerificationKey] = {}
        self._view: _View | None = None

    def reload(self) -> None:
        """Read the rows and take over what changed; keys already parsed are kept.

        On any error the ring goes on with what it had.

        Raises:
            SigningKeyUnreadable: a key was sealed under another root key.
            Unavailable: the database does not answer.
        """
        with self._reloading:
            with self._database.transaction(write=False):
                rows = self._store.sealed_keys()
            records = tuple(record for record, _ in rows)
            now = self._clock.now()
            current = settled(records, now, self._store.retention)
            sealed = {record.kid: private for record, private in rows}
            signing = {r.kid: self._signing_key(r, sealed[r.kid]) for r in current if _may_sign(r)}
            verifying = {r.kid: self._verification_key(r) for r in current if is_published(r, now)}
            # Apart from the slow part, so that a request never waits for the database here.
            with self._swapping:
                self._records, self._signing, self._verifying = records, signing, verifying
                self._view = self._compose(now)

    def active(self, alg: str) -> SigningKey:
        """The key that signs with ``alg`` now.

        Raises:
            Unavailable: there is none; the ring is not loaded, or no key was ever made.
        """
        view = self._view
        if view is None or view.stale_at is not None:  # else it holds, and there is nothing to ask
            view = self._current()
        key = view.signers.get(alg)
        if key is None:
            raise Unavailable(detail=f"no active signing key for {alg!r}")
        return key

    def find(self, kid: str) -> VerificationKey | None:
        """The published key with this name: next, active, or retired while its tokens may live."""
        return self._current().verifiers.get(kid)

    def jwks(self) -> Jwks:
        """The key set document; needs no database once loaded."""
        return self._current().jwks

    def sign(self, claims: Mapping[str, Any], *, typ: str | None, alg: str) -> str:
        """A compact JWS over ``claims`` by the active key.

        Args:
            claims: JSON object; times are already numbers.
            typ: type of the token, for example ``at+jwt``; ``None`` leaves the header out.
            alg: one of ``SUPPORTED_ALGORITHMS``.

        Raises:
            Unavailable: no active key for ``alg``.
        """
        return self.active(alg).sign(claims, typ=typ)

    def verify(
        self,
        token: str,
        *,
        typ: Collection[str | None] | str,
        algs: Collection[str] = SUPPORTED_ALGORITHMS,
    ) -> dict[str, Any]:
        """The claims of a token signed by one of our keys; times are not checked.

        Args:
            token: as received, at most 8 KiB.
            typ: one accepted type, or several, in lower case; ``None`` among them accepts a
                token without type.
            algs: accepted algorithms.

        Raises:
            InvalidToken: not ours, changed, of another type, or by a key that is gone.
        """
        accepted = (typ,) if isinstance(typ, str) else typ
        return verify(token, find=self.find, typ=accepted, algs=algs)

    def _current(self) -> _View:
        view = self._view
        if view is None:
            raise Unavailable(detail="the key ring was never loaded")
        if view.stale_at is None or self._clock.now() < view.stale_at:
            return view
        with self._swapping:
            self._view = view = self._compose(self._clock.now())
        return view

    def _compose(self, now: datetime) -> _View:
        current = settled(self._records, now, self._store.retention)
        published = [r for r in in_order(current, SUPPORTED_ALGORITHMS) if is_published(r, now)]
        return _View(
            signers={r.alg: self._signing[r.kid] for r in published if r.state is KeyState.ACTIVE},
            verifiers={r.kid: self._verifying[r.kid] for r in published},
            jwks=render(published, self._store.jwks_max_age),
            stale_at=next_change(current, now),
        )

    def _signing_key(self, record: KeyRecord, sealed: bytes) -> SigningKey:
        known = self._signing.get(record.kid)
        if known is not None:
            return known
        private = self._store.unseal(record.kid, sealed)
        return SigningKey(record.kid, record.alg, byte_signer(record.alg, private))

    def _verification_key(self, record: KeyRecord) -> VerificationKey:
        known = self._verifying.get(record.kid)
        if known is not None:
            return known
        return VerificationKey.of(record.kid, record.alg, import_key(dict(record.public_jwk)))


def _may_sign(record: KeyRecord) -> bool:
    """Whether the key signs now or, by a planned change, later."""
    return record.state in {KeyState.NEXT, KeyState.ACTIVE}
