"""The storage of sign-ins on SQLite: one plain read, one ``BEGIN IMMEDIATE`` … ``COMMIT`` for either end."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from idp.storage.hot.login_interface import (
    ACCOUNT_COUNTER,
    Failure,
    LoginQuestion,
    LoginState,
    SignedIn,
    SignIn,
)
from idp.storage.hot.sqlite import optional_time, write_audit
from idp.storage.hot.sqlite_pool import SqlitePool, SqliteTransaction
from idp.storage.records import AuditEntry
from idp.storage.types import from_microseconds, to_microseconds

# Security: an unknown name looks into the same tables as a known one does (row L6).
_FIND: Final = f"""
SELECT i.account_id, p.phc, d.token_digest IS NOT NULL, t.blocked_until,
    COALESCE(d.trusted_until > ?3, false),
    EXISTS (SELECT 1 FROM totp WHERE account_id = COALESCE(i.account_id, ''))
    OR EXISTS (SELECT 1 FROM code_factor WHERE account_id = COALESCE(i.account_id, '')),
    EXISTS (SELECT 1 FROM account AS a JOIN known_device AS k ON k.account_id = a.id
            WHERE a.id = COALESCE(i.account_id, '') AND a.email IS NOT NULL)
FROM (SELECT 1) AS one
LEFT JOIN account_identifier AS i ON i.canonical = ?1
LEFT JOIN password_credential AS p ON p.account_id = COALESCE(i.account_id, '')
LEFT JOIN known_device AS d
    ON d.token_digest = ?2 AND d.account_id = COALESCE(i.account_id, '') AND d.expires_at > ?3
LEFT JOIN password_throttle AS t
    ON t.expires_at > ?3
    AND t.key = CASE WHEN i.account_id IS NULL THEN ?4
                     WHEN d.token_digest IS NOT NULL THEN ?5
                     ELSE CAST('{ACCOUNT_COUNTER}' || i.account_id AS BLOB) END
"""  # noqa: S608 - composed of constants

_PAUSED: Final = """
SELECT 1 FROM password_throttle WHERE key = ?2 AND expires_at > ?1 AND blocked_until > ?1
"""

# Security: a second step that was set up a moment ago is not left out (rows M5, M8).
_ENOUGH: Final = """
(NOT EXISTS (SELECT 1 FROM totp WHERE account_id = ?3)
 AND NOT EXISTS (SELECT 1 FROM code_factor WHERE account_id = ?3)
 OR EXISTS (SELECT 1 FROM known_device WHERE token_digest = ?5 AND account_id = ?3 AND expires_at > ?1
                                         AND trusted_until > ?1))
"""

_ADMITTED: Final = f"""
SELECT 1 FROM account AS a JOIN password_credential AS p ON p.account_id = a.id
WHERE a.id = ?3 AND a.disabled_at IS NULL AND p.phc = ?4 AND NOT EXISTS ({_PAUSED}) AND {_ENOUGH}
"""  # noqa: S608 - composed of constants above

_FORGET: Final = "DELETE FROM password_throttle WHERE key = ?1"

_REHASH: Final = "UPDATE password_credential SET phc = ?1, updated_at = ?2 WHERE account_id = ?3"

_TOUCH_DEVICE: Final = """
UPDATE known_device SET last_seen_at = ?1, expires_at = ?2
WHERE token_digest = ?3 AND account_id = ?4 AND expires_at > ?1
RETURNING 1
"""

_REMEMBER_DEVICE: Final = """
INSERT INTO known_device (token_digest, account_id, created_at, last_seen_at, expires_at)
VALUES (?1, ?2, ?3, ?3, ?4)
"""

_RENEW: Final = """
UPDATE browser_session
SET token_digest = ?1, logins = logins + 1, auth_time = ?2, last_seen_at = ?2, acr = ?3, amr = ?4,
    idle_expires_at = ?5, expires_at = ?6, user_agent = ?7, address = ?8
WHERE id = ?9 AND account_id = ?10 AND logins = ?11 AND ended_at IS NULL
RETURNING 1
"""

_START: Final = """
INSERT INTO browser_session (token_digest, created_at, auth_time, last_seen_at, acr, amr, idle_expires_at,
                             expires_at, user_agent, address, id, account_id, logins)
VALUES (?1, ?2, ?2, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1)
"""

_END_SESSION: Final = """
UPDATE browser_session SET ended_at = ?1, end_reason = 'replaced' WHERE id = ?2 AND ended_at IS NULL
RETURNING 1
"""

_END_FAMILIES: Final = """
UPDATE token_family SET revoked_at = ?1, revoked_reason = 'session_ended'
WHERE session_id = ?2 AND NOT offline AND revoked_at IS NULL
"""

_COUNT: Final = """
INSERT INTO password_throttle AS t (key, failures, last_failure_at, blocked_until, expires_at)
VALUES (?1, 1, ?2, NULL, ?3)
ON CONFLICT (key) DO UPDATE
SET failures = CASE WHEN t.expires_at <= ?2 THEN 1 ELSE t.failures + 1 END,
    last_failure_at = ?2, expires_at = ?3
RETURNING failures
"""

_PAUSE: Final = "UPDATE password_throttle SET blocked_until = ?1 WHERE key = ?2"

_SECOND: Final = 1_000_000

_NOBODY: Final = (None, None, 0, None, 0, 0, 0)


class SqliteLoginStore:
    """See :class:`LoginStore`."""

    def __init__(self, pool: SqlitePool) -> None:
        self._pool = pool

    def find(self, question: LoginQuestion) -> LoginState:
        """See :class:`LoginStore`."""
        row = self._pool.fetch_row(
            _FIND,
            (
                question.canonical,
                question.device_digest,
                to_microseconds(question.now),
                question.name_counter,
                question.device_counter,
            ),
        )
        # One row always comes back, whoever is meant.
        account_id, phc, known, blocked_until, trusted, second_step, told = row or _NOBODY
        return LoginState(
            account_id,
            phc,
            bool(known),
            optional_time(blocked_until),
            bool(trusted),
            bool(second_step),
            bool(told),
        )

    def admit(self, sign_in: SignIn) -> SignedIn | None:
        """See :class:`LoginStore`."""
        now = to_microseconds(sign_in.now)
        asked = (now, sign_in.counter, sign_in.account_id, sign_in.phc, sign_in.device_digest)
        with self._pool.transaction() as transaction:
            if transaction.fetch_row(_ADMITTED, asked) is None:
                return None
            transaction.run(_FORGET, (sign_in.counter,))
            if sign_in.new_phc is not None:
                transaction.run(_REHASH, (sign_in.new_phc, now, sign_in.account_id))
            _write(transaction, sign_in.verified, now)
            return SignedIn(
                renewed=_seat(transaction, sign_in, now), known_device=_remember(transaction, sign_in, now)
            )

    def refuse(self, failure: Failure) -> int:
        """See :class:`LoginStore`."""
        now, pauses = to_microseconds(failure.now), orjson.loads(failure.pauses)
        with self._pool.transaction() as transaction:
            paused = transaction.fetch_row(_PAUSED, (now, failure.counter)) is not None
            row = transaction.fetch_row(_COUNT, (failure.counter, now, to_microseconds(failure.expires_at)))
            failures: int = 0 if row is None else row[0]
            pause = pauses[min(failures, len(pauses)) - 1]
            until = now + pause * _SECOND if pause else None
            transaction.run(_PAUSE, (until, failure.counter))
            more: dict[str, Any] = {"failures": failures}
            if until is not None:
                pausing = more | {"blocked_until": from_microseconds(until).isoformat()}
                _write(transaction, _having(failure.throttled, pausing), now)
            if paused and failure.reason_while_paused is not None:
                more["reason"] = failure.reason_while_paused
            _write(transaction, _having(failure.failed, more), now)
        return failures


def _seat(transaction: SqliteTransaction, sign_in: SignIn, now: int) -> bool:
    """Renew the present session, or begin one; whether it was renewed."""
    session, present = sign_in.session, sign_in.present
    columns = (
        session.token_digest,
        now,
        session.acr,
        orjson.dumps(session.amr).decode(),
        to_microseconds(session.idle_expires_at),
        to_microseconds(session.expires_at),
        session.user_agent,
        session.address,
    )
    if present is not None and sign_in.renewed is not None:
        found = (present.id, sign_in.account_id, present.logins)
        if transaction.fetch_row(_RENEW, (*columns, *found)) is not None:
            _write(transaction, sign_in.renewed, now, present.id)
            return True
    if present is not None and sign_in.ended is not None:
        _end(transaction, present.id, sign_in.ended, now)
    transaction.run(_START, (*columns, session.id, sign_in.account_id))
    _write(transaction, sign_in.started, now, session.id)
    return False


def _end(transaction: SqliteTransaction, session_id: str, event: AuditEntry, now: int) -> None:
    if transaction.fetch_row(_END_SESSION, (now, session_id)) is None:
        return
    families = transaction.change(_END_FAMILIES, (now, session_id))
    _write(transaction, _having(event, {"families": families}), now, session_id)


def _remember(transaction: SqliteTransaction, sign_in: SignIn, now: int) -> bool:
    """Note that the device was used, or remember a new one; whether it was known."""
    expires_at = to_microseconds(sign_in.device_expires_at)
    shown = (now, expires_at, sign_in.device_digest, sign_in.account_id)
    if sign_in.device_digest is not None and transaction.fetch_row(_TOUCH_DEVICE, shown) is not None:
        return True
    transaction.run(_REMEMBER_DEVICE, (sign_in.new_device_digest, sign_in.account_id, now, expires_at))
    return False


def _having(entry: AuditEntry, more: Mapping[str, Any]) -> AuditEntry:
    return entry._replace(detail={**entry.detail, **more})


def _write(
    transaction: SqliteTransaction, entry: AuditEntry, now: int, session_id: str | None = None
) -> None:
    write_audit(transaction, entry, now, entry.account_id, None, session_id)
