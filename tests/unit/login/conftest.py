"""Sign-in with a real database and fast password hashing."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from idp.accounts import Account, Accounts, Notices
from idp.audit import Audit, Source
from idp.authenticators import FactorThrottle, KnownDevices, Passwords, PasswordThrottle
from idp.clock import FixedClock
from idp.crypto import Argon2Parameters, PasswordHasher, Sealer, Secret
from idp.delivery import MessageCodec, MessageLimits, Outbox
from idp.federation import Identities
from idp.login import (
    Completion,
    CompletionServices,
    Enrolments,
    LoginAttempts,
    LoginFlow,
    LoginServices,
    PendingServices,
    PendingSignIns,
    SignedIn,
    Upstreams,
)
from idp.onetime import OneTimeLinks
from idp.ratelimit import RateLimiter
from idp.ratelimit.counters import MemoryCounters
from idp.sessions import BrowserSession, Sessions
from idp.settings import DatabaseSettings, RatelimitSettings, SecretUrl, Settings
from idp.storage import AuditEventRow, Base, Database, create_engine, plain_session, repositories
from idp.storage.hot import create_browser_store, create_hot_pool, create_login_store

START = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery staple"
CHEAP = Argon2Parameters(memory_kib=64, passes=1, lanes=1)


class Door:
    """The flow, and what a test needs to set a scene and to look at it afterwards."""

    def __init__(self, folder: Path, *, limits: RatelimitSettings) -> None:
        url = SecretUrl(f"sqlite:///{folder}/idp.sqlite3")
        self.settings = Settings(database=DatabaseSettings(url=url), ratelimit=limits)
        self.clock = FixedClock(START)
        engine = create_engine(self.settings.database)
        Base.metadata.create_all(engine)
        self.session = plain_session(engine)
        self.database = Database(engine, self.session)
        self.repos = repositories(self.session)
        self.accounts = Accounts(self.repos)
        self.hot_pool = create_hot_pool(self.settings.database, self.database.statements)
        self.sessions = Sessions(self.repos, create_browser_store(self.hot_pool), self.settings.sessions)
        self.passwords = self._passwords(CHEAP)
        self.flow = self._flow()
        with self.database.transaction():
            self.ada = self.accounts.create(
                username="ada", email="ada@example.org", email_verified=True, claims={}, now=START
            )
        self._set_password(self.ada)

    def _set_password(self, account: Account) -> None:
        phc = self.passwords.hash(PASSWORD)
        with self.database.transaction():
            self.passwords.store(account.id, phc, START)

    def _passwords(self, parameters: Argon2Parameters) -> Passwords:
        hasher = PasswordHasher(parameters, b"p" * 32)
        return Passwords(self.repos, hasher, self.settings.passwords)

    def _flow(self) -> LoginFlow:
        throttle = PasswordThrottle(self.repos, Secret(b"t" * 32))
        devices, audit = KnownDevices(self.repos), Audit(self.repos)
        return LoginFlow(
            LoginServices(
                store=create_login_store(self.hot_pool),
                passwords=self.passwords,
                throttle=throttle,
                devices=devices,
                sessions=self.sessions,
                ratelimiter=RateLimiter(MemoryCounters(), self.settings.ratelimit, self.clock),
                audit=audit,
                pending=self._pending(throttle, devices, audit),
            )
        )

    def _pending(self, throttle: PasswordThrottle, devices: KnownDevices, audit: Audit) -> PendingSignIns:
        secret = Secret(b"o" * 32)
        settings = self.settings
        outbox = Outbox(
            self.repos,
            MessageCodec(Sealer(b"o" * 32)),
            MessageLimits(self.repos, settings.ratelimit, secret),
            mail=settings.mail,
            sms=settings.sms,
        )
        attempts = LoginAttempts(self.repos, lifetime=settings.login.attempt_lifetime)
        completion = Completion(
            CompletionServices(
                repos=self.repos,
                accounts=self.accounts,
                sessions=self.sessions,
                devices=devices,
                throttle=throttle,
                factor_throttle=FactorThrottle(self.repos, throttle),
                attempts=attempts,
                upstreams=Upstreams(self._identities(), Sealer(b"u" * 32)),
                notices=Notices(self.repos, outbox, OneTimeLinks(self.repos), settings.issuer),
                audit=audit,
                remember_device=settings.login.remember_device,
            )
        )
        return PendingSignIns(
            PendingServices(
                database=self.database,
                repos=self.repos,
                enrolments=Enrolments(self.repos),
                attempts=attempts,
                devices=devices,
                completion=completion,
                outbox=outbox,
                audit=audit,
            )
        )

    def _identities(self) -> Identities:
        return Identities(self.repos, tokens=Sealer(b"t" * 32), id_tokens=Sealer(b"i" * 32))

    def close(self) -> None:
        self.passwords.close()
        self.session.remove()
        self.hot_pool.close()
        self.database.dispose()

    def raise_parameters(self) -> None:
        """The operator asks for costlier hashes from now on."""
        self.passwords.close()
        self.passwords = self._passwords(Argon2Parameters(memory_kib=128, passes=1, lanes=1))
        self.flow = self._flow()

    def account(self, username: str) -> Account:
        with self.database.transaction():
            account = self.accounts.create(
                username=username, email=None, email_verified=False, claims={}, now=START
            )
        self._set_password(account)
        return account

    def disable(self, account: Account) -> None:
        with self.database.transaction():
            self.accounts.disable(account.id, self.clock.now())

    def sign_in(
        self,
        identifier: str = "ada",
        password: str = PASSWORD,
        *,
        session: BrowserSession | None = None,
        device: str | None = None,
        address: str = "192.0.2.1",
    ) -> SignedIn:
        outcome = self.flow.sign_in_with_password(
            identifier=identifier,
            password=password,
            present_session=session,
            device_cookie=device,
            source=Source(address=address, user_agent="test", request_id="req_1"),
            now=self.clock.now(),
        )
        assert isinstance(outcome, SignedIn)
        return outcome

    def find(self, cookie: Secret[str]) -> BrowserSession | None:
        return self.sessions.find(cookie.reveal(), self.clock.now())

    def stored_hash(self, account: Account) -> str | None:
        with self.database.transaction(write=False):
            return self.passwords.stored_hash(account.id)

    def rows(self) -> list[AuditEventRow]:
        with self.database.transaction(write=False):
            return list(self.repos.audit.list_())

    def details(self, event: str) -> list[dict[str, Any]]:
        return [row.detail for row in self.rows() if row.event == event]

    def events(self) -> list[str]:
        return [row.event for row in self.rows()]


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    """Without limits per source; counters per account are always on."""
    made = Door(tmp_path, limits=RatelimitSettings(enabled=False))
    yield made
    made.close()


@pytest.fixture
def limited_door(tmp_path: Path) -> Iterator[Door]:
    made = Door(
        tmp_path, limits=RatelimitSettings(login_per_source="8/minute", login_spray_per_source="3/hour")
    )
    yield made
    made.close()
