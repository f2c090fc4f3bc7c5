"""Authenticators: how a person proves who they are, and what protects the proofs from guessing.

Owns passwords (rules, bounded hashing, checking), the durable failure counters, and known
devices. Does not know who signs in where (login/), accounts' names (accounts/) or sessions.
Called by login and admin.
Reading order: password_rules, hashing, passwords, throttle, devices.
"""

from idp.authenticators.devices import LIFETIME as DEVICE_LIFETIME
from idp.authenticators.devices import KnownDevices
from idp.authenticators.hashing import BoundedHasher, Busy
from idp.authenticators.passwords import PasswordCheck, Passwords
from idp.authenticators.throttle import HARD_STOP, MEMORY, PAUSES, PasswordThrottle, blocked_for

__all__ = [
    "DEVICE_LIFETIME",
    "HARD_STOP",
    "MEMORY",
    "PAUSES",
    "BoundedHasher",
    "Busy",
    "KnownDevices",
    "PasswordCheck",
    "PasswordThrottle",
    "Passwords",
    "blocked_for",
]
