"""What a person signs in with besides a password: set up, look at, take away."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from idp.accounts import Notice
from idp.audit import Actor, AuditEvent, Source
from idp.authenticators import Channel, CodeFactor
from idp.crypto import Secret
from idp.errors import Invalid, NotFound, Refused
from idp.languages import marked
from idp.selfservice.freshness import assert_fresh
from idp.selfservice.services import SelfServiceServices
from idp.sessions import BrowserSession

_WRONG: Final = marked(
    "That code is not right. Check that your device's clock is, and enter the code it shows now."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """An authenticator app, as its owner sees it. Its secret is never seen again (row M6)."""

    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """What protects an account."""

    has_password: bool
    passkeys: int
    generator: Generator | None
    code_factors: tuple[CodeFactor, ...]
    recovery_codes: int
    """How many are left."""
    trusted_devices: int
    """Browsers in which no second step is asked for."""

    @property
    def has_second_step(self) -> bool:
        """Whether a password alone is not enough (as the policy of sign-ins has it)."""
        return self.generator is not None or bool(self.code_factors)

    def code_factor(self, channel: str) -> CodeFactor | None:
        """The address of a channel, if codes are sent there."""
        return next((one for one in self.code_factors if one.channel == channel), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorSetup:
    """What an app needs to become somebody's generator. Shown until a code confirms it."""

    secret: Secret[str]
    uri: Secret[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What went with what was taken away."""

    recovery_codes: bool
    """There is no second step any more that they could stand in for."""


class Authenticators:
    """Each function is one transaction, with its audit event and its notice to the person (row M13).

    Changes ask for a sign-in of a moment ago (row M7) and raise ``NotFresh`` otherwise.
    """

    def __init__(self, services: SelfServiceServices) -> None:
        self._services = services

    def protection(self, account_id: str, now: datetime) -> Protection:
        """What protects the account."""
        with self._services.database.transaction(write=False):
            return self._protection(account_id, now)

    def assert_may_change(
        self, session: BrowserSession, now: datetime, *, return_to: str | None = None
    ) -> None:
        """Ask on the page of a form already what the change will ask for.

        Args:
            session: the signed-in person's.
            now: aware UTC time.
            return_to: path to come back to after the proof; by default this page.

        Raises:
            NotFresh: they have to prove themself first.
        """
        with self._services.database.transaction(write=False):
            self.assert_fresh(session, now, return_to=return_to)

    def assert_fresh(self, session: BrowserSession, now: datetime, *, return_to: str | None = None) -> None:
        """The same, in the caller's transaction.

        Raises:
            NotFresh: they have to prove themself first.
        """
        services = self._services
        has = services.repos.enrolments.of(session.account_id)
        assert_fresh(
            session,
            now,
            services.settings.login.fresh_for,
            second_step=bool(has.totp or has.sms or has.email),
            return_to=return_to,
        )

    # The authenticator app

    def begin_generator(self, session: BrowserSession, now: datetime) -> None:
        """Make a secret for an app; it counts for nothing before a code confirms it.

        Raises:
            NotFresh: see the class.
        """
        with self._services.database.transaction():
            self.assert_fresh(session, now)
            self._services.totp_enrolment.begin(session.account_id, binding=session.id, now=now)

    def generator_setup(self, session: BrowserSession, now: datetime) -> GeneratorSetup | None:
        """What was begun in this session and waits to be confirmed.

        Raises:
            NotFresh: see the class.
        """
        services = self._services
        with services.database.transaction(write=False):
            secret = services.totp_enrolment.waiting(session.account_id, binding=session.id, now=now)
            if secret is None:
                return None
            self.assert_fresh(session, now)
            name = services.accounts.get(session.account_id).username
            return GeneratorSetup(secret=secret, uri=Secret(services.totp.uri(secret, name)))

    def confirm_generator(self, session: BrowserSession, code: str, source: Source, now: datetime) -> None:
        """Make the app the account's generator, if the code shows that it has the secret.

        Raises:
            Invalid: the code is wrong (field ``code``); the same secret goes on waiting.
            NotFound: nothing waits any more.
            NotFresh: see the class.
        """
        services, account_id = self._services, session.account_id
        with services.database.transaction():
            self.assert_fresh(session, now)
            if services.totp_enrolment.waiting(account_id, binding=session.id, now=now) is None:
                raise NotFound("That took too long. Please begin again.", detail="no generator waits")
            replaced = services.totp.is_enrolled(account_id)
            if not services.totp_enrolment.confirm(account_id, binding=session.id, code=code, now=now):
                raise Invalid(_WRONG, field="code", detail="generator not confirmed")
            self._record(AuditEvent.TOTP_ADDED, session, source, now, replaced=replaced)
            self._tell(session, Notice.TOTP_ADDED, source, now)

    def remove_generator(self, session: BrowserSession, source: Source, now: datetime) -> Removed:
        """Take the generator away.

        Raises:
            NotFound: there is none.
            Refused: it is the last second step, and the operator asks everybody for one.
            NotFresh: see the class.
        """
        services = self._services
        with services.database.transaction():
            self.assert_fresh(session, now)
            if not services.totp.remove(session.account_id):
                raise NotFound("There is no authenticator app to remove.", detail="no generator")
            self._record(AuditEvent.TOTP_REMOVED, session, source, now)
            self._tell(session, Notice.TOTP_REMOVED, source, now)
            return self._after_removal(session, source, now)

    # Recovery codes

    def create_recovery_codes(self, session: BrowserSession, source: Source, now: datetime) -> list[str]:
        """A new set of codes in the place of the former; shown once, here.

        Raises:
            NotFresh: see the class.
        """
        services = self._services
        with services.database.transaction():
            self.assert_fresh(session, now)
            codes = services.recovery_codes.create(session.account_id, now)
            self._record(AuditEvent.RECOVERY_CODES_CREATED, session, source, now, codes=len(codes))
            self._tell(session, Notice.RECOVERY_CODES_CREATED, source, now)
            return codes

    # Codes by e-mail and SMS: setting them up is in code_factor_setup.py

    def remove_code_factor(
        self, session: BrowserSession, channel: Channel, source: Source, now: datetime
    ) -> Removed:
        """Send no codes to this address any more.

        Raises:
            NotFound: none are.
            Refused: it is the last second step, and the operator asks everybody for one.
            NotFresh: see the class.
        """
        services = self._services
        with services.database.transaction():
            self.assert_fresh(session, now)
            if not services.code_factors.remove(session.account_id, channel):
                raise NotFound("There is nothing to remove.", detail=f"no codes by {channel}")
            self._record(AuditEvent.CODE_FACTOR_REMOVED, session, source, now, channel=channel.value)
            self._tell(session, Notice.CODE_FACTOR_REMOVED, source, now, channel=channel.value)
            return self._after_removal(session, source, now)

    # Remembered devices

    def forget_devices(self, session: BrowserSession, source: Source, now: datetime) -> int:
        """Ask for the second step again in every browser; how many there were.

        Needs no fresh sign-in: it only asks for more.
        """
        services = self._services
        with services.database.transaction():
            forgotten = services.devices.distrust_all(session.account_id, now)
            if forgotten:
                self._record(AuditEvent.DEVICES_DISTRUSTED, session, source, now, devices=forgotten)
            return forgotten

    def _protection(self, account_id: str, now: datetime) -> Protection:
        services = self._services
        has = services.repos.enrolments.of(account_id)
        since = services.totp.since(account_id) if has.totp else None
        return Protection(
            has_password=bool(has.password),
            passkeys=has.passkeys,
            generator=None if since is None else Generator(created_at=since[0], last_used_at=since[1]),
            code_factors=tuple(services.code_factors.list_(account_id)),
            recovery_codes=has.recovery_codes,
            trusted_devices=services.devices.count_trusted(account_id, now),
        )

    def _after_removal(self, session: BrowserSession, source: Source, now: datetime) -> Removed:
        """What follows when there may be no second step left."""
        services, account_id = self._services, session.account_id
        left = self._protection(account_id, now)
        if left.has_second_step:
            return Removed(recovery_codes=False)
        if services.settings.login.second_factor == "required" and not left.passkeys:
            raise Refused(
                "Here everybody needs a second step. Set up another one first.", detail="last second step"
            )
        # So that no browser is trusted without having been asked, when there is one again.
        services.devices.distrust_all(account_id, now)
        if left.passkeys or not left.recovery_codes:
            return Removed(recovery_codes=False)
        services.recovery_codes.remove(account_id, now)
        self._record(AuditEvent.RECOVERY_CODES_REMOVED, session, source, now)
        return Removed(recovery_codes=True)

    def _record(
        self, event: AuditEvent, session: BrowserSession, source: Source, now: datetime, **detail: object
    ) -> None:
        self._services.audit.record(
            event,
            actor=Actor.account(session.account_id, source),
            account=session.account_id,
            session=session.id,
            detail=detail,
            now=now,
        )

    def _tell(
        self, session: BrowserSession, notice: Notice, source: Source, now: datetime, **detail: str
    ) -> None:
        self._services.notices.tell(session.account_id, notice, source=source, now=now, detail=detail)
