"""The storage of pages on SQLite: plain reads, and one ``BEGIN IMMEDIATE`` … ``COMMIT`` per change."""

from datetime import datetime

import orjson

from idp.storage.hot.browser_interface import (
    CodeIssue,
    InteractionState,
    LoweredSession,
    NewInteraction,
    SessionState,
)
from idp.storage.hot.sqlite import optional_time, write_audit
from idp.storage.hot.sqlite_pool import SqlitePool
from idp.storage.types import dump_json, from_microseconds, to_microseconds

_FIND_SESSION = """
SELECT s.id, s.account_id, s.logins, s.auth_time, s.acr, s.amr, s.created_at, s.last_seen_at,
       s.expires_at, s.idle_expires_at, s.user_agent, s.address, s.ended_at IS NOT NULL,
       a.disabled_at IS NOT NULL, a.not_before, (SELECT d.not_before FROM deployment AS d WHERE d.id = 1),
       a.claims ->> 'locale', x.delete_after
FROM browser_session AS s JOIN account AS a ON a.id = s.account_id
LEFT JOIN account_deletion AS x ON x.account_id = a.id
WHERE s.token_digest = ?1
"""

_TOUCH_SESSION = """
UPDATE browser_session SET last_seen_at = ?2, idle_expires_at = ?3
WHERE id = ?1 AND ended_at IS NULL AND last_seen_at < ?2
"""

_LOWER_SESSION = """
UPDATE browser_session
SET acr = ?2, amr = ?3, last_seen_at = MAX(last_seen_at, ?4), idle_expires_at = MAX(idle_expires_at, ?5)
WHERE id = ?1 AND logins = ?6 AND ended_at IS NULL
"""

_FIND_INTERACTION = """
SELECT uid, browser_digest, request, progress, expires_at, finished_at FROM interaction WHERE uid = ?1
"""

_ADD_INTERACTION = """
INSERT INTO interaction (uid, browser_digest, client_id, request, progress, created_at, expires_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
"""

_FIND_LIVE = """
SELECT s.account_id
FROM browser_session AS s JOIN account AS a ON a.id = s.account_id
WHERE s.id = ?3 AND s.logins = ?4 AND s.ended_at IS NULL
  AND s.expires_at > ?1 AND s.idle_expires_at > ?1
  AND a.disabled_at IS NULL AND (a.not_before IS NULL OR a.not_before <= s.auth_time)
  AND NOT EXISTS (
      SELECT 1 FROM json_each(?5) AS need
      WHERE NOT EXISTS (
          SELECT 1 FROM consent AS c
          WHERE c.account_id = s.account_id AND c.client_id = ?2 AND c.resource = need.value ->> 'resource'
            AND NOT EXISTS (SELECT 1 FROM json_each(need.value, '$.scopes') AS asked
                            WHERE asked.value NOT IN (SELECT value FROM json_each(c.scopes)))
            AND NOT EXISTS (SELECT 1 FROM json_each(need.value, '$.claims') AS asked
                            WHERE asked.value NOT IN (SELECT value FROM json_each(c.claims)))))
"""

_FINISH_INTERACTION = """
UPDATE interaction SET finished_at = ?1
WHERE uid = ?2 AND finished_at IS NULL AND expires_at > ?1 AND json(progress) = json(?3)
RETURNING uid
"""

_ADD_CODE = """
INSERT INTO one_time (digest, kind, binding, proof, target, account_id, session_id, payload,
                      attempts, created_at, expires_at)
VALUES (?1, 'authorization_code', ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, ?9)
"""


class SqliteBrowserStore:
    """See :class:`BrowserStore`."""

    def __init__(self, pool: SqlitePool) -> None:
        self._pool = pool

    def find_session(self, digest: bytes) -> SessionState | None:
        """See :class:`BrowserStore`."""
        row = self._pool.fetch_row(_FIND_SESSION, (digest,))
        if row is None:
            return None
        (identifier, account_id, logins, auth_time, acr, amr, created_at, last_seen_at, expires_at, idle_end,
         user_agent, address, ended, disabled, not_before, epoch, locale, delete_after) = row  # fmt: skip
        return SessionState(
            id=identifier,
            account_id=account_id,
            logins=logins,
            auth_time=from_microseconds(auth_time),
            acr=acr,
            amr=tuple(orjson.loads(amr)),
            created_at=from_microseconds(created_at),
            last_seen_at=from_microseconds(last_seen_at),
            expires_at=from_microseconds(expires_at),
            idle_expires_at=from_microseconds(idle_end),
            user_agent=user_agent,
            address=address,
            ended=bool(ended),
            account_disabled=bool(disabled),
            account_not_before=optional_time(not_before),
            deployment_not_before=optional_time(epoch),
            account_locale=locale,
            account_deletes_at=optional_time(delete_after),
        )

    def touch_session(self, session_id: str, *, last_seen_at: datetime, idle_expires_at: datetime) -> None:
        """See :class:`BrowserStore`."""
        times = (to_microseconds(last_seen_at), to_microseconds(idle_expires_at))
        with self._pool.transaction() as transaction:
            transaction.run(_TOUCH_SESSION, (session_id, *times))

    def lower_session(self, lowered: LoweredSession) -> None:
        """See :class:`BrowserStore`."""
        parameters = (
            lowered.id,
            lowered.acr,
            orjson.dumps(lowered.amr).decode(),
            to_microseconds(lowered.last_seen_at),
            to_microseconds(lowered.idle_expires_at),
            lowered.logins,
        )
        with self._pool.transaction() as transaction:
            transaction.run(_LOWER_SESSION, parameters)

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
            expires_at=from_microseconds(expires_at),
            finished_at=optional_time(finished_at),
        )

    def add_interaction(self, interaction: NewInteraction) -> None:
        """See :class:`BrowserStore`."""
        parameters = (
            interaction.uid,
            interaction.browser_digest,
            interaction.client_id,
            dump_json(interaction.request),
            dump_json(interaction.progress),
            to_microseconds(interaction.created_at),
            to_microseconds(interaction.expires_at),
        )
        with self._pool.transaction() as transaction:
            transaction.run(_ADD_INTERACTION, parameters)

    def issue_code(self, issue: CodeIssue) -> bool:
        """See :class:`BrowserStore`."""
        now, payload = to_microseconds(issue.now), dump_json(issue.payload)
        needed, progress = orjson.dumps(issue.needed).decode(), dump_json(issue.progress)
        with self._pool.transaction() as transaction:
            row = transaction.fetch_row(
                _FIND_LIVE, (now, issue.client_id, issue.session_id, issue.logins, needed)
            )
            if row is None:
                return False
            if issue.uid is not None and (
                transaction.fetch_row(_FINISH_INTERACTION, (now, issue.uid, progress)) is None
            ):
                return False
            transaction.run(
                _ADD_CODE,
                (
                    issue.digest,
                    issue.client_id,
                    issue.proof,
                    issue.target,
                    row[0],
                    issue.session_id,
                    payload,
                    now,
                    to_microseconds(issue.expires_at),
                ),
            )
            write_audit(transaction, issue.audit, now, row[0], issue.client_id, issue.session_id)
        return True
