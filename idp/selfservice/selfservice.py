"""All of self-service under one name."""

from dataclasses import dataclass
from typing import Self

from idp.selfservice.profile import Profile
from idp.selfservice.services import SelfServiceServices


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfService:
    """What the account pages offer, by noun."""

    profile: Profile

    @classmethod
    def build(cls, services: SelfServiceServices) -> Self:
        """All of it over the same collaborators."""
        return cls(profile=Profile(services))
