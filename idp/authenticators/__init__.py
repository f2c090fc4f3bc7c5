"""Authenticators: how a person proves who they are, and what protects the proofs from guessing.

Owns passwords (rules, bounded hashing, checking), generators of one-time passwords, recovery
codes, addresses for codes, the durable failure counters, and known devices. Does not know who
signs in where (login/), accounts' names (accounts/) or sessions.
Called by login, selfservice and admin.
Reading order: password_rules, hashing, passwords, throttle, devices, totp, recovery_codes,
code_factors.
"""

from idp.authenticators.code_factors import Channel, CodeFactor, CodeFactors
from idp.authenticators.devices import LIFETIME as DEVICE_LIFETIME
from idp.authenticators.devices import KnownDevices
from idp.authenticators.hashing import BoundedHasher, Busy
from idp.authenticators.passwords import PasswordCheck, Passwords
from idp.authenticators.recovery_codes import RECOVERY_CODES, RecoveryCodes
from idp.authenticators.throttle import HARD_STOP, MEMORY, PAUSES, PasswordThrottle, blocked_for
from idp.authenticators.totp import Totp

__all__ = [
    "DEVICE_LIFETIME",
    "HARD_STOP",
    "MEMORY",
    "PAUSES",
    "RECOVERY_CODES",
    "BoundedHasher",
    "Busy",
    "Channel",
    "CodeFactor",
    "CodeFactors",
    "KnownDevices",
    "PasswordCheck",
    "PasswordThrottle",
    "Passwords",
    "RecoveryCodes",
    "Totp",
    "blocked_for",
]
