"""Sections about people: signing in, registration, recovery, passkeys."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from idp.settings.values import DAY, HOUR, MINUTE, Duration, Names, Section

_ORIGIN = re.compile(r"https://[a-z0-9.-]+(?::\d{1,5})?")
_AAGUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _check_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    for origin in origins:
        if not _ORIGIN.fullmatch(origin) or not urlsplit(origin).hostname:
            raise ValueError(f"{origin!r} is not an origin such as https://example.com")
    return origins


def _check_aaguids(aaguids: tuple[str, ...]) -> tuple[str, ...]:
    for aaguid in aaguids:
        if not _AAGUID.fullmatch(aaguid):
            raise ValueError(f"{aaguid!r} is not an AAGUID such as fbfc3007-154e-4ecc-8c0b-6e020557d7bd")
    return aaguids


class LoginSettings(Section):
    """Signing in: what is asked of whom."""

    second_factor: Literal["if_enrolled", "required"] = "if_enrolled"
    """`if_enrolled`: people who have set up a second factor are asked for it. `required`: everybody else
    has to set one up when they sign in."""

    attempt_lifetime: Duration = Field(default=30 * MINUTE, ge=MINUTE, le=2 * HOUR)
    """How long a sign-in may take from the first proof to the last."""

    remember_device: Duration = Field(default=30 * DAY, ge=0 * DAY, le=90 * DAY)
    """How long a browser that a person marks as theirs is not asked for the second factor; 0 offers no
    such mark. The sign-in then counts as one factor, and clients that ask for two get two."""

    one_time_code_lifetime: Duration = Field(default=10 * MINUTE, ge=MINUTE, le=10 * MINUTE)
    """How long a code sent by e-mail or SMS can be used; ten minutes at most (NIST SP 800-63B-4
    §3.1.3.3)."""

    fresh_for: Duration = Field(default=10 * MINUTE, ge=MINUTE, le=HOUR)
    """How long after a sign-in a person may change passwords, second factors and addresses without
    another."""


class RegistrationSettings(Section):
    """People who make their own account, and the way back in."""

    enabled: bool = False
    """Whether people may register themselves. Invitations work all the same."""

    identifiers: Literal["email", "phone", "email_or_phone"] = "email"
    """What people register with; a code is sent there. `phone` needs an SMS transport."""

    allowed_email_domains: Names = ()
    """Domains that people may register with; empty allows all."""

    terms_uri: str | None = Field(default=None, pattern=r"^https?://\S+$", max_length=2048)
    """Terms that people must accept when they register."""

    terms_version: str = Field(default="1", min_length=1, max_length=40)
    """Kept with their acceptance."""

    invitation_lifetime: Duration = Field(default=7 * DAY, ge=HOUR, le=30 * DAY)
    """How long an invitation by `idp account invite` can be used."""

    verification_lifetime: Duration = Field(default=DAY, ge=HOUR, le=7 * DAY)
    """How long a link that confirms an e-mail address works."""

    reset_lifetime: Duration = Field(default=30 * MINUTE, ge=5 * MINUTE, le=DAY)
    """How long a link to a new password works."""

    undo_lifetime: Duration = Field(default=7 * DAY, ge=DAY, le=30 * DAY)
    """How long the former address can undo a change of the e-mail address."""

    deletion_grace: Duration = Field(default=14 * DAY, ge=0 * DAY, le=90 * DAY)
    """How long a person who asked for their account to be deleted may change their mind."""


class PasskeySettings(Section):
    """Passkeys (WebAuthn). The relying party id is the host of the issuer unless set otherwise."""

    rp_id: str | None = Field(default=None, pattern=r"^[a-z0-9.-]+$", max_length=253)
    """Domain that passkeys belong to: the issuer's host or a parent domain of it. Changing it later makes
    every passkey useless."""

    related_origins: Annotated[Names, AfterValidator(_check_origins)] = ()
    """Other origins that may use these passkeys; published at `/.well-known/webauthn`."""

    timeout: Duration = Field(default=5 * MINUTE, ge=MINUTE, le=10 * MINUTE)
    """How long a person has for the question of their device."""

    ask_to_add: bool = True
    """Whether people who signed in with a password are asked to add a passkey; "not now" holds for 14
    days."""

    attestation: Literal["none", "required"] = "none"
    """`required`: only authenticators that prove their make with a certificate may be registered. For
    companies that hand out keys; synced passkeys cannot do it."""

    attestation_roots: Path | None = None
    """PEM file with the certificates of the makers whose authenticators are accepted; needed when
    attestation is `required`."""

    allowed_aaguids: Annotated[Names, AfterValidator(_check_aaguids)] = ()
    """Makes of authenticators that may be registered; empty allows all. Without `attestation =
    "required"` an authenticator can claim to be any."""

    @model_validator(mode="after")
    def _attestation_has_roots(self) -> Self:
        if self.attestation == "required" and self.attestation_roots is None:
            raise ValueError(
                'attestation = "required" needs attestation_roots, the certificates of the makers to trust'
            )
        return self


class BreachSettings(Section):
    """Passwords known from breaches, which are refused for new passwords. A small list is built in."""

    bloom_file: Path | None = None
    """File made by `idp breach-list`, with as many known passwords as the operator likes."""

    range_url: str | None = Field(default=None, pattern=r"^https://\S+$", max_length=2048)
    """Address of a range service (k-anonymity by the first five digits of SHA-1), to which the digits are
    appended. It is asked besides the lists; if it does not answer, they decide."""
