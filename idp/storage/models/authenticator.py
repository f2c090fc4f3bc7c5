"""What a person proves who they are with, besides a password."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from idp.storage.base import Base


class PasskeyRow(Base, kw_only=True):
    """A WebAuthn credential: the public half, and what the authenticator said of itself."""

    __tablename__ = "passkey"

    id: Mapped[str] = mapped_column(primary_key=True)
    """``pk_…``"""
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    credential_id: Mapped[bytes] = mapped_column(unique=True)
    public_key: Mapped[bytes]
    """COSE key."""
    sign_count: Mapped[int]
    aaguid: Mapped[str]
    """Which make of authenticator; all zeros when it does not say."""
    transports: Mapped[list[str]]
    name: Mapped[str]
    backup_eligible: Mapped[bool]
    """Whether it may be synced between devices; never changes (WebAuthn Level 3 §6.1.3)."""
    backed_up: Mapped[bool]
    user_verified: Mapped[bool]
    """Whether its registration verified the person, not their presence alone."""
    attestation: Mapped[str]
    """Format of the attestation; ``none`` for most."""
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None] = mapped_column(default=None)


class TotpRow(Base, kw_only=True):
    """A time-based one-time password generator (RFC 6238); one for each account."""

    __tablename__ = "totp"

    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    sealed_secret: Mapped[bytes]
    """Sealed with the account's id as context (row M6)."""
    last_step: Mapped[int]
    """The latest time step that was accepted: none of them counts again, nor an earlier one (row M1)."""
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None] = mapped_column(default=None)


class RecoveryCodeRow(Base, kw_only=True):
    """One recovery code; used ones stay until a new set replaces them."""

    __tablename__ = "recovery_code"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    """Keyed, over account and code."""
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    consumed_at: Mapped[datetime | None] = mapped_column(default=None)


class CodeFactorRow(Base, kw_only=True):
    """An address that one-time codes are sent to as a second factor."""

    __tablename__ = "code_factor"

    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    """``email`` or ``sms``."""
    address: Mapped[str]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None] = mapped_column(default=None)
