"""The whole: every section under one root."""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from idp.settings.claims import ClaimSettings
from idp.settings.delivery import MailSettings, SmsSettings
from idp.settings.people import BreachSettings, LoginSettings, PasskeySettings, RegistrationSettings
from idp.settings.protocol import (
    KeySettings,
    PasswordSettings,
    RatelimitSettings,
    SessionSettings,
    TokenSettings,
)
from idp.settings.serving import HttpSettings, LogSettings, PageSettings, ProxySettings, ServerSettings
from idp.settings.storage import AuditSettings, ChangeSettings, DatabaseSettings, RedisSettings
from idp.settings.urls import check_issuer

_ALONE = 15
"""Characters of a new password that may be all that is asked for. Source: NIST SP 800-63B-4 §3.1.1.2."""
_WITH_ANOTHER_FACTOR = 8
"""Characters where a second factor is mandatory. Source: the same."""

_THREADS_FOR_OTHERS = 4
"""Threads of a worker that sign-ins leave to all other requests."""


class Settings(BaseSettings):
    """Everything an operator may change.

    Made by :func:`idp.settings.load_settings`. Made directly, as tests do, it takes its
    arguments alone and looks at neither file nor environment.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        validate_default=True,
        hide_input_in_errors=True,
    )

    issuer: Annotated[str, AfterValidator(check_issuer)] = "http://localhost:8000"
    """The address people and clients use for this server, and the `iss` of every token: https, no trailing
    slash, no query; a path is allowed. Plain http works for localhost only. Changing it later invalidates
    every token and every client's configuration."""

    database: DatabaseSettings = DatabaseSettings()
    redis: RedisSettings = RedisSettings()
    keys: KeySettings = KeySettings()
    tokens: TokenSettings = TokenSettings()
    sessions: SessionSettings = SessionSettings()
    login: LoginSettings = LoginSettings()
    passwords: PasswordSettings = PasswordSettings()
    breaches: BreachSettings = BreachSettings()
    passkeys: PasskeySettings = PasskeySettings()
    registration: RegistrationSettings = RegistrationSettings()
    claims: ClaimSettings = ClaimSettings()
    mail: MailSettings = MailSettings()
    sms: SmsSettings = SmsSettings()
    ratelimit: RatelimitSettings = RatelimitSettings()
    proxy: ProxySettings = ProxySettings()
    server: ServerSettings = ServerSettings()
    http: HttpSettings = HttpSettings()
    log: LogSettings = LogSettings()
    audit: AuditSettings = AuditSettings()
    pages: PageSettings = PageSettings()
    changes: ChangeSettings = ChangeSettings()

    @model_validator(mode="after")
    def _sign_ins_leave_threads(self) -> Self:
        sign_ins = self.passwords.max_concurrent_hashes + self.passwords.max_waiting_hashes
        if sign_ins + _THREADS_FOR_OTHERS > self.server.blocking_threads:
            raise ValueError(
                f"server.blocking_threads must be at least {sign_ins + _THREADS_FOR_OTHERS}: "
                "passwords.max_concurrent_hashes + passwords.max_waiting_hashes, "
                f"and {_THREADS_FOR_OTHERS} for other requests"
            )
        return self

    @property
    def new_password_length(self) -> int:
        """Characters of the shortest password that a person may choose (row P1)."""
        if self.passwords.min_length is not None:
            return self.passwords.min_length
        return _WITH_ANOTHER_FACTOR if self.login.second_factor == "required" else _ALONE

    @model_validator(mode="after")
    def _passkeys_belong_to_the_issuer(self) -> Self:
        chosen, host = self.passkeys.rp_id, urlsplit(self.issuer).hostname or ""
        if chosen is None or chosen == host:
            return self
        # Source: WebAuthn Level 3 §5.1.3 step 8; browsers also refuse public suffixes such as co.uk.
        if not host.endswith(f".{chosen}") or "." not in chosen.strip("."):
            raise ValueError(f"passkeys.rp_id must be {host}, or a domain that it is part of")
        return self

    @property
    def registration_by(self) -> tuple[Literal["mail", "sms"], ...]:
        """How people who register prove their address; empty if nobody can."""
        if not self.registration.enabled:
            return ()
        by_mail = self.registration.identifiers != "phone" and self.mail.transport != "none"
        by_sms = self.registration.identifiers != "email" and self.sms.transport != "none"
        return (*(("mail",) if by_mail else ()), *(("sms",) if by_sms else ()))

    @property
    def issuer_path(self) -> str:
        """The path under which everything is served: ``""`` or ``/something``."""
        return urlsplit(self.issuer).path

    @property
    def is_https(self) -> bool:
        """Whether cookies may be ``Secure`` and ``__Host-``."""
        return self.issuer.startswith("https:")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments only: loading.py reads the rest, because the stock sources ignore unknown names."""
        return (init_settings,)
