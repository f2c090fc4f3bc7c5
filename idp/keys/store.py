"""Signing keys in the database: making, rotating, revoking.

Every method runs in the transaction its caller opened, takes the rotation lock first and
bumps the ``keys`` topic when it changed something, so that all workers follow.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from idp.crypto import Sealer, Unsealable
from idp.errors import NotFound
from idp.keys.algorithms import SUPPORTED_ALGORITHMS, KeyMaterial, generate
from idp.keys.errors import SigningKeyUnreadable
from idp.keys.states import KeyChange, KeyRecord, KeyState, in_order, is_due, promote, settled
from idp.storage import Repositories, SigningKeyRow

TOPIC = "keys"
"""The change feed's topic for signing keys."""

_MARGIN = timedelta(seconds=60)
"""Clock differences between us and those who check our tokens (row T6)."""


class KeyStore:
    """The signing keys of the deployment.

    Args:
        repos: repositories on the caller's session.
        sealer: seals private keys; each with its ``kid`` as context.
        jwks_max_age: how long relying parties keep a fetched key set.
        publication_lead: how long a key is published before it signs.
        longest_lifetime: the longest any token signed here can live, over all clients.
    """

    def __init__(
        self,
        repos: Repositories,
        sealer: Sealer,
        *,
        jwks_max_age: timedelta,
        publication_lead: timedelta | None = None,
        longest_lifetime: timedelta,
    ) -> None:
        self._repos = repos
        self._sealer = sealer
        self.jwks_max_age = jwks_max_age
        """How long relying parties may cache the key set."""
        self.lead = max(publication_lead or jwks_max_age, jwks_max_age)
        """How long a key is published before a rotation lets it sign."""
        self.retention = longest_lifetime + jwks_max_age + _MARGIN
        """How long a retired key stays published (decision D14)."""

    def list_(self, now: datetime) -> list[KeyRecord]:
        """All keys as they stand at ``now``, revoked and unpublished ones included."""
        return in_order(settled(self._stored(), now, self.retention), SUPPORTED_ALGORITHMS)

    def sealed_keys(self) -> list[tuple[KeyRecord, bytes]]:
        """Every stored key with its sealed private part, for the key ring."""
        return [(_record(row), row.sealed_private) for row in self._repos.keys.list_()]

    def unseal(self, kid: str, sealed: bytes) -> bytes:
        """The private key in PKCS #8.

        Raises:
            SigningKeyUnreadable: sealed under another root key, or changed.
        """
        try:
            return self._sealer.open(sealed, context=_context(kid))
        except Unsealable as error:
            raise SigningKeyUnreadable(kid) from error

    def assert_readable(self) -> None:
        """Open every key that signs or will, to learn at the start whether the root key fits.

        Raises:
            SigningKeyUnreadable: the first one that was sealed under another root key.
        """
        for record, sealed in self.sealed_keys():
            if record.state in {KeyState.NEXT, KeyState.ACTIVE}:
                self.unseal(record.kid, sealed)

    def ensure_keys(self, now: datetime) -> list[KeyChange]:
        """Give every algorithm an active and a next key; does nothing when they are there.

        Safe to call from several processes at once: one makes the keys, the others find them.
        """
        missing = [alg for alg in SUPPORTED_ALGORITHMS if not _is_complete(self._stored(), alg)]
        if not missing:
            return []
        # RSA keys take a while; make them before others have to wait for the lock.
        spares = {alg: [generate(alg), generate(alg)] for alg in missing}
        records = self._locked()
        changes: list[KeyChange] = []
        for alg in missing:
            if _active(records, alg) is None:
                first = _oldest_next(records, alg) or self._add(spares[alg].pop(), now, changes)
                records = self._promote(records, first, now, changes)
            if _oldest_next(records, alg) is None:
                self._add(spares[alg].pop(), now, changes)
        return self._announced(changes, now)

    def rotate(self, alg: str | None, now: datetime, *, activate_now: bool = False) -> list[KeyChange]:
        """Let the next key sign, and publish a new next key.

        The next key signs at once if every relying party has had time to fetch it; else from
        the moment they have, on every worker without a further write. A rotation that is
        already planned stays as it is.

        Args:
            alg: one algorithm, or ``None`` for all.
            now: aware UTC time.
            activate_now: do not wait. Relying parties with a cached key set then refuse new
                tokens until they fetch it again.

        Raises:
            NotFound: not an algorithm we sign with.
        """
        algorithms = SUPPORTED_ALGORITHMS if alg is None else (_known(alg),)
        spares = {name: generate(name) for name in algorithms}
        changes: list[KeyChange] = []
        records = self._settle(self._locked(), now, changes)
        for name in algorithms:
            records = self._rotate_one(records, spares[name], now, changes, activate_now=activate_now)
        return self._announced(changes, now)

    def rotate_due(self, now: datetime, interval: timedelta) -> list[KeyChange]:
        """Rotate the algorithms whose key has signed for ``interval``; cheap when there is none.

        Args:
            now: aware UTC time.
            interval: ``settings.keys.rotation_interval``; zero leaves rotation to the operator.
        """
        if not interval or not _due_algorithms(self.list_(now), now, interval):
            return []
        # Asked again under the lock: of several workers one rotates.
        self._repos.keys.lock()
        due = _due_algorithms(self.list_(now), now, interval)
        return [change for alg in due for change in self.rotate(alg, now)]

    def revoke(self, kid: str, now: datetime) -> list[KeyChange]:
        """Take a key out of use at once: not published, not signing, nothing it signed accepted here.

        An active key is replaced by the next one immediately. Revoking twice changes nothing.
        Relying parties learn of it within ``jwks_max_age``.

        Raises:
            NotFound: no such key.
        """
        changes: list[KeyChange] = []
        records = self._settle(self._locked(), now, changes)
        key = next((record for record in records if record.kid == kid), None)
        if key is None:
            raise NotFound("There is no signing key with this kid.", detail=f"kid={kid!r}")
        if key.state is not KeyState.REVOKED:
            revoked = replace(key, state=KeyState.REVOKED, activates_at=None, revoked_at=now)
            records = self._written(records, [revoked])
            changes.append(_change(key, "revoked", now))
            self._replace(records, key, now, changes)
        return self._announced(changes, now)

    def settle(self, now: datetime) -> list[KeyChange]:
        """Write down the states that time has brought about; changes nothing that workers do."""
        if not any(is_due(record, now) for record in self._stored()):
            return []
        changes: list[KeyChange] = []
        self._settle(self._locked(), now, changes)
        return self._announced(changes, now)

    def _rotate_one(
        self,
        records: list[KeyRecord],
        spare: KeyMaterial,
        now: datetime,
        changes: list[KeyChange],
        *,
        activate_now: bool,
    ) -> list[KeyRecord]:
        key = _scheduled(records, spare.alg) or _oldest_next(records, spare.alg)
        if key is None:
            key = self._add(generate(spare.alg), now, changes)
            records = [*records, key]
        ready_at = (
            key.published_at if _published_from_the_start(key, records) else key.published_at + self.lead
        )
        if activate_now or ready_at <= now:
            records = self._promote(records, key, now, changes)
        elif key.activates_at is None:
            planned = replace(key, activates_at=ready_at)
            records = self._written(records, [planned])
            changes.append(_change(planned, "scheduled", ready_at))
        if _oldest_next(records, spare.alg) is None:
            records = [*records, self._add(spare, now, changes)]
        return records

    def _replace(
        self, records: list[KeyRecord], revoked: KeyRecord, now: datetime, changes: list[KeyChange]
    ) -> None:
        """Fill the place a revoked key leaves."""
        if revoked.state is KeyState.ACTIVE:
            key = _scheduled(records, revoked.alg) or _oldest_next(records, revoked.alg)
            records = self._promote(
                records, key or self._add(generate(revoked.alg), now, changes), now, changes
            )
        if _oldest_next(records, revoked.alg) is None:
            self._add(generate(revoked.alg), now, changes)

    def _settle(self, records: list[KeyRecord], now: datetime, changes: list[KeyChange]) -> list[KeyRecord]:
        before = {record.kid: record for record in records}
        after = settled(records, now, self.retention)
        for record in after:
            if record != before[record.kid]:
                self._write(record)
                changes.append(_transition(record, now))
        return after

    def _promote(
        self, records: list[KeyRecord], key: KeyRecord, now: datetime, changes: list[KeyChange]
    ) -> list[KeyRecord]:
        promoted = promote(records, key, now, self.retention)
        changes.extend(_transition(record, now) for record in promoted)
        return self._written(records, promoted)

    def _written(self, records: Iterable[KeyRecord], changed: list[KeyRecord]) -> list[KeyRecord]:
        for record in changed:
            self._write(record)
        kids = {record.kid for record in changed}
        return [*(record for record in records if record.kid not in kids), *changed]

    def _write(self, record: KeyRecord) -> None:
        self._repos.keys.set_state(
            record.kid,
            state=record.state.value,
            activates_at=record.activates_at,
            activated_at=record.activated_at,
            retired_at=record.retired_at,
            unpublish_at=record.unpublish_at,
            revoked_at=record.revoked_at,
        )

    def _add(self, material: KeyMaterial, now: datetime, changes: list[KeyChange]) -> KeyRecord:
        row = SigningKeyRow(
            kid=material.kid,
            alg=material.alg,
            state=KeyState.NEXT.value,
            public_jwk=dict(material.public_jwk),
            sealed_private=self._sealer.seal(material.private.reveal(), context=_context(material.kid)),
            created_at=now,
            published_at=now,
        )
        self._repos.keys.add(row)
        changes.append(KeyChange(kid=material.kid, alg=material.alg, kind="created", at=now))
        return _record(row)

    def _stored(self) -> list[KeyRecord]:
        return [_record(row) for row in self._repos.keys.list_()]

    def _locked(self) -> list[KeyRecord]:
        self._repos.keys.lock()
        return self._stored()

    def _announced(self, changes: list[KeyChange], now: datetime) -> list[KeyChange]:
        if changes:
            self._repos.changes.bump(TOPIC, now)
        return changes


def _context(kid: str) -> bytes:
    return b"signing_key:" + kid.encode()


def _known(alg: str) -> str:
    if alg not in SUPPORTED_ALGORITHMS:
        raise NotFound(f"There is no signature algorithm {alg}; known: {', '.join(SUPPORTED_ALGORITHMS)}.")
    return alg


def _published_from_the_start(key: KeyRecord, records: Iterable[KeyRecord]) -> bool:
    """Whether it was made together with the algorithm's first active key.

    Then every key set that holds the active one holds this one too: no cache lacks it.
    """
    others = [record for record in records if record.alg == key.alg and record.kid != key.kid]
    return all(r.state is KeyState.ACTIVE and r.published_at >= key.published_at for r in others)


def _active(records: Iterable[KeyRecord], alg: str) -> KeyRecord | None:
    return next((r for r in records if r.alg == alg and r.state is KeyState.ACTIVE), None)


def _scheduled(records: Iterable[KeyRecord], alg: str) -> KeyRecord | None:
    return next((r for r in records if r.alg == alg and r.state is KeyState.NEXT and r.activates_at), None)


def _oldest_next(records: Iterable[KeyRecord], alg: str) -> KeyRecord | None:
    """The next key that waits for no planned rotation and has been published longest."""
    waiting = [r for r in records if r.alg == alg and r.state is KeyState.NEXT and r.activates_at is None]
    return min(waiting, key=lambda record: (record.published_at, record.kid), default=None)


def _due_algorithms(records: Iterable[KeyRecord], now: datetime, interval: timedelta) -> list[str]:
    return [
        record.alg
        for record in records
        if record.state is KeyState.ACTIVE and (record.activated_at or record.created_at) + interval <= now
    ]


def _is_complete(records: Iterable[KeyRecord], alg: str) -> bool:
    known = list(records)
    return _active(known, alg) is not None and _oldest_next(known, alg) is not None


def _transition(record: KeyRecord, now: datetime) -> KeyChange:
    if record.state is KeyState.ACTIVE:
        return _change(record, "activated", record.activated_at or now)
    return _change(record, "retired", record.retired_at or now)


def _change(record: KeyRecord, kind: str, at: datetime) -> KeyChange:
    return KeyChange(kid=record.kid, alg=record.alg, kind=kind, at=at)


def _record(row: SigningKeyRow) -> KeyRecord:
    return KeyRecord(
        kid=row.kid,
        alg=row.alg,
        state=KeyState(row.state),
        public_jwk=row.public_jwk,
        created_at=row.created_at,
        published_at=row.published_at,
        activates_at=row.activates_at,
        activated_at=row.activated_at,
        retired_at=row.retired_at,
        unpublish_at=row.unpublish_at,
        revoked_at=row.revoked_at,
    )
