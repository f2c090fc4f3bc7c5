"""The token path on SQLite: one ``BEGIN IMMEDIATE`` … ``COMMIT`` per state change."""

import sqlite3
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

import orjson

from idp.errors import Unavailable
from idp.storage.connections import BUSY_TIMEOUT, prepare_sqlite_connection
from idp.storage.hot.interface import (
    AccessState,
    AccountState,
    AdvancedFamily,
    ClaimedCode,
    CodeClaim,
    FamilyAdvance,
    FamilyState,
    StatementObserver,
)
from idp.storage.records import AuditEntry
from idp.storage.types import from_microseconds, to_microseconds

_ACCOUNT = """
    a.id AS account_id, a.username, a.email, a.email_verified, a.claims, a.updated_at,
    a.disabled_at, a.not_before"""

_CLAIM_CODE = """
UPDATE one_time SET consumed_at = :now, outcome = :family_id
WHERE digest = :digest AND kind = 'authorization_code' AND binding = :client_id
  AND proof IS :proof AND (:target IS NULL OR target = :target)
  AND consumed_at IS NULL AND expires_at > :now
  AND EXISTS (SELECT 1 FROM account AS a WHERE a.id = one_time.account_id AND a.disabled_at IS NULL
              AND (a.not_before IS NULL OR a.not_before <= one_time.created_at))
  AND NOT EXISTS (SELECT 1 FROM browser_session AS s
                  WHERE s.id = one_time.session_id AND s.ended_at IS NOT NULL)
RETURNING account_id, session_id, payload AS grant_data
"""

_OPEN_FAMILY = """
INSERT INTO token_family (id, client_id, account_id, session_id, grant_data, offline, generation,
                          last_used_at, created_at, expires_at, idle_expires_at)
VALUES (:family_id, :client_id, :account_id, :session_id, :grant_data, :offline, 0,
        :now, :now, :family_expires_at, :family_idle_expires_at)
"""

_ADVANCE_FAMILY = """
UPDATE token_family
SET generation = generation + :step, rotated_at = CASE WHEN :step = 1 THEN :now ELSE rotated_at END,
    last_used_at = :now, idle_expires_at = :idle_expires_at
WHERE id = :family_id AND generation = :generation AND client_id = :client_id
  AND revoked_at IS NULL AND expires_at > :now AND idle_expires_at > :now
  AND (:client_not_before IS NULL OR created_at >= :client_not_before)
  AND EXISTS (SELECT 1 FROM account AS a WHERE a.id = token_family.account_id AND a.disabled_at IS NULL
              AND (a.not_before IS NULL OR a.not_before <= token_family.created_at))
RETURNING account_id, session_id, grant_data, generation, expires_at
"""

_AUDIT = """
INSERT INTO audit_event (id, occurred_at, event, actor, account_id, client_id, session_id,
                         address, user_agent, request_id, detail)
VALUES (:id, :now, :event, :actor, :account_id, :client_id, :session_id,
        :address, :user_agent, :request_id, :detail)
"""

_FIND_ACCOUNT = f"SELECT {_ACCOUNT} FROM account AS a WHERE a.id = :account_id"  # noqa: S608 - constants

_FIND_FAMILY = f"""
SELECT f.client_id, f.generation, f.rotated_at, f.revoked_at, f.created_at, f.expires_at,
       f.idle_expires_at, f.grant_data, f.session_id, {_ACCOUNT}
FROM token_family AS f JOIN account AS a ON a.id = f.account_id
WHERE f.id = :family_id
"""  # noqa: S608 - composed of constants above

_CHECK_ACCESS = f"""
SELECT r.jti IS NOT NULL AS revoked, f.id IS NOT NULL AND f.revoked_at IS NULL AS family_live,
       f.grant_data, {_ACCOUNT}
FROM (SELECT 1) AS one
LEFT JOIN revoked_access_token AS r ON r.jti = :jti
LEFT JOIN token_family AS f ON f.id = :family_id
LEFT JOIN account AS a ON a.id = f.account_id
"""  # noqa: S608 - composed of constants above


class SqliteHotStore:
    """Short transactions on a handful of kept connections."""

    def __init__(self, *, path: str, observer: StatementObserver) -> None:
        self._path = path
        self._observer = observer
        # A deque's append and pop are atomic: a lock-free pool as large as the thread count.
        self._idle: deque[sqlite3.Connection] = deque()

    def claim_code(self, claim: CodeClaim) -> ClaimedCode | None:
        """See :class:`HotStore`."""
        parameters = {
            "digest": claim.digest,
            "client_id": claim.client_id,
            "proof": claim.proof,
            "target": claim.target,
            "now": to_microseconds(claim.now),
            "family_id": claim.family_id,
            "family_expires_at": to_microseconds(claim.family_expires_at),
            "family_idle_expires_at": to_microseconds(claim.family_idle_expires_at),
        }
        with self._write() as connection:
            row = self._one(connection, _CLAIM_CODE, parameters)
            if row is None:
                return None
            grant = orjson.loads(row["grant_data"])
            found = {**parameters, **dict(row), "offline": int(bool(grant.get("offline")))}
            self._run(connection, _OPEN_FAMILY, found)
            self._audit(connection, claim.audit, found)
            account = self._one(connection, _FIND_ACCOUNT, {"account_id": row["account_id"]})
        return ClaimedCode(
            account=_account(_present(account)),
            grant=grant,
            session_id=row["session_id"],
        )

    def advance_family(self, advance: FamilyAdvance) -> AdvancedFamily | None:
        """See :class:`HotStore`."""
        parameters = {
            "family_id": advance.family_id,
            "generation": advance.generation,
            "client_id": advance.client_id,
            "now": to_microseconds(advance.now),
            "step": 1 if advance.rotate else 0,
            "idle_expires_at": to_microseconds(advance.idle_expires_at),
            "client_not_before": None
            if advance.client_not_before is None
            else to_microseconds(advance.client_not_before),
        }
        with self._write() as connection:
            row = self._one(connection, _ADVANCE_FAMILY, parameters)
            if row is None:
                return None
            self._audit(connection, advance.audit, {**parameters, **dict(row)})
            account = self._one(connection, _FIND_ACCOUNT, {"account_id": row["account_id"]})
        return AdvancedFamily(
            account=_account(_present(account)),
            grant=orjson.loads(row["grant_data"]),
            session_id=row["session_id"],
            generation=row["generation"],
            expires_at=from_microseconds(row["expires_at"]),
        )

    def find_family(self, family_id: str) -> FamilyState | None:
        """See :class:`HotStore`."""
        with self._connection() as connection:
            row = self._one(connection, _FIND_FAMILY, {"family_id": family_id})
        if row is None:
            return None
        return FamilyState(
            client_id=row["client_id"],
            generation=row["generation"],
            rotated_at=_optional(row["rotated_at"]),
            revoked_at=_optional(row["revoked_at"]),
            created_at=from_microseconds(row["created_at"]),
            expires_at=from_microseconds(row["expires_at"]),
            idle_expires_at=from_microseconds(row["idle_expires_at"]),
            grant=orjson.loads(row["grant_data"]),
            session_id=row["session_id"],
            account=_account(row),
        )

    def check_access(self, *, family_id: str | None, jti: str) -> AccessState:
        """See :class:`HotStore`."""
        with self._connection() as connection:
            row = _present(self._one(connection, _CHECK_ACCESS, {"family_id": family_id, "jti": jti}))
        return AccessState(
            revoked=bool(row["revoked"]),
            family_live=family_id is None or bool(row["family_live"]),
            account=_account(row) if row["account_id"] is not None else None,
            grant=orjson.loads(row["grant_data"]) if row["grant_data"] is not None else None,
        )

    def close(self) -> None:
        """See :class:`HotStore`."""
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """One write transaction; rolled back when nothing changed or anything failed."""
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            before = connection.total_changes
            try:
                yield connection
                if connection.total_changes == before:
                    connection.execute("ROLLBACK")
                else:
                    connection.execute("COMMIT")
                    self._observer.commit()
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            yield connection
        except sqlite3.OperationalError as error:
            connection.close()
            raise Unavailable(detail=f"{type(error).__name__}: {error}") from error
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)

    def _connect(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                self._path, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT
            )
            connection.row_factory = sqlite3.Row
            prepare_sqlite_connection(connection)
        except sqlite3.OperationalError as error:
            raise Unavailable(detail=f"{type(error).__name__}: {error}") from error
        return connection

    def _run(self, connection: sqlite3.Connection, sql: str, parameters: Mapping[str, object]) -> None:
        self._observer.statement(sql)
        connection.execute(sql, parameters)

    def _one(
        self, connection: sqlite3.Connection, sql: str, parameters: Mapping[str, object]
    ) -> sqlite3.Row | None:
        self._observer.statement(sql)
        rows: list[sqlite3.Row] = connection.execute(sql, parameters).fetchall()
        return rows[0] if rows else None

    def _audit(self, connection: sqlite3.Connection, entry: AuditEntry, found: Mapping[str, object]) -> None:
        self._run(
            connection,
            _AUDIT,
            {
                "id": entry.id,
                "now": found["now"],
                "event": entry.event,
                "actor": entry.actor,
                "account_id": found["account_id"],
                "client_id": found["client_id"],
                "session_id": found["session_id"],
                "address": entry.address,
                "user_agent": entry.user_agent,
                "request_id": entry.request_id,
                "detail": orjson.dumps(entry.detail).decode(),
            },
        )


def _optional(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else from_microseconds(microseconds)


def _present(row: sqlite3.Row | None) -> sqlite3.Row:
    if row is None:
        raise Unavailable(detail="a row vanished inside its transaction")
    return row


def _account(row: sqlite3.Row) -> AccountState:
    return AccountState(
        id=row["account_id"],
        username=row["username"],
        email=row["email"],
        email_verified=bool(row["email_verified"]),
        claims=orjson.loads(row["claims"]),
        updated_at=from_microseconds(row["updated_at"]),
        disabled=row["disabled_at"] is not None,
        not_before=_optional(row["not_before"]),
    )
