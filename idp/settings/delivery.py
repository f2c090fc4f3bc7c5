"""Sections about messages to people: mail and SMS."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from idp.settings.values import SECOND, Duration, Section


class MailSettings(Section):
    """How mail leaves."""

    transport: Literal["none", "console", "folder", "smtp"] = "none"
    """`none`: no mail is sent, and what needs it is not offered. `console` and `folder` are for
    development."""

    sender: str = Field(default="Identity <no-reply@localhost>", min_length=3, max_length=320)
    """The `From` of every mail, `Name <address>` or an address."""

    folder: Path = Path("var/mail")
    """Where `folder` writes one `.eml` file for each mail."""

    host: str = Field(default="localhost", min_length=1, max_length=253)
    """SMTP server."""

    port: int = Field(default=587, ge=1, le=65535)
    """Port of the SMTP server."""

    security: Literal["starttls", "tls", "none"] = "starttls"
    """`starttls`: encryption is demanded after connecting. `tls`: from the first byte (port 465). `none`:
    for a server on this machine only."""

    username: str | None = None
    """Name to authenticate with; none is not authenticated."""

    password_file: Path | None = None
    """File with the password of that name."""

    ca_file: Path | None = None
    """PEM file with the certificate authorities to trust instead of the system's."""

    timeout: Duration = Field(default=10 * SECOND, gt=0 * SECOND, le=60 * SECOND)
    """How long the mail server may take for each of its answers."""


class SmsSettings(Section):
    """How SMS leave."""

    transport: Literal["none", "console", "folder", "webhook", "twilio"] = "none"
    """`none`: SMS are not offered. `console` and `folder` are for development. `webhook`: a POST with JSON
    to `url`. `twilio`: a form as Twilio's Messages resource takes it, to `url`."""

    folder: Path = Path("var/sms")
    """Where `folder` writes one `.txt` file for each SMS."""

    url: str | None = Field(default=None, pattern=r"^https?://\S+$", max_length=2048)
    """Address of the gateway. One with a private address, or without TLS, has to be named in
    `http.allowed_private_hosts` as well."""

    sender: str = Field(default="", max_length=40)
    """Number or name that the message comes from."""

    username: str | None = None
    """Name for Basic authentication; with `twilio` the account's SID."""

    token_file: Path | None = None
    """File with the password of that name, or without a name the bearer token."""

    timeout: Duration = Field(default=5 * SECOND, gt=0 * SECOND, le=30 * SECOND)
    """How long one delivery may take."""

    @model_validator(mode="after")
    def _gateway_is_named(self) -> Self:
        if self.transport in {"webhook", "twilio"} and self.url is None:
            raise ValueError(f"the transport {self.transport} needs url, the address of the gateway")
        return self
