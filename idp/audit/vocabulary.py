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
    """An account was made. Detail: ``username``; if by the person, ``way`` (``signup``, ``invitation`` or
    ``federation``), ``factor`` and ``terms`` (which they accepted); ``provider`` if they came from another
    one."""

    SIGNUP_REQUESTED = "account.signup.requested"
    """Somebody asked to register with an address or a number; the account is the one that has it already,
    else empty. Detail: ``channel`` (``mail`` or ``sms``), ``resent``; ``provider`` if they came from another
    one."""

    INVITED = "account.invited"
    """An operator invited somebody to make an account. Detail: ``mailed`` (else the operator passes the
    link on)."""

    RECOVERY_REQUESTED = "account.recovery.requested"
    """Somebody asked for a link to a new password; the account is empty when nobody has the name they gave.
    Detail: ``channel`` (``mail`` or ``sms``), ``sent``."""

    PASSWORD_RESET = "account.password.reset"
    """A password was replaced by way of a link; everything that was signed in ended. Detail: ``channel``,
    ``factor`` (the second proof, if the account has one), ``sessions``, ``families`` (how many ended)."""

    EMAIL_VERIFIED = "account.email.verified"
    """An address was proved to be the person's. Detail: none."""

    EMAIL_CHANGED = "account.email.changed"
    """The account has another address, which was proved. Detail: ``first`` (it had none before)."""

    EMAIL_RESTORED = "account.email.restored"
    """The former address took back a change; everything that was signed in ended, the password is gone.
    Detail: ``sessions``, ``families`` (how many ended)."""

    PHONE_CHANGED = "account.phone.changed"
    """The account has another telephone number, which was proved. Detail: ``first``."""

    ACCOUNT_SECURED = "account.secured"
    """A person said "this was not me"; everything that was signed in ended, the password is gone, and so are
    the authenticators that were added since, and all linked accounts elsewhere. Detail: ``notice`` (what they
    were told of), ``sessions``, ``families``, ``authenticators`` (how many)."""

    ACCOUNT_DISABLED = "account.disabled"
    """An account was disabled; its sessions and token families end with it. Detail: ``sessions``
    (how many ended), ``families`` (how many were revoked); 10 000 mean that many or more."""

    ACCOUNT_ENABLED = "account.enabled"
    """A disabled account may be used again; what was ended stays ended. Detail: none."""

    ACCOUNT_UPDATED = "account.updated"
    """A person's profile changed. Detail: ``fields`` (names of the claims that changed, no values);
    ``provider`` if it follows that one's."""

    ACCOUNT_EXPORTED = "account.exported"
    """A person downloaded everything that is kept about them. Detail: none."""

    DELETION_REQUESTED = "account.deletion.requested"
    """A person asked for their account to be deleted; they are signed out everywhere. Detail:
    ``delete_after``, ``sessions``, ``families`` (how many ended)."""

    DELETION_CANCELLED = "account.deletion.cancelled"
    """A person who had asked for it keeps their account. Detail: none."""

    ACCOUNT_DELETED = "account.deleted"
    """An account was deleted at its owner's request; its history is shredded. Detail: ``requested_at``."""

    PASSWORD_SET = "account.password.set"
    """A password was set or replaced. Detail: none."""

    PASSWORD_VERIFIED = "account.password.verified"
    """The right password was given. Detail: ``purpose`` (``login`` or ``reauthentication``),
    ``known_device``, ``rehashed`` (stored again with the present parameters)."""

    PASSWORD_FAILED = "account.password.failed"
    """A sign-in with a password was refused; the account is empty when the identifier is unknown, and
    what was typed is not repeated, because people type passwords there. Detail: ``reason``
    (``unknown_account``, ``wrong_password``, ``account_disabled``, or ``paused`` for the right
    password in a burst of wrong ones), ``purpose`` (``login``, ``reauthentication`` or
    ``password_change``), ``failures`` (consecutive ones)."""

    PASSWORD_THROTTLED = "account.password.throttled"
    """Sign-ins of an account pause, because too many failed in a row. Detail: ``failures``,
    ``blocked_until``."""

    FACTOR_VERIFIED = "account.factor.verified"
    """A second step was taken. Detail: ``method`` (``totp``, ``recovery``, ``sms``, ``email``,
    ``passkey``), ``purpose`` (``login``, ``reauthentication`` or ``recovery``), ``reason`` (why it was
    asked for: ``enrolled`` by the person, by the ``application``, ``required`` of everybody, or ``again``
    before a change)."""

    FACTOR_FAILED = "account.factor.failed"
    """A wrong code was given as a second step. Detail: ``method``, ``purpose``, ``reason`` (as above),
    ``failures`` (consecutive ones with this method)."""

    FACTOR_THROTTLED = "account.factor.throttled"
    """A second step pauses for an account, because too many codes were wrong in a row. Detail: ``method``,
    ``failures``, ``blocked_until``."""

    FACTOR_CODE_SENT = "account.factor.sent"
    """A code for a second step was sent. Detail: ``method`` (``sms`` or ``email``)."""

    FACTOR_UNAVAILABLE = "account.factor.unavailable"
    """A second step could not be offered, because its message could not be sent; another one was offered.
    Detail: ``method``, ``reason`` (``not_configured`` or ``transport_failed``)."""

    TOTP_ADDED = "account.totp.added"
    """An authenticator app was set up as a second step. Detail: ``replaced`` (whether another one was
    before)."""

    TOTP_REMOVED = "account.totp.removed"
    """The authenticator app was removed. Detail: none."""

    RECOVERY_CODES_CREATED = "account.recovery.created"
    """A new set of recovery codes was made; the former counts no more. Detail: ``codes`` (how many)."""

    RECOVERY_CODES_REMOVED = "account.recovery.removed"
    """The recovery codes were removed with the last second step, which they stand in for. Detail: none."""

    CODE_FACTOR_ADDED = "account.codes.added"
    """Codes are sent to an address as a second step; it was confirmed by one. Detail: ``channel``
    (``email`` or ``sms``)."""

    CODE_FACTOR_REMOVED = "account.codes.removed"
    """Codes are not sent to an address any more. Detail: ``channel``."""

    SECOND_FACTOR_RESET = "account.factors.reset"
    """An operator took all second steps away, for somebody who has lost them. Detail: ``removed`` (which
    ones there were: ``totp``, ``sms``, ``email``, ``recovery_codes``, ``passkeys``)."""

    DEVICES_DISTRUSTED = "account.devices.distrusted"
    """The second step is asked for again in every browser. Detail: ``devices`` (how many were trusted)."""

    PASSKEY_ADDED = "account.passkey.added"
    """A passkey was registered. Detail: ``passkey`` (its id), ``aaguid`` (its make, as it says itself
    unless attestation is required), ``synced`` (its key can leave the device), ``user_verified`` (it has
    verified the person; one that the browser made by itself has not)."""

    PASSKEY_RENAMED = "account.passkey.renamed"
    """A person gave a passkey another name. Detail: ``passkey``."""

    PASSKEY_REMOVED = "account.passkey.removed"
    """A passkey was removed. Detail: ``passkey``, ``aaguid``."""

    PASSKEY_DECLINED = "account.passkey.declined"
    """A person who was asked to add a passkey said "not now". Detail: none."""

    PASSKEY_VERIFIED = "account.passkey.verified"
    """A passkey was used. Detail: ``passkey``, ``purpose`` (``login``, ``second_factor`` or
    ``reauthentication``), ``user_verified`` (the person, not their presence alone), ``counter_behind``
    (a synced key's counter did not grow)."""

    PASSKEY_FAILED = "account.passkey.failed"
    """A passkey was refused. The account is empty unless something else had proved it. Detail: ``reason``
    (``unknown_passkey``, or what did not hold, in words of ours)."""

    DEVICE_TRUSTED = "account.device.trusted"
    """A person asked for no second step in this browser for a while. Detail: ``until``."""

    # Sign-ins at other providers

    FEDERATION_VERIFIED = "federation.signin.verified"
    """Another provider said who somebody is, and its answer held. Detail: ``provider`` (its id), ``name``,
    ``purpose`` (``login`` or ``reauthentication``), ``factor`` (``federated``, or ``federated-strong`` for
    two factors there, of a provider that is trusted with them), ``auth_time`` (when they signed in there,
    if it said so)."""

    FEDERATION_FAILED = "federation.signin.failed"
    """A way to another provider led to no sign-in. The account is empty unless somebody was signed in.
    Detail: ``provider``, ``purpose`` (``sign-in``, ``again`` or ``link``), ``reason`` (what did not hold, a
    code listed in docs/federation.md)."""

    IDENTITY_LINKED = "federation.identity.linked"
    """An account elsewhere can be used to sign in from now on. Detail: ``provider``, ``name``,
    ``identity`` (id of the link)."""

    IDENTITY_UNLINKED = "federation.identity.unlinked"
    """An account elsewhere cannot be used any more. Detail: ``provider``, ``name``, ``identity``."""

    UPSTREAM_LOGOUT_RECEIVED = "federation.logout.received"
    """Another provider said that somebody is signed out there. Detail: ``provider``, ``sessions`` (how many
    ended here; each has an event of its own)."""

    UPSTREAM_LOGOUT_REFUSED = "federation.logout.refused"
    """A logout token of another provider did not hold. Detail: ``provider``, ``reason``."""

    # Browser sessions

    SESSION_STARTED = "session.started"
    """A browser session began. Detail: ``acr``, ``amr``, ``known_device``."""

    SESSION_REAUTHENTICATED = "session.reauthenticated"
    """The person of a running session proved again who they are. Detail: ``acr``, ``amr``, ``logins``."""

    SESSION_CHOSEN = "session.chosen"
    """Of several accounts signed in in one browser, another became the present one. Detail: none."""

    SESSION_ENDED = "session.ended"
    """A browser session ended before its time. Detail: ``reason`` (``logout``, ``replaced``,
    ``upstream_logout`` by the provider that it came from, or ``ended_by_person`` from the page of their
    sessions), ``families`` (how many token families ended with it)."""

    SESSIONS_ENDED = "session.others.ended"
    """Many sessions of an account ended at once. Detail: ``reason`` (``ended_by_person``,
    ``password_changed`` or ``operator``), ``sessions``, ``families`` (how many ended)."""

    # What a person allows

    CONSENT_GRANTED = "consent.granted"
    """A person allowed a client what it asked for. Detail: ``scopes``, ``claims``, ``resources``."""

    CONSENT_WITHDRAWN = "consent.withdrawn"
    """A person stopped the access of a client. Detail: ``consents`` (how many answers were withdrawn),
    ``families`` (how many token families were revoked)."""

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

    # Messages

    MESSAGE_GIVEN_UP = "message.abandoned"
    """A mail or an SMS could not be sent, and is not tried again. Detail: ``channel`` (``mail`` or
    ``sms``), ``template``, ``attempts``, ``reason``."""

    MESSAGE_RETRIED = "message.retried"
    """An operator had messages tried again. Detail: ``messages`` (how many)."""

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

    # Other providers

    PROVIDER_CREATED = "provider.created"
    """A provider that people can sign in with was added. Detail: ``provider``, ``name``, ``preset``,
    ``issuer``."""

    PROVIDER_UPDATED = "provider.updated"
    """A provider's configuration changed. Detail: ``provider``, ``fields`` (their names, or ``secret``)."""

    PROVIDER_DISABLED = "provider.disabled"
    """A provider was disabled: nobody signs in with it, linked identities stay. Detail: ``provider``."""

    PROVIDER_ENABLED = "provider.enabled"
    """A disabled provider may be used again. Detail: ``provider``."""

    PROVIDER_DELETED = "provider.deleted"
    """A provider was removed with its secret and the identities that were linked; it was disabled before.
    Detail: ``provider``, ``identities`` (how many were removed)."""

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
