"""How sure a sign-in is: from the proofs that were given to ``acr`` and ``amr``."""

from collections.abc import Collection, Iterable
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from idp.sessions import ACR_PHISHING_RESISTANT, ACR_SINGLE_FACTOR, ACR_TWO_FACTORS, BrowserSession


class Factor(StrEnum):
    """A proof a person can give. Stored in attempts, and named in addresses of pages."""

    PASSWORD = "password"
    """Something they know."""
    TOTP = "totp"
    """A code of their generator (RFC 6238)."""
    RECOVERY_CODE = "recovery"
    """One of the codes they keep for the loss of everything else."""
    SMS = "sms"
    """A code sent to their telephone; restricted (NIST SP 800-63B-4 §3.1.3.3)."""
    EMAIL = "email"
    """A code sent to their address. Never a second factor: it shows no possession (row M4)."""
    PASSKEY = "passkey"
    """A WebAuthn credential that verified them: two factors in one."""
    SECURITY_KEY = "security-key"
    """A WebAuthn credential that only noticed somebody's presence: something they have."""
    FEDERATED = "federated"
    """Another provider's word for who they are. One factor, whatever was asked there (row M8)."""
    FEDERATED_STRONG = "federated-strong"
    """The word of a provider that is trusted with it: two factors were shown there."""


class Achieved(NamedTuple):
    """One proof, given at ``at``."""

    factor: Factor
    at: datetime
    synced: bool = False
    """Of a WebAuthn credential: whether its key can leave the device."""
    amr: tuple[str, ...] = ()
    """Of another provider that is trusted with it: the methods that it names."""


class Assurance(NamedTuple):
    """What tokens say about a sign-in."""

    acr: str
    amr: tuple[str, ...]


FEDERATED: Final = frozenset({Factor.FEDERATED, Factor.FEDERATED_STRONG})
"""Proofs that were given elsewhere."""

FEDERATED_METHOD: Final = "fed"
"""In ``amr``: somebody else said who it is. No value of RFC 8176, which has none for it; its §2 lets parties
agree on others."""

_TOLD_BY_STRENGTH: Final = frozenset({"mfa", "otp", "sms"})
"""Methods that here stand for a second step; passed on only when the other provider's word for one counts."""

_POSSESSION: Final = frozenset({Factor.TOTP, Factor.RECOVERY_CODE, Factor.SMS, Factor.SECURITY_KEY})

_AMR: Final = {
    Factor.PASSWORD: ("pwd",),
    Factor.TOTP: ("otp",),
    Factor.RECOVERY_CODE: ("otp",),
    Factor.SMS: ("sms", "otp"),
    Factor.EMAIL: ("otp",),
    Factor.PASSKEY: ("pop", "user"),
    Factor.SECURITY_KEY: ("pop",),
    Factor.FEDERATED: (FEDERATED_METHOD,),
    Factor.FEDERATED_STRONG: (FEDERATED_METHOD,),
}
"""Source: RFC 8176 §2."""


def assurance_of(achieved: Collection[Achieved]) -> Assurance:
    """The assurance that these proofs together give. ``acr`` tells the truth, whatever was asked for."""
    acr = acr_of({proof.factor for proof in achieved})
    return Assurance(acr=acr, amr=tuple(sorted(_methods(achieved, multiple=acr != ACR_SINGLE_FACTOR))))


def proofs_of(session: BrowserSession) -> tuple[Achieved, ...]:
    """The proofs that a live session stands on, to go on from; none where that is not clear.

    A session whose second step has been too long ago counts as one factor (row S4), and so do its proofs.
    """
    methods, at = set(session.amr), session.auth_time
    if FEDERATED_METHOD in methods:  # before the password, which may be the other provider's
        return () if session.acr == ACR_PHISHING_RESISTANT else (_federated(session),)
    if "pwd" not in methods:
        return ()
    proofs = (Achieved(Factor.PASSWORD, at),)
    if session.acr == ACR_TWO_FACTORS:
        return (*proofs, Achieved(Factor.SMS if "sms" in methods else Factor.TOTP, at))
    return proofs


def acr_of(factors: Collection[Factor]) -> str:
    """The level of these proofs."""
    knows = Factor.PASSWORD in factors
    if Factor.PASSKEY in factors or (knows and Factor.SECURITY_KEY in factors):
        return ACR_PHISHING_RESISTANT
    identified = knows or not FEDERATED.isdisjoint(factors)
    if Factor.FEDERATED_STRONG in factors or (identified and not _POSSESSION.isdisjoint(factors)):
        return ACR_TWO_FACTORS
    return ACR_SINGLE_FACTOR


def _methods(achieved: Iterable[Achieved], *, multiple: bool) -> set[str]:
    methods = {"mfa"} if multiple else set[str]()
    for proof in achieved:
        methods.update(_AMR[proof.factor])
        methods.update(proof.amr if proof.factor is Factor.FEDERATED_STRONG else _harmless(proof.amr))
        if proof.factor in {Factor.PASSKEY, Factor.SECURITY_KEY}:
            methods.add("swk" if proof.synced else "hwk")
    return methods


def _harmless(amr: tuple[str, ...]) -> set[str]:
    """What another provider named, without what would pass for a second step (row M8)."""
    return set(amr) - _TOLD_BY_STRENGTH


def _federated(session: BrowserSession) -> Achieved:
    """The proof of a session that came from another provider, with the methods it has already."""
    strong = session.acr == ACR_TWO_FACTORS
    methods = tuple(method for method in session.amr if method != FEDERATED_METHOD)
    return Achieved(Factor.FEDERATED_STRONG if strong else Factor.FEDERATED, session.auth_time, amr=methods)
