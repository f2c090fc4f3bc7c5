"""The token path on PostgreSQL: one autocommitted statement per state change."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import orjson
import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb, set_json_dumps, set_json_loads
from psycopg_pool import ConnectionPool, PoolTimeout

from idp.errors import Unavailable
from idp.observability import get_logger
from idp.settings import DatabaseSettings
from idp.storage.connections import PatientConnection, Unanswered, patience, postgresql_arguments
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

_log = get_logger(__name__)

Row = dict[str, Any]
_Connection = PatientConnection[Row]

_ACCOUNT = """
    a.id AS account_id, a.username, a.email, a.email_verified, a.claims, a.updated_at,
    a.disabled_at, a.not_before"""

_AUDIT = """
    INSERT INTO audit_event (id, occurred_at, event, actor, account_id, client_id, session_id,
                             address, user_agent, request_id, detail)
    SELECT %(audit_id)s, %(now)s, %(audit_event)s, %(audit_actor)s, account_id, %(client_id)s, session_id,
           %(audit_address)s, %(audit_user_agent)s, %(audit_request_id)s, %(audit_detail)s
    FROM changed"""

# One statement is one transaction: the code cannot be used up without its family and its
# audit event, and a second claim waits for the row and then finds it consumed. FOR SHARE: a
# sign-out that has not committed yet is waited for, or it waits for us and then finds the family.
_CLAIM_CODE = f"""
WITH changed AS (
    UPDATE one_time AS o SET consumed_at = %(now)s, outcome = %(family_id)s
    FROM account AS a
    WHERE o.digest = %(digest)s AND o.kind = 'authorization_code' AND o.binding = %(client_id)s
      AND o.proof IS NOT DISTINCT FROM %(proof)s::text
      AND (%(target)s::text IS NULL OR o.target = %(target)s::text)
      AND o.consumed_at IS NULL AND o.expires_at > %(now)s
      AND a.id = o.account_id AND a.disabled_at IS NULL
      AND (a.not_before IS NULL OR a.not_before <= o.created_at)
      AND (EXISTS (SELECT 1 FROM browser_session AS s
                   WHERE s.id = o.session_id AND s.ended_at IS NULL FOR SHARE)
           OR NOT EXISTS (SELECT 1 FROM browser_session AS s WHERE s.id = o.session_id))
    RETURNING o.session_id, o.payload AS grant_data, {_ACCOUNT}
), family AS (
    INSERT INTO token_family (id, client_id, account_id, session_id, grant_data, offline, generation,
                              last_used_at, created_at, expires_at, idle_expires_at)
    SELECT %(family_id)s, %(client_id)s, account_id, session_id, grant_data,
           COALESCE((grant_data->>'offline')::boolean, false), 0,
           %(now)s, %(now)s, %(family_expires_at)s, %(family_idle_expires_at)s
    FROM changed
), audit AS ({_AUDIT}
)
SELECT * FROM changed
"""  # noqa: S608 - composed of constants above

_ADVANCE_FAMILY = f"""
WITH changed AS (
    UPDATE token_family AS f
    SET generation = f.generation + %(step)s,
        rotated_at = CASE WHEN %(step)s = 1 THEN %(now)s ELSE f.rotated_at END,
        last_used_at = %(now)s, idle_expires_at = %(idle_expires_at)s
    FROM account AS a
    WHERE f.id = %(family_id)s AND f.generation = %(generation)s AND f.client_id = %(client_id)s
      AND f.revoked_at IS NULL AND f.expires_at > %(now)s AND f.idle_expires_at > %(now)s
      AND (%(client_not_before)s::timestamptz IS NULL OR f.created_at >= %(client_not_before)s)
      AND a.id = f.account_id AND a.disabled_at IS NULL
      AND (a.not_before IS NULL OR a.not_before <= f.created_at)
    RETURNING f.session_id, f.grant_data, f.generation, f.expires_at, {_ACCOUNT}
), audit AS ({_AUDIT}
)
SELECT * FROM changed
"""  # noqa: S608 - composed of constants above

_FIND_FAMILY = f"""
SELECT f.client_id, f.generation, f.rotated_at, f.revoked_at, f.created_at, f.expires_at,
       f.idle_expires_at, f.grant_data, f.session_id, {_ACCOUNT}
FROM token_family AS f JOIN account AS a ON a.id = f.account_id
WHERE f.id = %(family_id)s
"""  # noqa: S608 - composed of constants above

_CHECK_ACCESS = f"""
SELECT r.jti IS NOT NULL AS revoked, f.id IS NOT NULL AND f.revoked_at IS NULL AS family_live,
       f.grant_data, {_ACCOUNT}
FROM (SELECT 1) AS one
LEFT JOIN revoked_access_token AS r ON r.jti = %(jti)s
LEFT JOIN token_family AS f ON f.id = %(family_id)s::text
LEFT JOIN account AS a ON a.id = f.account_id
"""  # noqa: S608 - composed of constants above


class PostgresHotStore:
    """Prepared statements on a small pool of autocommit connections."""

    def __init__(
        self, *, conninfo: str, extra_options: str, settings: DatabaseSettings, observer: StatementObserver
    ) -> None:
        self._observer = observer
        self._timeout = settings.pool_timeout.total_seconds()
        self._patience = patience(settings)
        self._pool: ConnectionPool[_Connection] = ConnectionPool(
            conninfo,
            connection_class=PatientConnection[Row],
            kwargs={
                "autocommit": True,
                "prepare_threshold": 1,
                "row_factory": dict_row,
                **postgresql_arguments(settings, extra_options=extra_options),
            },
            min_size=0,
            max_size=settings.pool_size,
            # A short life-time for failed attempts: the next request tries again at once, so
            # the service is back as soon as the database is.
            reconnect_timeout=1.0,
            timeout=self._timeout,
            configure=self._configure,
            open=True,
            name="hot",
        )

    def claim_code(self, claim: CodeClaim) -> ClaimedCode | None:
        """See :class:`HotStore`."""
        row = self._change(
            _CLAIM_CODE,
            {
                "digest": claim.digest,
                "client_id": claim.client_id,
                "proof": claim.proof,
                "target": claim.target,
                "now": claim.now,
                "family_id": claim.family_id,
                "family_expires_at": claim.family_expires_at,
                "family_idle_expires_at": claim.family_idle_expires_at,
                **_audit_parameters(claim.audit),
            },
        )
        if row is None:
            return None
        return ClaimedCode(
            account=_account(row),
            grant=row["grant_data"],
            session_id=row["session_id"],
        )

    def advance_family(self, advance: FamilyAdvance) -> AdvancedFamily | None:
        """See :class:`HotStore`."""
        row = self._change(
            _ADVANCE_FAMILY,
            {
                "family_id": advance.family_id,
                "generation": advance.generation,
                "client_id": advance.client_id,
                "now": advance.now,
                "step": 1 if advance.rotate else 0,
                "idle_expires_at": advance.idle_expires_at,
                "client_not_before": advance.client_not_before,
                **_audit_parameters(advance.audit),
            },
        )
        if row is None:
            return None
        return AdvancedFamily(
            account=_account(row),
            grant=row["grant_data"],
            session_id=row["session_id"],
            generation=row["generation"],
            expires_at=row["expires_at"],
        )

    def find_family(self, family_id: str) -> FamilyState | None:
        """See :class:`HotStore`."""
        row = self._execute(_FIND_FAMILY, {"family_id": family_id})
        if row is None:
            return None
        return FamilyState(
            client_id=row["client_id"],
            generation=row["generation"],
            rotated_at=row["rotated_at"],
            revoked_at=row["revoked_at"],
            created_at=row["created_at"],
            expires_at=row["expires_at"],
            idle_expires_at=row["idle_expires_at"],
            grant=row["grant_data"],
            session_id=row["session_id"],
            account=_account(row),
        )

    def check_access(self, *, family_id: str | None, jti: str) -> AccessState:
        """See :class:`HotStore`."""
        row = self._execute(_CHECK_ACCESS, {"family_id": family_id, "jti": jti})
        if row is None:
            raise Unavailable(detail="the access query gave no row")
        return AccessState(
            revoked=row["revoked"],
            family_live=family_id is None or row["family_live"],
            account=_account(row) if row["account_id"] is not None else None,
            grant=row["grant_data"],
        )

    def close(self) -> None:
        """See :class:`HotStore`."""
        self._pool.close()

    def _change(self, sql: str, parameters: Mapping[str, object]) -> Row | None:
        row = self._execute(sql, parameters)
        if row is not None:
            self._observer.commit()
        return row

    def _execute(self, sql: str, parameters: Mapping[str, object]) -> Row | None:
        self._observer.statement(sql)
        try:
            with self._connection() as connection:
                return connection.execute(sql, parameters, binary=True).fetchone()
        except PoolTimeout as error:
            raise Unavailable(detail="no database connection in time") from error
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            # After a restart of the database every pooled connection is dead; check them all
            # now, so that not each of them costs one request.
            # A server that is silent would let every check wait as long again.
            if not isinstance(error, Unanswered):
                self._check_pool()
            raise Unavailable(detail=f"{type(error).__name__}: {error}") from error

    def _connection(self) -> AbstractContextManager[_Connection]:
        return self._pool.connection(timeout=self._timeout)

    def _configure(self, connection: _Connection) -> None:
        connection.patience = self._patience
        set_json_loads(orjson.loads, connection)
        set_json_dumps(orjson.dumps, connection)

    def _check_pool(self) -> None:
        try:
            self._pool.check()
        except psycopg.Error as error:
            _log.warning("hot.pool_check_failed", extra={"fields": {"detail": type(error).__name__}})


def _account(row: Row) -> AccountState:
    return AccountState(
        id=row["account_id"],
        username=row["username"],
        email=row["email"],
        email_verified=row["email_verified"],
        claims=row["claims"],
        updated_at=row["updated_at"],
        disabled=row["disabled_at"] is not None,
        not_before=row["not_before"],
    )


def _audit_parameters(entry: AuditEntry) -> dict[str, object]:
    return {
        "audit_id": entry.id,
        "audit_event": entry.event,
        "audit_actor": entry.actor,
        "audit_address": entry.address,
        "audit_user_agent": entry.user_agent,
        "audit_request_id": entry.request_id,
        "audit_detail": Jsonb(entry.detail),
    }
