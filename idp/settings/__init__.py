"""Settings: what an operator may change, one frozen model per area.

Owns reading (`idp.toml`, `IDP_*`, secret files), checking and describing them. Applies none
of them: the rooms take the section they need as an argument. Called by every floor above.
Reading order: values, rates, urls, the sections (storage, protocol, people, delivery, serving),
model, loading, description.
"""

from idp.settings.delivery import MailSettings, SmsSettings
from idp.settings.description import describe, reference_markdown
from idp.settings.errors import SettingsError
from idp.settings.loading import load_settings
from idp.settings.model import Settings
from idp.settings.people import BreachSettings, LoginSettings, PasskeySettings, RegistrationSettings
from idp.settings.protocol import (
    KeySettings,
    PasswordSettings,
    RatelimitSettings,
    SessionSettings,
    TokenSettings,
)
from idp.settings.rates import Rate, parse_rate
from idp.settings.serving import (
    HttpSettings,
    LogSettings,
    PageSettings,
    ProxySettings,
    ServerSettings,
)
from idp.settings.storage import AuditSettings, ChangeSettings, DatabaseSettings, RedisSettings
from idp.settings.urls import SecretUrl, is_loopback_host
from idp.settings.values import Duration, Section, format_duration, parse_duration

__all__ = [
    "AuditSettings",
    "BreachSettings",
    "ChangeSettings",
    "DatabaseSettings",
    "Duration",
    "HttpSettings",
    "KeySettings",
    "LogSettings",
    "LoginSettings",
    "MailSettings",
    "PageSettings",
    "PasskeySettings",
    "PasswordSettings",
    "ProxySettings",
    "Rate",
    "RatelimitSettings",
    "RedisSettings",
    "RegistrationSettings",
    "SecretUrl",
    "Section",
    "ServerSettings",
    "SessionSettings",
    "Settings",
    "SettingsError",
    "SmsSettings",
    "TokenSettings",
    "describe",
    "format_duration",
    "is_loopback_host",
    "load_settings",
    "parse_duration",
    "parse_rate",
    "reference_markdown",
]
