"""The storage of pages on PostgreSQL: one autocommitted statement for each question and change."""

from datetime import datetime

import orjson

from idp.storage.hot.browser_interface import (
    CodeIssue,
    InteractionState,
    LoweredSession,
    NewInteraction,
    SessionState,
)
from idp.storage.hot.postgresql_lane import LANE_WIDTH, PostgresLane, SharedStatement
from idp.storage.hot.postgresql_pool import PostgresPool
from idp.storage.types import dump_json

_FIND_SESSION_SQL = """
SELECT s.id, s.account_id, s.logins, s.auth_time, s.acr, s.amr, s.created_at, s.last_seen_at,
       s.expires_at, s.idle_expires_at, s.user_agent, s.address, s.ended_at IS NOT NULL,
       a.disabled_at IS NOT NULL, a.not_before, (SELECT d.not_before FROM deployment AS d WHERE d.id = 1),
       a.claims ->> 'locale', x.delete_after
FROM browser_session AS s JOIN account AS a ON a.id = s.account_id
LEFT JOIN account_deletion AS x ON x.account_id = a.id
WHERE s.token_digest = $1
"""
_FIND_SESSION = SharedStatement(alone=_FIND_SESSION_SQL, together=_FIND_SESSION_SQL)  # takes no locks

_TOUCH_SESSION = """
UPDATE browser_session SET last_seen_at = $2, idle_expires_at = $3
WHERE id = $1 AND ended_at IS NULL AND last_seen_at < $2
RETURNING id
"""

_LOWER_SESSION = """
UPDATE browser_session
SET acr = $2, amr = $3::jsonb, last_seen_at = GREATEST(last_seen_at, $4),
    idle_expires_at = GREATEST(idle_expires_at, $5)
WHERE id = $1 AND logins = $6 AND ended_at IS NULL
RETURNING id
"""

_FIND_INTERACTION = """
SELECT uid, browser_digest, request, progress, expires_at, finished_at FROM interaction WHERE uid = $1
"""

_ADD_INTERACTION = """
INSERT INTO interaction (uid, browser_digest, client_id, request, progress, created_at, expires_at)
VALUES ($1, $2, $3, $4::jsonb, $5::jsonb, $6, $7)
RETURNING uid
"""

# Its parameters come first in both statements: $1 now, $2 client_id, $3 session, $4 logins, $5 consents.
_LIVE = """
    SELECT s.account_id, s.id AS session_id
    FROM browser_session AS s JOIN account AS a ON a.id = s.account_id
    WHERE s.id = $3 AND s.logins = $4 AND s.ended_at IS NULL
      AND s.expires_at > $1 AND s.idle_expires_at > $1
      AND a.disabled_at IS NULL AND (a.not_before IS NULL OR a.not_before <= s.auth_time)
      AND NOT EXISTS (
          SELECT 1 FROM jsonb_to_recordset($5::jsonb) AS need (resource text, scopes jsonb, claims jsonb)
          WHERE NOT EXISTS (
              SELECT 1 FROM consent AS c
              WHERE c.account_id = s.account_id AND c.client_id = $2 AND c.resource = need.resource
                AND c.scopes @> need.scopes AND c.claims @> need.claims))"""

_WRITE = """
), code AS (
    INSERT INTO one_time (digest, kind, binding, proof, target, account_id, session_id, payload,
                          attempts, created_at, expires_at)
    SELECT $6::bytea, 'authorization_code', $2, $7, $8, account_id, session_id, $9::jsonb, 0, $1,
           $10::timestamptz
    FROM changed
), audit AS (
    INSERT INTO audit_event (id, occurred_at, event, actor, account_id, client_id, session_id,
                             address, user_agent, request_id, detail)
    SELECT $11, $1, $12, $13, account_id, $2, session_id, $14, $15, $16, $17::jsonb
    FROM changed
)
SELECT session_id FROM changed
"""

_ISSUE_CODE_SQL = f"""
WITH changed AS ({_LIVE}
{_WRITE}"""
# Takes no locks: what it writes is new, and no foreign key leads from there.
_ISSUE_CODE = SharedStatement(alone=_ISSUE_CODE_SQL, together=_ISSUE_CODE_SQL)

# Of two answers to one interaction the second waits for the first one's row and then finds it finished.
_FINISH_AND_ISSUE = f"""
WITH live AS ({_LIVE}
), finished AS (
    UPDATE interaction SET finished_at = $1
    WHERE uid = $18 AND finished_at IS NULL AND expires_at > $1 AND progress = $19::jsonb
      AND EXISTS (SELECT 1 FROM live)
    RETURNING uid
), changed AS (
    SELECT live.account_id, live.session_id FROM live, finished
{_WRITE}"""  # noqa: S608 - composed of constants above


class PostgresBrowserStore:
    """See :class:`BrowserStore`; each method is one statement, and each statement one transaction.

    What an authorization request needs that meets a live session goes through lanes; all else is for threads.
    """

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool
        self._changes = PostgresLane(pool, LANE_WIDTH)
        self._reads = PostgresLane(pool, LANE_WIDTH)

    def find_session(self, digest: bytes) -> SessionState | None:
        """See :class:`BrowserStore`."""
        row = self._reads.fetch_row(_FIND_SESSION, (digest,))
        if row is None:
            return None
        (identifier, account_id, logins, auth_time, acr, amr, created_at, last_seen_at, expires_at, idle_end,
         user_agent, address, ended, disabled, not_before, epoch, locale, delete_after) = row  # fmt: skip
        return SessionState(
            id=identifier,
            account_id=account_id,
            logins=logins,
            auth_time=auth_time,
            acr=acr,
            amr=tuple(orjson.loads(amr)),
            created_at=created_at,
            last_seen_at=last_seen_at,
            expires_at=expires_at,
            idle_expires_at=idle_end,
            user_agent=user_agent,
            address=address,
            ended=ended,
            account_disabled=disabled,
            account_not_before=not_before,
            deployment_not_before=epoch,
            account_locale=locale,
            account_deletes_at=delete_after,
        )

    def touch_session(self, session_id: str, *, last_seen_at: datetime, idle_expires_at: datetime) -> None:
        """See :class:`BrowserStore`."""
        self._pool.change_row(_TOUCH_SESSION, (session_id, last_seen_at, idle_expires_at))

    def lower_session(self, lowered: LoweredSession) -> None:
        """See :class:`BrowserStore`."""
        self._pool.change_row(
            _LOWER_SESSION,
            (
                lowered.id,
                lowered.acr,
                orjson.dumps(lowered.amr).decode(),
                lowered.last_seen_at,
                lowered.idle_expires_at,
                lowered.logins,
            ),
        )

    def find_interaction(self, uid: str) -> InteractionState | None:
        """See :class:`BrowserStore`."""
        row = self._pool.fetch_row(_FIND_INTERACTION, (uid,))
        if row is None:
            return None
        identifier, browser_digest, request, progress, expires_at, finished_at = row
        return InteractionState(
            uid=identifier,
            browser_digest=browser_digest,
            request=orjson.loads(request),
            progress=orjson.loads(progress),
            expires_at=expires_at,
            finished_at=finished_at,
        )

    def add_interaction(self, interaction: NewInteraction) -> None:
        """See :class:`BrowserStore`."""
        self._pool.change_row(
            _ADD_INTERACTION,
            (
                interaction.uid,
                interaction.browser_digest,
                interaction.client_id,
                dump_json(interaction.request),
                dump_json(interaction.progress),
                interaction.created_at,
                interaction.expires_at,
            ),
        )

    def issue_code(self, issue: CodeIssue) -> bool:
        """See :class:`BrowserStore`."""
        entry = issue.audit
        parameters = (
            issue.now,
            issue.client_id,
            issue.session_id,
            issue.logins,
            orjson.dumps(issue.needed).decode(),
            issue.digest,
            issue.proof,
            issue.target,
            dump_json(issue.payload),
            issue.expires_at,
            entry.id,
            entry.event,
            entry.actor,
            entry.address,
            entry.user_agent,
            entry.request_id,
            orjson.dumps(entry.detail).decode(),
        )
        if issue.uid is None:
            return self._changes.change_row(_ISSUE_CODE, parameters) is not None
        more = (issue.uid, dump_json(issue.progress))
        return self._pool.change_row(_FINISH_AND_ISSUE, (*parameters, *more)) is not None
