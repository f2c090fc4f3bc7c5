"""Registration: from an address that is proved to an account and a session."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from idp.accounts import (
    LinkKind,
    canonical_email,
    canonical_phone,
    normalized_email,
    validate_claims,
)
from idp.audit import Actor, AuditEvent, Source
from idp.delivery import Channel
from idp.errors import Invalid, NotFound
from idp.ids import new_id
from idp.languages import marked
from idp.login.assurance import Achieved, Factor
from idp.login.goal import Goal, Visitor
from idp.login.pending import Unfinished
from idp.login.policy import Enrolled, Stage, next_step
from idp.login.registration import Registration
from idp.login.session import SignedIn
from idp.login.signup_services import SignupServices, Wishes
from idp.ratelimit import Limit

_KIND: Final = "signup"
_TIME_TO_FINISH: Final = timedelta(hours=1)
"""From the proof of the address to the choice of a password or a passkey."""

_OVER: Final = marked("This registration has come to its end. Please begin again.")
_CLOSED: Final = marked("You cannot register here. Ask whoever runs this service for an invitation.")
_USED: Final = marked("This invitation was used already, or is too old. Ask for a new one.")
_LONGEST_NAME: Final = 200
_ASKED: Final[Mapping[tuple[Channel, ...], str]] = {
    (Channel.MAIL,): marked("Enter your e-mail address."),
    (Channel.SMS,): marked("Enter your telephone number."),
    (Channel.MAIL, Channel.SMS): marked("Enter your e-mail address or your telephone number."),
}


class SignupFlow:
    """Registers people. The account is made when address and way in are proved, in one transaction.

    What was typed waits on the server, found by the browser's cookie. Whether an address has an account
    already, only its owner learns, from the message: everything before the proof is the same for all (row
    L6).
    """

    def __init__(self, services: SignupServices) -> None:
        self._services = services

    @property
    def channels(self) -> tuple[Channel, ...]:
        """What people may register with; empty if they may not."""
        return tuple(Channel(name) for name in self._services.settings.registration_by)

    def begin(
        self, identifier: str, wishes: Wishes, *, browser: str, locale: str, source: Source, now: datetime
    ) -> None:
        """Send a code to the address or number, or tell its owner that they have an account.

        Args:
            identifier: an e-mail address, or a telephone number with its country code.
            wishes: what else was typed.
            browser: value of the browser cookie, which alone finds the registration again.
            locale: language of the page.
            source: where the browser is.
            now: aware UTC time.

        Raises:
            NotFound: registration is off.
            Invalid: the identifier or the name cannot be used, or the terms were not accepted.
            Refused: too many steps from this source.
        """
        channel, normal = self._identifier(identifier)
        registration = self._new(channel, normal, wishes, now)
        self._limit(source, now)
        with self._services.database.transaction():
            lifetime = self._services.settings.login.attempt_lifetime
            self._services.registrations.keep(registration, browser, lifetime=lifetime, now=now)
            self._send(registration, browser, locale, source, now)

    def begin_invited(
        self, token: str, wishes: Wishes, *, browser: str, source: Source, now: datetime
    ) -> None:
        """Begin by an invitation, which proves the address. It is used up when the account is made.

        Raises:
            NotFound: the invitation is used, expired or none.
            Invalid: the name cannot be used, or the terms were not accepted.
            Refused: too many steps from this source.
        """
        self._limit(source, now)
        with self._services.database.transaction():
            registration = self._new(Channel.MAIL, self._invited(token, now), wishes, now)
            self._services.registrations.keep(
                replace(registration, proved=True),
                browser,
                invitation=token,
                lifetime=_TIME_TO_FINISH,
                now=now,
            )

    def invited(self, token: str, now: datetime) -> str:
        """The address that an invitation is for; does not use it up (row S9).

        Raises:
            NotFound: it is used, expired or none.
        """
        with self._services.database.transaction(write=False):
            return self._invited(token, now)

    def pending(self, browser: str, now: datetime) -> Registration | None:
        """What this browser has begun; ``None`` if nothing, or too long ago."""
        with self._services.database.transaction(write=False):
            return self._services.registrations.find(browser, now)

    def resend(self, *, browser: str, locale: str, source: Source, now: datetime) -> None:
        """Send a new code, which takes the place of the one before.

        Raises:
            NotFound: this browser has begun nothing.
            Refused: too many steps from this source.
        """
        self._limit(source, now)
        with self._services.database.transaction():
            registration = self._services.registrations.find(browser, now)
            if registration is None:
                raise NotFound(_OVER)
            if not registration.proved:
                self._send(registration, browser, locale, source, now, resent=True)

    def confirm(self, *, browser: str, code: str, source: Source, now: datetime) -> bool:
        """Take the code; whether it was right. A code is right once, and none is after five wrong tries.

        Raises:
            NotFound: this browser has begun nothing.
            Refused: too many steps from this source.
        """
        self._limit(source, now)
        registrations = self._services.registrations
        with self._services.database.transaction():
            registration = registrations.find(browser, now)
            if registration is None:
                raise NotFound(_OVER)
            if registration.proved:
                return True
            binding = registrations.binding(browser)
            claimed = self._services.codes.claim(_KIND, binding=binding, code=code, now=now)
            # Security: the code of an address that has an account was told to nobody, and one of another
            # address is not of this (rows L6, V4).
            if (
                claimed is None
                or claimed.payload["decoy"]
                or claimed.payload["account"] != registration.account_id
            ):
                return False
            proved = replace(registration, proved=True)
            registrations.keep(proved, browser, lifetime=_TIME_TO_FINISH, now=now)
            return True

    def finish_with_password(
        self, password: str, *, browser: str, goal: Goal, visitor: Visitor
    ) -> SignedIn | Unfinished:
        """Make the account with a password, and sign the person in, or lead them to what else is required.

        Raises:
            NotFound: nothing is proved, or it was finished before.
            PasswordRefused: the password must not be set.
            Conflict: the address got an account meanwhile.
            Busy: too much hashing right now.
            Refused: too many steps from this source.
        """
        services, now = self._services, visitor.now
        self._limit(visitor.source, now)
        registration = self._proved(browser, now)
        phc = services.new_passwords.hash(password, registration.context)
        with services.database.transaction():
            self._create(registration, browser, Factor.PASSWORD, visitor)
            services.passwords.store(registration.account_id, phc, now)
            proof = Achieved(Factor.PASSWORD, now)
            return self._sign_in(registration, proof, goal, visitor)

    def passkey_options(self, *, browser: str, now: datetime) -> dict[str, Any]:
        """Options for ``navigator.credentials.create``, in JSON.

        Raises:
            NotFound: nothing is proved, or it was finished before.
        """
        registration = self._proved(browser, now)
        with self._services.database.transaction():
            return self._services.passkeys.creation_options(
                account_id=registration.account_id,
                name=registration.identifier,
                display_name=registration.name or registration.identifier,
                binding=self._services.registrations.binding(browser),
                now=now,
            )

    def finish_with_passkey(
        self, credential: str, *, browser: str, goal: Goal, visitor: Visitor
    ) -> SignedIn | Unfinished:
        """Make the account with a passkey and no password, and sign the person in.

        Raises:
            NotFound: nothing is proved, or it was finished before.
            Invalid, Refused, Conflict: the passkey is not accepted, see ``Passkeys.register``; or the address
                got an account meanwhile.
        """
        services, now = self._services, visitor.now
        self._limit(visitor.source, now)
        services.passkeys.prepare()
        registration = self._proved(browser, now)
        with services.database.transaction():
            self._create(registration, browser, Factor.PASSKEY, visitor)
            passkey = services.passkeys.register(
                credential,
                account_id=registration.account_id,
                binding=services.registrations.binding(browser),
                now=now,
            )
            proof = Achieved(Factor.PASSKEY, now, synced=passkey.is_synced)
            return self._sign_in(registration, proof, goal, visitor)

    def _identifier(self, text: str) -> tuple[Channel, str]:
        """Which of the two it is, in the form in which it is stored."""
        channels = self.channels
        if not channels:
            raise NotFound(_CLOSED)
        if not text.strip():
            raise Invalid(_ASKED[channels], field="username")
        if Channel.MAIL not in channels or (Channel.SMS in channels and "@" not in text):
            return Channel.SMS, canonical_phone(text, field="username")
        address = normalized_email(text)
        allowed = self._services.settings.registration.allowed_email_domains
        domain = canonical_email(address).rpartition("@")[2]
        if allowed and domain not in {name.casefold() for name in allowed}:
            raise Invalid("You cannot register with an address of this domain.", field="username")
        return Channel.MAIL, address

    def _new(self, channel: Channel, identifier: str, wishes: Wishes, now: datetime) -> Registration:
        name = wishes.name.strip()
        if name:
            _assert_name(name)
        if self._services.settings.registration.terms_uri is not None and not wishes.accepts_terms:
            raise Invalid("Please accept the terms to go on.", field="terms")
        return Registration(
            account_id=new_id("acc", now),
            identifier=identifier,
            channel=channel,
            name=name,
            wants_passkey=wishes.wants_passkey,
        )

    def _send(
        self,
        registration: Registration,
        browser: str,
        locale: str,
        source: Source,
        now: datetime,
        *,
        resent: bool = False,
    ) -> None:
        """The same work whether the address has an account or not (row L6)."""
        services = self._services
        lifetime = services.settings.login.one_time_code_lifetime
        owner = services.accounts.find_by_identifier(registration.identifier)
        owner_id = None if owner is None else owner.id
        code = services.codes.issue(
            _KIND,
            binding=services.registrations.binding(browser),
            target=registration.identifier,
            payload={"account": registration.account_id, "decoy": owner is not None},
            lifetime=lifetime,
            now=now,
        )
        said = (
            {"code": code, "minutes": int(lifetime.total_seconds()) // 60}
            if owner is None
            else {"link": f"{services.settings.issuer}/login"}
        )
        write = services.outbox.mail if registration.channel is Channel.MAIL else services.outbox.sms
        write(
            "signup_code" if owner is None else "account_exists",
            to=registration.identifier,
            locale=locale,
            values=said,
            account_id=owner_id,
            now=now,
            expires_at=now + lifetime,
            source=source.address,
        )
        services.audit.record(
            AuditEvent.SIGNUP_REQUESTED,
            actor=Actor.anonymous(source),
            account=owner_id,
            detail={"channel": registration.channel.value, "resent": resent},
            now=now,
        )

    def _create(self, registration: Registration, browser: str, factor: Factor, visitor: Visitor) -> None:
        """Use the registration up, and make the account; of parallel tries one succeeds."""
        services, now = self._services, visitor.now
        # Security: another tab may have begun with another address since this one was looked at.
        if services.registrations.claim(browser, now) != registration:
            raise NotFound(_OVER)
        invitation = services.registrations.invitation_of(registration, browser)
        if invitation is not None and services.links.claim(LinkKind.INVITATION, invitation, now) is None:
            raise NotFound(_USED)
        by_mail, terms = registration.channel is Channel.MAIL, services.settings.registration
        account = services.accounts.create(
            account_id=registration.account_id,
            username=registration.identifier,
            email=registration.identifier if by_mail else None,
            email_verified=by_mail,
            phone=None if by_mail else registration.identifier,
            claims={"name": registration.name} if registration.name else {},
            terms_version=None if terms.terms_uri is None else terms.terms_version,
            now=now,
        )
        services.audit.record(
            AuditEvent.ACCOUNT_CREATED,
            actor=Actor.account(account.id, visitor.source),
            account=account.id,
            detail={
                "username": account.username,
                "way": "signup" if invitation is None else "invitation",
                "factor": factor.value,
                "terms": account.terms_version,
            },
            now=now,
        )

    def _sign_in(
        self, registration: Registration, proof: Achieved, goal: Goal, visitor: Visitor
    ) -> SignedIn | Unfinished:
        """Security: registering skips no step that signing in would not (row M5)."""
        services, by_passkey = self._services, proof.factor is Factor.PASSKEY
        step = next_step(
            enrolled=Enrolled(password=not by_passkey, passkeys=int(by_passkey)),
            achieved={proof.factor},
            required=goal.required,
            trusted_device=False,
        )
        if step.stage is not Stage.DONE:
            _, cookie = services.attempts.begin(
                account_id=registration.account_id, achieved=(proof,), detail=goal.detail, now=visitor.now
            )
            return Unfinished(step=step, attempt_cookie=cookie)
        return services.completion.complete(
            account_id=registration.account_id,
            achieved=(proof,),
            attempt=None,
            present=visitor.present,
            park_present=goal.park_present,
            device_cookie=visitor.device_cookie,
            source=visitor.source,
            now=visitor.now,
        )

    def _invited(self, token: str, now: datetime) -> str:
        claimed = self._services.links.peek(LinkKind.INVITATION, token, now)
        if claimed is None or claimed.target is None:
            raise NotFound(_USED)
        return claimed.target

    def _proved(self, browser: str, now: datetime) -> Registration:
        registration = self.pending(browser, now)
        if registration is None or not registration.proved:
            raise NotFound(_OVER)
        return registration

    def _limit(self, source: Source, now: datetime) -> None:
        self._services.ratelimiter.hit(Limit.ACCOUNT_REQUESTS, source.address, now)


def _assert_name(name: str) -> None:
    """Refuse what cannot be a name, in words for people."""
    if len(name) > _LONGEST_NAME:
        raise Invalid("This name is too long.", field="name")
    try:
        validate_claims({"name": name})
    except Invalid as error:
        raise Invalid("This name cannot be used. Please choose another spelling.", field="name") from error
