"""The token path on SQLite: one ``BEGIN IMMEDIATE`` … ``COMMIT`` per state change."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

import orjson

from idp.errors import Unavailable
from idp.storage.hot.interface import (
    AccessState,
    AccountState,
    AdvancedFamily,
    ClaimedCode,
    CodeClaim,
    FamilyAdvance,
    FamilyState,
)
from idp.storage.hot.sqlite_lane import SqliteLane
from idp.storage.hot.sqlite_pool import SqlitePool, SqliteTransaction
from idp.storage.records import AuditEntry
from idp.storage.types import from_microseconds, to_microseconds

_ACCOUNT = """
    a.id AS account_id, a.username, a.email, a.email_verified, a.claims, a.updated_at,
    a.disabled_at, a.not_before"""

_CLAIM_CODE = """
UPDATE one_time SET consumed_at = ?1, outcome = ?2
WHERE digest = ?3 AND kind = 'authorization_code' AND binding = ?4
  AND proof IS ?5 AND (?6 IS NULL OR target = ?6)
  AND consumed_at IS NULL AND expires_at > ?1
  AND (?7 IS NULL OR created_at >= ?7)
  AND EXISTS (SELECT 1 FROM account AS a WHERE a.id = one_time.account_id AND a.disabled_at IS NULL
              AND (a.not_before IS NULL OR a.not_before <= one_time.created_at))
  AND NOT EXISTS (SELECT 1 FROM browser_session AS s
                  WHERE s.id = one_time.session_id AND s.ended_at IS NOT NULL)
RETURNING account_id, session_id, payload
"""

_OPEN_FAMILY = """
INSERT INTO token_family (id, client_id, account_id, session_id, grant_data, offline, generation,
                          last_used_at, created_at, expires_at, idle_expires_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?7, ?8, ?9)
"""

_ADVANCE_FAMILY = """
UPDATE token_family
SET generation = generation + ?1, rotated_at = CASE WHEN ?1 = 1 THEN ?2 ELSE rotated_at END,
    last_used_at = ?2, idle_expires_at = ?3
WHERE id = ?4 AND generation = ?5 AND client_id = ?6
  AND revoked_at IS NULL AND expires_at > ?2 AND idle_expires_at > ?2
  AND (?7 IS NULL OR created_at >= ?7)
  AND EXISTS (SELECT 1 FROM account AS a WHERE a.id = token_family.account_id AND a.disabled_at IS NULL
              AND (a.not_before IS NULL OR a.not_before <= token_family.created_at))
RETURNING account_id, session_id, grant_data, generation, expires_at
"""

_AUDIT = """
INSERT INTO audit_event (id, occurred_at, event, actor, account_id, client_id, session_id,
                         address, user_agent, request_id, detail)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
"""

_FIND_ACCOUNT = f"SELECT {_ACCOUNT} FROM account AS a WHERE a.id = ?1"  # noqa: S608 - constants

_FIND_FAMILY = f"""
SELECT f.client_id, f.generation, f.rotated_at, f.revoked_at, f.created_at, f.expires_at,
       f.idle_expires_at, f.grant_data, f.session_id, {_ACCOUNT}
FROM token_family AS f JOIN account AS a ON a.id = f.account_id
WHERE f.id = ?1
"""  # noqa: S608 - composed of constants above

_CHECK_ACCESS = f"""
SELECT r.jti IS NOT NULL, f.id IS NOT NULL AND f.revoked_at IS NULL, f.grant_data, {_ACCOUNT}
FROM (SELECT 1) AS one
LEFT JOIN revoked_access_token AS r ON r.jti = ?1
LEFT JOIN token_family AS f ON f.id = ?2
LEFT JOIN account AS a ON a.id = f.account_id
"""  # noqa: S608 - composed of constants above


class SqliteHotStore:
    """See :class:`HotStore`."""

    def __init__(self, pool: SqlitePool) -> None:
        self._pool = pool
        self._changes = SqliteLane(pool)

    def claim_code(self, claim: CodeClaim) -> ClaimedCode | None:
        """See :class:`HotStore`."""
        return self._changes.change(partial(_claim, claim))

    def advance_family(self, advance: FamilyAdvance) -> AdvancedFamily | None:
        """See :class:`HotStore`."""
        return self._changes.change(partial(_advance, advance))

    def find_family(self, family_id: str) -> FamilyState | None:
        """See :class:`HotStore`."""
        row = self._pool.fetch_row(_FIND_FAMILY, (family_id,))
        if row is None:
            return None
        client_id, generation, rotated, revoked, created, expires, idle, grant, session_id, *account = row
        return FamilyState(
            client_id=client_id,
            generation=generation,
            rotated_at=optional_time(rotated),
            revoked_at=optional_time(revoked),
            created_at=from_microseconds(created),
            expires_at=from_microseconds(expires),
            idle_expires_at=from_microseconds(idle),
            grant_json=grant,
            session_id=session_id,
            account=_account(account),
        )

    def check_access(self, *, family_id: str | None, jti: str) -> AccessState:
        """See :class:`HotStore`."""
        row = self._pool.fetch_row(_CHECK_ACCESS, (jti, family_id))
        if row is None:
            raise Unavailable(detail="the access query gave no row")
        revoked, family_live, grant, *account = row
        return AccessState(
            revoked=bool(revoked),
            family_live=family_id is None or bool(family_live),
            account=_account(account) if account[0] is not None else None,
            grant_json=grant,
        )


def _claim(claim: CodeClaim, transaction: SqliteTransaction) -> ClaimedCode | None:
    now = to_microseconds(claim.now)
    not_before = claim.client_not_before
    row = transaction.fetch_row(
        _CLAIM_CODE,
        (
            now,
            claim.family_id,
            claim.digest,
            claim.client_id,
            claim.proof,
            claim.target,
            None if not_before is None else to_microseconds(not_before),
        ),
    )
    if row is None:
        return None
    account_id, session_id, payload = row
    grant = orjson.loads(payload)
    transaction.run(
        _OPEN_FAMILY,
        (
            claim.family_id,
            claim.client_id,
            account_id,
            session_id,
            payload,
            int(bool(grant.get("offline"))),
            now,
            to_microseconds(claim.family_expires_at),
            to_microseconds(claim.family_idle_expires_at),
        ),
    )
    write_audit(transaction, claim.audit, now, account_id, claim.client_id, session_id)
    account = _find_account(transaction, account_id)
    return ClaimedCode(account=account, grant_json=payload, session_id=session_id)


def _advance(advance: FamilyAdvance, transaction: SqliteTransaction) -> AdvancedFamily | None:
    now = to_microseconds(advance.now)
    not_before = advance.client_not_before
    row = transaction.fetch_row(
        _ADVANCE_FAMILY,
        (
            1 if advance.rotate else 0,
            now,
            to_microseconds(advance.idle_expires_at),
            advance.family_id,
            advance.generation,
            advance.client_id,
            None if not_before is None else to_microseconds(not_before),
        ),
    )
    if row is None:
        return None
    account_id, session_id, grant, generation, expires_at = row
    write_audit(transaction, advance.audit, now, account_id, advance.client_id, session_id)
    account = _find_account(transaction, account_id)
    return AdvancedFamily(
        account=account,
        grant_json=grant,
        session_id=session_id,
        generation=generation,
        expires_at=from_microseconds(expires_at),
    )


def write_audit(
    transaction: SqliteTransaction,
    entry: AuditEntry,
    now: int,
    account_id: str | None,
    client_id: str | None,
    session_id: str | None,
) -> None:
    """The event with the account, client and session of the change it reports."""
    transaction.run(
        _AUDIT,
        (
            entry.id,
            now,
            entry.event,
            entry.actor,
            account_id,
            client_id,
            session_id,
            entry.address,
            entry.user_agent,
            entry.request_id,
            orjson.dumps(entry.detail).decode(),
        ),
    )


def _find_account(transaction: SqliteTransaction, account_id: str) -> AccountState:
    row = transaction.fetch_row(_FIND_ACCOUNT, (account_id,))
    if row is None:
        raise Unavailable(detail="a row vanished inside its transaction")
    return _account(row)


def optional_time(microseconds: int | None) -> datetime | None:
    """The inverse of ``to_microseconds``, for a column that may be empty."""
    return None if microseconds is None else from_microseconds(microseconds)


def _account(columns: Sequence[Any]) -> AccountState:
    """The account from the columns of ``_ACCOUNT``."""
    identifier, username, email, email_verified, claims, updated_at, disabled_at, not_before = columns
    return AccountState(
        id=identifier,
        username=username,
        email=email,
        email_verified=bool(email_verified),
        claims_json=claims,
        updated_at=from_microseconds(updated_at),
        disabled=disabled_at is not None,
        not_before=optional_time(not_before),
    )
