"""The closed vocabulary of audit events: ``subject.object.action``.

Each member's docstring says what happened and, after ``Detail:``, which fields its
``detail`` may hold. ``docs/audit-events.md`` is generated from here. Who, when, from where
and for which account, client and session are columns of every event and not repeated.
No field ever holds a password, token, code or secret (row X10).
"""

from enum import StrEnum


class AuditEvent(StrEnum):
    """Everything that is recorded."""

    # Accounts and their proofs

    ACCOUNT_CREATED = "account.created"
    """An account was made. Detail: ``username``."""

    ACCOUNT_DISABLED = "account.disabled"
    """An account was disabled; its sessions and token families end with it. Detail: ``sessions``
    (how many ended), ``families`` (how many were revoked); 10 000 mean that many or more."""

    ACCOUNT_ENABLED = "account.enabled"
    """A disabled account may be used again; what was ended stays ended. Detail: none."""

    PASSWORD_SET = "account.password.set"
    """A password was set or replaced. Detail: none."""

    PASSWORD_VERIFIED = "account.password.verified"
    """The right password was given. Detail: ``purpose`` (``login`` or ``reauthentication``),
    ``known_device``, ``rehashed`` (stored again with the present parameters)."""

    PASSWORD_FAILED = "account.password.failed"
    """A sign-in with a password was refused; the account is empty when the identifier is unknown, and
    what was typed is not repeated, because people type passwords there. Detail: ``reason``
    (``unknown_account``, ``wrong_password``, ``account_disabled``, or ``paused`` for the right
    password in a burst of wrong ones), ``purpose``, ``failures`` (consecutive ones)."""

    PASSWORD_THROTTLED = "account.password.throttled"
    """Sign-ins of an account pause, because too many failed in a row. Detail: ``failures``,
    ``blocked_until``."""

    FACTOR_VERIFIED = "account.factor.verified"
    """A second step was taken. Detail: ``method`` (``totp``, ``recovery``, ``sms``, ``email``,
    ``passkey``), ``purpose`` (``login`` or ``reauthentication``)."""

    FACTOR_FAILED = "account.factor.failed"
    """A wrong code was given as a second step. Detail: ``method``, ``purpose``, ``failures`` (consecutive
    ones with this method)."""

    FACTOR_THROTTLED = "account.factor.throttled"
    """A second step pauses for an account, because too many codes were wrong in a row. Detail: ``method``,
    ``failures``, ``blocked_until``."""

    FACTOR_CODE_SENT = "account.factor.code_sent"
    """A code for a second step was sent. Detail: ``method`` (``sms`` or ``email``)."""

    FACTOR_UNAVAILABLE = "account.factor.unavailable"
    """A second step could not be offered, because its message could not be sent; another one was offered.
    Detail: ``method``, ``reason`` (``not_configured`` or ``transport_failed``)."""

    DEVICE_TRUSTED = "account.device.trusted"
    """A person asked for no second step in this browser for a while. Detail: ``until``."""

    # Browser sessions

    SESSION_STARTED = "session.started"
    """A browser session began. Detail: ``acr``, ``amr``, ``known_device``."""

    SESSION_REAUTHENTICATED = "session.reauthenticated"
    """The person of a running session proved again who they are. Detail: ``acr``, ``amr``, ``logins``."""

    SESSION_ENDED = "session.ended"
    """A browser session ended before its time. Detail: ``reason`` (``logout`` or
    ``replaced``), ``families`` (how many token families ended with it)."""

    # What a person allows

    CONSENT_GRANTED = "consent.granted"
    """A person allowed a client what it asked for. Detail: ``scopes``, ``claims``, ``resources``."""

    CONSENT_DENIED = "consent.denied"
    """A person refused. Detail: ``scopes``, ``claims``, ``resources``."""

    # Tokens

    CODE_ISSUED = "token.code.issued"
    """An authorization response with a code was sent. Detail: ``scopes``, ``resources``,
    ``redirect_uri``."""

    CODE_EXCHANGED = "token.code.exchanged"
    """A code was exchanged for tokens; a token family began. Detail: ``family``, ``scopes``,
    ``audience``."""

    CODE_REPLAYED = "token.code.replayed"
    """A code was presented again by its own client; all tokens it gave were revoked (row C2).
    Detail: ``family``."""

    TOKEN_REFRESHED = "token.refreshed"
    """New tokens were given for a refresh token. Detail: ``family``, ``generation``, ``scopes``,
    ``audience``."""

    REFRESH_REUSED = "token.refresh.reused"
    """A refresh token that had been replaced was presented; its family was revoked (row T7).
    Detail: ``family``, ``generation`` (of the presented token), ``newest`` (of the family)."""

    TOKEN_REVOKED = "token.revoked"
    """A token was taken back at the revocation endpoint. Detail: ``token_type`` (``access_token`` or
    ``refresh_token``), ``family``, ``jti``."""

    # Clients

    CLIENT_AUTHENTICATION_FAILED = "client.authentication.failed"
    """A client could not prove who it is. Detail: ``reason``, ``method``."""

    CLIENT_CREATED = "client.created"
    """A client was registered. Detail: ``name``, ``auth_method``, ``grant_types``, ``first_party``."""

    CLIENT_UPDATED = "client.updated"
    """A client's registration changed. Detail: ``fields`` (their names)."""

    CLIENT_DELETED = "client.deleted"
    """A client was removed with its secrets, token families and consents; it was disabled before. Detail:
    ``families``, ``consents`` (how many were removed)."""

    CLIENT_DISABLED = "client.disabled"
    """A client was disabled; nothing it holds counts any more. Detail: none."""

    CLIENT_ENABLED = "client.enabled"
    """A disabled client may be used again. Detail: none."""

    CLIENT_SECRET_ROTATED = "client.secret.rotated"
    """A client got a new secret. Detail: ``secret`` (the row's id), ``previous_expires_at``."""

    # Resource servers

    RESOURCE_CREATED = "resource.created"
    """A resource server was registered. Detail: ``identifier``, ``scopes``."""

    RESOURCE_DELETED = "resource.deleted"
    """A resource server was removed. Detail: ``identifier``."""

    # Signing keys

    KEY_CREATED = "key.created"
    """A signing key was made and published. Detail: ``kid``, ``alg``."""

    KEY_SCHEDULED = "key.scheduled"
    """A rotation was planned. Detail: ``kid``, ``alg``, ``at`` (when the key starts signing)."""

    KEY_ACTIVATED = "key.activated"
    """A key started signing. Detail: ``kid``, ``alg``, ``at``."""

    KEY_RETIRED = "key.retired"
    """A key stopped signing; it stays published while its tokens may live. Detail: ``kid``, ``alg``,
    ``at``."""

    KEY_REVOKED = "key.revoked"
    """A key was taken out of use at once. Detail: ``kid``, ``alg``, ``at``."""
