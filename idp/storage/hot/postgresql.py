"""The token path on PostgreSQL: one autocommitted statement per state change."""

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
from idp.storage.hot.postgresql_lane import LANE_WIDTH, PostgresLane, SharedStatement
from idp.storage.hot.postgresql_pool import PostgresPool

_ACCOUNT = """
    a.id AS account_id, a.username, a.email, a.email_verified, a.claims, a.updated_at,
    a.disabled_at IS NOT NULL AS disabled, a.not_before"""
"""In the order of :class:`AccountState`, which is made of the last columns of every row as they are."""

# Its parameters come first in both statements: $1 now, $2 client_id, $3 to $9 the event's own.
_AUDIT = """
    INSERT INTO audit_event (id, occurred_at, event, actor, account_id, client_id, session_id,
                             address, user_agent, request_id, detail)
    SELECT $3, $1, $4, $5, account_id, $2, session_id, $6, $7, $8, $9::jsonb
    FROM changed"""


# One statement is one transaction: the code cannot be used up without its family and its
# audit event, and a second claim waits for the row and then finds it consumed. FOR SHARE: a
# sign-out that has not committed yet is waited for, or it waits for us and then finds the family.
def _claim_code(code: str, skipping: str) -> str:
    return f"""
WITH changed AS (
    UPDATE one_time AS o SET consumed_at = $1, outcome = $10
    FROM account AS a
    WHERE o.digest = {code} AND o.kind = 'authorization_code' AND o.binding = $2
      AND o.proof IS NOT DISTINCT FROM $12::text
      AND ($13::text IS NULL OR o.target = $13::text)
      AND o.consumed_at IS NULL AND o.expires_at > $1
      AND ($16::timestamptz IS NULL OR o.created_at >= $16)
      AND a.id = o.account_id AND a.disabled_at IS NULL
      AND (a.not_before IS NULL OR a.not_before <= o.created_at)
      AND (EXISTS (SELECT 1 FROM browser_session AS s
                   WHERE s.id = o.session_id AND s.ended_at IS NULL FOR SHARE{skipping})
           OR NOT EXISTS (SELECT 1 FROM browser_session AS s WHERE s.id = o.session_id))
    RETURNING o.session_id, o.payload AS grant_data, {_ACCOUNT}
), family AS (
    INSERT INTO token_family (id, client_id, account_id, session_id, grant_data, offline, generation,
                              last_used_at, created_at, expires_at, idle_expires_at)
    SELECT $10, $2, account_id, session_id, grant_data,
           COALESCE((grant_data->>'offline')::boolean, false), 0, $1, $1, $14::timestamptz, $15::timestamptz
    FROM changed
), audit AS ({_AUDIT}
)
SELECT * FROM changed
"""  # noqa: S608 - composed of constants above


_UNLOCKED_CODE = """(
    SELECT free.digest FROM one_time AS free
    WHERE free.digest = $11 AND free.kind = 'authorization_code' FOR UPDATE SKIP LOCKED)"""
_CLAIM_CODE = SharedStatement(
    alone=_claim_code("$11", ""), together=_claim_code(_UNLOCKED_CODE, " SKIP LOCKED")
)


def _advance_family(family: str) -> str:
    return f"""
WITH changed AS (
    UPDATE token_family AS f
    SET generation = f.generation + $10,
        rotated_at = CASE WHEN $10 = 1 THEN $1 ELSE f.rotated_at END,
        last_used_at = $1, idle_expires_at = $11
    FROM account AS a
    WHERE f.id = {family} AND f.generation = $13 AND f.client_id = $2
      AND f.revoked_at IS NULL AND f.expires_at > $1 AND f.idle_expires_at > $1
      AND ($14::timestamptz IS NULL OR f.created_at >= $14)
      AND a.id = f.account_id AND a.disabled_at IS NULL
      AND (a.not_before IS NULL OR a.not_before <= f.created_at)
    RETURNING f.session_id, f.grant_data, f.generation, f.expires_at, {_ACCOUNT}
), audit AS ({_AUDIT}
)
SELECT * FROM changed
"""  # noqa: S608 - composed of constants above


_UNLOCKED_FAMILY = "(SELECT free.id FROM token_family AS free WHERE free.id = $12 FOR UPDATE SKIP LOCKED)"
_ADVANCE_FAMILY = SharedStatement(alone=_advance_family("$12"), together=_advance_family(_UNLOCKED_FAMILY))

_FIND_FAMILY = f"""
SELECT f.client_id, f.generation, f.rotated_at, f.revoked_at, f.created_at, f.expires_at,
       f.idle_expires_at, f.grant_data, f.session_id, {_ACCOUNT}
FROM token_family AS f JOIN account AS a ON a.id = f.account_id
WHERE f.id = $1
"""  # noqa: S608 - composed of constants above

_CHECK_ACCESS_SQL = f"""
SELECT r.jti IS NOT NULL, f.id IS NOT NULL AND f.revoked_at IS NULL, f.grant_data, {_ACCOUNT}
FROM (SELECT 1) AS one
LEFT JOIN revoked_access_token AS r ON r.jti = $1
LEFT JOIN token_family AS f ON f.id = $2::text
LEFT JOIN account AS a ON a.id = f.account_id
"""  # noqa: S608 - composed of constants above
_CHECK_ACCESS = SharedStatement(alone=_CHECK_ACCESS_SQL, together=_CHECK_ACCESS_SQL)  # takes no locks


class PostgresHotStore:
    """See :class:`HotStore`; each method is one statement, which is durable when the method returns."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool
        # Apart, or who only reads would wait for other people's commits.
        self._changes = PostgresLane(pool, LANE_WIDTH)
        self._reads = PostgresLane(pool, LANE_WIDTH)

    def claim_code(self, claim: CodeClaim) -> ClaimedCode | None:
        """See :class:`HotStore`."""
        row = self._changes.change_row(
            _CLAIM_CODE,
            (
                *_common(claim),
                claim.family_id,
                claim.digest,
                claim.proof,
                claim.target,
                claim.family_expires_at,
                claim.family_idle_expires_at,
                claim.client_not_before,
            ),
        )
        if row is None:
            return None
        return ClaimedCode(AccountState(*row[2:]), row[1], row[0])

    def advance_family(self, advance: FamilyAdvance) -> AdvancedFamily | None:
        """See :class:`HotStore`."""
        row = self._changes.change_row(
            _ADVANCE_FAMILY,
            (
                *_common(advance),
                1 if advance.rotate else 0,
                advance.idle_expires_at,
                advance.family_id,
                advance.generation,
                advance.client_not_before,
            ),
        )
        if row is None:
            return None
        session_id, grant, generation, expires_at, *account = row
        return AdvancedFamily(AccountState(*account), grant, session_id, generation, expires_at)

    def find_family(self, family_id: str) -> FamilyState | None:
        """See :class:`HotStore`."""
        row = self._pool.fetch_row(_FIND_FAMILY, (family_id,))
        if row is None:
            return None
        return FamilyState._make((*row[:9], AccountState._make(row[9:])))

    def check_access(self, *, family_id: str | None, jti: str) -> AccessState:
        """See :class:`HotStore`."""
        row = self._reads.fetch_row(_CHECK_ACCESS, (jti, family_id))
        if row is None:
            raise Unavailable(detail="the access query gave no row")
        revoked, family_live, grant, account_id = row[:4]
        return AccessState(
            revoked=revoked,
            family_live=family_id is None or family_live,
            account=None if account_id is None else AccountState._make(row[3:]),
            grant_json=grant,
        )


def _common(change: CodeClaim | FamilyAdvance) -> tuple[object, ...]:
    """The parameters $1 to $9 of both changes."""
    entry = change.audit
    return (
        change.now,
        change.client_id,
        entry.id,
        entry.event,
        entry.actor,
        entry.address,
        entry.user_agent,
        entry.request_id,
        orjson.dumps(entry.detail).decode(),
    )
