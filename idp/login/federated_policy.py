"""What another provider's word is worth, and what the first sign-in of somebody unknown leads to. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from idp.accounts import Account, canonical_email, normalized_email
from idp.assurance import level_of
from idp.errors import Invalid
from idp.federation import Provider, UpstreamIdentity
from idp.login.assurance import Achieved, Factor

_TWO_FACTORS: Final = 2
_MOST_METHODS: Final = 10
_LONGEST_METHOD: Final = 20

_SHOWS_POSSESSION: Final = frozenset({"hwk", "swk", "sc", "pop", "otp", "sms", "tel"})
_SHOWS_PERSON: Final = frozenset({"pwd", "pin", "kba", "user", "fpt", "face", "iris", "retina", "vbm"})
"""Source: RFC 8176 §2."""


class First(StrEnum):
    """What the first sign-in of an identity that nobody has leads to."""

    CREATE = "create"
    """An account, at once."""
    ASK = "ask"
    """A page that asks for what is missing, and whether an account is wanted."""
    KNOWN = "known"
    """Whose address it is has an account: they may link it after they have proved that it is theirs."""
    TAKEN = "taken"
    """The address is a name of an account that has not shown that the address is its own."""
    NEVER = "never"
    """The provider makes no accounts here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What a person has to say before their account can be made."""

    claims: tuple[str, ...]
    terms: bool

    def __bool__(self) -> bool:
        return bool(self.claims) or self.terms


def proof_of(provider: Provider, identity: UpstreamIdentity, now: datetime) -> Achieved:
    """What a sign-in there counts as here.

    One factor, until the operator trusts the provider with more (row M8); two at most, because nobody
    here has seen them.
    """
    if not provider.trust_assurance:
        return Achieved(Factor.FEDERATED, now)
    methods = tuple(method for method in identity.amr if method.isascii() and len(method) <= _LONGEST_METHOD)[
        :_MOST_METHODS
    ]
    strong = _is_strong(methods) or level_of(provider.acr_map.get(identity.acr or "", "")) >= _TWO_FACTORS
    return Achieved(Factor.FEDERATED_STRONG if strong else Factor.FEDERATED, now, amr=methods)


def acr_values_for(provider: Provider, level: int) -> tuple[str, ...]:
    """Which ``acr`` to ask the provider for, so that its word reaches this level."""
    if not provider.trust_assurance or level < _TWO_FACTORS:
        return ()
    return tuple(theirs for theirs, ours in provider.acr_map.items() if level_of(ours) >= _TWO_FACTORS)


def vouched_address(provider: Provider, identity: UpstreamIdentity) -> str | None:
    """The e-mail address that this provider may vouch for, as it would be stored; ``None`` for every other.

    Security: only where the operator trusts the provider with the domain, and only if it says itself that
    the address is verified (row V8).
    """
    if identity.email is None or identity.email_verified is not True:
        return None
    try:
        address = normalized_email(identity.email)
    except Invalid:
        return None
    return address if provider.may_vouch_for(address) else None


def missing(provider: Provider, identity: UpstreamIdentity, *, terms: bool) -> Missing:
    """What the person has to say; ``terms``: whether people here accept any."""
    there = {name for name, value in identity.claims.items() if isinstance(value, str) and value.strip()}
    there.discard("email")
    if vouched_address(provider, identity) is not None:
        there.add("email")
    return Missing(claims=tuple(name for name in provider.required_claims if name not in there), terms=terms)


def first_step(
    provider: Provider, identity: UpstreamIdentity, *, owner: Account | None, lacks: Missing
) -> First:
    """What the first sign-in leads to.

    Args:
        provider: who says it.
        identity: what it says.
        owner: the account that :func:`vouched_address` leads to, if there is one.
        lacks: see :func:`missing`.
    """
    if owner is not None:
        # Security: an address that the account has not proved may be somebody's who waits for this (row V8).
        return First.KNOWN if _has_proved(owner, identity) else First.TAKEN
    if provider.creates == "never":
        return First.NEVER
    return First.CREATE if provider.creates == "automatic" and not lacks else First.ASK


def _has_proved(account: Account, identity: UpstreamIdentity) -> bool:
    if account.email is None or identity.email is None or not account.email_verified:
        return False
    return canonical_email(account.email) == canonical_email(identity.email)


def _is_strong(methods: tuple[str, ...]) -> bool:
    """Whether these methods are two factors."""
    named = set(methods)
    return "mfa" in named or bool(named & _SHOWS_POSSESSION and named & _SHOWS_PERSON)
