"""Audit events in the words of the person they happened to.

What is not in the table is no concern of theirs (each use of a token) or not theirs to read.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from idp.audit import AuditEvent
from idp.languages import marked

Detail = Mapping[str, Any]

METHODS: Final[Mapping[str, str]] = {
    "totp": marked("the code of an app"),
    "recovery": marked("a recovery code"),
    "sms": marked("a code sent by SMS"),
    "email": marked("a code sent by e-mail"),
    "passkey": marked("a passkey"),
}
"""Second steps, as a part of a sentence."""

_UNKNOWN_METHOD: Final = marked("a second step")


class Words(NamedTuple):
    """A message of the catalogues, and what belongs into its gaps."""

    message: str
    method: str = ""
    """Another message, for the gap ``%(method)s``."""


class Happening(NamedTuple):
    """What an event is called, and why it happened if that is a question."""

    title: Words
    reason: Words | None = None
    is_warning: bool = False
    """Whether somebody else may have been at work."""


_NEW_DEVICE: Final = Words(marked("This browser was new to your account."))

_WHY_SECOND: Final[Mapping[str, str]] = {
    "enrolled": marked("You were asked because you have set up a second step."),
    "application": marked("You were asked because the application needs to be more certain that it is you."),
    "required": marked("You were asked because a second step is required of everybody here."),
    "again": marked("You were asked because you were about to change what protects your account."),
    "reauthentication": marked("You were asked because you were signed in already and had to confirm that."),
    "recovery": marked("You were asked because you wanted to set a new password."),
    "login": marked("You were asked because you have set up a second step."),
    "second_factor": marked("You were asked because you have set up a second step."),
}

_WHY_FAILED: Final[Mapping[str, str]] = {
    "wrong_password": marked("The password was not right."),
    "account_disabled": marked("The account could not be used at that time."),
    "paused": marked("There had been too many wrong passwords just before, so this one was not looked at."),
}

_WHY_ENDED: Final[Mapping[str, str]] = {
    "logout": marked("You signed out there."),
    "replaced": marked("Somebody else signed in with the same browser."),
    "ended_by_person": marked("You ended it from the list of your sessions."),
    "password_changed": marked("The password was changed."),
    "operator": marked("An administrator ended it."),
    "upstream_logout": marked("You signed out at the provider through which you had signed in."),
}


def in_words(event: str, detail: Detail) -> Happening | None:
    """What a person reads of an event; ``None`` for what they do not read.

    Args:
        event: a value of ``AuditEvent``, or of an earlier release.
        detail: as it was recorded; may be empty.
    """
    if event in _PLAIN:
        return Happening(Words(_PLAIN[event]))
    tell = _TELLING.get(event)
    return None if tell is None else tell(detail)


def _signed_in(detail: Detail) -> Happening:
    is_new = detail.get("known_device") is False
    return Happening(Words(marked("You signed in")), _NEW_DEVICE if is_new else None)


def _password_failed(detail: Detail) -> Happening:
    return Happening(
        Words(marked("Somebody tried to sign in and was refused")),
        _why(_WHY_FAILED, detail.get("reason")),
        is_warning=True,
    )


def _second_step(detail: Detail) -> Happening:
    return Happening(
        Words(marked("You proved that it was you with %(method)s"), _method(detail)),
        _why(_WHY_SECOND, detail.get("reason")) or _why(_WHY_SECOND, detail.get("purpose")),
    )


def _second_step_failed(detail: Detail) -> Happening:
    return Happening(
        Words(marked("A second step failed: %(method)s"), _method(detail)),
        Words(marked("Whoever it was knew your password. If it was not you, change it now."))
        if detail.get("purpose") == "login"
        else None,
        is_warning=True,
    )


def _code_sent(detail: Detail) -> Happening:
    return Happening(Words(marked("We sent you something to sign in with: %(method)s"), _method(detail)))


def _unavailable(detail: Detail) -> Happening:
    return Happening(
        Words(marked("A second step was not available: %(method)s"), _method(detail)),
        Words(marked("The message could not be sent, so another way was offered.")),
    )


def _passkey_used(detail: Detail) -> Happening:
    purpose = detail.get("purpose")
    return Happening(
        Words(marked("You used a passkey")),
        None if purpose == "login" else _why(_WHY_SECOND, purpose),
    )


def _federated(detail: Detail) -> Happening:
    # The name is the provider's own, so no message of the catalogues: it is shown as it is.
    return Happening(
        Words(marked("You proved that it was you through %(method)s"), _provider(detail)),
        _why(_WHY_SECOND, detail.get("purpose")) if detail.get("purpose") == "reauthentication" else None,
    )


def _identity(text: str) -> Callable[[Detail], Happening]:
    return lambda detail: Happening(Words(text, _provider(detail)))


def _provider(detail: Detail) -> str:
    return str(detail.get("name") or detail.get("provider") or "?")


def _ended(detail: Detail) -> Happening:
    return Happening(Words(marked("A sign-in ended")), _why(_WHY_ENDED, detail.get("reason")))


def _others_ended(detail: Detail) -> Happening:
    return Happening(
        Words(marked("You were signed out everywhere else")), _why(_WHY_ENDED, detail.get("reason"))
    )


def _code_factor(text: str) -> Callable[[Detail], Happening]:
    return lambda detail: Happening(Words(text, METHODS.get(str(detail.get("channel")), _UNKNOWN_METHOD)))


def _warning(text: str) -> Callable[[Detail], Happening]:
    return lambda _detail: Happening(Words(text), is_warning=True)


def _method(detail: Detail) -> str:
    return METHODS.get(str(detail.get("method")), _UNKNOWN_METHOD)


def _why(texts: Mapping[str, str], reason: object) -> Words | None:
    text = texts.get(reason) if isinstance(reason, str) else None
    return None if text is None else Words(text)


_PLAIN: Final[Mapping[str, str]] = {
    AuditEvent.ACCOUNT_CREATED: marked("Your account was made"),
    AuditEvent.ACCOUNT_ENABLED: marked("An administrator let your account be used again"),
    AuditEvent.ACCOUNT_UPDATED: marked("You changed your profile"),
    AuditEvent.ACCOUNT_EXPORTED: marked("You downloaded your data"),
    AuditEvent.DELETION_REQUESTED: marked("You asked for your account to be deleted"),
    AuditEvent.DELETION_CANCELLED: marked("You decided to keep your account"),
    AuditEvent.RECOVERY_REQUESTED: marked("Somebody asked for a new password"),
    AuditEvent.PASSWORD_SET: marked("A new password was set"),
    AuditEvent.PASSWORD_RESET: marked("A new password was set with a link from a message"),
    AuditEvent.EMAIL_VERIFIED: marked("Your e-mail address was confirmed"),
    AuditEvent.EMAIL_CHANGED: marked("Your e-mail address was changed"),
    AuditEvent.EMAIL_RESTORED: marked("The change of your e-mail address was undone"),
    AuditEvent.PHONE_CHANGED: marked("Your telephone number was changed"),
    AuditEvent.TOTP_ADDED: marked("An authenticator app was set up"),
    AuditEvent.TOTP_REMOVED: marked("The authenticator app was removed"),
    AuditEvent.RECOVERY_CODES_CREATED: marked("New recovery codes were made"),
    AuditEvent.RECOVERY_CODES_REMOVED: marked("The recovery codes were removed"),
    AuditEvent.SECOND_FACTOR_RESET: marked("An administrator took your second steps away"),
    AuditEvent.DEVICES_DISTRUSTED: marked("All remembered browsers were forgotten"),
    AuditEvent.DEVICE_TRUSTED: marked("A browser was remembered, and is not asked for a second step"),
    AuditEvent.PASSKEY_ADDED: marked("A passkey was added"),
    AuditEvent.PASSKEY_RENAMED: marked("A passkey got another name"),
    AuditEvent.PASSKEY_REMOVED: marked("A passkey was removed"),
    AuditEvent.SESSION_REAUTHENTICATED: marked("You confirmed that it was you"),
    AuditEvent.CONSENT_GRANTED: marked("You allowed an application access"),
    AuditEvent.CONSENT_WITHDRAWN: marked("You stopped the access of an application"),
    AuditEvent.CONSENT_DENIED: marked("You refused an application access"),
    AuditEvent.CODE_EXCHANGED: marked("An application was given access"),
    AuditEvent.TOKEN_REVOKED: marked("An application gave its access back"),
}

_TELLING: Final[Mapping[str, Callable[[Detail], Happening]]] = {
    AuditEvent.SESSION_STARTED: _signed_in,
    AuditEvent.SESSION_ENDED: _ended,
    AuditEvent.SESSIONS_ENDED: _others_ended,
    AuditEvent.PASSWORD_FAILED: _password_failed,
    AuditEvent.PASSWORD_THROTTLED: _warning(
        marked("Sign-ins paused for a while, because too many failed in a row")
    ),
    AuditEvent.FACTOR_VERIFIED: _second_step,
    AuditEvent.FACTOR_FAILED: _second_step_failed,
    AuditEvent.FACTOR_THROTTLED: _warning(
        marked("Second steps paused for a while, because too many failed in a row")
    ),
    AuditEvent.FACTOR_CODE_SENT: _code_sent,
    AuditEvent.FACTOR_UNAVAILABLE: _unavailable,
    AuditEvent.CODE_FACTOR_ADDED: _code_factor(marked("A second step was set up: %(method)s")),
    AuditEvent.CODE_FACTOR_REMOVED: _code_factor(marked("A second step was removed: %(method)s")),
    AuditEvent.PASSKEY_VERIFIED: _passkey_used,
    AuditEvent.FEDERATION_VERIFIED: _federated,
    AuditEvent.IDENTITY_LINKED: _identity(marked("An account elsewhere was linked: %(method)s")),
    AuditEvent.IDENTITY_UNLINKED: _identity(
        marked("The link to an account elsewhere was removed: %(method)s")
    ),
    AuditEvent.PASSKEY_FAILED: _warning(marked("A passkey was refused")),
    AuditEvent.ACCOUNT_SECURED: _warning(
        marked('Somebody said "this was not me", and everything that was signed in ended')
    ),
    AuditEvent.ACCOUNT_DISABLED: _warning(marked("An administrator stopped the use of your account")),
    AuditEvent.CODE_REPLAYED: _warning(
        marked("An application showed the same code twice, so its access was revoked")
    ),
    AuditEvent.REFRESH_REUSED: _warning(
        marked("An application showed something that was used before, so its access was revoked")
    ),
}

TOLD: Final = tuple(sorted(str(event) for event in (*_PLAIN, *_TELLING)))
"""Names of the events that people read of."""
