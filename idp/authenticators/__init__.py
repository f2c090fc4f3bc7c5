"""Authenticators: how a person proves who they are, and what protects the proofs from guessing.

Owns passwords (rules, bounded hashing, checking), generators of one-time passwords, recovery
codes, addresses for codes, passkeys, the durable failure counters, and known devices. Does not know who
signs in where (login/), accounts' names (accounts/) or sessions.
Called by login, selfservice and admin.
Reading order: password_rules, hashing, passwords, verdict, breaches, new_passwords, throttle,
devices, factor_throttle, totp, totp_enrolment, recovery_codes, code_factors, webauthn_values,
relying_party, webauthn_json, webauthn_ceremonies, challenges, passkey, passkeys.
"""

from idp.authenticators.breaches import ERROR_RATE, Breaches, write_bloom_file
from idp.authenticators.code_factors import Channel, CodeFactor, CodeFactors
from idp.authenticators.devices import LIFETIME as DEVICE_LIFETIME
from idp.authenticators.devices import KnownDevice, KnownDevices
from idp.authenticators.factor_throttle import GUESSABLE, FactorThrottle
from idp.authenticators.hashing import BoundedHasher, Busy
from idp.authenticators.new_passwords import NewPasswords
from idp.authenticators.passkey import Passkey, PasskeyUse, UnknownPasskey
from idp.authenticators.passkeys import LONGEST_NAME, Passkeys
from idp.authenticators.passwords import PasswordCheck, Passwords
from idp.authenticators.recovery_codes import RECOVERY_CODES, RecoveryCodes
from idp.authenticators.relying_party import relying_party
from idp.authenticators.throttle import (
    FREE_FAILURES,
    HARD_STOP,
    MEMORY,
    PAUSES,
    PasswordThrottle,
    blocked_for,
)
from idp.authenticators.totp import Totp
from idp.authenticators.totp_enrolment import TotpEnrolment
from idp.authenticators.verdict import Fault, PasswordRefused, Verdict, Weakness

__all__ = [
    "DEVICE_LIFETIME",
    "ERROR_RATE",
    "FREE_FAILURES",
    "GUESSABLE",
    "HARD_STOP",
    "LONGEST_NAME",
    "MEMORY",
    "PAUSES",
    "RECOVERY_CODES",
    "BoundedHasher",
    "Breaches",
    "Busy",
    "Channel",
    "CodeFactor",
    "CodeFactors",
    "FactorThrottle",
    "Fault",
    "KnownDevice",
    "KnownDevices",
    "NewPasswords",
    "Passkey",
    "PasskeyUse",
    "Passkeys",
    "PasswordCheck",
    "PasswordRefused",
    "PasswordThrottle",
    "Passwords",
    "RecoveryCodes",
    "Totp",
    "TotpEnrolment",
    "UnknownPasskey",
    "Verdict",
    "Weakness",
    "blocked_for",
    "relying_party",
    "write_bloom_file",
]
