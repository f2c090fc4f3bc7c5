"""People: the account, the names it is found by, its password, and what protects that."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from idp.storage.base import Base


class AccountRow(Base, kw_only=True):
    """A person. ``id`` is the ``sub`` of their tokens and never changes."""

    __tablename__ = "account"

    id: Mapped[str] = mapped_column(primary_key=True)
    """``acc_…``"""
    username: Mapped[str]
    """As the person writes it; unique by its canonical form in `AccountIdentifierRow`."""
    email: Mapped[str | None] = mapped_column(default=None)
    email_verified: Mapped[bool] = mapped_column(default=False)
    claims: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    """Claims by their names, without those with a column, and what linked identities bring (groups.py)."""
    disabled_at: Mapped[datetime | None] = mapped_column(default=None)
    not_before: Mapped[datetime | None] = mapped_column(default=None)
    """Revocation epoch: nothing that was authenticated or issued earlier counts."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    passkey_declined_at: Mapped[datetime | None] = mapped_column(default=None)
    """When the person last said "not now" to adding a passkey."""
    terms_version: Mapped[str | None] = mapped_column(default=None)
    """The terms they accepted, and when."""
    terms_accepted_at: Mapped[datetime | None] = mapped_column(default=None)


class AccountDeletionRow(Base, kw_only=True):
    """A person asked for their account to be deleted; until then they may change their mind.

    No foreign key: the row outlives the account until its history is shredded too.
    """

    __tablename__ = "account_deletion"

    account_id: Mapped[str] = mapped_column(primary_key=True)
    requested_at: Mapped[datetime]
    delete_after: Mapped[datetime] = mapped_column(index=True)
    begun_at: Mapped[datetime | None] = mapped_column(default=None)
    """When the account was deleted; there is no way back from then on."""


class AccountIdentifierRow(Base, kw_only=True):
    """A canonical name that leads to one account; usernames and e-mail addresses share one space (V7)."""

    __tablename__ = "account_identifier"

    canonical: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    """``username``, ``email`` or ``phone``."""


class PasswordRow(Base, kw_only=True):
    """An account's password as a PHC string of Argon2id over the peppered password."""

    __tablename__ = "password_credential"

    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    phc: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ThrottleRow(Base, kw_only=True):
    """Consecutive password failures under one key, for example an account or an unknown name (L1)."""

    __tablename__ = "password_throttle"

    key: Mapped[bytes] = mapped_column(primary_key=True)
    """A keyed digest, so that the table does not list what people typed."""
    failures: Mapped[int]
    last_failure_at: Mapped[datetime]
    blocked_until: Mapped[datetime | None] = mapped_column(default=None)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class KnownDeviceRow(Base, kw_only=True):
    """A browser that signed in here before: relief when strangers use up the account's attempts (L3)."""

    __tablename__ = "known_device"

    token_digest: Mapped[bytes] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    trusted_until: Mapped[datetime | None] = mapped_column(default=None)
    """The person asked not to be asked for a second factor here until then."""
