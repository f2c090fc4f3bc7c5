"""The storage of sign-ins on PostgreSQL: one read, and one autocommitted statement for either end."""

from typing import Final

import orjson

from idp.storage.hot.login_interface import (
    ACCOUNT_COUNTER,
    Failure,
    LoginQuestion,
    LoginState,
    SignedIn,
    SignIn,
)
from idp.storage.hot.postgresql_pool import PostgresPool
from idp.storage.records import AuditEntry

# Security: an unknown name looks into the same tables as a known one does (row L6).
_FIND: Final = f"""
SELECT i.account_id, p.phc, d.token_digest IS NOT NULL, t.blocked_until,
    COALESCE(d.trusted_until > $3, false),
    EXISTS (SELECT 1 FROM totp WHERE account_id = COALESCE(i.account_id, ''))
    OR EXISTS (SELECT 1 FROM code_factor WHERE account_id = COALESCE(i.account_id, '')),
    EXISTS (SELECT 1 FROM account AS a JOIN known_device AS k ON k.account_id = a.id
            WHERE a.id = COALESCE(i.account_id, '') AND a.email IS NOT NULL)
FROM (SELECT 1) AS one
LEFT JOIN account_identifier AS i ON i.canonical = $1
LEFT JOIN password_credential AS p ON p.account_id = COALESCE(i.account_id, '')
LEFT JOIN known_device AS d
    ON d.token_digest = $2 AND d.account_id = COALESCE(i.account_id, '') AND d.expires_at > $3
LEFT JOIN password_throttle AS t
    ON t.expires_at > $3
    AND t.key = CASE WHEN i.account_id IS NULL THEN $4::bytea
                     WHEN d.token_digest IS NOT NULL THEN $5::bytea
                     ELSE convert_to('{ACCOUNT_COUNTER}' || i.account_id, 'UTF8') END
"""  # noqa: S608 - composed of constants

_PAUSED: Final = """
    SELECT 1 FROM password_throttle WHERE key = $2 AND expires_at > $1 AND blocked_until > $1"""

# Security: a second step that was set up a moment ago is not left out (rows M5, M8).
_ENOUGH: Final = """
    (NOT EXISTS (SELECT 1 FROM totp WHERE account_id = $3)
     AND NOT EXISTS (SELECT 1 FROM code_factor WHERE account_id = $3)
     OR EXISTS (SELECT 1 FROM known_device WHERE token_digest = $7 AND account_id = $3 AND expires_at > $1
                                             AND trusted_until > $1))"""

_EVENT: Final = """
    INSERT INTO audit_event (id, occurred_at, event, actor, account_id, client_id, session_id,
                             address, user_agent, request_id, detail)"""

# Of two that renew one session at the same time the second waits for its row, and then finds that it has
# seen another sign-in.
_ADMIT: Final = f"""
WITH admitted AS (
    SELECT a.id AS account_id
    FROM account AS a JOIN password_credential AS p ON p.account_id = a.id
    WHERE a.id = $3 AND a.disabled_at IS NULL AND p.phc = $4 AND NOT EXISTS ({_PAUSED}) AND {_ENOUGH}
), forgotten AS (
    DELETE FROM password_throttle WHERE key = $2 AND EXISTS (SELECT 1 FROM admitted)
), rehashed AS (
    UPDATE password_credential SET phc = $5, updated_at = $1
    WHERE account_id = $3 AND $5::text IS NOT NULL AND EXISTS (SELECT 1 FROM admitted)
), known AS (
    UPDATE known_device SET last_seen_at = $1, expires_at = $6
    WHERE token_digest = $7 AND account_id = $3 AND expires_at > $1 AND EXISTS (SELECT 1 FROM admitted)
    RETURNING token_digest
), remembered AS (
    INSERT INTO known_device (token_digest, account_id, created_at, last_seen_at, expires_at)
    SELECT $8::bytea, account_id, $1, $1, $6 FROM admitted WHERE NOT EXISTS (SELECT 1 FROM known)
), renewed AS (
    UPDATE browser_session
    SET token_digest = $9, logins = logins + 1, auth_time = $1, last_seen_at = $1, acr = $10, amr = $11,
        idle_expires_at = $12, expires_at = $13, user_agent = $14, address = $15
    WHERE id = $16 AND account_id = $3 AND logins = $17 AND ended_at IS NULL
      AND EXISTS (SELECT 1 FROM admitted)
    RETURNING id
), started AS (
    INSERT INTO browser_session (id, token_digest, account_id, logins, created_at, auth_time, last_seen_at,
                                 acr, amr, idle_expires_at, expires_at, user_agent, address)
    SELECT $18, $9::bytea, account_id, 1, $1, $1, $1, $10, $11::jsonb, $12::timestamptz, $13::timestamptz,
           $14, $15
    FROM admitted WHERE NOT EXISTS (SELECT 1 FROM renewed)
), audit AS ({_EVENT}
    SELECT e.id, $1, e.event, $19, account_id, NULL, e.session_id, $20, $21, $22, e.detail
    FROM admitted, (VALUES ($23, $24, NULL, $25::jsonb, NULL), ($26, $27, $18, $28::jsonb, false),
                           ($29, $30, $16, $31::jsonb, true)) AS e (id, event, session_id, detail, renewal)
    WHERE e.renewal IS NULL OR e.renewal = EXISTS (SELECT 1 FROM renewed)
)
SELECT EXISTS (SELECT 1 FROM renewed), EXISTS (SELECT 1 FROM known) FROM admitted
"""  # noqa: S608 - composed of constants above

_END_SESSION: Final = """
UPDATE browser_session SET ended_at = $1, end_reason = 'replaced' WHERE id = $2 AND ended_at IS NULL
RETURNING id
"""

# A statement of its own: it has to see a family of the session that was opened while the one above waited.
_END_FAMILIES: Final = f"""
WITH families AS (
    UPDATE token_family SET revoked_at = $1, revoked_reason = 'session_ended'
    WHERE session_id = $2 AND NOT offline AND revoked_at IS NULL
    RETURNING id
), audit AS ({_EVENT}
    VALUES ($3, $1, $4, $5, $6, NULL, $2, $7, $8, $9,
            $10::jsonb || jsonb_build_object('families', (SELECT count(*) FROM families)))
)
SELECT true
"""  # noqa: S608 - composed of constants above

_NO_EVENT: Final = (None, None, None)

_NOBODY: Final = (None, None, False, None, False, False, False)

_NUMBER: Final = "CASE WHEN t.expires_at <= $1 THEN 1 ELSE t.failures + 1 END"


def _pause_after(number: str) -> str:
    """SQL: when the pause after so many failures ends; NULL for none."""
    return (
        f"$1 + make_interval(secs => NULLIF("
        f"($4::jsonb ->> (LEAST({number}, jsonb_array_length($4::jsonb)) - 1)::integer)::float8, 0))"
    )


_REFUSE: Final = f"""
WITH paused AS ({_PAUSED}
), counted AS (
    INSERT INTO password_throttle AS t (key, failures, last_failure_at, blocked_until, expires_at)
    VALUES ($2, 1, $1, {_pause_after("1")}, $3)
    ON CONFLICT (key) DO UPDATE
    SET failures = {_NUMBER}, last_failure_at = $1, expires_at = $3,
        blocked_until = {_pause_after(f"({_NUMBER})")}
    RETURNING failures, blocked_until
), audit AS ({_EVENT}
    SELECT $5, $1, $6, $7, $8, NULL, NULL, $9, $10, $11,
           $12::jsonb || jsonb_build_object('failures', failures)
           || CASE WHEN $13::text IS NOT NULL AND EXISTS (SELECT 1 FROM paused)
                   THEN jsonb_build_object('reason', $13::text) ELSE '{{}}' END
    FROM counted
    UNION ALL
    SELECT $14, $1, $15, $7, $8, NULL, NULL, $9, $10, $11,
           $16::jsonb || jsonb_build_object('failures', failures, 'blocked_until',
               to_char(blocked_until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'))
    FROM counted WHERE blocked_until IS NOT NULL
)
SELECT failures FROM counted
"""  # noqa: S608 - composed of constants above


class PostgresLoginStore:
    """See :class:`LoginStore`; each method is one statement, but for a session that ends."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    def find(self, question: LoginQuestion) -> LoginState:
        """See :class:`LoginStore`."""
        canonical, name_counter, device_digest, device_counter, now = question
        row = self._pool.fetch_row(_FIND, (canonical, device_digest, now, name_counter, device_counter))
        # One row always comes back, whoever is meant.
        return LoginState._make(row or _NOBODY)

    def admit(self, sign_in: SignIn) -> SignedIn | None:
        """See :class:`LoginStore`."""
        parameters = _admission(sign_in)
        present, ended = sign_in.present, sign_in.ended
        if present is None or ended is None:
            row = self._pool.change_row(_ADMIT, parameters)
            return None if row is None else SignedIn._make(row)
        with self._pool.transaction() as transaction:
            row = transaction.fetch_row(_ADMIT, parameters)
            if row is None:
                return None
            if transaction.fetch_row(_END_SESSION, (sign_in.now, present.id)) is not None:
                transaction.fetch_row(_END_FAMILIES, (sign_in.now, present.id, *_event(ended)))
        return SignedIn._make(row)

    def refuse(self, failure: Failure) -> int:
        """See :class:`LoginStore`."""
        failed, throttled = failure.failed, failure.throttled
        row = self._pool.change_row(
            _REFUSE,
            (
                failure.now,
                failure.counter,
                failure.expires_at,
                failure.pauses,
                *_event(failed),
                failure.reason_while_paused,
                throttled.id,
                throttled.event,
                orjson.dumps(throttled.detail),
            ),
        )
        failures: int = 0 if row is None else row[0]
        return failures


def _admission(sign_in: SignIn) -> tuple[object, ...]:
    session, present = sign_in.session, sign_in.present
    verified, started, renewed = sign_in.verified, sign_in.started, sign_in.renewed
    return (
        sign_in.now,
        sign_in.counter,
        sign_in.account_id,
        sign_in.phc,
        sign_in.new_phc,
        sign_in.device_expires_at,
        sign_in.device_digest,
        sign_in.new_device_digest,
        session.token_digest,
        session.acr,
        orjson.dumps(session.amr),
        session.idle_expires_at,
        session.expires_at,
        session.user_agent,
        session.address,
        None if present is None else present.id,
        None if present is None else present.logins,
        session.id,
        verified.actor,
        verified.address,
        verified.user_agent,
        verified.request_id,
        verified.id,
        verified.event,
        orjson.dumps(verified.detail),
        started.id,
        started.event,
        orjson.dumps(started.detail),
        *(
            (None, None, None)
            if renewed is None
            else (renewed.id, renewed.event, orjson.dumps(renewed.detail))
        ),
    )


def _event(entry: AuditEntry) -> tuple[object, ...]:
    return (
        entry.id,
        entry.event,
        entry.actor,
        entry.account_id,
        entry.address,
        entry.user_agent,
        entry.request_id,
        orjson.dumps(entry.detail),
    )
