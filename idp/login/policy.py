"""Which proof comes next. The only place that decides it; pure: values in, answer out."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from idp.login.assurance import FEDERATED, Factor, acr_of
from idp.sessions import level_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """What an account can prove who it is with; read in one go."""

    password: bool = False
    passkeys: int = 0
    totp: bool = False
    recovery_codes: int = 0
    """How many are left."""
    sms: bool = False
    email: bool = False
    """Whether codes by mail are asked for as a second step."""
    identities: int = 0
    """How many linked identities of providers that can be used."""

    @property
    def has_second_factor(self) -> bool:
        """Whether a password alone is not enough.

        A passkey alone does not make it so: it may have been added in passing on one device, and would
        then lock its owner out everywhere else.
        """
        return self.totp or self.sms or self.email


@dataclass(frozen=True, slots=True, kw_only=True)
class Required:
    """What a sign-in has to come to."""

    level: int = 1
    """Place in the ladder of ``acr``, 1 to 3: what the client asked for, or the operator demands. Who cannot
    reach it comes as near as they can."""
    enrol: bool = False
    """Whether who cannot reach the level, or ``minimum``, has to set up what is missing."""
    minimum: int | None = None
    """The level that is insisted on, if it is not all that is asked for."""


class Stage(Enum):
    """Where a sign-in stands."""

    IDENTIFY = auto()
    """Nothing is proved: the sign-in page."""
    ASK = auto()
    """One of the methods has to be given."""
    ENROL = auto()
    """A second factor has to be set up first."""
    DONE = auto()


@dataclass(frozen=True, slots=True)
class NextStep:
    """What comes next."""

    stage: Stage
    methods: tuple[Factor, ...] = ()
    """Any of these will do, the best first."""


_SECOND: Final = (Factor.PASSKEY, Factor.TOTP, Factor.SMS, Factor.EMAIL, Factor.RECOVERY_CODE)
"""Second steps in the order in which they are offered."""


def next_step(
    *, enrolled: Enrolled, achieved: Collection[Factor], required: Required, trusted_device: bool
) -> NextStep:
    """The first unmet step of a sign-in.

    Args:
        enrolled: what the account has.
        achieved: what has been proved in this sign-in, or stands from the live session it continues.
        required: what it has to come to.
        trusted_device: the person marked this browser, and the mark is valid for the account. It stands in
            for the second step, never for a level (row M8).
    """
    if not achieved:
        return NextStep(Stage.IDENTIFY)
    level = level_of(acr_of(achieved))
    offered = _offered(enrolled, achieved)
    for wanted in range(required.level, level, -1):
        reaching = tuple(factor for factor in offered if level_of(acr_of({*achieved, factor})) >= wanted)
        if reaching:
            return NextStep(Stage.ASK, reaching)
    if required.enrol:
        minimum = required.level if required.minimum is None else required.minimum
        if level < minimum:
            # Security: who sets up a factor proves those first that are there (row M7).
            return NextStep(Stage.ASK, offered) if _owes(enrolled, achieved) else NextStep(Stage.ENROL)
    if _owes(enrolled, achieved) and not trusted_device:
        return NextStep(Stage.ASK, offered)
    return NextStep(Stage.DONE)


def password_suffices(*, has_second_step: bool, required: Required, trusted_device: bool) -> bool:
    """Whether it is certain that nothing comes after the password, before more is known of the account.

    Spares most sign-ins the question what else the account has; where it says no, :func:`next_step`
    decides. Arguments as there; ``has_second_step`` is ``Enrolled.has_second_factor``.
    """
    return required.level <= 1 and (trusted_device or not has_second_step)


def reachable_level(enrolled: Enrolled) -> int:
    """The highest level that somebody with these proofs can reach without setting up another."""
    return level_of(acr_of({factor for factor in Factor if _has(enrolled, factor)}))


def _owes(enrolled: Enrolled, achieved: Collection[Factor]) -> bool:
    """Whether the account's own second step has not been taken."""
    return enrolled.has_second_factor and not any(factor in achieved for factor in _STEPS_TAKEN)


_STEPS_TAKEN: Final = (*_SECOND, Factor.SECURITY_KEY, Factor.FEDERATED_STRONG)
"""Security: the word of another provider stands in for the person's own second step only where the operator
trusts that provider with it (row M8)."""
_SAY_WHO: Final = frozenset({Factor.PASSWORD, Factor.PASSKEY, *FEDERATED})
"""After one of these the password says nothing new."""


def _offered(enrolled: Enrolled, achieved: Collection[Factor]) -> tuple[Factor, ...]:
    offered = tuple(factor for factor in _SECOND if _has(enrolled, factor) and factor not in achieved)
    missing = enrolled.password and _SAY_WHO.isdisjoint(achieved)
    return (*offered, Factor.PASSWORD) if missing else offered


def _has(enrolled: Enrolled, factor: Factor) -> bool:
    match factor:
        case Factor.PASSWORD:
            return enrolled.password
        case Factor.PASSKEY:
            return enrolled.passkeys > 0
        case Factor.TOTP:
            return enrolled.totp
        case Factor.SMS:
            return enrolled.sms
        case Factor.EMAIL:
            return enrolled.email
        case Factor.RECOVERY_CODE:
            return enrolled.recovery_codes > 0
        case Factor.FEDERATED:
            return enrolled.identities > 0
        case Factor.SECURITY_KEY | Factor.FEDERATED_STRONG:
            return False
