"""LoginAttempt: who a browser claims to be, and what has been proved of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from idp.crypto import Secret, random_token, token_digest
from idp.errors import Conflict
from idp.ids import new_id
from idp.login.assurance import Achieved, Factor
from idp.storage import LoginAttemptRow, Repositories

_PREFIX: Final = "idp_la_"
_KIND: Final = "login-attempt"
_STANDS_ON: Final = "session"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginAttempt:
    """A sign-in on its way, as it is stored. A step's proof is here and nowhere else (row M5)."""

    id: str
    """No secret: what one-time codes and challenges of this sign-in are bound to (row M3)."""
    digest: bytes
    version: int
    account_id: str | None
    """Whose proofs these are; ``None`` while nothing is proved."""
    achieved: tuple[Achieved, ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)
    """What the steps remember."""
    expires_at: datetime

    @property
    def factors(self) -> frozenset[Factor]:
        """What has been proved."""
        return frozenset(proof.factor for proof in self.achieved)

    @property
    def stands_on(self) -> str | None:
        """The session whose proofs it goes on from; it ends with that session (row M5)."""
        session_id: str | None = self.detail.get(_STANDS_ON)
        return session_id

    def having(self, proof: Achieved, account_id: str) -> "LoginAttempt":
        """The same attempt with one more proof; another account's proofs are dropped."""
        kept = self.achieved if self.account_id == account_id else ()
        others = tuple(one for one in kept if one.factor != proof.factor)
        return replace(self, account_id=account_id, achieved=(*others, proof))

    def remembering(self, **detail: Any) -> "LoginAttempt":
        """The same attempt, with something remembered."""
        return replace(self, detail={**self.detail, **detail})


class LoginAttempts:
    """Keeps attempts in the database, found by a cookie value. Callers hold the transaction."""

    def __init__(self, repos: Repositories, *, lifetime: timedelta) -> None:
        self._repos = repos.login_attempts
        self._lifetime = lifetime

    def begin(
        self,
        *,
        account_id: str | None,
        achieved: tuple[Achieved, ...] = (),
        detail: Mapping[str, Any] | None = None,
        stands_on: str | None = None,
        now: datetime,
    ) -> tuple[LoginAttempt, Secret[str]]:
        """Store a new attempt; the value is for the browser's attempt cookie.

        Made anew each time, so that a value somebody planted is never one that holds a proof (row S2).
        """
        cookie = _PREFIX + random_token()
        attempt = LoginAttempt(
            id=new_id("lat", now),
            digest=token_digest(_KIND, cookie),
            version=0,
            account_id=account_id,
            achieved=achieved,
            detail={**(detail or {}), _STANDS_ON: stands_on},
            expires_at=now + self._lifetime,
        )
        self._repos.add(
            LoginAttemptRow(
                token_digest=attempt.digest,
                id=attempt.id,
                account_id=account_id,
                achieved=[_stored(proof) for proof in achieved],
                detail=dict(attempt.detail),
                created_at=now,
                expires_at=attempt.expires_at,
            )
        )
        return attempt, Secret(cookie)

    def find(self, cookie: str | None, now: datetime) -> LoginAttempt | None:
        """The unfinished attempt of this cookie value; ``None`` for none, and for junk."""
        if not cookie or not cookie.startswith(_PREFIX):
            return None
        row = self._repos.find(token_digest(_KIND, cookie))
        if row is None or row.finished_at is not None or row.expires_at <= now:
            return None
        return LoginAttempt(
            id=row.id,
            digest=row.token_digest,
            version=row.version,
            account_id=row.account_id,
            achieved=tuple(_read(stored) for stored in row.achieved),
            detail=dict(row.detail),
            expires_at=row.expires_at,
        )

    def save(self, attempt: LoginAttempt, now: datetime) -> LoginAttempt:
        """Write how far it has come.

        Raises:
            Conflict: another request took a step meanwhile; look again.
        """
        if not self._repos.advance(
            attempt.digest,
            version=attempt.version,
            account_id=attempt.account_id,
            achieved=[_stored(proof) for proof in attempt.achieved],
            detail=attempt.detail,
            now=now,
        ):
            raise _moved_on()
        return replace(attempt, version=attempt.version + 1)

    def finish(self, attempt: LoginAttempt, now: datetime) -> None:
        """Use it up; at most one caller ever succeeds.

        Raises:
            Conflict: it was used up before, or took a step meanwhile.
        """
        if not self._repos.finish(attempt.digest, version=attempt.version, now=now):
            raise _moved_on()


def _moved_on() -> Conflict:
    return Conflict(
        "This sign-in has moved on. Please look at the page again.", detail="login attempt changed"
    )


def _stored(proof: Achieved) -> dict[str, Any]:
    return {
        "factor": proof.factor.value,
        "at": proof.at.isoformat(),
        "synced": proof.synced,
        "amr": list(proof.amr),
    }


def _read(stored: Mapping[str, Any]) -> Achieved:
    return Achieved(
        Factor(stored["factor"]),
        datetime.fromisoformat(stored["at"]),
        bool(stored["synced"]),
        tuple(stored.get("amr", ())),  # of an attempt that the previous release began: none
    )
